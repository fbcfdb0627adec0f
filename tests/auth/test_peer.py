"""What is kept of a client's certificate: nothing is computed, so only that it is kept apart by field."""

from supersoniq.auth.peer import Encryption, PeerCertificate


def test_fields_are_what_was_given() -> None:
    certificate = PeerCertificate(
        "CN=ann", "CN=ca", "2024 - 2034", ["ann"], ["host"], ["a@b"], ["urn:a"], ["other"]
    )
    assert (certificate.subject, certificate.issuer, certificate.validity) == (
        "CN=ann",
        "CN=ca",
        "2024 - 2034",
    )
    assert certificate.common_names == ["ann"]
    assert (certificate.dns_names, certificate.emails) == (["host"], ["a@b"])
    assert (certificate.uris, certificate.other_names) == (["urn:a"], ["other"])
    encryption = Encryption("tlsv1.3", "any", "aes_256_gcm", "aead", certificate)
    assert (encryption.protocol, encryption.key_exchange) == ("tlsv1.3", "any")
    assert (encryption.cipher, encryption.hash_name) == ("aes_256_gcm", "aead")
    assert encryption.peer_certificate is certificate
