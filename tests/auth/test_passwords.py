"""Hashes that RabbitMQ, LavinMQ and bcrypt made are verified; new ones are slow, salted and not shown."""

import pytest

from supersoniq.auth.passwords import (
    BCRYPT,
    MD5,
    SCRYPT,
    SHA256,
    SHA512,
    PasswordHash,
    hash_password,
    imported_hash,
    verify,
)

PASSWORD = "päss wörd".encode()
# As RabbitMQ 3.10.8 exports it for this password.
RABBIT = "wJYc81P5H8+vO6o7R+/R+h3oF6jFC9ChBii16PldqshBpACj"
BCRYPT_4 = "$2a$04$3AL3yZL2UKtIinbZufvTg.7F2uglUz1Z6HQMD4TtOB30d4CjFY.32"
FAST = [SHA256, SHA512, MD5]


def test_hash_of_rabbitmq_is_verified() -> None:
    made = imported_hash(RABBIT)
    assert made == PasswordHash(SHA256, RABBIT)
    assert verify(PASSWORD, made)
    assert not verify(PASSWORD + b" ", made)


@pytest.mark.parametrize("algorithm", [*FAST, SCRYPT])
def test_new_hash_fits_its_password_only(algorithm: str) -> None:
    made = hash_password(PASSWORD, algorithm)
    assert made.algorithm == algorithm
    assert verify(PASSWORD, made)
    for other in (b"", PASSWORD[:-1]):
        assert not verify(other, made)
    assert imported_hash(made.encoded, algorithm) == made


def test_new_hash_is_of_scrypt_and_salted() -> None:
    one, other = hash_password(b"x"), hash_password(b"x")
    assert one.encoded.startswith("scrypt$n=16384,r=8,p=5$")
    assert one != other


def test_scrypt_is_verified_with_the_parameters_that_stand_in_the_hash() -> None:
    encoded = "scrypt$n=16,r=2,p=1$MM6Yas83PmE=$/WxU/DgYtbMmZIsn415e7c4SnUY7J3cO"
    assert verify(PASSWORD, PasswordHash(SCRYPT, encoded))
    assert not verify(PASSWORD, PasswordHash(SCRYPT, encoded.replace("r=2", "r=4")))


def test_bcrypt_is_verified() -> None:
    made = imported_hash(BCRYPT_4, "Bcrypt")
    assert made == PasswordHash(BCRYPT, BCRYPT_4)
    assert verify(PASSWORD, made)
    for other in (b"", b"x", b"\0", b"x" * 100):
        assert not verify(other, made)


@pytest.mark.parametrize(("name", "algorithm"), [("SHA256", SHA256), ("SHA512", SHA512), ("MD5", MD5)])
def test_names_of_lavinmq_are_understood(name: str, algorithm: str) -> None:
    made = hash_password(PASSWORD, algorithm)
    assert imported_hash(made.encoded, name) == made


@pytest.mark.parametrize("algorithm", [*FAST, BCRYPT, SCRYPT])
def test_empty_hash_is_none_at_all(algorithm: str) -> None:
    assert imported_hash("", algorithm) is None


@pytest.mark.parametrize("algorithm", [*FAST, SCRYPT])
def test_empty_password_never_fits(algorithm: str) -> None:
    assert not verify(b"", hash_password(b"", algorithm))


def test_only_the_digests_are_fast() -> None:
    assert all(PasswordHash(algorithm, "").is_fast for algorithm in FAST)
    assert not PasswordHash(SCRYPT, "").is_fast
    assert not PasswordHash(BCRYPT, "").is_fast


@pytest.mark.parametrize(
    ("encoded", "algorithm", "reason"),
    [
        ("abc", SHA256, "not base64"),
        ("YWJj", SHA256, "expected 36 octets"),
        ("YWJj", MD5, "expected 20 octets"),
        (RABBIT, "rot13", "unknown hashing algorithm rot13"),
        ("$2a$04$short", "Bcrypt", "not a hash of bcrypt"),
        (BCRYPT_4.replace("$04$", "$31$"), "Bcrypt", "more than 2^15 rounds"),
        ("scrypt$", SCRYPT, "not a hash of scrypt"),
        ("scrypt$n=16383,r=8,p=5$YWJjYWJj$YWJjYWJjYWJjYWJj", SCRYPT, "parameters that it does not have"),
        ("scrypt$n=4194304,r=8,p=5$YWJjYWJj$YWJjYWJjYWJjYWJj", SCRYPT, "too much memory or time"),
        ("scrypt$n=16384,r=8,p=99$YWJjYWJj$YWJjYWJjYWJjYWJj", SCRYPT, "too much memory or time"),
    ],
)
def test_hash_that_cannot_be_verified_is_not_imported(encoded: str, algorithm: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r"hash|base64") as caught:
        imported_hash(encoded, algorithm)
    assert reason in str(caught.value)
    assert encoded not in str(caught.value)


def test_hash_is_not_shown() -> None:
    made = hash_password(PASSWORD, SHA256)
    assert made.encoded not in repr(made)
