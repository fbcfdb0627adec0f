"""Any one wrong bit of a record is found and turned back; more than one is left alone."""

import pytest
from tests.fakes import message

from supersoniq.storage import mending
from supersoniq.storage.mending import mended_record
from supersoniq.storage.records import CLOSED, PERSISTENT, RecordWriter, pad, record_seed

SEED = int(record_seed(7, 3 << 31 | 12345))


def record(body: bytes) -> bytes:
    writer = RecordWriter()
    writer.seed = SEED
    writer.message(message(body), 5, 1 << 40, 2, 0, PERSISTENT)
    return b"".join(writer.take())


def flipped(data: bytes, *bits: int) -> bytes:
    octets = bytearray(data)
    for bit in bits:
        octets[bit >> 3] ^= 1 << (bit & 7)
    return bytes(octets)


@pytest.mark.parametrize("body", [b"", b"x", b"a body of some length \0\xff" * 5])
def test_each_wrong_bit_is_mended(body: bytes) -> None:
    data = record(body)
    for bit in range(8 * len(data)):
        assert mended_record(flipped(data, bit), SEED) == data


def test_smallest_record_is_mended() -> None:
    writer = RecordWriter()
    writer.seed = SEED
    writer.begin(CLOSED)
    writer.end()
    data = b"".join(writer.take())
    assert len(data) == 9
    assert [mended_record(flipped(data, bit), SEED) for bit in range(72)] == [data] * 72


def test_two_wrong_bits_are_not_mended() -> None:
    data = record(b"some body")
    bits = range(0, 8 * len(data), 7)
    assert not [(a, b) for a in bits for b in bits if a < b and mended_record(flipped(data, a, b), SEED)]


def test_record_of_another_batch_is_not_mended() -> None:
    assert mended_record(record(b"some body"), SEED ^ 0x1234) is None


def test_what_is_no_record_is_not_mended() -> None:
    for data in (b"", bytes(8), bytes(9), bytes(100), b"\xff" * 100, record(b"some body")[:-1]):
        assert mended_record(data, SEED) is None


def test_padding_needs_no_mending() -> None:
    assert mended_record(pad(20, SEED) + b"elevenoctet", SEED ^ 1) is None


def test_record_that_is_too_long_to_search_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    data = record(b"x" * 100)
    monkeypatch.setattr(mending, "MENDED_BYTES_MAX", len(data) - 1)
    assert mended_record(flipped(data, 200), SEED) is None
