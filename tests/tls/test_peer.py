"""What is kept of a client's certificate and of what was agreed on with it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import (
    CertificateBuilder,
    DNSName,
    Name,
    NameAttribute,
    OtherName,
    RFC822Name,
    SubjectAlternativeName,
    UniformResourceIdentifier,
)
from cryptography.x509.oid import NameOID, ObjectIdentifier
from tests.authority import NOW, Authority, shake_hands

from supersoniq.tls.certificates import Certificates, TLSOptions
from supersoniq.tls.files import KeyFiles
from supersoniq.tls.peer import encryption, peer_certificate


def certificate(with_names: bool) -> bytes:
    """A certificate in DER: that of which RabbitMQ was asked."""
    key = generate_private_key(SECP256R1())
    builder = (
        CertificateBuilder()
        .subject_name(
            Name(
                [
                    NameAttribute(NameOID.ORGANIZATION_NAME, "shop"),
                    NameAttribute(NameOID.COMMON_NAME, "ann"),
                    NameAttribute(NameOID.COMMON_NAME, "bob"),
                ]
            )
        )
        .issuer_name(Name([NameAttribute(NameOID.COMMON_NAME, "CA")]))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC))
        .not_valid_after(datetime(2049, 1, 2, 3, 4, 5, tzinfo=UTC))
    )
    if with_names:
        names = [
            DNSName("h1"),
            RFC822Name("e@x"),
            UniformResourceIdentifier("urn:a"),
            DNSName("h2"),
            OtherName(ObjectIdentifier("1.2.3.4"), b"\x0c\x03abc"),
        ]
        builder = builder.add_extension(SubjectAlternativeName(names), critical=False)
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER)


def test_names_are_kept_by_kind() -> None:
    peer = peer_certificate(certificate(with_names=True))
    assert peer is not None
    assert (peer.subject, peer.issuer) == ("CN=bob,CN=ann,O=shop", "CN=CA")
    assert peer.validity == "2024-01-02T03:04:05Z - 2049-01-02T03:04:05Z"
    assert peer.common_names == ["ann", "bob"]
    assert (peer.dns_names, peer.emails) == (["h1", "h2"], ["e@x"])
    assert (peer.uris, peer.other_names) == (["urn:a"], ["abc"])


def test_certificate_need_not_have_alternative_names() -> None:
    peer = peer_certificate(certificate(with_names=False))
    assert peer is not None
    assert (peer.dns_names, peer.emails, peer.uris, peer.other_names) == ([], [], [], [])


def test_what_is_no_certificate_is_none() -> None:
    assert peer_certificate(b"nothing") is None


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.2", ("tlsv1.2", "ecdhe_ecdsa", "aes_256_gcm", "aead")),
        ("1.3", ("tlsv1.3", "any", "aes_256_gcm", "aead")),
    ],
)
def test_what_was_agreed_on_is_told_in_words_of_rabbitmq(
    tmp_path: Path, version: str, expected: tuple[str, ...]
) -> None:
    authority = Authority(tmp_path)
    options = TLSOptions(
        KeyFiles(authority.issue("localhost")),
        authorities=authority.path,
        versions=(version,),
        verify="request",
    )
    context = Certificates(options, NOW).context
    agreed = encryption(shake_hands(context, authority.client_context())[0])
    assert (agreed.protocol, agreed.key_exchange, agreed.cipher, agreed.hash_name) == expected
    assert agreed.peer_certificate is None
    ann = authority.issue("ann", file="ann.pem", common_name="ann")
    agreed = encryption(shake_hands(context, authority.client_context(ann))[0])
    assert agreed.peer_certificate is not None
    assert agreed.peer_certificate.common_names == ["ann"]
