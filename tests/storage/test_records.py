"""Records, octet by octet: what is written is read back, and whatever is changed in it is noticed."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from supersoniq.amqp.primitives import read_u16, read_u32
from supersoniq.broker.message import Message, address_of
from supersoniq.storage.records import (
    BATCH_HEAD_BYTES,
    BATCH_MAGIC,
    CARRIED,
    DESTINATION_BYTES,
    DESTINATIONS_AT,
    DESTINATIONS_MAX,
    KINDS,
    LARGE_BODY_BYTES,
    MAGIC_FIRST,
    MESSAGE,
    PAD,
    PAGE_HEAD_BYTES,
    PAGE_MAGIC,
    PERSISTENT,
    RECORD_HEAD_BYTES,
    SETTLED,
    TRANSACTION,
    Destination,
    PageHead,
    RecordWriter,
    batch_head,
    destination_count,
    nested_seed,
    next_record,
    pad,
    read_batch_head,
    read_message,
    read_page_head,
    record_end,
    record_seed,
    record_size,
)

SEED = record_seed(7, 3)
NAMES = st.binary(max_size=255)
NUMBERS = st.integers(0, (1 << 62) - 1)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    body = draw(st.binary(max_size=300) | st.just(b"x" * LARGE_BODY_BYTES) | st.just(b"y" * 40_000))
    return Message(
        address_of(draw(NAMES), draw(NAMES)), draw(st.binary(max_size=200)), body, draw(st.booleans())
    )


def writer_of(seed: int = SEED) -> RecordWriter:
    writer = RecordWriter()
    writer.seed = seed
    return writer


def one_message(body: bytes = b"body", seed: int = SEED) -> bytes:
    writer = writer_of(seed)
    writer.message(Message(address_of(b"e", b"key"), b"header", body, True), 5, 9, 2, 0, PERSISTENT)
    return b"".join(writer.take())


def end_of(data: bytes, at: int = 0, end: int | None = None, seed: int = SEED) -> int:
    return int(record_end(data, memoryview(data), at, len(data) if end is None else end, seed))


def next_of(data: bytes, at: int, seed: int = SEED) -> int:
    return int(next_record(data, memoryview(data), at, len(data), seed))


@given(messages(), st.integers(0, 0xFFFFFFFF), NUMBERS, st.integers(0, 1_000), st.booleans())
def test_any_message_is_read_back_as_it_was(
    message: Message, queue: int, position: int, count: int, carried: bool
) -> None:
    writer = writer_of()
    flags = (PERSISTENT if message.persistent else 0) | (CARRIED if carried else 0)
    writer.message(message, queue, position, count, 0, flags)
    size = int(writer.size)
    data = b"".join(writer.take())
    assert (len(data), end_of(data), record_size(data, 0)) == (size, size, size)
    assert (data[8], data[9], destination_count(data, 0)) == (MESSAGE, flags, 1)
    assert int(read_u32(data, DESTINATIONS_AT)) == queue
    assert int.from_bytes(data[DESTINATIONS_AT + 4 : DESTINATIONS_AT + 12], "big") == position
    assert int(read_u32(data, DESTINATIONS_AT + 12)) == count
    found = read_message(data, 0, size)
    assert (found.address, found.header, found.body) == (message.address, message.header, message.body)
    assert found.persistent == message.persistent
    assert found.stored == 0


@given(messages(), st.lists(st.tuples(st.integers(0, 0xFFFFFFFF), NUMBERS, st.integers(0, 9)), max_size=5))
def test_message_of_several_queues_is_written_once_with_all_of_its_places(
    message: Message, places: list[tuple[int, int, int]]
) -> None:
    writer = writer_of()
    writer.shared_message(message, [Destination(*place, 0) for place in places], PERSISTENT)
    data = b"".join(writer.take())
    assert end_of(data) == len(data)
    assert destination_count(data, 0) == len(places)
    found: list[tuple[int, int, int]] = []
    for index in range(len(places)):
        at = DESTINATIONS_AT + DESTINATION_BYTES * index
        position = int.from_bytes(data[at + 4 : at + 12], "big")
        found.append((int(read_u32(data, at)), position, int(read_u32(data, at + 12))))
    assert found == places
    assert read_message(data, 0, len(data)).body == message.body


def test_message_of_more_queues_than_a_record_can_name_is_in_several_records() -> None:
    writer = writer_of()
    count = DESTINATIONS_MAX + 3
    places = [Destination(number, number, 0, 0) for number in range(count)]
    writer.shared_message(Message(address_of(b"", b""), b"", b"x", True), places, PERSISTENT)
    data = b"".join(writer.take())
    middle = end_of(data)
    assert (read_u16(data, 10), read_u16(data, middle + 10)) == (DESTINATIONS_MAX, 3)
    assert end_of(data, middle) == len(data)


def test_large_body_is_written_from_where_it_is() -> None:
    body = b"z" * LARGE_BODY_BYTES
    writer = writer_of()
    writer.settled(1, 2, 3)
    writer.message(Message(address_of(b"", b"q"), b"", body, True), 1, 1, 0, 0, 0)
    writer.settled(1, 3, 4)
    pieces = writer.take()
    assert [piece is body for piece in pieces] == [False, True, False]
    data = b"".join(pieces)
    ends = [end_of(data)]
    ends.append(end_of(data, ends[0]))
    assert end_of(data, ends[1]) == len(data)


def test_what_was_taken_is_gone() -> None:
    writer = writer_of()
    assert (writer.take(), writer.size) == ([], 0)
    writer.settled(1, 2, 3)
    assert writer.size == 29
    assert len(b"".join(writer.take())) == 29
    assert (writer.take(), writer.size) == ([], 0)


@pytest.mark.parametrize("body", [b"", b"some body"])
def test_every_bit_that_is_flipped_in_a_record_is_noticed(body: bytes) -> None:
    whole = one_message(body)
    for bit in range(8 * len(whole)):
        data = bytearray(whole)
        data[bit >> 3] ^= 1 << (bit & 7)
        assert end_of(bytes(data)) == -1, f"bit {bit}"


@given(st.integers(0, 200))
def test_record_that_is_cut_off_is_noticed(kept: int) -> None:
    whole = one_message()
    if kept < len(whole):
        assert end_of(whole[:kept]) == -1
        assert end_of(whole + whole, 0, kept) == -1
        zeros = whole[:kept] + bytes(len(whole) - kept)
        assert zeros == whole or end_of(zeros) == -1


@pytest.mark.parametrize(
    "seed", [record_seed(8, 3), record_seed(7, 4), record_seed(6, 3), record_seed(3, 7), nested_seed(SEED), 0]
)
def test_record_of_another_batch_epoch_or_nest_is_none_of_this(seed: int) -> None:
    assert end_of(one_message(), seed=seed) == -1


@given(NUMBERS, NUMBERS)
def test_seeds_are_those_of_compiled_arithmetic(number: int, epoch: int) -> None:
    """Where it is compiled the products wrap at 64 bits; what is left below 32 bits is the same."""
    wrapped = (number * 2654435761) % (1 << 64) + (epoch * 2246822519) % (1 << 64) + 374761393
    assert record_seed(number, epoch) == wrapped & 0xFFFFFFFF


@given(st.binary(max_size=300), st.integers(0, 2**32 - 1))
@example(bytes(300), 0)
@example(b"\xff" * 300, 1)
def test_chance_is_not_taken_for_a_record(data: bytes, seed: int) -> None:
    assert end_of(data, seed=seed) == -1
    assert next_of(data, 0, seed) == len(data)
    assert read_batch_head(data, 0) is None
    assert read_page_head(data, 0) is None


@given(st.binary(max_size=120), st.binary(max_size=40))
def test_next_whole_record_is_found_behind_any_rubbish(before: bytes, after: bytes) -> None:
    data = before + one_message() + after
    assert next_of(data, 0) == len(before)
    assert next_of(data, len(before) + 1) == len(data)


def test_records_go_on_after_one_that_is_broken() -> None:
    first, second, third = one_message(b"first"), one_message(b"second"), one_message(b"third")
    for at in range(len(second)):
        data = bytearray(first + second + third)
        data[len(first) + at] ^= 0x10
        assert end_of(bytes(data), len(first)) == -1
        assert next_of(bytes(data), len(first) + 1) == len(first) + len(second)


@given(st.integers(RECORD_HEAD_BYTES, 300), st.binary(min_size=300, max_size=300))
def test_padding_makes_anything_mean_nothing(size: int, rubbish: bytes) -> None:
    data = pad(size, SEED) + rubbish[: size - RECORD_HEAD_BYTES]
    assert len(data) == size
    assert (end_of(data), data[8]) == (size, PAD)
    assert next_of(data, 0) == 0


def test_rest_of_a_torn_transaction_is_no_record_of_the_batch() -> None:
    inner = writer_of(nested_seed(SEED))
    inner.settled(1, 2, 3)
    inner.settled(1, 4, 5)
    outer = writer_of()
    outer.nested(TRANSACTION, inner.take())
    data = b"".join(outer.take())
    assert (end_of(data), data[8], data[RECORD_HEAD_BYTES + 8]) == (len(data), TRANSACTION, SETTLED)
    torn = data[:-1]
    assert end_of(torn) == -1
    assert next_of(torn, 1) == len(torn)
    assert end_of(data, RECORD_HEAD_BYTES, seed=nested_seed(SEED)) == RECORD_HEAD_BYTES + 29


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_head_of_a_batch_is_read_back(size: int, number: int, epoch: int, file: int, synced: int) -> None:
    data = b"?" + batch_head(size, number, epoch, file, synced)
    assert len(data) == 1 + BATCH_HEAD_BYTES
    head = read_batch_head(data, 1)
    assert head is not None
    assert (head.payload_bytes, head.number, head.epoch) == (size, number, epoch)
    assert (head.file, head.synced) == (file, synced)


@given(st.lists(NUMBERS, min_size=9, max_size=9))
@settings(max_examples=30)
def test_head_of_a_page_is_read_back(values: list[int]) -> None:
    values[4:6] = [value & 0xFFFFFFFF for value in values[4:6]]
    head = PageHead(*values)
    data = head.octets()
    assert len(data) == PAGE_HEAD_BYTES
    found = read_page_head(data, 0)
    assert found is not None
    assert found.octets() == data
    assert (found.count, found.persistent_count, found.first) == (values[4], values[5], values[6])
    assert (found.last, found.body_bytes) == (values[7], values[8])


def test_every_bit_that_is_flipped_in_a_head_and_every_cut_is_noticed() -> None:
    batch = batch_head(10, 20, 30, 40, 50)
    page = PageHead(1, 2, 3, 4, 5, 6, 7, 8, 9).octets()
    for whole in (batch, page):
        for bit in range(8 * len(whole)):
            data = bytearray(whole)
            data[bit >> 3] ^= 1 << (bit & 7)
            assert read_batch_head(bytes(data), 0) is None
            assert read_page_head(bytes(data), 0) is None
        for cut in range(len(whole)):
            assert read_batch_head(whole[:cut], 0) is None
            assert read_page_head(whole[:cut], 0) is None
    assert read_batch_head(page, 0) is None
    assert read_page_head(batch, 0) is None


def test_magic_numbers_begin_with_an_octet_that_is_in_no_text() -> None:
    assert BATCH_MAGIC[:1] == PAGE_MAGIC[:1] == MAGIC_FIRST
    assert len({BATCH_MAGIC, PAGE_MAGIC}) == 2
    with pytest.raises(UnicodeDecodeError):
        MAGIC_FIRST.decode()


def test_kinds_are_all_different_and_none_is_zero() -> None:
    assert len(KINDS) == 20
    assert 0 not in KINDS
