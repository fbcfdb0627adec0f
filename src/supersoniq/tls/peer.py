"""Reads what TLS says about a client: the suite that was agreed on, and the certificate it has shown."""

import ssl
from datetime import UTC, datetime

from cryptography.x509 import (
    Certificate,
    DNSName,
    ExtensionNotFound,
    GeneralName,
    OtherName,
    RFC822Name,
    SubjectAlternativeName,
    UniformResourceIdentifier,
    load_der_x509_certificate,
)
from cryptography.x509.oid import NameOID

from supersoniq.auth.peer import Encryption, PeerCertificate
from supersoniq.tls.ciphers import suite
from supersoniq.tls.names import distinguished_name


def encryption(tls: ssl.SSLObject) -> Encryption:
    """What was agreed on in a handshake that has succeeded."""
    cipher = tls.cipher()
    parts = suite(cipher[0] if cipher is not None else "")
    octets = tls.getpeercert(binary_form=True)
    return Encryption(
        (tls.version() or "").lower(),
        parts.key_exchange,
        parts.cipher,
        parts.hash_name,
        None if octets is None else peer_certificate(octets),
    )


def peer_certificate(octets: bytes) -> PeerCertificate | None:
    """The names in a DER certificate; None for one that OpenSSL has read and we cannot."""
    try:
        return _read(load_der_x509_certificate(octets))
    except ValueError:
        return None


def instant(moment: datetime) -> str:
    """A time of a certificate, as in `2024-01-02T03:04:05Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read(certificate: Certificate) -> PeerCertificate:
    names = _alternative_names(certificate)
    return PeerCertificate(
        distinguished_name(certificate.subject),
        distinguished_name(certificate.issuer),
        f"{instant(certificate.not_valid_before_utc)} - {instant(certificate.not_valid_after_utc)}",
        [_text(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)],
        [name.value for name in names if isinstance(name, DNSName)],
        [name.value for name in names if isinstance(name, RFC822Name)],
        [name.value for name in names if isinstance(name, UniformResourceIdentifier)],
        [_other_name(name.value) for name in names if isinstance(name, OtherName)],
    )


def _alternative_names(certificate: Certificate) -> list[GeneralName]:
    try:
        return list(certificate.extensions.get_extension_for_class(SubjectAlternativeName).value)
    except ExtensionNotFound:
        return []


def _other_name(der: bytes) -> str:
    """The text of a DER string, whose tag and length are two octets for all names that are used for users."""
    return _text(der[2:])


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")
