"""Password hashes: RabbitMQ's and LavinMQ's are understood, new ones are made with scrypt.

    rabbit_password_hashing_*   base64( salt, 4 octets | digest of salt and password )
    Bcrypt                      $2b$10$ and what follows, as the library writes it
    scrypt                      scrypt$n=16384,r=8,p=5$base64(salt)$base64(key)

docs/adr/0012-password-hashes.md says why.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import Final

SHA256: Final = "rabbit_password_hashing_sha256"
SHA512: Final = "rabbit_password_hashing_sha512"
MD5: Final = "rabbit_password_hashing_md5"
BCRYPT: Final = "Bcrypt"
SCRYPT: Final = "scrypt"

# The algorithms that take microseconds, and what hashlib calls them.
_DIGESTS: Final = {SHA256: "sha256", SHA512: "sha512", MD5: "md5"}
# What LavinMQ's definitions call them, in capitals.
_OTHER_NAMES: Final = {"SHA256": SHA256, "SHA512": SHA512, "MD5": MD5, "BCRYPT": BCRYPT, "SCRYPT": SCRYPT}

RABBIT_SALT_BYTES: Final = 4
# 16 MiB of memory and some 0.2 s of one core for each guess.
SCRYPT_N: Final = 1 << 14
SCRYPT_R: Final = 8
SCRYPT_P: Final = 5
SCRYPT_SALT_BYTES: Final = 16
SCRYPT_KEY_BYTES: Final = 32
# A hash that costs more than this to check would keep all other logins waiting.
SCRYPT_MEMORY_BYTES_MAX: Final = 64 * 1024 * 1024
SCRYPT_P_MAX: Final = 16
BCRYPT_ROUNDS_MAX: Final = 15
# The algorithm takes no more; the library refuses what the older ones cut off.
BCRYPT_PASSWORD_BYTES_MAX: Final = 72

_SCRYPT: Final = re.compile(r"scrypt\$n=(\d{1,8}),r=(\d{1,4}),p=(\d{1,4})\$([\w+/=]{8,})\$([\w+/=]{16,})")
_BCRYPT: Final = re.compile(r"\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{53}")


@dataclass(frozen=True, slots=True)
class PasswordHash:
    """What is kept of a password; `encoded` is a secret and not shown."""

    algorithm: str
    encoded: str = field(repr=False)

    @property
    def is_fast(self) -> bool:
        """Whether `verify` takes microseconds, so that the event loop may call it."""
        return self.algorithm in _DIGESTS


def is_known_algorithm(algorithm: str) -> bool:
    """Whether hashes of that name could be verified."""
    name = _OTHER_NAMES.get(algorithm.upper(), algorithm)
    return name in _DIGESTS or name in (BCRYPT, SCRYPT)


def imported_hash(encoded: str, algorithm: str = SHA256) -> PasswordHash | None:
    """Return a hash that came from a file or over the API, None for an empty one: no password fits.

    Raises ValueError, with a text that does not show the hash, for one that could never be verified.
    """
    name = _OTHER_NAMES.get(algorithm.upper(), algorithm)
    if not is_known_algorithm(algorithm):
        raise ValueError(f"unknown hashing algorithm {algorithm}")
    if not encoded:
        return None
    if name == BCRYPT:
        match = _BCRYPT.fullmatch(encoded)
        if match is None:
            raise ValueError("not a hash of bcrypt")
        if int(match[1]) > BCRYPT_ROUNDS_MAX:
            raise ValueError(f"hash of bcrypt with more than 2^{BCRYPT_ROUNDS_MAX} rounds")
    elif name == SCRYPT:
        _scrypt_parts(encoded)
    else:
        size = RABBIT_SALT_BYTES + hashlib.new(_DIGESTS[name], usedforsecurity=False).digest_size
        if len(_octets(encoded)) != size:
            raise ValueError(f"not a hash of {algorithm}: expected {size} octets in base64")
    return PasswordHash(name, encoded)


def hash_password(password: bytes, algorithm: str = SCRYPT) -> PasswordHash:
    """Return a new salted hash. With scrypt it takes a fraction of a second: call it in a thread."""
    if algorithm == SCRYPT:
        salt = secrets.token_bytes(SCRYPT_SALT_BYTES)
        key = _scrypt(password, salt, SCRYPT_N, SCRYPT_R, SCRYPT_P, SCRYPT_KEY_BYTES)
        parameters = f"n={SCRYPT_N},r={SCRYPT_R},p={SCRYPT_P}"
        return PasswordHash(SCRYPT, f"scrypt${parameters}${_base64(salt)}${_base64(key)}")
    salt = secrets.token_bytes(RABBIT_SALT_BYTES)
    return PasswordHash(algorithm, _base64(salt + _digest(algorithm, salt + password)))


def verify(password: bytes, password_hash: PasswordHash) -> bool:
    """Whether it is the password; an empty one never is (rabbitmq: passwords).

    Takes its time unless the hash `is_fast`.
    """
    if not password:
        return False
    if password_hash.algorithm == BCRYPT:
        return _is_bcrypt(password, password_hash.encoded)
    if password_hash.algorithm == SCRYPT:
        n, r, p, salt, key = _scrypt_parts(password_hash.encoded)
        return hmac.compare_digest(_scrypt(password, salt, n, r, p, len(key)), key)
    octets = _octets(password_hash.encoded)
    salt, digest = octets[:RABBIT_SALT_BYTES], octets[RABBIT_SALT_BYTES:]
    return hmac.compare_digest(_digest(password_hash.algorithm, salt + password), digest)


def _digest(algorithm: str, octets: bytes) -> bytes:
    return hashlib.new(_DIGESTS[algorithm], octets, usedforsecurity=False).digest()


def _is_bcrypt(password: bytes, encoded: str) -> bool:
    # Only who brings such hashes along needs the library's time to load.
    import bcrypt  # noqa: PLC0415

    try:
        return bcrypt.checkpw(password[:BCRYPT_PASSWORD_BYTES_MAX], encoded.encode())
    except ValueError:
        return False  # an octet 0 in the password, which the algorithm cannot take


def _scrypt(password: bytes, salt: bytes, n: int, r: int, p: int, key_bytes: int) -> bytes:
    memory_bytes = 128 * r * (n + p + 2) + 1024 * 1024
    return hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=memory_bytes, dklen=key_bytes)


def _scrypt_parts(encoded: str) -> tuple[int, int, int, bytes, bytes]:
    match = _SCRYPT.fullmatch(encoded)
    if match is None:
        raise ValueError("not a hash of scrypt")
    n, r, p = int(match[1]), int(match[2]), int(match[3])
    if n < 2 or n & (n - 1) or r < 1 or p < 1:
        raise ValueError("hash of scrypt with parameters that it does not have")
    if 128 * r * n > SCRYPT_MEMORY_BYTES_MAX or p > SCRYPT_P_MAX:
        raise ValueError("hash of scrypt that takes too much memory or time")
    return n, r, p, _octets(match[4]), _octets(match[5])


def _octets(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("not base64") from None


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
