"""A backlog beyond its memory writes pages, and still is a list sorted by position."""

from bisect import insort

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.definitions import brief
from tests.fakes import FakeQueueStore, message

from supersoniq.broker.message import Entry
from supersoniq.broker.ports import Page
from supersoniq.broker.queues.backlog import (
    CHUNK_BODY_BYTES,
    CHUNK_PLACES,
    MESSAGE_OVERHEAD_BYTES,
    Backlog,
)

# One of the large ones fills a chunk by itself.
SMALL, MEDIUM, LARGE = b"small", bytes(100_000), bytes(CHUNK_BODY_BYTES + 1)
BODIES = {len(body): body for body in (b"", SMALL, MEDIUM, LARGE)}
sizes = st.lists(st.sampled_from(sorted(BODIES)), min_size=1, max_size=5)


def positions(entries: list[Entry]) -> list[int]:
    return [int(entry.position) for entry in entries]


class Bench:
    """A backlog with its store, and the positions that it was given."""

    def __init__(self, memory_bytes_max: int = 1) -> None:
        self.kept = FakeQueueStore(memory_bytes_max=memory_bytes_max)
        self.backlog = Backlog(self.kept)
        self.last = 0

    def entry(self, body: bytes = LARGE) -> Entry:
        self.last += 1
        return Entry(message(body), self.last)

    def append(self, *bodies: bytes) -> None:
        for body in bodies:
            self.backlog.append(self.entry(body))

    def append_page(self, *bodies: bytes) -> Page:
        page = self.kept.write_page([self.entry(body) for body in bodies])
        self.backlog.append_page(page)
        return page

    def pop_all(self) -> list[int]:
        popped = []
        while self.backlog.count > 0:
            popped.append(int(self.backlog.pop().position))
        assert (self.backlog.body_bytes, self.backlog.memory_bytes) == (0, 0)
        return popped


def test_queue_without_a_limit_writes_no_pages() -> None:
    bench = Bench(memory_bytes_max=0)
    bench.append(*[LARGE] * 50, *[SMALL] * 5 * CHUNK_PLACES)
    assert bench.kept.pages == {}
    assert bench.backlog.pages() == []


def test_queue_within_its_limit_writes_no_pages() -> None:
    bench = Bench(memory_bytes_max=10 * (len(LARGE) + MESSAGE_OVERHEAD_BYTES))
    bench.append(*[LARGE] * 10)
    assert bench.kept.pages == {}
    bench.append(LARGE)
    assert len(bench.kept.pages) == 1


def test_memory_stays_near_the_limit() -> None:
    limit = 4 * len(LARGE)
    bench = Bench(limit)
    for _ in range(100):
        bench.append(LARGE)
        assert bench.backlog.memory_bytes <= limit + len(LARGE) + MESSAGE_OVERHEAD_BYTES
    assert bench.pop_all() == list(range(1, 101))


def test_many_small_messages_become_pages_of_a_chunk_each() -> None:
    bench = Bench()
    bench.append(*[b""] * 5 * CHUNK_PLACES)
    assert [page.count for page in bench.backlog.pages()] == [CHUNK_PLACES] * 4
    assert bench.pop_all() == list(range(1, 5 * CHUNK_PLACES + 1))


def test_what_is_added_after_a_page_comes_after_it_though_memory_is_free_again() -> None:
    bench = Bench(memory_bytes_max=3 * len(LARGE))
    bench.append(*[LARGE] * 10)
    bench.kept.memory_bytes_max = 0
    bench.append(*[LARGE] * 3, SMALL)
    assert bench.pop_all() == list(range(1, 15))


def test_pages_are_read_one_by_one() -> None:
    bench = Bench()
    bench.append_page(SMALL, SMALL)
    bench.append_page(SMALL)
    bench.append_page(SMALL)
    left = []
    for _ in range(4):
        left.append(len(bench.kept.pages))
        bench.backlog.pop()
    assert left == [2, 2, 1, 0]


def test_page_after_what_was_added_comes_after_it() -> None:
    bench = Bench(memory_bytes_max=10_000_000)
    bench.append(SMALL, LARGE, SMALL)
    bench.append_page(SMALL)
    bench.append(SMALL)
    assert bench.pop_all() == [1, 2, 3, 4, 5]


def test_message_larger_than_the_limit_is_taken() -> None:
    bench = Bench()
    for _ in range(3):
        bench.append(LARGE)
        assert positions([bench.backlog.pop()]) == [bench.last]
    assert bench.backlog.count == 0


def test_damaged_page_counts_until_it_is_read() -> None:
    bench = Bench()
    bench.append(SMALL)
    bench.append_page(SMALL, MEDIUM, SMALL)
    bench.kept.damaged = {3}
    assert bench.backlog.count == 4
    bench.backlog.pop()
    assert bench.backlog.count == 2
    assert bench.backlog.body_bytes == 2 * len(SMALL)
    assert bench.pop_all() == [2, 4]


@pytest.mark.parametrize("behind", [0, 1, 2])
def test_pages_of_which_nothing_is_left_are_passed_over(behind: int) -> None:
    bench = Bench()
    bench.append(SMALL)
    for _ in range(3):
        bench.append_page(LARGE)
    bench.append(*[SMALL] * behind)
    bench.kept.damaged = {2, 3, 4}
    bench.backlog.pop()
    assert bench.backlog.count == behind
    bench.append(SMALL)
    assert bench.pop_all() == list(range(5, 6 + behind))


def test_page_of_which_nothing_is_left_is_no_entry_of_an_empty_backlog() -> None:
    bench = Bench()
    bench.kept.damaged = {1}
    bench.append_page(SMALL)
    assert bench.backlog.count == 0
    bench.append(SMALL)
    assert bench.pop_all() == [2]


def test_taken_pages_are_not_read_any_more() -> None:
    bench = Bench()
    bench.append(*[LARGE] * 5)
    pages = bench.backlog.take_pages()
    assert [int(page.first) for page in pages] == [2, 3, 4, 5]
    assert positions(bench.backlog.drain()) == [1]
    assert bench.backlog.count == bench.backlog.memory_bytes == 0
    assert len(bench.kept.pages) == 4


def test_used_pages_are_given_back() -> None:
    bench = Bench()
    bench.append(*[LARGE] * 100)
    for _ in range(75):
        bench.backlog.pop()
    assert len(bench.backlog._pages) <= 50


class BacklogWithPagesAgainstList(RuleBasedStateMachine):
    """The model is a sorted list, and the pages that the store still has."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench()
        self.model: list[tuple[int, int]] = []  # sorted, without what is damaged
        self.taken: list[Entry] = []

    @property
    def backlog(self) -> Backlog:
        return self.bench.backlog

    @property
    def unread(self) -> list[Entry]:
        return [entry for entries in self.bench.kept.pages.values() for entry in entries]

    def place(self, entry: Entry) -> tuple[int, int]:
        return int(entry.position), len(entry.message.body)

    @initialize(limit=st.sampled_from([0, 1, 300_000, 2_000_000]))
    def limit(self, limit: int) -> None:
        self.bench.kept.memory_bytes_max = limit

    @rule(sizes=sizes)
    def append(self, sizes: list[int]) -> None:
        for size in sizes:
            self.bench.append(BODIES[size])
            self.model.append((self.bench.last, size))

    @precondition(lambda self: len(self.model) < 2 * CHUNK_PLACES)
    @rule(count=st.integers(CHUNK_PLACES - 1, CHUNK_PLACES + 1))
    def append_many(self, count: int) -> None:
        self.append([0] * count)

    @rule(sizes=sizes, data=st.data())
    def append_page(self, sizes: list[int], data: st.DataObject) -> None:
        first = self.bench.last + 1
        damaged = data.draw(st.sets(st.integers(first, first + len(sizes) - 1)))
        self.bench.kept.damaged |= damaged
        self.bench.append_page(*[BODIES[size] for size in sizes])
        places = list(enumerate(sizes, first))
        self.model.extend([place for place in places if place[0] not in damaged])

    @precondition(lambda self: self.unread)
    @rule(data=st.data())
    def damage(self, data: st.DataObject) -> None:
        entry = data.draw(st.sampled_from(self.unread))
        self.bench.kept.damaged.add(int(entry.position))
        self.model = [place for place in self.model if place[0] != entry.position]

    @rule(count=st.one_of(st.integers(1, 6), st.just(CHUNK_PLACES)))
    def pop(self, count: int) -> None:
        for _ in range(count):
            if self.backlog.count == 0:
                assert self.model == []
                return
            self.taken.append(self.backlog.pop())
            assert self.place(self.taken[-1]) == self.model.pop(0)

    @precondition(lambda self: self.taken)
    @rule(data=st.data(), count=st.integers(1, 5))
    def put_back(self, data: st.DataObject, count: int) -> None:
        for _ in range(min(count, len(self.taken))):
            index = data.draw(st.integers(max(0, len(self.taken) - 8), len(self.taken) - 1))
            returned = self.taken.pop(index)
            self.backlog.put_back(returned)
            insort(self.model, self.place(returned))

    @rule()
    def take_everything(self) -> None:
        paged = {int(entry.position) for entry in self.unread}
        expected = [place for place in self.model if place[0] not in paged]
        pages = self.backlog.take_pages()
        assert [page.first for page in pages] == sorted([page.first for page in self.bench.kept.pages])
        assert [self.place(entry) for entry in self.backlog.drain()] == expected
        for page in pages:
            self.bench.kept.settled_page(page)
        assert self.unread == []
        self.model.clear()

    @invariant()
    def counts_agree(self) -> None:
        unread = self.unread
        lost = [entry for entry in unread if int(entry.position) in self.bench.kept.damaged]
        all_bytes = sum([size for _, size in self.model])
        assert self.backlog.count == len(self.model) + len(lost)
        assert self.backlog.body_bytes == all_bytes + sum([len(entry.message.body) for entry in lost])

    @invariant()
    def what_is_in_memory_is_all_that_is_in_no_page(self) -> None:
        paged = {int(entry.position) for entry in self.unread}
        expected = [place for place in self.model if place[0] not in paged]
        assert [self.place(entry) for entry in self.backlog.in_memory()] == expected
        pages = sorted([int(page.first) for page in self.bench.kept.pages])
        assert [int(page.first) for page in self.backlog.pages()] == pages
        overhead = len(expected) * MESSAGE_OVERHEAD_BYTES
        assert self.backlog.memory_bytes == sum([size for _, size in expected]) + overhead


TestBacklogWithPagesAgainstList = BacklogWithPagesAgainstList.TestCase
TestBacklogWithPagesAgainstList.settings = settings(brief, stateful_step_count=40)
