"""What waits is looked at in order of position and stays where it is; one message of it is found."""

import pytest
from tests.broker.queues.test_levels import LARGE, prioritized
from tests.fakes import FakeQueueStore, message

from supersoniq.broker.message import Entry
from supersoniq.broker.queues.backlog import CHUNK_PLACES, Backlog
from supersoniq.broker.queues.browsing import withdraw
from supersoniq.broker.queues.levels import PriorityBacklog


def browse(backlog: Backlog, after: int, count_max: int) -> list[Entry]:
    return backlog.browse(after, count_max)


COUNT = 5 * CHUNK_PLACES + 7


@pytest.fixture
def kept() -> FakeQueueStore:
    return FakeQueueStore(memory_bytes_max=1)


@pytest.fixture
def backlog(kept: FakeQueueStore) -> Backlog:
    backlog = Backlog(kept)
    for position in range(1, COUNT + 1):
        backlog.append(Entry(message(b"%d" % position), position))
    assert len(backlog.pages()) > 2
    return backlog


@pytest.mark.parametrize("after", [0, 1, CHUNK_PLACES, 2 * CHUNK_PLACES + 1, COUNT - 1, COUNT])
@pytest.mark.parametrize("count", [0, 1, CHUNK_PLACES, 2 * COUNT])
def test_entries_come_in_order_from_anywhere(backlog: Backlog, after: int, count: int) -> None:
    found = [int(entry.position) for entry in browse(backlog, after, count)]
    assert found == list(range(after + 1, min(COUNT, after + count) + 1))


def test_browsing_leaves_everything_where_it_is(backlog: Backlog) -> None:
    pages, memory_bytes = backlog.pages(), backlog.memory_bytes
    browse(backlog, 0, COUNT)
    assert (backlog.pages(), backlog.memory_bytes) == (pages, memory_bytes)
    assert [int(backlog.pop().position) for _ in range(int(backlog.count))] == list(range(1, COUNT + 1))


def test_damaged_entry_is_missed_once(backlog: Backlog, kept: FakeQueueStore) -> None:
    gone = int(backlog.pages()[1].first) + 5
    kept.damaged.add(gone)
    for _ in range(2):
        assert len(browse(backlog, 0, COUNT)) == backlog.count == COUNT - 1
    assert withdraw(backlog, gone) is None
    assert [int(backlog.pop().position) for _ in range(int(backlog.count))] == [
        position for position in range(1, COUNT + 1) if position != gone
    ]


@pytest.mark.parametrize("position", [1, CHUNK_PLACES + 1, 3 * CHUNK_PLACES, COUNT])
def test_entry_is_taken_out_of_anywhere_once(backlog: Backlog, position: int) -> None:
    taken = withdraw(backlog, position)
    assert taken is not None
    assert taken.body == b"%d" % position
    assert withdraw(backlog, position) is None
    assert position not in [int(each.position) for each in browse(backlog, 0, COUNT)]


@pytest.mark.parametrize("after", [0, 1, 5, 9, 10])
@pytest.mark.parametrize("count", [0, 1, 3, 100])
def test_entries_that_came_back_are_found_from_anywhere(after: int, count: int) -> None:
    backlog = Backlog(FakeQueueStore())
    for position in range(1, 11):
        backlog.append(Entry(message(), position))
    for entry in [backlog.pop() for _ in range(8)]:
        backlog.put_back(entry)
    assert withdraw(backlog, 3) is not None
    assert withdraw(backlog, 3) is None
    left = [position for position in range(after + 1, 11) if position != 3]
    assert [int(entry.position) for entry in browse(backlog, after, count)] == left[:count]


def test_entry_that_is_not_there_is_not_found(backlog: Backlog) -> None:
    assert withdraw(backlog, COUNT + 1) is None
    assert withdraw(Backlog(FakeQueueStore()), 1) is None


def test_entry_that_is_taken_out_does_not_expire() -> None:
    backlog = Backlog(FakeQueueStore())
    for position in (1, 2):
        entry = Entry(message(), position)
        entry.expires_at = position * 10
        backlog.known_deadlines().add(entry)
        backlog.append(entry)
    withdraw(backlog, 1)
    assert backlog.deadlines is not None
    assert backlog.deadlines.next_ms() == 20


@pytest.mark.parametrize("count", [1, 7, 29, 100])
def test_entries_of_all_levels_come_in_order_of_position(kept: FakeQueueStore, count: int) -> None:
    backlog = PriorityBacklog(kept, 3)
    for position in range(1, 31):
        backlog.append(Entry(prioritized(position % 5, LARGE), position))
    assert len(backlog.pages()) == 30 - 4
    for after in (0, 1, 10, 29):
        found = [int(entry.position) for entry in browse(backlog, after, count)]
        assert found == list(range(after + 1, min(30, after + count) + 1))
    for position in (30, 3, 16):
        assert withdraw(backlog, position) is not None
        assert withdraw(backlog, position) is None
    assert len(browse(backlog, 0, 100)) == backlog.count == 27
