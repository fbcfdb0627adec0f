"""SASL mechanisms: which ones a client is offered, and who it claims to be by the one it has chosen."""

from typing import Final, final

from supersoniq.amqp.errors import CommandInvalid, FrameError, MalformedField
from supersoniq.amqp.primitives import text
from supersoniq.amqp.tables import read_table
from supersoniq.auth.peer import PeerCertificate

PASSWORD_MECHANISMS: Final = b"PLAIN AMQPLAIN"
EXTERNAL: Final = b"EXTERNAL"

COMMON_NAME: Final = "common_name"
DISTINGUISHED_NAME: Final = "distinguished_name"
ALTERNATIVE_NAME: Final = "subject_alternative_name"


@final
class CertificateNames:
    """Which name in a client's certificate is its user's (rabbitmq: `ssl_cert_login_from`)."""

    def __init__(self, source: str = DISTINGUISHED_NAME, kind: str = "dns", index: int = 0) -> None:
        self._source = source
        self._kind = kind  # of alternative names
        self._index = index

    def user(self, certificate: PeerCertificate) -> str:
        """Return the name of the user, empty if the certificate has no such name."""
        if self._source == DISTINGUISHED_NAME:
            return certificate.subject
        if self._source == COMMON_NAME:
            return ",".join(certificate.common_names)
        names = self._alternatives(certificate)
        return names[self._index] if self._index < len(names) else ""

    def _alternatives(self, certificate: PeerCertificate) -> list[str]:
        if self._kind == "email":
            return certificate.emails
        if self._kind == "uri":
            return certificate.uris
        if self._kind == "other_name":
            return certificate.other_names
        return certificate.dns_names


def offered(certificate: PeerCertificate | None) -> bytes:
    """Return the mechanisms for Connection.Start: EXTERNAL only where a certificate was verified."""
    return PASSWORD_MECHANISMS if certificate is None else PASSWORD_MECHANISMS + b" " + EXTERNAL


def claimed(
    mechanism: bytes, response: bytes, certificate: PeerCertificate | None, names: CertificateNames
) -> tuple[str, bytes | None]:
    """Return user and password, None instead of that where the certificate counts.

    Raises 502 for a malformed response, 503 for a mechanism that was not offered.
    """
    if mechanism == EXTERNAL and certificate is not None:
        return names.user(certificate), None
    if mechanism == b"PLAIN":
        return _plain(response)
    if mechanism == b"AMQPLAIN":
        return _amqplain(response)
    raise CommandInvalid(f"unknown authentication mechanism '{text(mechanism)}'", 0, 0)


def _plain(response: bytes) -> tuple[str, bytes]:
    parts = response.split(b"\x00")
    if len(parts) != 3:
        raise MalformedField("invalid PLAIN response", 0, 0)
    return text(parts[1]), parts[2]


def _amqplain(response: bytes) -> tuple[str, bytes]:
    try:
        table = read_table(response, 0, len(response))
    except FrameError as error:
        raise MalformedField("invalid AMQPLAIN response", 0, 0) from error
    login, password = table.get(b"LOGIN"), table.get(b"PASSWORD")
    if login is None or password is None or not login.is_string or not password.is_string:
        raise MalformedField("invalid AMQPLAIN response", 0, 0)
    return text(login.octets()), password.octets()
