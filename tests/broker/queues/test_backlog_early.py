"""Of a page of which something is due, only what expires soon is read; the rest stays out of memory."""

import random

from tests.fakes import FakeQueueStore, message

from supersoniq.broker.message import GONE, Entry
from supersoniq.broker.ports import Page
from supersoniq.broker.queues.backlog import CHUNK_PLACES, Backlog
from supersoniq.broker.queues.chunks import EARLY_COUNT

NOW = 1_000_000
HOUR = 3_600_000


class Bench:
    """A backlog of which all but a short list is in pages; positions expire when `times` says."""

    def __init__(self, *times: int) -> None:
        self.kept = FakeQueueStore(memory_bytes_max=1)
        self.backlog = Backlog(self.kept)
        self.times = dict(enumerate(times, 1))
        for position, at_ms in self.times.items():
            entry = Entry(message(b"%d" % position), position)
            entry.expires_at = at_ms
            if at_ms > 0:
                self.backlog.known_deadlines().add(entry)
            self.backlog.append(entry)

    def load_due(self) -> Page:
        """Read the page of which something expires first, when it does."""
        deadlines = self.backlog.deadlines
        assert deadlines is not None
        page = deadlines.pop_page(NOW + HOUR)
        assert page is not None
        self.backlog.load_early(page, NOW)
        return page

    def expire(self, now_ms: int) -> list[int]:
        """Remove what is due, as the queue does."""
        deadlines = self.backlog.deadlines
        assert deadlines is not None
        gone: list[int] = []
        while True:
            entry = deadlines.pop(now_ms)
            if entry is not None:
                gone.append(int(entry.position))
                self.backlog.remove(entry)
                continue
            page = deadlines.pop_page(now_ms)
            if page is None:
                return gone
            self.backlog.load_early(page, now_ms)

    def in_memory(self) -> list[int]:
        return [int(entry.position) for entry in self.backlog.in_memory()]

    def pop_all(self) -> list[int]:
        popped: list[int] = []
        while self.backlog.count > 0:
            entry = self.backlog.pop()
            assert entry.message is not GONE
            assert entry.message.body == b"%d" % entry.position
            popped.append(int(entry.position))
        return popped


def scattered(seed: int, count: int = 3 * CHUNK_PLACES) -> list[int]:
    chance = random.Random(seed)
    return [NOW + chance.randrange(1, HOUR) if chance.random() < 0.8 else 0 for _ in range(count)]


def test_the_part_that_expires_first_is_read_and_the_rest_is_not() -> None:
    bench = Bench(*scattered(1))
    before = bench.backlog.memory_bytes
    count = bench.backlog.count
    page = bench.load_due()
    early = CHUNK_PLACES - page.count
    assert EARLY_COUNT <= early <= EARLY_COUNT + 2  # some may have the same time
    assert bench.backlog.count == count
    assert bench.backlog.memory_bytes > before
    assert page.expires_at == min([bench.times[each] for each in rest(bench, page) if bench.times[each] > 0])
    assert not set(bench.in_memory()) & set(rest(bench, page))
    assert bench.pop_all() == list(bench.times)
    assert bench.kept.pages == {}
    assert page.count == 0


def test_what_expires_within_a_second_is_read_however_much_it_is() -> None:
    times = [NOW + number % 100 if number % 2 else NOW + HOUR for number in range(3 * CHUNK_PLACES)]
    bench = Bench(*times)
    page = bench.load_due()
    assert page.count == CHUNK_PLACES // 2
    assert page.expires_at == NOW + HOUR


def test_page_of_which_little_would_be_left_is_read_whole() -> None:
    times = [NOW + (5 if number % 8 else HOUR) for number in range(3 * CHUNK_PLACES)]
    bench = Bench(*times)
    page = bench.load_due()
    assert (page.count, page.body_bytes, page.expires_at) == (0, 0, 0)


def test_all_is_gone_in_time_and_the_rest_is_in_order() -> None:
    for seed in range(5):
        bench = Bench(*scattered(seed))
        alive = dict(bench.times)
        for now_ms in range(NOW, NOW + HOUR, HOUR // 37):
            due = [position for position, at_ms in alive.items() if 0 < at_ms <= now_ms]
            assert sorted(bench.expire(now_ms)) == due
            for position in due:
                del alive[position]
            assert bench.backlog.count == len(alive)
            assert bench.backlog.body_bytes == sum([len(b"%d" % position) for position in alive])
        assert bench.pop_all() == list(alive)


def test_purge_takes_both_parts() -> None:
    bench = Bench(*scattered(2))
    bench.load_due()
    paged = [position for page in bench.backlog.take_pages() for position in rest(bench, page)]
    drained = [int(entry.position) for entry in bench.backlog.drain()]
    assert sorted(paged + drained) == list(bench.times)
    assert (bench.backlog.count, bench.backlog.body_bytes, bench.backlog.memory_bytes) == (0, 0, 0)


def rest(bench: Bench, page: Page) -> list[int]:
    return [int(entry.position) for entry in bench.kept.rest_of(page)]


def test_looking_and_reading_on_find_each_message_once() -> None:
    bench = Bench(*scattered(3))
    page = bench.load_due()
    seen = bench.in_memory() + [
        int(entry.position) for each in bench.backlog.pages() for entry in bench.backlog.peek(each)
    ]
    assert sorted(seen) == list(bench.times)
    bench.backlog.load(page)
    assert page.count == 0
    assert bench.pop_all() == list(bench.times)


def test_damaged_message_of_such_a_page_is_missed_once() -> None:
    bench = Bench(*scattered(4))
    damaged = CHUNK_PLACES + 10
    bench.kept.damaged.add(damaged)
    bench.load_due()
    alive = [position for position in bench.times if position != damaged]
    assert bench.pop_all() == alive
    assert (bench.backlog.count, bench.backlog.body_bytes) == (0, 0)
