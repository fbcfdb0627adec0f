"""What is taken out of the middle of a backlog is gone, wherever it stood, and costs nothing for long."""

from random import Random

import pytest
from tests.fakes import FakeQueueStore, message

from supersoniq.broker.message import GONE, Entry
from supersoniq.broker.ports import Page
from supersoniq.broker.queues.backlog import CHUNK_BODY_BYTES, CHUNK_PLACES, GONE_PLACES, Backlog

SMALL, LARGE = b"small", bytes(CHUNK_BODY_BYTES + 1)


def positions(entries: list[Entry]) -> list[int]:
    return [int(entry.position) for entry in entries]


class Bench:
    """A backlog with its store, and its entries by position."""

    def __init__(self, memory_bytes_max: int = 0) -> None:
        self.kept = FakeQueueStore(memory_bytes_max=memory_bytes_max)
        self.backlog = Backlog(self.kept)
        self.entries: dict[int, Entry] = {}

    def entry(self, body: bytes, expires_at: int = 0) -> Entry:
        position = len(self.entries) + 1
        self.entries[position] = entry = Entry(message(body), position)
        entry.expires_at = expires_at
        return entry

    def append(self, *bodies: bytes) -> None:
        for body in bodies:
            self.backlog.append(self.entry(body))

    def append_page(self, *bodies: bytes) -> Page:
        page = self.kept.write_page([self.entry(body) for body in bodies])
        self.backlog.append_page(page)
        return page

    def remove(self, *removed: int) -> None:
        """Remove what is in memory at these positions."""
        present = {int(entry.position): entry for entry in self.backlog.in_memory()}
        for position in removed:
            entry = present[position]
            body = entry.message.body
            assert self.backlog.remove(entry).body is body
            assert entry.message is GONE

    def pop_all(self) -> list[int]:
        popped = []
        while self.backlog.count > 0:
            popped.append(int(self.backlog.pop().position))
        assert (self.backlog.body_bytes, self.backlog.memory_bytes) == (0, 0)
        return popped


@pytest.mark.parametrize("removed", [[1], [3], [2, 3], [5], [1, 2], [4, 5], [1, 2, 3, 4, 5], [5, 4, 3, 2, 1]])
def test_others_keep_their_order(removed: list[int]) -> None:
    bench = Bench()
    bench.append(*[SMALL] * 5)
    bench.remove(*removed)
    left = [position for position in range(1, 6) if position not in removed]
    assert (bench.backlog.count, bench.backlog.body_bytes) == (len(left), len(SMALL) * len(left))
    assert positions(bench.backlog.in_memory()) == left
    bench.append(SMALL)
    assert bench.pop_all() == [*left, 6]


def test_entry_that_came_back_can_be_removed() -> None:
    bench = Bench()
    bench.append(*[SMALL] * 4)
    for entry in [bench.backlog.pop() for _ in range(3)]:
        bench.backlog.put_back(entry)
    bench.remove(1, 3)
    assert bench.pop_all() == [2, 4]


def test_entries_in_every_part_can_be_removed() -> None:
    bench = Bench()
    count = 5 * CHUNK_PLACES + 10  # the front list, chunks, and what was added last
    bench.append(*[b""] * count)
    removed = range(3, count, 3)
    bench.remove(*removed)
    assert bench.pop_all() == [position for position in range(1, count + 1) if position not in set(removed)]


def test_places_are_given_back_when_most_are_gone() -> None:
    bench = Bench()
    count = 3 * GONE_PLACES
    bench.append(*[b""] * count)
    bench.remove(*range(2, count))
    places = [bench.backlog._front, bench.backlog._back, *[chunk.entries for chunk in bench.backlog._chunks]]
    assert sum([len(place) for place in places]) <= GONE_PLACES + 2
    assert bench.pop_all() == [1, count]


def test_those_that_came_back_and_those_of_a_page_are_swept_out_with_the_rest() -> None:
    bench = Bench()
    count = 2 * GONE_PLACES
    bench.append(*[b""] * count)
    page = bench.append_page(*[b""] * 10)
    bench.append(*[b""] * 10)
    for entry in [bench.backlog.pop() for _ in range(5)]:
        bench.backlog.put_back(entry)
    bench.backlog.load(page)
    stay = [2, 7, count + 5, count + 20]
    bench.remove(*[position for position in bench.entries if position not in stay])
    assert len(bench.backlog._returned) == 1
    assert len(bench.backlog._loaded[page]) <= 10
    assert positions(bench.backlog.in_memory()) == stay
    assert bench.backlog.count == len(stay)
    assert bench.pop_all() == stay


def test_those_that_are_gone_are_not_written_to_pages() -> None:
    bench = Bench(memory_bytes_max=100 * len(LARGE))
    bench.append(*[LARGE] * 8)
    bench.remove(3, 5, 6)
    bench.kept.memory_bytes_max = 1
    bench.backlog.spill()
    assert [int(page.first) for page in bench.backlog.pages()] == [2, 4, 7, 8]
    assert bench.backlog.memory_bytes < 2 * len(LARGE)
    assert bench.pop_all() == [1, 2, 4, 7, 8]


def test_chunk_of_which_all_is_gone_becomes_nothing() -> None:
    bench = Bench(memory_bytes_max=1)
    bench.append(LARGE, LARGE)
    bench.append(*[b""] * (CHUNK_PLACES - 1))
    bench.remove(*range(3, 2 + CHUNK_PLACES))
    bench.append(b"")
    assert [int(page.count) for page in bench.backlog.pages()] == [1, 1]
    assert bench.pop_all() == [1, 2, 2 + CHUNK_PLACES]


# Pages that are loaded before their turn


def test_page_can_be_loaded_and_keeps_its_turn() -> None:
    bench = Bench()
    bench.append(SMALL)
    pages = [bench.append_page(SMALL, SMALL) for _ in range(3)]
    before = bench.backlog.memory_bytes
    bench.backlog.load(pages[1])
    assert bench.backlog.pages() == [pages[0], pages[2]]
    assert bench.backlog.memory_bytes > before
    assert positions(bench.backlog.in_memory()) == [1, 4, 5]
    bench.remove(4)
    assert bench.pop_all() == [1, 2, 3, 5, 6, 7]


def test_page_of_which_all_is_gone_is_passed_over() -> None:
    bench = Bench()
    bench.append(SMALL)
    pages = [bench.append_page(SMALL, SMALL) for _ in range(2)]
    bench.backlog.load(pages[0])
    bench.remove(2, 3)
    assert bench.pop_all() == [1, 4, 5]


def test_loaded_page_is_drained_and_not_settled_as_a_page() -> None:
    bench = Bench()
    bench.append(SMALL)
    pages = [bench.append_page(SMALL, SMALL) for _ in range(3)]
    bench.backlog.load(pages[1])
    bench.remove(5)
    assert bench.backlog.take_pages() == [pages[0], pages[2]]
    assert (bench.backlog.count, bench.backlog.body_bytes) == (2, 2 * len(SMALL))
    assert positions(bench.backlog.drain()) == [1, 4]
    assert bench.backlog.count == 0
    bench.append(SMALL)
    assert bench.pop_all() == [8]


def test_page_knows_when_its_first_entry_expires_and_forgets_it_when_it_is_read() -> None:
    bench = Bench(memory_bytes_max=1)
    bench.append(SMALL)
    for expires_at in (900, 0, 500):
        entry = bench.entry(LARGE, expires_at)
        if expires_at:
            bench.backlog.known_deadlines().add(entry)
        bench.backlog.append(entry)
    pages = bench.backlog.pages()
    assert [int(page.expires_at) for page in pages] == [900, 0, 500]
    deadlines = bench.backlog.known_deadlines()
    assert deadlines.pop(10_000) is None
    assert int(deadlines.next_ms()) == 500
    bench.backlog.load(pages[2])
    assert int(pages[2].expires_at) == 0
    due = deadlines.pop(600)
    assert due is not None
    assert (int(due.position), due.is_ready) == (4, False)
    assert int(deadlines.next_ms()) == 900


def test_damaged_entries_of_a_page_behind_what_is_gone_are_noticed_before_they_are_wanted() -> None:
    bench = Bench()
    bench.append(SMALL, SMALL, SMALL)
    bench.append_page(SMALL, SMALL)
    bench.kept.damaged = {4, 5}
    bench.remove(2, 3)
    assert bench.pop_all() == [1]


def test_damaged_entries_of_a_page_that_is_loaded_are_missing() -> None:
    bench = Bench()
    bench.append(SMALL)
    page = bench.append_page(SMALL, SMALL, SMALL)
    bench.kept.damaged = {3}
    bench.backlog.load(page)
    assert (bench.backlog.count, bench.backlog.body_bytes) == (3, 3 * len(SMALL))
    bench.remove(2)
    assert bench.pop_all() == [1, 4]


class Comparison:
    """A backlog and a list, under the same random steps; entries of pages are known by their positions."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.bench = Bench(self.random.choice([0, 1, 3 * len(LARGE)]))
        self.model: list[int] = []
        self.taken: list[Entry] = []

    def run(self) -> None:
        steps = [self.append] * 3 + [self.pop, self.put_back, self.remove, self.load] * 2 + [self.spill]
        for _ in range(60):
            self.random.choice(steps)()
            backlog = self.bench.backlog
            sizes = [len(self.size_of(position)) for position in self.model]
            assert (backlog.count, backlog.body_bytes) == (len(self.model), sum(sizes))
        assert self.bench.pop_all() == sorted(self.model)

    def size_of(self, position: int) -> bytes:
        return SMALL if position % 3 else LARGE

    def append(self) -> None:
        for _ in range(self.random.randrange(1, 6)):
            position = len(self.bench.entries) + 1
            self.bench.append(self.size_of(position))
            self.model.append(position)

    def pop(self) -> None:
        for _ in range(min(len(self.model), self.random.randrange(5))):
            entry = self.bench.backlog.pop()
            assert entry.position == min(self.model)
            self.model.remove(int(entry.position))
            self.taken.append(entry)

    def put_back(self) -> None:
        if self.taken:
            entry = self.taken.pop(self.random.randrange(len(self.taken)))
            self.bench.backlog.put_back(entry)
            self.model.append(int(entry.position))

    def remove(self) -> None:
        for _ in range(self.random.randrange(4)):
            present = self.bench.backlog.in_memory()
            if present:
                position = int(self.random.choice(present).position)
                self.bench.remove(position)
                self.model.remove(position)

    def load(self) -> None:
        pages = self.bench.backlog.pages()
        if pages:
            self.bench.backlog.load(self.random.choice(pages))

    def spill(self) -> None:
        self.bench.kept.memory_bytes_max = self.random.choice([0, 1, 3 * len(LARGE)])
        self.bench.backlog.spill()


@pytest.mark.parametrize("seed", range(200))
def test_backlog_agrees_with_a_list(seed: int) -> None:
    Comparison(seed).run()
