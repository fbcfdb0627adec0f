"""Marks of deliveries in a mapped file."""

import mmap
from pathlib import Path

import pytest

from supersoniq.storage.marks import (
    MARK,
    SLOTS_AT_ONCE,
    MappedMarks,
    is_whole_mark,
    packed_mark,
    read_marks,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "marks"


@pytest.fixture
def marks(path: Path) -> MappedMarks:
    marks = MappedMarks(path)
    marks.reset(3)
    marks.replace()
    return marks


def test_missing_file_has_no_marks(path: Path) -> None:
    assert MappedMarks(path).load() == {}


def test_mark_is_in_the_file_at_once_without_being_closed(marks: MappedMarks, path: Path) -> None:
    marks.set(0, 17, 5)
    marks.set(2, 18, 6)
    assert MappedMarks(path).load() == {17: 5, 18: 6}
    marks.set(0, 17, 9)
    assert MappedMarks(path).load() == {17: 9, 18: 6}
    marks.close()


def test_marks_are_forgotten_when_they_are_reset(marks: MappedMarks, path: Path) -> None:
    for slot in range(SLOTS_AT_ONCE + 5):
        marks.set(slot, slot + 1, 7)
    marks.reset(1)
    marks.replace()
    assert marks.load() == {}
    marks.set(0, 3, 4)
    assert MappedMarks(path).load() == {3: 4}
    marks.close()


def test_file_grows_with_the_slots_and_keeps_what_is_in_it(marks: MappedMarks, path: Path) -> None:
    slots = [0, 1, SLOTS_AT_ONCE - 1, SLOTS_AT_ONCE, SLOTS_AT_ONCE * 3]
    for slot in slots:
        marks.set(slot, slot + 1, slot + 2)
    assert MappedMarks(path).load() == {slot + 1: slot + 2 for slot in slots}
    marks.close()


def test_slot_of_another_queue_is_the_mark_of_that(marks: MappedMarks, path: Path) -> None:
    marks.set(1, 10, 5)
    marks.set(1, 11, 2)
    assert MappedMarks(path).load() == {11: 2}
    marks.close()


def test_mark_has_its_space_on_the_disk_before_it_is_set(marks: MappedMarks, path: Path) -> None:
    assert path.stat().st_size == SLOTS_AT_ONCE * MARK.size
    assert path.stat().st_blocks * 512 >= path.stat().st_size
    marks.close()


def test_marks_that_find_no_room_are_not_set_and_the_others_are(path: Path) -> None:
    marks = NoRoom(path)
    marks.reset(1)
    marks.replace()
    marks.replace()
    marks.set(0, 1, 5)
    marks.is_full = True
    marks.set(SLOTS_AT_ONCE, 2, 6)
    marks.set(1, 3, 7)
    assert MappedMarks(path).load() == {1: 5, 3: 7}
    marks.is_full = False
    marks.set(SLOTS_AT_ONCE, 2, 8)
    assert MappedMarks(path).load() == {1: 5, 3: 7, 2: 8}
    marks.close()


def test_new_marks_take_the_place_of_the_old_ones_where_there_is_no_room_beside_them(path: Path) -> None:
    before = MappedMarks(path)
    before.reset(SLOTS_AT_ONCE)
    before.replace()
    before.set(0, 1, 5)
    before.set(SLOTS_AT_ONCE, 2, 6)
    before.close()
    marks = NoRoom(path)
    marks.is_full = True
    assert marks.load() == {1: 5, 2: 6}
    marks.reset(2)
    marks.set(0, 2, 6)
    assert MappedMarks(path).load() == {1: 5, 2: 6}, "the old ones count until they are replaced"
    marks.replace()
    marks.set(1, 3, 8)
    assert MappedMarks(path).load() == {2: 6, 3: 8}
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    marks.close()


def test_first_marks_need_room(path: Path) -> None:
    marks = NoRoom(path)
    marks.is_full = True
    with pytest.raises(OSError, match="No space left"):
        marks.reset(1)


class NoRoom(MappedMarks):
    """Has no more room when it is full."""

    is_full = False

    def _grow(self, slots: int) -> None:
        if self.is_full:
            raise OSError(28, "No space left on device")
        super()._grow(slots)


def test_every_bit_that_is_flipped_makes_a_mark_unreadable() -> None:
    whole = packed_mark(5, 1_000)
    assert read_marks(whole) == {5: 1_000}
    assert is_whole_mark(whole)
    for bit in range(8 * (MARK.size - 4)):
        data = bytearray(whole)
        data[bit >> 3] ^= 1 << (bit & 7)
        assert list(read_marks(bytes(data)).values()) == [-1]
        assert not is_whole_mark(bytes(data))
    assert not is_whole_mark(whole[:-1] + b"x")
    assert not is_whole_mark(whole[:-1])


def test_torn_mark_reads_as_unknown() -> None:
    before, after = packed_mark(5, 255), packed_mark(5, 256)
    for cut in range(8, MARK.size - 4):
        mixed = after[:cut] + before[cut:]
        assert read_marks(mixed) in ({5: -1}, {5: 255}, {5: 256})


def test_place_that_was_never_used_is_no_mark() -> None:
    assert read_marks(bytes(10 * MARK.size) + packed_mark(1, 0) + b"rest") == {1: 0}
    assert is_whole_mark(bytes(MARK.size))


def test_closed_marks_take_no_more(marks: MappedMarks, path: Path) -> None:
    marks.close()
    marks.close()
    marks.set(0, 1, 1)
    assert MappedMarks(path).load() == {}


def test_mark_can_lie_across_two_pages_of_memory(marks: MappedMarks, path: Path) -> None:
    slot = mmap.PAGESIZE // MARK.size
    assert (slot * MARK.size) // mmap.PAGESIZE != (slot * MARK.size + MARK.size - 1) // mmap.PAGESIZE
    marks.set(slot, 1, 2)
    assert MappedMarks(path).load() == {1: 2}
    marks.close()
