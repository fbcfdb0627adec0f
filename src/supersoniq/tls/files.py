"""A certificate and its key in files: every way in which they can be wrong, in one line each."""

import ssl
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import Certificate, load_pem_x509_certificates

from supersoniq.tls.peer import instant

EXPIRES_SOON = timedelta(days=30)


class CertificateError(Exception):
    """A file cannot be used. The text is one line that names it; never a password."""


@dataclass(frozen=True)
class KeyFiles:
    """Where a certificate is, with those that lead to its authority after it, and its key. All of it is PEM.

    Without `key` it is in the file of the certificate.
    """

    certificate: Path
    key: Path | None = None
    password: str | None = field(default=None, repr=False)

    def load_into(self, context: ssl.SSLContext) -> Certificate:
        """Have the context show this certificate, which is returned; raises CertificateError."""
        certificate = read_certificates(self.certificate, "certificate")[0]
        key_path = self.key or self.certificate
        if self._read_key(key_path).public_key() != certificate.public_key():
            raise CertificateError(f"TLS key {key_path} does not belong to certificate {self.certificate}")
        try:
            # Without a password OpenSSL would ask for it on the terminal.
            context.load_cert_chain(self.certificate, key_path, self.password or "")
        except (OSError, ValueError) as error:
            raise CertificateError(f"TLS certificate {self.certificate} cannot be used: {error}") from None
        return certificate

    def _read_key(self, path: Path) -> PrivateKeyTypes:
        octets = read_file(path, "key")
        password = self.password.encode() if self.password else None
        try:
            return load_pem_private_key(octets, None)
        except TypeError:  # it is encrypted
            if password is None:
                raise CertificateError(
                    f"TLS key {path} is encrypted, and there is no password for it: set tls_key_password"
                ) from None
        except ValueError:
            raise CertificateError(f"TLS key {path} has no private key in PEM form") from None
        try:
            return load_pem_private_key(octets, password)
        except ValueError:
            raise CertificateError(f"TLS key {path} cannot be decrypted: the password is wrong") from None


def read_file(path: Path, kind: str) -> bytes:
    """The octets of a file; raises CertificateError, which calls it a TLS `kind`."""
    try:
        return path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CertificateError(f"TLS {kind} {path} cannot be read: {reason}") from None


def read_certificates(path: Path, kind: str) -> list[Certificate]:
    """The certificates in a PEM file, at least one; raises CertificateError."""
    try:
        return load_pem_x509_certificates(read_file(path, kind))
    except ValueError:
        raise CertificateError(f"TLS {kind} {path} has no certificate in PEM form") from None


def check_time(certificate: Certificate, path: Path, now: datetime) -> str:
    """A warning about when it is valid, or nothing; raises CertificateError for one that has expired."""
    if now >= certificate.not_valid_after_utc:
        raise CertificateError(
            f"TLS certificate {path} expired on {instant(certificate.not_valid_after_utc)}"
        )
    if now < certificate.not_valid_before_utc:
        return f"TLS certificate {path} is not valid before {instant(certificate.not_valid_before_utc)}"
    left = certificate.not_valid_after_utc - now
    if left < EXPIRES_SOON:
        return f"TLS certificate {path} expires on {instant(certificate.not_valid_after_utc)}"
    return ""
