"""Pages of a queue, and the segments that they are in."""

import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.storage.batches import flipped, message_of, zeroed
from tests.storage.simulated_disk import Fault, SimulatedDisk
from tests.storage.small_node import Pessimist
from tests.storage.stepped import SteppedWorker

from supersoniq.broker.message import Entry, Message, address_of
from supersoniq.broker.ports import Page
from supersoniq.storage.records import PAGE_HEAD_BYTES
from supersoniq.storage.segments import (
    SEGMENTS,
    SPOOL,
    Segment,
    SegmentReader,
    Unwritten,
    WritePage,
    decode_page,
    encode_page,
    segment_path,
)

PATH = "segments/0000000001-0000000001"
MESSAGES = st.builds(
    Message,
    st.builds(address_of, st.binary(max_size=255), st.binary(max_size=255)),
    st.binary(max_size=50),
    st.binary(max_size=100) | st.just(b"x" * 20_000),
    st.booleans(),
)


@pytest.fixture
def disk() -> SimulatedDisk:
    disk = SimulatedDisk()
    disk.make_directory(SEGMENTS)
    disk.sync_directory("")
    return disk


def entries_of(*bodies: bytes) -> list[Entry | None]:
    return [Entry(message_of(body), position) for position, body in enumerate(bodies, 7)]


def bodies_of(data: bytes) -> list[bytes]:
    return [entry.message.body for entry in decode_page(data, PATH, 0)]


@given(
    st.lists(st.tuples(MESSAGES, st.integers(1, 1_000), st.integers(0, 2**32 - 1)), max_size=6),
    st.integers(1, 2**40),
    st.integers(1, 2**60),
)
def test_any_entries_are_read_back_as_they_were(
    drawn: list[tuple[Message, int, int]], number: int, epoch: int
) -> None:
    entries: list[Entry | None] = []
    position = 0
    for message, step, count in drawn:
        position += step
        new = Entry(message, position)
        new.delivery_count = count
        entries.append(new)
    data, head = encode_page(entries, 5, number, epoch, None)
    assert (head.count, head.queue, head.number, head.epoch) == (len(drawn), 5, number, epoch)
    assert head.persistent_count == sum(message.persistent for message, _, _ in drawn)
    assert head.body_bytes == sum(len(message.body) for message, _, _ in drawn)
    assert head.payload_bytes == len(data) - PAGE_HEAD_BYTES
    found = decode_page(data, PATH, 0)
    for entry, again in zip(entries, found, strict=True):
        assert entry is not None
        assert (again.position, again.delivery_count) == (entry.position, entry.delivery_count)
        assert again.message.address == entry.message.address
        assert again.message.header == entry.message.header
        assert again.message.body == entry.message.body
        assert (again.message.persistent, again.message.stored) == (entry.message.persistent, 0)
    if found:
        assert (head.first, head.last) == (found[0].position, found[-1].position)


def test_every_bit_that_is_flipped_costs_one_message_at_most_and_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bodies = [b"a" * 20, b"b" * 30, b"c" * 10]
    data, _ = encode_page(entries_of(*bodies), 1, 1, 1, None)
    for bit in range(8 * PAGE_HEAD_BYTES, 8 * len(data)):
        caplog.clear()
        found = bodies_of(flipped(data, bit))
        assert len(found) == 2
        assert [body for body in bodies if body in found] == found
        assert len(caplog.messages) == 1
        assert caplog.messages[0].startswith(PATH)
        assert "a message of queue 1 between positions 7 and 9" in caplog.messages[0]


def test_page_without_a_head_is_told_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    data, _ = encode_page(entries_of(b"a"), 1, 1, 1, None)
    for broken in (flipped(data, 3), zeroed(data, 0, PAGE_HEAD_BYTES), data[:10], b""):
        assert decode_page(broken, PATH, 123) == []
    assert caplog.messages == [f"{PATH}: the page at offset 123 is damaged: its messages are left out"] * 4


@given(st.integers(PAGE_HEAD_BYTES, 400))
def test_page_that_is_cut_off_has_the_messages_before_the_cut(kept: int) -> None:
    bodies = [b"a" * 20, b"b" * 30, b"c" * 10]
    data, _ = encode_page(entries_of(*bodies), 1, 1, 1, None)
    found = bodies_of(data[:kept])
    assert found == bodies[: len(found)]
    assert kept < len(data) or found == bodies


def test_records_of_another_page_are_none_of_this() -> None:
    one, _ = encode_page(entries_of(b"a" * 30, b"b" * 30), 1, 1, 1, None)
    other, _ = encode_page(entries_of(b"c" * 30, b"d" * 30), 1, 2, 1, None)
    middle = PAGE_HEAD_BYTES + (len(one) - PAGE_HEAD_BYTES) // 2
    assert bodies_of(one[:middle] + other[middle:]) == [b"a" * 30]


def test_segments_of_queues_that_do_not_last_lie_apart() -> None:
    assert segment_path(True, 1, 2) == f"{SEGMENTS}/0000000001-0000000002"
    assert segment_path(False, 3, 4) == f"{SPOOL}/0000000003-0000000004"


def test_segment_is_safe_with_its_name_once_it_was_synced(disk: SimulatedDisk) -> None:
    segment = Segment(1, 1, True)
    segment.write(disk, 0, b"abc")
    segment.write(disk, 3, b"def")
    segment.sync(disk)
    assert disk.copy().crash(Pessimist()).files() == {PATH: b"abcdef"}
    disk.log = []
    segment.sync(disk)
    assert len(disk.log) == 1
    segment.close()
    segment.close()


def test_segment_that_was_closed_is_opened_where_it_is_needed(disk: SimulatedDisk) -> None:
    segment = Segment(1, 1, True)
    segment.write(disk, 0, b"abc")
    segment.close()
    segment.sync(disk)
    segment.close()
    segment.write(disk, 3, b"d")
    assert disk.files() == {PATH: b"abcd"}


class Writing:
    """Pages on their way to a disk."""

    def __init__(self, disk: SimulatedDisk) -> None:
        self.disk = disk
        self.worker = SteppedWorker()
        self.unwritten = Unwritten()
        self.segment = Segment(1, 1, True)

    def add(self, data: bytes) -> Page:
        page = Page(1, 1, 1, 1)
        page.segment, page.offset, page.size, page.data = 1, self.segment.size, len(data), data
        self.segment.size += len(data)
        self.segment.unwritten += 1
        self.worker.submit(WritePage(self.disk, self.segment, page, self.unwritten))
        return page

    def work(self) -> None:
        self.worker.stop()


def test_page_stays_in_memory_until_it_is_written(disk: SimulatedDisk) -> None:
    writing = Writing(disk)
    page = writing.add(b"x" * 100)
    assert (page.data, writing.unwritten.bytes) == (b"x" * 100, 100)
    writing.worker.step()
    assert page.data is not None
    writing.work()
    assert page.data is None
    assert (writing.unwritten.bytes, writing.segment.unwritten) == (0, 0)
    assert disk.files() == {PATH: b"x" * 100}


def test_page_that_could_not_be_written_is_tried_again(disk: SimulatedDisk) -> None:
    writing = Writing(disk)
    disk.faults.append(Fault(errno.ENOSPC, "write", count=2))
    first, second = writing.add(b"x" * 100), writing.add(b"y" * 50)
    writing.work()
    unwritten = writing.unwritten
    assert (unwritten.bytes, unwritten.trouble, len(unwritten.failed)) == (150, "no space left on device", 2)
    assert first.data is not None
    unwritten.try_again(writing.worker)
    assert unwritten.trouble
    writing.work()
    assert (unwritten.bytes, unwritten.trouble, len(unwritten.failed)) == (0, "", 0)
    assert [page for page in (first, second) if page.data is not None] == []
    assert writing.segment.unwritten == 0
    assert disk.files() == {PATH: b"x" * 100 + b"y" * 50}


def test_trouble_is_over_when_all_is_written(disk: SimulatedDisk) -> None:
    writing = Writing(disk)
    disk.faults.append(Fault(errno.ENOSPC, "write"))
    writing.add(b"x")
    writing.add(b"y")
    writing.work()
    assert writing.unwritten.trouble
    writing.unwritten.try_again(writing.worker)
    writing.work()
    assert not writing.unwritten.trouble


def test_page_that_nobody_needs_any_more_is_not_tried_again(disk: SimulatedDisk) -> None:
    writing = Writing(disk)
    disk.faults.append(Fault(errno.ENOSPC, "write"))
    writing.add(b"x" * 10)
    writing.work()
    writing.segment.is_gone = True
    disk.remove(PATH)
    writing.unwritten.try_again(writing.worker)
    assert writing.worker.is_idle
    assert (writing.unwritten.bytes, writing.unwritten.trouble) == (0, "")
    assert disk.files() == {}


def test_page_that_was_moved_meanwhile_stays_in_memory_for_its_new_place(disk: SimulatedDisk) -> None:
    writing = Writing(disk)
    page = writing.add(b"x" * 10)
    page.segment, page.offset, page.data = 2, 0, b"new"
    writing.work()
    assert page.data == b"new"


def test_page_is_read_while_the_process_has_a_descriptor_in_reserve(disk: SimulatedDisk) -> None:
    disk.put("journal/1", b"")
    disk.put(PATH, b"0123456789")
    reader = SegmentReader(disk)
    reader.keep_reserve("journal/1")
    for start in range(4):
        disk.faults.append(Fault(errno.EMFILE, "open", path=PATH))
        assert reader.read(PATH, start, 3) == b"0123456789"[start : start + 3]
        assert reader.read(PATH, 8, 9) == b"89"
    reader.close()


def test_other_errors_and_none_in_reserve_are_raised(disk: SimulatedDisk) -> None:
    disk.put(PATH, b"0123456789")
    reader = SegmentReader(disk)
    disk.faults.append(Fault(errno.EMFILE, "open"))
    with pytest.raises(OSError, match="Too many open files"):
        reader.read(PATH, 0, 1)
    reader.keep_reserve(PATH)
    for kind in ("open", "read"):
        disk.faults.append(Fault(errno.EIO, kind))
        with pytest.raises(OSError, match="Input/output error"):
            reader.read(PATH, 0, 1)
    assert reader.read(PATH, 0, 1) == b"0"
    reader.close()
    reader.close()
