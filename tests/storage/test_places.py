"""A page says which positions and priorities it has where they are not all from first to last."""

import pytest
from tests.broker.queues.test_levels import prioritized
from tests.storage.batches import flipped

from supersoniq.broker.message import Entry
from supersoniq.broker.ports import PRIORITY_MAX, Page
from supersoniq.storage.places import UNKNOWN_EXPIRY, Front, Places, note_places, places_of
from supersoniq.storage.records import PAGE_HEAD_BYTES, read_page_head
from supersoniq.storage.segments import decode_page, encode_page


def entries_at(positions: list[int], priorities: list[int], expires_at: int = 0) -> list[Entry | None]:
    entries: list[Entry | None] = []
    for position, priority in zip(positions, priorities, strict=True):
        entry = Entry(prioritized(priority, b"%d" % position), position)
        entry.expires_at = expires_at
        entries.append(entry)
    return entries


def page_of(
    positions: list[int], priorities: list[int] | None = None, has_levels: bool = True, expires_at: int = 0
) -> bytes:
    entries = entries_at(positions, priorities or [0] * len(positions), expires_at)
    data, _ = encode_page(entries, 5, 7, 1 << 40, places_of(entries, has_levels))
    return data


def front_of(data: bytes, limit: int = 1 << 20) -> Front:
    head = read_page_head(data, 0)
    assert head is not None
    return Front(data[PAGE_HEAD_BYTES : PAGE_HEAD_BYTES + limit], head)


def shown(front: Front) -> tuple[int, int, list[tuple[int, int]]] | None:
    places = front.places
    return None if places is None else (int(places.lowest), int(places.highest), places.pairs(-1, -2))


def test_page_of_a_queue_without_levels_says_nothing_where_positions_follow_each_other() -> None:
    entries = entries_at([3, 4, 5], [1, 2, 3])
    assert places_of(entries, False) is None
    assert places_of([], True) is None
    assert shown(front_of(page_of([3, 4, 5], has_levels=False))) == (0, PRIORITY_MAX, [(-1, -2)])


def test_page_with_gaps_says_its_positions() -> None:
    front = front_of(page_of([3, 5, 6, 900], has_levels=False))
    assert shown(front) == (0, PRIORITY_MAX, [(3, 3), (5, 6), (900, 900)])


@pytest.mark.parametrize("expires_at", [0, 1_234])
def test_page_of_a_queue_with_levels_says_its_priorities(expires_at: int) -> None:
    front = front_of(page_of([3, 4, 5], [9, 2, 200], expires_at=expires_at))
    assert shown(front) == (2, 200, [(-1, -2)])
    assert (int(front.expires_at), int(front.wanted)) == (expires_at, 0)


def test_messages_are_read_as_without_places() -> None:
    data = page_of([3, 8, 9], [1, 1, 1])
    assert [int(entry.position) for entry in decode_page(data, "", 0)] == [3, 8, 9]


def test_record_that_is_longer_than_what_was_read_is_asked_for() -> None:
    data = page_of([*range(1, 2_000, 2)], expires_at=5)
    front = front_of(data, 200)
    assert front.places is None
    assert 2_000 < front.wanted < 2_100
    assert shown(front_of(data, int(front.wanted))) == (0, 0, [(each, each) for each in range(1, 2_000, 2)])


@pytest.mark.parametrize("expires_at", [0, 1_234])
def test_record_that_is_damaged_is_never_believed(expires_at: int) -> None:
    data = page_of([3, 5, 900], [4, 4, 4], expires_at=expires_at)
    whole = shown(front_of(data))
    assert whole == (4, 4, [(3, 3), (5, 5), (900, 900)])
    begin = PAGE_HEAD_BYTES + (17 if expires_at else 0)
    end = begin + int.from_bytes(data[begin : begin + 4], "big")
    for bit in range(8 * begin, 8 * end):
        assert shown(front_of(flipped(data, bit))) is None, bit


def test_expiry_that_is_damaged_is_long_ago() -> None:
    data = page_of([3, 4], [4, 4], expires_at=1 << 40)
    for bit in range(8 * PAGE_HEAD_BYTES, 8 * (PAGE_HEAD_BYTES + 17)):
        assert int(front_of(flipped(data, bit)).expires_at) == UNKNOWN_EXPIRY, bit


def test_page_that_ends_too_early_has_no_places() -> None:
    data = page_of([3, 5, 900], [4, 4, 4])
    size = int.from_bytes(data[PAGE_HEAD_BYTES : PAGE_HEAD_BYTES + 4], "big")
    assert [front_of(data, cut).places for cut in range(size)] == [None] * size
    assert front_of(data, size).places is not None


def test_page_in_memory_knows_its_places_until_it_is_written_anew() -> None:
    page = Page(1, 1, 1, 9)
    page.is_reduced = True
    note_places(page, Places(3, 4, b"\x01\x01"))
    assert (int(page.lowest), int(page.highest), page.runs, page.is_reduced) == (3, 4, b"\x01\x01", False)
    note_places(page, None)
    assert (int(page.lowest), int(page.highest), page.runs) == (0, PRIORITY_MAX, b"")
