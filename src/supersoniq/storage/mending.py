"""Mending: a record in which one bit is wrong becomes what it was, as its checksum tells which bit that is.

The checksum is linear: what one wrong bit changes in it depends on where the bit is, and on nothing else.
"""

from librt.strings import read_i32_be

from supersoniq.amqp.primitives import read_u32
from supersoniq.storage.checksums import crc32
from supersoniq.storage.records import KINDS, RECORD_HEAD_BYTES, record_end

# In a longer record the search would take seconds.
MENDED_BYTES_MAX = 1 << 20

_NOTHING = crc32(b"\0", 0)
# What an octet at the end of what is checked changes in the checksum.
_CHANGES = [crc32(bytes([octet]), 0) ^ _NOTHING for octet in range(256)]


def mended_record(data: bytes, seed: int) -> bytes | None:
    """Return the record that `data` was, with one bit changed; None if it takes more than that.

    `seed` is that of its batch or page. A wrong answer is as unlikely as a wrong checksum that looks right.
    """
    if not RECORD_HEAD_BYTES <= len(data) <= MENDED_BYTES_MAX:
        return None
    at = _wrong_bit(data, seed)
    if at < 0:
        return None
    octets = bytearray(data)
    octets[at >> 3] ^= 1 << (at & 7)
    mended = bytes(octets)
    if mended[8] not in KINDS or record_end(mended, memoryview(mended), 0, len(mended), seed) != len(mended):
        return None
    return mended


def _wrong_bit(data: bytes, seed: int) -> int:
    """Return the one bit that may be wrong, by eight times its octet; -1 if there is none."""
    size = len(data)
    wrong = int(read_i32_be(data, 0)) ^ size
    if wrong:
        return _bit_of(wrong, 0)
    change = crc32(memoryview(data)[8:], seed ^ size) ^ int(read_u32(data, 4))
    if change & (change - 1) == 0:
        return _bit_of(change, 4)
    effects = [_CHANGES[1 << bit] for bit in range(8)]
    for place in range(size - 1, 7, -1):
        if change in effects:
            return 8 * place + effects.index(change)
        effects = [_CHANGES[effect & 0xFF] ^ (effect >> 8) for effect in effects]
    return -1


def _bit_of(change: int, at: int) -> int:
    """Return the bit of a 32-bit integer at `at` that `change` consists of; -1 if it has several."""
    change &= 0xFFFFFFFF
    if change == 0 or change & (change - 1):
        return -1
    bit = change.bit_length() - 1
    return 8 * (at + 3 - (bit >> 3)) + (bit & 7)
