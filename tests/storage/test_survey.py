"""What a segment has, page by page: whole, in part settled, damaged, cut off."""

import pytest
from tests.storage.batches import flipped, zeroed
from tests.storage.simulated_disk import SimulatedDisk
from tests.storage.test_segments import entries_of

from supersoniq.broker.message import Entry
from supersoniq.storage.ranges import Ranges
from supersoniq.storage.records import PAGE_HEAD_BYTES
from supersoniq.storage.segments import encode_page
from supersoniq.storage.survey import Surveyed, find_pages, queue_of, survey_segment

PATH = "segments/0000000005-0000000001"


class Shelf:
    """A segment of queue 5 with three pages: positions 1 to 3, 4 to 6 and 7 to 9; the sixth is transient."""

    def __init__(self) -> None:
        self.disk = SimulatedDisk()
        self.data = b""
        self.starts: list[int] = []
        self.settled = Ranges()
        self.damages: list[str] = []
        for index in range(3):
            entries: list[Entry | None] = [self.entry(3 * index + place) for place in (1, 2, 3)]
            data, _ = encode_page(entries, 5, index + 10, 1 << 40)
            self.starts.append(len(self.data))
            self.data += data

    @staticmethod
    def entry(position: int) -> Entry:
        entry = entries_of(b"%d" % position * 20)[0]
        assert entry is not None
        entry.position = position
        entry.message.persistent = position != 6
        return entry

    def survey(self, data: bytes | None = None, size: int = -1, mends: bool = True) -> list[Surveyed]:
        data = self.data if data is None else data
        self.disk.put(PATH, data)
        self.damages.clear()
        return survey_segment(
            self.disk, PATH, len(self.data) if size < 0 else size, self.settled, self.damages, mends
        )


def live_of(surveyed: list[Surveyed]) -> list[int]:
    return [live for _, _, live, _, _ in surveyed]


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def test_pages_are_found_in_order_with_what_lives_in_them(shelf: Shelf) -> None:
    surveyed = shelf.survey()
    assert [at for _, at, _, _, _ in surveyed] == shelf.starts
    assert [(head.first, head.last) for head, _, _, _, _ in surveyed] == [(1, 3), (4, 6), (7, 9)]
    assert [(live, body_bytes) for _, _, live, body_bytes, _ in surveyed] == [(3, 60), (2, 40), (3, 60)]
    assert shelf.damages == []


def test_settled_messages_do_not_live(shelf: Shelf) -> None:
    shelf.settled.add(2, 4)
    shelf.settled.add(7, 20)
    surveyed = shelf.survey()
    assert [(live, body_bytes) for _, _, live, body_bytes, _ in surveyed] == [(1, 20), (1, 20), (0, 0)]


def test_what_is_behind_the_size_that_was_synced_does_not_count(shelf: Shelf) -> None:
    assert live_of(shelf.survey(size=shelf.starts[1])) == [3]
    assert live_of(shelf.survey(size=0)) == []
    assert live_of(shelf.survey(shelf.data + b"rubbish")) == [3, 2, 3]
    assert shelf.damages == []


def test_missing_segment_is_damage(shelf: Shelf) -> None:
    damages: list[str] = []
    assert survey_segment(shelf.disk, PATH, 100, Ranges(), damages) == []
    assert damages == [f"{PATH}: the segment is missing"]


@pytest.mark.parametrize("cut", [1, 30, 200])
def test_segment_that_was_cut_off_is_damage_and_the_rest_is_read(shelf: Shelf, cut: int) -> None:
    surveyed = shelf.survey(shelf.data[:-cut])
    assert live_of(surveyed)[:2] == [3, 2]
    assert sum(live_of(surveyed)) < 8
    assert shelf.damages[0] == f"{PATH}: {cut} bytes are missing at its end"


@pytest.mark.parametrize("page", [0, 1, 2])
def test_every_bit_that_is_flipped_in_a_head_is_found_and_the_messages_are_read(
    shelf: Shelf, page: int
) -> None:
    for bit in range(8 * PAGE_HEAD_BYTES):
        surveyed = shelf.survey(flipped(shelf.data, 8 * shelf.starts[page] + bit))
        assert live_of(surveyed) == [3, 2, 3], bit
        assert len(shelf.damages) == 1, bit
        assert f"at offset {shelf.starts[page]}: the head of a page" in shelf.damages[0]
        assert shelf.disk.files()[PATH] == shelf.data, bit


def test_nothing_is_mended_where_that_is_not_wanted(shelf: Shelf) -> None:
    broken = flipped(shelf.data, 77)
    assert live_of(shelf.survey(broken, mends=False)) == [3, 2, 3]
    assert shelf.disk.files()[PATH] == broken


def test_page_that_is_wiped_out_is_damage_and_the_others_are_read(shelf: Shelf) -> None:
    start, end = shelf.starts[1], shelf.starts[2]
    surveyed = shelf.survey(zeroed(shelf.data, start, end))
    assert [head.first for head, _, _, _, _ in surveyed] == [1, 7]
    assert shelf.damages == [f"{PATH}: {end - start} damaged bytes at offset {start}: a page of messages"]


def test_message_that_looks_like_a_page_is_none(shelf: Shelf) -> None:
    forged, _ = encode_page(entries_of(b"forged"), 5, 1_000, 1)
    entry = entries_of(b"(" + forged + b")")[0]
    assert entry is not None
    first, _ = encode_page(entries_of(b"first"), 5, 10, 1 << 40)
    second, _ = encode_page([entry], 5, 11, 1 << 40)
    third, _ = encode_page(entries_of(b"third"), 5, 12, 1 << 40)
    for second_broken in (flipped(second, 0), zeroed(second, 0, 60), zeroed(second, 0, 90)):
        data = first + second_broken + third
        shelf.disk.put(PATH, data)
        surveyed = survey_segment(shelf.disk, PATH, len(data), Ranges(), [])
        assert {10, 12} <= {int(head.number) for head, _, _, _, _ in surveyed} <= {10, 11, 12}


def test_stretches_have_no_gap(shelf: Shelf) -> None:
    for data in (shelf.data, zeroed(shelf.data, 10, 300), shelf.data[:-5]):
        shelf.disk.put(PATH, data)
        file = shelf.disk.open(PATH)
        at = 0
        for stretch in find_pages(file, 5, len(data)):
            assert stretch.at == at
            at += stretch.size
        assert at == len(data)


def test_queue_of_a_segment_stands_in_its_name() -> None:
    assert queue_of("segments/0000000123-0000000004") == 123
