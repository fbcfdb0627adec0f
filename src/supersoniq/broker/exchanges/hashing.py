"""Hashes that stay the same over restarts, releases and machines: queues are chosen by them."""

from hashlib import blake2b
from typing import Final

from supersoniq.amqp.primitives import read_u64

# Hashes are below this. Wider ones would not fit into what mypyc keeps without an object.
HASH_MAX: Final = 1 << 62

_DIGEST_BYTES: Final = 64
_U64_MAX: Final = (1 << 64) - 1
# An odd multiplier of full period modulo 2**64 (Lamping and Veach: A Fast, Minimal Memory, Consistent Hash).
_MULTIPLIER: Final = 2862933555777941757


def hash_of(key: bytes) -> int:
    """Return the hash of a key."""
    return read_u64(blake2b(key, digest_size=8).digest(), 0) >> 2


def points_of(name: bytes, count: int) -> list[int]:
    """Return `count` hashes of one name; more of them begin with the same ones."""
    points: list[int] = []
    block = 0
    while len(points) < count:
        digest = blake2b(name, digest_size=_DIGEST_BYTES, salt=block.to_bytes(16, "big")).digest()
        for at in range(0, _DIGEST_BYTES, 8):
            points.append(read_u64(digest, at) >> 2)
        block += 1
    del points[count:]
    return points


def jump(hashed: int, count: int) -> int:
    """Return which of `count` buckets has a hash.

    One bucket more at the end takes its share of the hashes from all others, and moves nothing else.
    """
    bucket = 0
    following = 0
    while following < count:
        bucket = following
        hashed = (hashed * _MULTIPLIER + 1) & _U64_MAX
        following = ((bucket + 1) << 31) // ((hashed >> 33) + 1)
    return bucket
