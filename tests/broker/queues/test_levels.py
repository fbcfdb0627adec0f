"""A backlog with priorities gives out the highest level first, wherever its entries are kept."""

from random import Random

import pytest
from tests.fakes import FakeQueueStore, message

from supersoniq.amqp.properties import Properties
from supersoniq.broker.message import Entry, Message, address_of
from supersoniq.broker.ports import Page
from supersoniq.broker.queues.backlog import CHUNK_BODY_BYTES, CHUNK_PLACES, MESSAGE_OVERHEAD_BYTES
from supersoniq.broker.queues.levels import LEAST_BODY_BYTES, LEAST_PLACES, PriorityBacklog, priority_of

# One of the large ones fills a chunk by itself.
SMALL, LARGE = b"small", bytes(CHUNK_BODY_BYTES + 1)


def prioritized(priority: int | None, body: bytes = b"x", persistent: bool = False) -> Message:
    properties = Properties()
    properties.priority = priority
    return Message(address_of(b"", b"q"), properties.content_header(len(body)), body, persistent)


class LevelStore(FakeQueueStore):
    """Knows the priorities of its pages, as the disk store does."""

    def write_page(self, entries: list[Entry | None]) -> Page:
        page = super().write_page(entries)
        priorities = [int(priority_of(entry.message)) for entry in self.pages[page]]
        page.lowest, page.highest = min(priorities), max(priorities)
        return page


class Bench:
    """A backlog of some levels with its store, and its positions."""

    def __init__(self, max_priority: int = 3, memory_bytes_max: int = 1) -> None:
        self.kept = LevelStore(memory_bytes_max=memory_bytes_max)
        self.backlog = PriorityBacklog(self.kept, max_priority)
        self.last = 0

    def entry(self, priority: int | None, body: bytes = LARGE, expires_at: int = 0) -> Entry:
        self.last += 1
        entry = Entry(prioritized(priority, body), self.last)
        entry.expires_at = expires_at
        return entry

    def append(self, *priorities: int, body: bytes = LARGE) -> None:
        for priority in priorities:
            self.backlog.append(self.entry(priority, body))

    def append_page(self, *priorities: int, expires_at: int = 0) -> Page:
        page = self.kept.write_page([self.entry(priority, SMALL, expires_at) for priority in priorities])
        page.expires_at = expires_at
        self.backlog.append_page(page)
        return page

    def pop_all(self) -> list[int]:
        popped = []
        while self.backlog.count > 0:
            popped.append(int(self.backlog.pop().position))
        assert (self.backlog.body_bytes, self.backlog.memory_bytes) == (0, 0)
        return popped


def positions(entries: list[Entry]) -> list[int]:
    return [int(entry.position) for entry in entries]


def firsts(pages: list[Page]) -> list[int]:
    return [int(page.first) for page in pages]


def test_priority_is_that_of_the_header() -> None:
    assert [int(priority_of(prioritized(priority))) for priority in (None, 0, 5, 255)] == [0, 0, 5, 255]
    assert int(priority_of(message(b"x"))) == 0


def test_higher_levels_go_first_and_each_in_order() -> None:
    bench = Bench(memory_bytes_max=0)
    bench.append(0, 2, 1, 2, 9, 0, body=SMALL)
    assert bench.pop_all() == [5, 2, 4, 3, 1, 6]
    assert bench.kept.pages == {}


def test_lowest_levels_leave_memory_first() -> None:
    bench = Bench(memory_bytes_max=8 * (len(LARGE) + MESSAGE_OVERHEAD_BYTES))
    bench.append(0, 1, 2, 3)  # these are the first of their levels, which stay
    bench.append(0, 3, 2, 1)
    assert bench.kept.pages == {}
    bench.append(3)
    assert firsts(bench.backlog.pages()) == [5]
    bench.append(3, 3)
    assert firsts(bench.backlog.pages()) == [5, 7, 8]
    bench.append(3)
    assert firsts(bench.backlog.pages()) == [5, 7, 8, 12]
    bench.append(0)
    assert firsts(bench.backlog.pages()) == [5, 7, 8, 12, 13]
    assert [int(page.level) for page in bench.backlog.pages()] == [0, 2, 1, 3, 0]
    assert bench.pop_all() == [4, 6, 9, 10, 11, 12, 3, 7, 2, 8, 1, 5, 13]


def test_memory_stays_near_the_limit_whatever_the_levels() -> None:
    random = Random(1)
    limit = 20 * len(LARGE)
    bench = Bench(memory_bytes_max=limit)
    for _ in range(200):
        bench.append(random.randrange(4))
        assert bench.backlog.memory_bytes <= limit + len(LARGE) + MESSAGE_OVERHEAD_BYTES
    assert len(bench.pop_all()) == 200


def test_many_levels_have_short_chunks_so_that_they_can_be_paged() -> None:
    bench = Bench(max_priority=255)
    for _ in range(3 * LEAST_PLACES):
        bench.append(*range(256), body=b"")
    assert {int(page.count) for page in bench.backlog.pages()} == {LEAST_PLACES}
    assert bench.backlog.memory_bytes <= 256 * 2 * LEAST_PLACES * MESSAGE_OVERHEAD_BYTES
    assert len(bench.pop_all()) == 256 * 3 * LEAST_PLACES


def test_chunks_of_all_levels_together_are_as_long_as_one_without_levels() -> None:
    bench = Bench(max_priority=1)
    bench.append(*[0] * 3 * CHUNK_PLACES, body=b"")
    assert [page.count for page in bench.backlog.pages()] == [CHUNK_PLACES // 2] * 5


def test_pages_are_added_to_their_level() -> None:
    bench = Bench(max_priority=5)
    bench.append_page(1, 1)
    bench.append_page(7, 200, 5)
    bench.append_page(1)
    bench.append(1, 3, body=SMALL)
    assert bench.pop_all() == [3, 4, 5, 8, 1, 2, 6, 7]


@pytest.mark.parametrize(
    ("priorities", "level"), [([0], 0), ([2, 2], 2), ([2, 3], -1), ([3, 9], 3), ([200], 3), ([0, 255], -1)]
)
def test_level_of_a_page_is_that_of_all_its_messages(priorities: list[int], level: int) -> None:
    bench = Bench(max_priority=3)
    page = bench.kept.write_page([bench.entry(priority) for priority in priorities])
    assert int(bench.backlog.level_of_page(page)) == level
    assert int(bench.backlog.level_of_page(Page(1, 1, 1, 1))) == -1


def test_page_that_expires_is_read_before_its_turn() -> None:
    bench = Bench()
    bench.append(3, 0, body=SMALL)
    unread = bench.append_page(0, 0, expires_at=900)
    due = bench.append_page(0, expires_at=500)
    assert not bench.backlog.read_ahead(400)
    assert bench.backlog.read_ahead(500)
    assert due.expires_at == 0
    assert bench.backlog.pages() == [unread]
    deadlines = bench.backlog.known_deadlines()
    entry = deadlines.pop(600)
    assert entry is not None
    assert bench.backlog.remove(entry).body == SMALL
    assert int(deadlines.next_ms()) == 900
    assert bench.pop_all() == [1, 2, 3, 4]


def test_entries_that_expire_are_known_by_their_page_once_they_are_paged() -> None:
    bench = Bench()
    deadlines = bench.backlog.known_deadlines()
    for expires_at in (0, 700, 300):
        entry = bench.entry(1, LARGE, expires_at)
        if expires_at:
            deadlines.add(entry)
        bench.backlog.append(entry)
    assert [int(page.expires_at) for page in bench.backlog.pages()] == [700, 300]
    assert deadlines.pop(1_000) is None
    assert int(deadlines.next_ms()) == 300


def test_everything_is_drained_and_levels_forget_what_expires() -> None:
    bench = Bench()
    entry = bench.entry(2, SMALL, 500)
    bench.backlog.known_deadlines().add(entry)
    bench.backlog.append(entry)
    bench.append(0, 0, 0, 3)
    assert firsts(bench.backlog.take_pages()) == [3, 4]
    assert positions(bench.backlog.drain()) == [1, 2, 5]
    assert (int(bench.backlog.count), int(bench.backlog.memory_bytes)) == (0, 0)
    assert not entry.is_ready
    assert bench.backlog.deadlines is None
    again = bench.entry(2, SMALL, 800)
    bench.backlog.known_deadlines().add(again)
    bench.backlog.append(again)
    assert bench.pop_all() == [6]


@pytest.mark.parametrize("damaged", [{5}, {5, 6, 7}, {3, 4, 5, 6, 7}, {3, 4}])
def test_damaged_entries_are_missed_and_nothing_else(damaged: set[int]) -> None:
    bench = Bench()
    bench.append(2, 0, body=SMALL)
    bench.append_page(2, 2)
    bench.append_page(0, 0, 0)
    bench.kept.damaged = damaged
    expected = [position for position in (1, 3, 4, 2, 5, 6, 7) if position not in damaged]
    assert bench.pop_all() == expected


def test_entries_are_looked_at_where_they_are() -> None:
    bench = Bench()
    bench.append(0, 0, 1, 1)
    pages = bench.backlog.pages()
    bench.kept.damaged = {4}
    assert positions(bench.backlog.peek(pages[0])) == [2]
    assert positions(bench.backlog.peek(pages[1])) == []
    assert int(bench.backlog.count) == 3


class Comparison:
    """A backlog and a list, under the same random steps; entries of pages are known by their positions."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.highest = self.random.choice([1, 5, 255])
        self.large = LARGE if self.highest < 255 else bytes(LEAST_BODY_BYTES + 1)
        self.bench = Bench(self.highest, self.random.choice([0, 1, 5 * len(self.large)]))
        self.model: list[tuple[int, int]] = []  # the level, negative, and the position
        self.sizes: dict[int, int] = {}
        self.taken: list[Entry] = []

    def run(self) -> None:
        steps = [self.append] * 4 + [self.pop, self.put_back, self.remove, self.load] * 2
        steps += [self.spill, self.purge] if self.random.random() < 0.3 else [self.spill]
        for _ in range(80):
            self.random.choice(steps)()
            self.compare()
        self.model.sort()
        assert self.bench.pop_all() == [position for _, position in self.model]

    def compare(self) -> None:
        backlog, pages = self.bench.backlog, self.bench.backlog.pages()
        sizes = [self.sizes[position] for _, position in self.model]
        assert (backlog.count, backlog.body_bytes) == (len(self.model), sum(sizes))
        paged = {position for page in pages for position in positions(self.bench.kept.pages[page])}
        assert len(paged) == sum([int(page.count) for page in pages])
        assert firsts(pages) == sorted(firsts(pages))
        here = [position for _, position in sorted(self.model) if position not in paged]
        assert positions(backlog.in_memory()) == here
        memory_bytes = sum([self.sizes[position] + MESSAGE_OVERHEAD_BYTES for position in here])
        assert backlog.memory_bytes == memory_bytes

    def place_of(self, entry: Entry) -> tuple[int, int]:
        return -min(int(priority_of(entry.message)), self.highest), int(entry.position)

    def append(self) -> None:
        for _ in range(self.random.randrange(1, 8)):
            body = self.random.choice([b"", SMALL, self.large])
            entry = self.bench.entry(self.random.choice([None, 0, 0, 1, 3, 4, 255]), body)
            self.sizes[int(entry.position)] = len(body)
            self.bench.backlog.append(entry)
            self.model.append(self.place_of(entry))

    def pop(self) -> None:
        for _ in range(min(len(self.model), self.random.randrange(6))):
            entry = self.bench.backlog.pop()
            assert self.place_of(entry) == min(self.model)
            self.model.remove(self.place_of(entry))
            self.taken.append(entry)

    def put_back(self) -> None:
        if self.taken:
            entry = self.taken.pop(self.random.randrange(len(self.taken)))
            self.bench.backlog.put_back(entry)
            self.model.append(self.place_of(entry))

    def remove(self) -> None:
        for _ in range(self.random.randrange(4)):
            present = self.bench.backlog.in_memory()
            if present:
                entry = self.random.choice(present)
                place = self.place_of(entry)
                assert len(self.bench.backlog.remove(entry).body) == self.sizes[place[1]]
                self.model.remove(place)

    def load(self) -> None:
        pages = self.bench.backlog.pages()
        if pages:
            self.bench.backlog.load(self.random.choice(pages))

    def spill(self) -> None:
        self.bench.kept.memory_bytes_max = self.random.choice([0, 1, 5 * len(self.large)])
        self.bench.backlog.spill()

    def purge(self) -> None:
        for page in self.bench.backlog.take_pages():
            self.bench.kept.settled_page(page)
        drained = positions(self.bench.backlog.drain())
        assert drained == sorted(drained)
        assert self.bench.kept.pages == {}
        self.model.clear()


@pytest.mark.parametrize("seed", range(150))
def test_levels_agree_with_a_sorted_list(seed: int) -> None:
    Comparison(seed).run()
