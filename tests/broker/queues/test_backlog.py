"""A backlog is a list sorted by position, whatever comes back and when."""

import gc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.definitions import brief, thorough
from tests.fakes import FakeQueueStore, message

from supersoniq.broker.message import Entry
from supersoniq.broker.queues.backlog import CHUNK_PLACES, Backlog


def entry(position: int, body: bytes = b"") -> Entry:
    return Entry(message(body), position)


class BacklogAgainstSortedList(RuleBasedStateMachine):
    """Every operation is done to a backlog and to a list that is sorted again each time."""

    def __init__(self) -> None:
        super().__init__()
        self.backlog = Backlog(FakeQueueStore())
        self.model: list[Entry] = []
        self.taken: list[Entry] = []
        self.last_position = 0

    @rule(sizes=st.lists(st.integers(0, 9), min_size=1, max_size=5), gap=st.integers(1, 3))
    def append(self, sizes: list[int], gap: int) -> None:
        for size in sizes:
            self.last_position += gap
            added = entry(self.last_position, bytes(size))
            self.backlog.append(added)
            self.model.append(added)

    @precondition(lambda self: self.model)
    @rule(count=st.integers(1, 6))
    def pop(self, count: int) -> None:
        for _ in range(min(count, len(self.model))):
            self.model.sort(key=lambda each: int(each.position))
            expected = self.model.pop(0)
            assert self.backlog.pop() is expected
            self.taken.append(expected)

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def put_back(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.taken) - 1))
        returned = self.taken.pop(index)
        self.backlog.put_back(returned)
        self.model.append(returned)

    @rule()
    def drain(self) -> None:
        expected = sorted(self.model, key=lambda each: int(each.position))
        assert self.backlog.drain() == expected
        self.model.clear()

    @invariant()
    def counts_agree(self) -> None:
        assert self.backlog.count == len(self.model)
        assert self.backlog.body_bytes == sum([len(each.message.body) for each in self.model])


TestBacklogAgainstSortedList = BacklogAgainstSortedList.TestCase
TestBacklogAgainstSortedList.settings = settings(brief, stateful_step_count=40)


@thorough
@given(st.permutations(range(1, 12)))
def test_entries_put_back_in_any_order_come_out_in_order(order: list[int]) -> None:
    backlog = Backlog(FakeQueueStore())
    entries = [entry(position) for position in range(1, 14)]
    for each in entries:
        backlog.append(each)
    taken = [backlog.pop() for _ in range(11)]
    for position in order:
        backlog.put_back(taken[position - 1])
    assert [backlog.pop() for _ in range(13)] == entries


@pytest.mark.parametrize("count", [CHUNK_PLACES - 1, CHUNK_PLACES, 3 * CHUNK_PLACES])
def test_order_holds_across_the_places_where_the_front_is_given_back(count: int) -> None:
    backlog = Backlog(FakeQueueStore())
    entries = [entry(position) for position in range(1, count + 1)]
    for each in entries:
        backlog.append(each)
    assert [backlog.pop() for _ in range(count)] == entries
    late = entry(count + 1)
    backlog.append(late)
    assert backlog.pop() is late


def test_short_queue_gives_its_front_back() -> None:
    backlog = Backlog(FakeQueueStore())
    for position in range(1, 10 * CHUNK_PLACES):
        backlog.append(entry(position))
        backlog.pop()
    assert len(backlog._front) <= CHUNK_PLACES
    assert backlog._chunks == []


def test_used_chunks_are_given_back() -> None:
    backlog = Backlog(FakeQueueStore())
    for position in range(1, 20 * CHUNK_PLACES):
        backlog.append(entry(position))
    for _ in range(15 * CHUNK_PLACES):
        backlog.pop()
    assert sum(len(chunk.entries) for chunk in backlog._chunks) <= 5 * CHUNK_PLACES


def test_garbage_collector_does_not_walk_over_what_waits() -> None:
    backlog = Backlog(FakeQueueStore())
    for position in range(1, 20 * CHUNK_PLACES):
        backlog.append(entry(position))
    gc.collect()
    # Interpreted classes are always tracked, compiled ones that are declared acyclic never.
    assert any(gc.is_tracked(chunk.entries) for chunk in backlog._chunks) == gc.is_tracked(entry(1))


@pytest.mark.parametrize("depth", [1, 2, CHUNK_PLACES - 1, CHUNK_PLACES, CHUNK_PLACES + 1, 5 * CHUNK_PLACES])
def test_order_holds_at_any_depth(depth: int) -> None:
    backlog = Backlog(FakeQueueStore())
    for position in range(1, depth):
        backlog.append(entry(position))
    taken = []
    for position in range(depth, depth + 3 * CHUNK_PLACES):
        backlog.append(entry(position))
        taken.append(backlog.pop().position)
    assert taken == list(range(1, 1 + 3 * CHUNK_PLACES))
    assert [each.position for each in backlog.drain()] == list(
        range(1 + 3 * CHUNK_PLACES, depth + 3 * CHUNK_PLACES)
    )
    assert backlog.count == 0


def test_returned_entries_are_drained_with_the_rest() -> None:
    backlog = Backlog(FakeQueueStore())
    entries = [entry(position) for position in range(1, 5)]
    for each in entries:
        backlog.append(each)
    taken = [backlog.pop(), backlog.pop()]
    backlog.put_back(taken[0])
    backlog.put_back(taken[1])
    assert backlog.drain() == entries
    assert backlog.drain() == []
