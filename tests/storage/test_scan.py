"""What a scan finds in a journal file: whole, damaged at any bit, torn, and used before."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.storage.batches import EPOCH, FileOfBatches, flipped, message_of, zeroed

from supersoniq.storage.records import (
    BATCH_HEAD_BYTES,
    MESSAGE,
    PERSISTENT,
    SETTLED,
    BatchHead,
    RecordWriter,
    batch_head,
    read_message,
    record_seed,
)
from supersoniq.storage.scan import FileScan, records_of, scan_file

PATH = "journal/0000000001"


def scanned(data: bytes, number: int = 1, before: BatchHead | None = None) -> FileScan:
    return scan_file(data, PATH, number, before)


def bodies_of(data: bytes, scan: FileScan) -> list[bytes]:
    """The bodies of all messages that can be read, in order."""
    return [
        read_message(data, span.at, span.end).body
        for batch in scan.batches
        for span in records_of(data, batch)
        if data[span.at + 8] == MESSAGE
    ]


def broken_of(scan: FileScan) -> list[tuple[int, int, int, bool]]:
    return [(broken.at, broken.size, broken.batch, broken.is_head) for broken in scan.broken]


def three_batches() -> FileOfBatches:
    file = FileOfBatches(first_batch=5)
    return file.add_bodies(b"a" * 30, b"b" * 40).add_bodies(b"c" * 50).add_bodies(b"d", b"e" * 60, b"f" * 10)


def test_whole_file_is_read_in_order_with_nothing_broken() -> None:
    file = three_batches()
    scan = scanned(file.data + bytes(500))
    assert [batch.head.number for batch in scan.batches] == [5, 6, 7]
    assert [batch.head_at for batch in scan.batches] == file.heads
    assert (scan.end, scan.broken, scan.path, scan.number) == (len(file.data), [], PATH, 1)
    assert [body[:1] for body in bodies_of(file.data, scan)] == [b"a", b"b", b"c", b"d", b"e", b"f"]


@pytest.mark.parametrize("data", [b"", bytes(4096), b"\xff" * 4096, b"S" * 47])
def test_file_without_a_batch_has_none(data: bytes) -> None:
    scan = scanned(data)
    assert (scan.batches, scan.broken, scan.end) == ([], [], 0)


@pytest.mark.parametrize("tail", [b"", bytes(200), b"\x5a" * 200])
def test_every_bit_that_is_flipped_is_found_and_costs_one_record_at_most(tail: bytes) -> None:
    file = three_batches()
    wanted = bodies_of(file.data, scanned(file.data))
    starts = [*file.records, len(file.data)]
    heads = [range(at, at + BATCH_HEAD_BYTES) for at in file.heads]
    for bit in range(8 * len(file.data)):
        data = flipped(file.data, bit) + tail
        scan = scanned(data)
        assert len(scan.broken) == 1, bit
        broken = scan.broken[0]
        assert broken.at <= bit >> 3 < broken.at + broken.size
        is_head = any(bit >> 3 in head for head in heads)
        assert broken.is_head == is_head
        assert [batch.head.number for batch in scan.batches] == [5, 6, 7]
        lost = -1 if is_head else max(index for index, at in enumerate(starts) if at <= bit >> 3)
        assert bodies_of(data, scan) == [body for index, body in enumerate(wanted) if index != lost], bit


def test_broken_record_is_named_with_its_place_its_kind_and_its_queue() -> None:
    file = FileOfBatches()
    file.add(
        file.new_records().message(b"one", queue=3).message(b"two" * 9, queue=4, position=8).settled(4, 1, 2)
    )
    data = flipped(file.data, 8 * (file.records[2] - 1))
    scan = scanned(data)
    broken = scan.broken[0]
    assert (broken.at, broken.size) == (file.records[1], file.records[2] - file.records[1])
    assert (broken.path, broken.batch, broken.kind, broken.queues) == (PATH, 1, MESSAGE, [4])
    data = flipped(file.data, 8 * (len(file.data) - 1))
    broken = scanned(data).broken[0]
    assert (broken.kind, broken.queues) == (SETTLED, [4])


@pytest.mark.parametrize("index", [0, 1, 2])
def test_batch_whose_head_is_wiped_out_is_read_by_its_records(index: int) -> None:
    file = three_batches()
    at = file.heads[index]
    data = zeroed(file.data, at, at + BATCH_HEAD_BYTES) + bytes(99)
    scan = scanned(data, before=BatchHead(0, 4, EPOCH, 1, 3) if index == 0 else None)
    assert broken_of(scan) == [(at, BATCH_HEAD_BYTES, 5 + index, True)]
    assert bodies_of(data, scan) == bodies_of(file.data, scanned(file.data))
    assert scan.end == len(file.data)


def test_first_batch_of_all_is_read_without_its_head_if_another_follows() -> None:
    file = three_batches()
    data = zeroed(file.data, 0, BATCH_HEAD_BYTES)
    scan = scanned(data)
    assert broken_of(scan) == [(0, BATCH_HEAD_BYTES, 5, True)]
    assert len(bodies_of(data, scan)) == 6


def test_several_batches_that_were_lost_together_count_as_the_first_of_them() -> None:
    file = three_batches().add_bodies(b"g" * 20).add_bodies(b"h")
    data = zeroed(file.data, file.heads[1], file.heads[3] + 60)
    scan = scanned(data)
    assert [batch.head.number for batch in scan.batches] == [5, 6, 9]
    assert {batch for _, _, batch, _ in broken_of(scan)} == {6}
    assert [body[:1] for body in bodies_of(data, scan)] == [b"a", b"b", b"h"]


@settings(max_examples=200)
@given(st.data())
def test_torn_tail_costs_what_was_torn_and_nothing_before(data: st.DataObject) -> None:
    file = three_batches()
    kept = data.draw(st.integers(0, len(file.data)))
    rest = data.draw(st.sampled_from([b"", bytes(len(file.data) - kept), b"\xa5" * (len(file.data) - kept)]))
    torn = file.data[:kept] + rest
    scan = scanned(torn)
    ends = [*file.records[1:2], file.heads[1], file.heads[2], *file.records[4:], len(file.data)]
    whole = sum(end <= kept for end in ends)
    wanted = bodies_of(file.data, scanned(file.data))
    if torn != file.data:
        assert bodies_of(torn, scan) == wanted[:whole]


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
@settings(max_examples=50)
def test_rubbish_in_a_head_is_no_trouble(number: int, epoch: int) -> None:
    file = three_batches()
    at = file.heads[1]
    octets = number.to_bytes(8, "big") + epoch.to_bytes(8, "big")
    for data in (
        file.data[: at + 16] + octets + file.data[at + 32 :],
        file.data[: at + 4] + b"\xff" * 44 + file.data[at + 48 :],
        file.data[:4] + b"\xff" * 44 + file.data[48:],
    ):
        scan = scanned(data)
        assert len(bodies_of(data, scan)) == 6
        assert len(scan.broken) == 1


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_what_a_file_had_in_its_earlier_use_is_never_read(count: int) -> None:
    """The batches have the same sizes, so that an old head stands right behind the last new one."""
    old = FileOfBatches(number=1, first_batch=1)
    new = FileOfBatches(number=9, first_batch=40)
    for _ in range(4):
        old.add_bodies(b"old" * 20)
    for _ in range(count):
        new.add_bodies(b"new" * 20)
    data = new.data + old.data[len(new.data) :]
    for before in (None, BatchHead(0, 39, EPOCH, 8, 39)):
        scan = scanned(data, 9, before)
        assert [batch.head.number for batch in scan.batches] == list(range(40, 40 + count))
        assert (scan.broken, scan.end) == ([], len(new.data))


def test_what_a_file_had_before_is_not_read_where_a_batch_of_now_is_missing() -> None:
    old = FileOfBatches(number=1, first_batch=1)
    new = FileOfBatches(number=9, first_batch=40)
    for _ in range(4):
        old.add_bodies(b"old" * 20)
        new.add_bodies(b"new" * 20)
    start, end = new.heads[1], new.heads[2]
    data = new.data[:start] + old.data[start:end] + new.data[end:]
    scan = scanned(data, 9)
    assert [body[:3] for body in bodies_of(data, scan)] == [b"new"] * 3
    assert {broken.batch for broken in scan.broken} == {41}
    assert sum(broken.size for broken in scan.broken) == end - start
    data = new.data[: new.heads[3]] + old.data[new.heads[3] :]
    assert scanned(data, 9).broken == []


def test_record_of_the_same_batch_number_in_another_epoch_is_not_read() -> None:
    crashed = FileOfBatches(number=3, first_batch=11, epoch=EPOCH + 1)
    crashed.add_bodies(b"lost" * 30, b"lost" * 30)
    later = FileOfBatches(number=3, first_batch=11, epoch=EPOCH + 2)
    later.add_bodies(b"mine" * 30, b"mine" * 30)
    data = later.data[: later.records[1]] + crashed.data[crashed.records[1] :]
    scan = scanned(data, 3)
    assert [body[:4] for body in bodies_of(data, scan)] == [b"mine"]
    assert len(scan.broken) == 1


def test_message_that_looks_like_a_batch_is_not_read_as_one() -> None:
    """What was published is on the disk as it came: also behind the end, and where a head is broken."""
    writer = RecordWriter()
    writer.seed = record_seed(1_000, 0)
    writer.message(message_of(b"forged"), 1, 99, 0, 0, PERSISTENT)
    payload = b"".join(writer.take())
    forged = batch_head(len(payload), 1_000, 0, 1, 999) + payload
    file = FileOfBatches().add_bodies(b"first").add_bodies(b"(" + forged + b")").add_bodies(b"last")
    for data in (
        file.data + forged,
        file.data + b"rest of a message: " + forged,
        zeroed(file.data, file.heads[1], file.heads[1] + BATCH_HEAD_BYTES),
        zeroed(file.data, file.heads[1], file.records[1] + 20),
    ):
        assert b"forged" not in bodies_of(data, scanned(data))


def test_head_of_another_file_or_of_a_batch_that_was_before_ends_the_file() -> None:
    file = three_batches()
    assert scanned(file.data, number=2).batches == []
    assert scanned(file.data, before=BatchHead(0, 7, EPOCH, 1, 3)).batches == []
    again = FileOfBatches(first_batch=6).add_bodies(b"again")
    scan = scanned(file.data + again.data)
    assert [batch.head.number for batch in scan.batches] == [5, 6, 7]


def test_transaction_is_read_as_what_it_is_made_of() -> None:
    file = FileOfBatches()
    inner = file.nested_records().message(b"x").settled(1, 2, 3)
    file.add(file.new_records().message(b"before").transaction(inner).message(b"after"))
    scan = scanned(file.data)
    kinds = [file.data[span.at + 8] for span in records_of(file.data, scan.batches[0])]
    assert kinds == [MESSAGE, MESSAGE, SETTLED, MESSAGE]
    assert bodies_of(file.data, scan) == [b"before", b"x", b"after"]


def test_transaction_that_is_broken_anywhere_is_not_read_in_part() -> None:
    file = FileOfBatches()
    inner = file.nested_records().message(b"x" * 20).message(b"y" * 20)
    file.add(file.new_records().message(b"before").transaction(inner).message(b"after"))
    for at in range(file.records[1], file.records[2]):
        data = flipped(file.data, 8 * at)
        assert bodies_of(data, scanned(data)) == [b"before", b"after"]


def test_batch_that_goes_beyond_the_end_of_its_file_is_broken_there() -> None:
    file = three_batches()
    scan = scanned(file.data[: file.records[5]])
    assert broken_of(scan) == [(file.records[5], len(file.data) - file.records[5], 7, False)]
    assert len(scan.batches) == 3
