"""The parts of cipher suites, as RabbitMQ's ssl:str_to_suite names them."""

import ssl

import pytest

from supersoniq.tls.ciphers import suite


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("TLS_AES_256_GCM_SHA384", ("any", "aes_256_gcm", "aead")),
        ("TLS_CHACHA20_POLY1305_SHA256", ("any", "chacha20_poly1305", "aead")),
        ("TLS_AES_128_CCM_8_SHA256", ("any", "aes_128_ccm_8", "aead")),
        ("ECDHE-RSA-AES256-GCM-SHA384", ("ecdhe_rsa", "aes_256_gcm", "aead")),
        ("ECDHE-ECDSA-CHACHA20-POLY1305", ("ecdhe_ecdsa", "chacha20_poly1305", "aead")),
        ("DHE-RSA-AES128-GCM-SHA256", ("dhe_rsa", "aes_128_gcm", "aead")),
        ("ECDHE-RSA-AES128-SHA256", ("ecdhe_rsa", "aes_128_cbc", "sha256")),
        ("AES256-SHA", ("rsa", "aes_256_cbc", "sha")),
        ("ECDHE-ECDSA-AES128-CCM8", ("ecdhe_ecdsa", "aes_128_ccm_8", "aead")),
        ("PSK-AES128-CBC-SHA256", ("unknown", "psk_aes128_cbc_sha256", "unknown")),
    ],
)
def test_suite_is_taken_apart(name: str, parts: tuple[str, str, str]) -> None:
    assert suite(name) == parts


def test_every_suite_that_a_server_offers_has_parts() -> None:
    names = [each["name"] for each in ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).get_ciphers()]
    assert names
    # Debian's OpenSSL lists those with shared keys or passwords, too: no server has any, so nobody gets them.
    usual = [name for name in names if not {"PSK", "SRP"} & set(name.split("-"))]
    assert not [name for name in usual if "unknown" in suite(name)]
