"""Who a client claims to be by each mechanism, and where EXTERNAL is offered."""

import pytest
from tests.conformance import codec

from supersoniq.amqp.errors import CommandInvalid, MalformedField
from supersoniq.auth.peer import PeerCertificate
from supersoniq.session.mechanisms import (
    ALTERNATIVE_NAME,
    COMMON_NAME,
    DISTINGUISHED_NAME,
    CertificateNames,
    claimed,
    offered,
)

NAMES = CertificateNames()
CERTIFICATE = PeerCertificate(
    "CN=ann,O=Example",
    "CN=ca",
    "2024-01-02T03:04:05Z - 2034-01-02T03:04:05Z",
    ["ann"],
    ["ann.example.org", "ann"],
    ["ann@example.org"],
    ["urn:ann"],
    [],
)


@pytest.mark.parametrize("response", [b"", b"guest", b"\0guest", b"\0guest\0guest\0more"])
def test_malformed_plain_is_a_syntax_error(response: bytes) -> None:
    with pytest.raises(MalformedField):
        claimed(b"PLAIN", response, None, NAMES)


@pytest.mark.parametrize(
    "response",
    [
        b"",
        b"\x05LOGIN",
        codec.table({"LOGIN": "guest"})[4:],
        codec.table({"LOGIN": "guest", "PASSWORD": 1})[4:],
        codec.table({"LOGIN": "guest", "PASSWORD": "guest"}),
    ],
)
def test_malformed_amqplain_is_a_syntax_error(response: bytes) -> None:
    with pytest.raises(MalformedField):
        claimed(b"AMQPLAIN", response, None, NAMES)


def test_credentials_are_user_and_password() -> None:
    assert claimed(b"PLAIN", b"\0ann\0sec ret", None, NAMES) == ("ann", b"sec ret")
    with pytest.raises(CommandInvalid):
        claimed(b"plain", b"\0ann\0secret", None, NAMES)


def test_external_is_offered_to_who_has_a_certificate() -> None:
    assert offered(None) == b"PLAIN AMQPLAIN"
    assert offered(CERTIFICATE) == b"PLAIN AMQPLAIN EXTERNAL"


def test_certificate_says_who_it_is_whatever_the_response() -> None:
    assert claimed(b"EXTERNAL", b"bob", CERTIFICATE, CertificateNames(COMMON_NAME)) == ("ann", None)


def test_external_without_a_certificate_is_unknown() -> None:
    with pytest.raises(CommandInvalid):
        claimed(b"EXTERNAL", b"", None, NAMES)


@pytest.mark.parametrize(
    ("names", "user"),
    [
        (CertificateNames(), "CN=ann,O=Example"),
        (CertificateNames(DISTINGUISHED_NAME), "CN=ann,O=Example"),
        (CertificateNames(COMMON_NAME), "ann"),
        (CertificateNames(ALTERNATIVE_NAME), "ann.example.org"),
        (CertificateNames(ALTERNATIVE_NAME, "dns", 1), "ann"),
        (CertificateNames(ALTERNATIVE_NAME, "dns", 2), ""),
        (CertificateNames(ALTERNATIVE_NAME, "email"), "ann@example.org"),
        (CertificateNames(ALTERNATIVE_NAME, "uri"), "urn:ann"),
        (CertificateNames(ALTERNATIVE_NAME, "other_name"), ""),
    ],
)
def test_configuration_says_which_name_counts(names: CertificateNames, user: str) -> None:
    assert names.user(CERTIFICATE) == user


def test_several_common_names_are_joined() -> None:
    certificate = PeerCertificate("", "", "", ["ann", "bob"], [], [], [], [])
    assert CertificateNames(COMMON_NAME).user(certificate) == "ann,bob"
