"""The broker's certificates: which of them a client is shown, and how they are read anew."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography.x509 import Certificate, load_pem_x509_crl

from supersoniq.tls.files import CertificateError, KeyFiles, check_time, read_certificates, read_file

VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
VERIFICATIONS = {"none": ssl.CERT_NONE, "request": ssl.CERT_OPTIONAL, "require": ssl.CERT_REQUIRED}


@dataclass(frozen=True)
class TLSOptions:
    """How clients are met.

    `versions` are keys of VERSIONS, `verify` is one of VERIFICATIONS. `named` are certificates for single
    names that clients ask for, where `*.example.com` stands for one label. `ciphers` is OpenSSL's list for
    TLS 1.2.
    """

    files: KeyFiles
    named: Mapping[str, KeyFiles] = field(default_factory=dict)
    authorities: Path | None = None
    revoked: Path | None = None
    versions: tuple[str, ...] = ("1.2", "1.3")
    ciphers: str = ""
    verify: str = "none"


class Certificates:
    """What the files say now; connections keep what they began with."""

    def __init__(self, options: TLSOptions, now: datetime) -> None:
        """Read the files; raises CertificateError."""
        self._options = options
        self._loaded = _Loaded(options, now)
        # A context for listeners that keep the one they got: it shows what was loaded last.
        self.following_context = _new_context(options)
        self.following_context.sni_callback = self._follow

    @property
    def context(self) -> ssl.SSLContext:
        """What the next connection is to use; another object after each `load`."""
        return self._loaded.context

    @property
    def warnings(self) -> list[str]:
        """What an operator should know about the files, one line each."""
        return self._loaded.warnings

    def load(self, now: datetime) -> None:
        """Read the files anew; raises CertificateError, and then everything stays as it was."""
        self._loaded = _Loaded(self._options, now)

    def check(self, now: datetime) -> list[str]:
        """What is to be said about the time for which the certificates in use are valid, one line each."""
        return self._loaded.time_warnings(now)

    def expiring(self, until: datetime) -> list[tuple[Path, datetime]]:
        """Return which of those in use are not valid any more at a time, and when that begins."""
        return self._loaded.expiring(until)

    def _follow(self, tls: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        tls.context = self._loaded.chosen(name)


class _Loaded:
    """The contents of the files at one moment."""

    def __init__(self, options: TLSOptions, now: datetime) -> None:
        self._files: list[tuple[Path, Certificate]] = []
        self.context = self._context(options, options.files)
        self._by_name = {name.lower(): self._context(options, files) for name, files in options.named.items()}
        self.warnings = self._check(now)
        if self._by_name:
            self.context.sni_callback = self._choose

    def _context(self, options: TLSOptions, files: KeyFiles) -> ssl.SSLContext:
        context = _new_context(options)
        if options.authorities is not None:
            _trust(context, options.authorities)
        if options.revoked is not None:
            _distrust(context, options.revoked)
        self._files.append((files.certificate, files.load_into(context)))
        return context

    def _check(self, now: datetime) -> list[str]:
        warnings = [check_time(certificate, path, now) for path, certificate in self._files]
        return [warning for warning in warnings if warning]

    def time_warnings(self, now: datetime) -> list[str]:
        """As `warnings`, later."""
        try:
            return self._check(now)
        except CertificateError as error:
            return [str(error)]

    def expiring(self, until: datetime) -> list[tuple[Path, datetime]]:
        """As that of `Certificates`."""
        ends = [(path, certificate.not_valid_after_utc) for path, certificate in self._files]
        return [(path, end) for path, end in ends if end <= until]

    def chosen(self, name: str | None) -> ssl.SSLContext:
        """The context for the name that a client asks for; the default one if there is none of that name."""
        if name is None:
            return self.context
        name = name.lower()
        _, _, domain = name.partition(".")
        return self._by_name.get(name) or self._by_name.get(f"*.{domain}") or self.context

    def _choose(self, tls: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        tls.context = self.chosen(name)


def _new_context(options: TLSOptions) -> ssl.SSLContext:
    """All that is not in files."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    versions = sorted(VERSIONS[version] for version in options.versions)
    context.minimum_version, context.maximum_version = versions[0], versions[-1]
    context.options |= ssl.OP_NO_RENEGOTIATION
    if options.ciphers:
        try:
            context.set_ciphers(options.ciphers)
        except ssl.SSLError:
            raise CertificateError(f"tls_ciphers = {options.ciphers}: OpenSSL knows none of them") from None
    context.verify_mode = VERIFICATIONS[options.verify]
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if options.revoked is not None:
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    return context


def _trust(context: ssl.SSLContext, path: Path) -> None:
    """Believe whoever has a certificate of an authority in this file, which need not be a root."""
    read_certificates(path, "CA file")
    context.load_verify_locations(path)


def _distrust(context: ssl.SSLContext, path: Path) -> None:
    """Refuse whom this list of revoked certificates names."""
    try:
        load_pem_x509_crl(read_file(path, "CRL"))
        context.load_verify_locations(path)
    except (ValueError, ssl.SSLError):
        raise CertificateError(f"TLS CRL {path} has no list of revoked certificates in PEM form") from None
