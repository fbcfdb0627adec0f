"""What a segment has, page by page: whole, in part settled, damaged, cut off."""

import pytest
from tests.broker.queues.test_levels import prioritized
from tests.storage.batches import flipped, zeroed
from tests.storage.simulated_disk import SimulatedDisk
from tests.storage.test_segments import entries_of

from supersoniq.broker.message import Entry
from supersoniq.storage.places import FRONT_BYTES, places_of
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
            data, _ = encode_page(entries, 5, index + 10, 1 << 40, None)
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
    return [found.live for found in surveyed]


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def test_pages_are_found_in_order_with_what_lives_in_them(shelf: Shelf) -> None:
    surveyed = shelf.survey()
    assert [found.at for found in surveyed] == shelf.starts
    assert [(found.head.first, found.head.last) for found in surveyed] == [(1, 3), (4, 6), (7, 9)]
    assert [(found.live, found.body_bytes) for found in surveyed] == [(3, 60), (2, 40), (3, 60)]
    assert shelf.damages == []


def test_settled_messages_do_not_live(shelf: Shelf) -> None:
    shelf.settled.add(2, 4)
    shelf.settled.add(7, 20)
    surveyed = shelf.survey()
    assert [(found.live, found.body_bytes) for found in surveyed] == [(1, 20), (1, 20), (0, 0)]


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
    assert [found.head.first for found in surveyed] == [1, 7]
    assert shelf.damages == [f"{PATH}: {end - start} damaged bytes at offset {start}: a page of messages"]


def test_message_that_looks_like_a_page_is_none(shelf: Shelf) -> None:
    forged, _ = encode_page(entries_of(b"forged"), 5, 1_000, 1, None)
    entry = entries_of(b"(" + forged + b")")[0]
    assert entry is not None
    first, _ = encode_page(entries_of(b"first"), 5, 10, 1 << 40, None)
    second, _ = encode_page([entry], 5, 11, 1 << 40, None)
    third, _ = encode_page(entries_of(b"third"), 5, 12, 1 << 40, None)
    for second_broken in (flipped(second, 0), zeroed(second, 0, 60), zeroed(second, 0, 90)):
        data = first + second_broken + third
        shelf.disk.put(PATH, data)
        surveyed = survey_segment(shelf.disk, PATH, len(data), Ranges(), [])
        assert {10, 12} <= {int(found.head.number) for found in surveyed} <= {10, 11, 12}


# Pages with levels


def gapped(positions: list[int], has_levels: bool = True) -> bytes:
    entries: list[Entry | None] = [
        Entry(prioritized(2, b"%d" % position, persistent=True), position) for position in positions
    ]
    places = places_of(entries, True) if has_levels else None
    return encode_page(entries, 5, 10, 1 << 40, places)[0]


def surveyed_one(data: bytes, settled: Ranges | None = None) -> Surveyed:
    disk = SimulatedDisk()
    disk.put(PATH, data)
    [found] = survey_segment(disk, PATH, len(data), settled or Ranges(), [])
    return found


@pytest.mark.parametrize("count", [4, FRONT_BYTES])
def test_positions_of_a_page_are_those_it_has(count: int) -> None:
    positions = [2 * number + 7 for number in range(count)]
    found = surveyed_one(gapped(positions))
    assert found.pairs == [(position, position) for position in positions]
    assert (found.live, int(found.places.lowest), int(found.places.highest)) == (count, 2, 2)


def test_page_that_does_not_say_its_positions_though_it_has_gaps_is_read_for_them() -> None:
    found = surveyed_one(gapped([3, 4, 9], has_levels=False))
    assert found.pairs == [(3, 4), (9, 9)]
    assert (int(found.places.lowest), int(found.places.highest)) == (0, 255)


def test_what_is_settled_between_the_positions_of_a_page_is_none_of_it() -> None:
    settled = Ranges()
    settled.add(4, 6)
    settled.add(8, 10)
    data = gapped([3, 7, 11])
    assert surveyed_one(data, settled).live == 3
    settled.add(7, 7)
    found = surveyed_one(data, settled)
    assert (found.live, found.body_bytes) == (2, 3)
    settled.add(3, 3)
    settled.add(11, 11)
    assert surveyed_one(data, settled).live == 0


def test_every_bit_that_is_flipped_in_a_page_leaves_the_positions_that_can_be_read() -> None:
    data = gapped([3, 7, 11])
    for bit in range(8 * PAGE_HEAD_BYTES, 8 * len(data)):
        pairs = surveyed_one(flipped(data, bit)).pairs
        assert len(pairs) >= 2, bit
        assert set(pairs) <= {(3, 3), (7, 7), (11, 11)}, bit


def test_page_of_which_nothing_can_be_read_has_its_first_position_only() -> None:
    data = gapped([3, 7, 11])
    found = surveyed_one(data[:PAGE_HEAD_BYTES] + bytes(len(data) - PAGE_HEAD_BYTES))
    assert found.pairs == [(3, 3)]


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
