"""A backlog that is rebuilt or filled has everything, in its order, wherever it was kept."""

from random import Random

import pytest
from tests.broker.queues.test_levels import LARGE, LevelStore, prioritized
from tests.fakes import FakeQueueStore, message

from supersoniq.broker.message import Entry
from supersoniq.broker.queues.backlog import Backlog
from supersoniq.broker.queues.levels import PriorityBacklog, priority_of
from supersoniq.broker.queues.rebuilding import Refill, rebuild


def test_everything_goes_over_in_order() -> None:
    for seed in range(20):
        random = Random(seed)
        store = FakeQueueStore(memory_bytes_max=random.choice([0, 200_000]))
        old = Backlog(store)
        taken: list[Entry] = []
        for position in range(1, random.randrange(1, 6_000)):
            entry = Entry(message(b"x" * random.randrange(50)), position)
            if random.random() < 0.3:
                entry.expires_at = random.randrange(1, 1_000)
                old.known_deadlines().add(entry)
            old.append(entry)
            if random.random() < 0.1:
                taken.append(old.pop())
        returned = [entry for entry in taken if random.random() < 0.5]
        for entry in returned:
            old.put_back(entry)
        new = Backlog(store)
        count, body_bytes = int(old.count), int(old.body_bytes)
        gone = {int(entry.position) for entry in taken} - {int(entry.position) for entry in returned}
        rebuild(old, new)
        assert (int(new.count), int(new.body_bytes)) == (count, body_bytes)
        positions = [int(new.pop().position) for _ in range(count)]
        assert positions == [number for number in range(1, position + 1) if number not in gone]


def new_backlog(store: LevelStore, max_priority: int) -> Backlog:
    return PriorityBacklog(store, max_priority) if max_priority else Backlog(store)


def place_of(entry: Entry, max_priority: int) -> tuple[int, int]:
    return -min(int(priority_of(entry.message)), max_priority), int(entry.position)


@pytest.mark.parametrize("levels", [(0, 3), (3, 0), (3, 5), (5, 3), (255, 3), (3, 255)])
def test_levels_change_whatever_is_paged(levels: tuple[int, int]) -> None:
    for seed in range(10):
        random = Random(seed)
        store = LevelStore(memory_bytes_max=random.choice([1, 5 * len(LARGE)]))
        old, new = new_backlog(store, levels[0]), new_backlog(store, levels[1])
        for position in range(1, 80):
            body = random.choice([b"x", LARGE])
            entry = Entry(prioritized(random.choice([0, 1, 3, 4, 200]), body), position)
            if random.random() < 0.2:
                entry.expires_at = 100 + position
                old.known_deadlines().add(entry)
            old.append(entry)
        for entry in [old.pop() for _ in range(random.randrange(20))]:
            if entry.expires_at > 0:
                old.known_deadlines().leave(entry)
            if random.random() < 0.5:
                old.put_back(entry)
        known = old.in_memory() + [entry for page in old.pages() for entry in store.pages[page]]
        rebuild(old, new)
        assert (int(new.count), int(new.body_bytes)) == (int(old.count), int(old.body_bytes))
        popped = [place_of(new.pop(), levels[1]) for _ in range(int(new.count))]
        assert popped == sorted([place_of(entry, levels[1]) for entry in known])
        assert store.pages == {}


class Filling:
    """A backlog that is filled: with entries, and with pages of any positions."""

    def __init__(self, max_priority: int = 0) -> None:
        self.max_priority = max_priority
        self.store = LevelStore(memory_bytes_max=1 << 40)
        self.backlog = new_backlog(self.store, max_priority)
        self.refill = Refill(self.backlog)

    def entry(self, position: int, priority: int = 0) -> Entry:
        return Entry(prioritized(priority), position)

    def add(self, *positions: int, priority: int = 0) -> None:
        for position in positions:
            self.refill.add(self.entry(position, priority))

    def add_page(self, *positions: int, priority: int = 0) -> None:
        self.refill.add_page(self.store.write_page([self.entry(each, priority) for each in positions]))

    def pop_all(self) -> list[int]:
        self.refill.finish()
        return [int(self.backlog.pop().position) for _ in range(int(self.backlog.count))]


def test_page_between_whose_entries_nothing_belongs_stays_as_it_is() -> None:
    filling = Filling()
    filling.add(1, 2)
    filling.add_page(3, 5)
    filling.add_page(6, 9)
    filling.add(10)
    filling.refill.finish()
    assert len(filling.backlog.pages()) == 2
    assert filling.pop_all() == [1, 2, 3, 5, 6, 9, 10]


def test_page_between_whose_entries_others_belong_is_read() -> None:
    filling = Filling()
    filling.add_page(1, 4, 8, 20)
    filling.add_page(2, 5, 6)
    filling.add(7, 9, 11)
    filling.add_page(12, 13)
    filling.add_page(14, 30)
    filling.add(31)
    filling.refill.finish()
    # The last one has 20 of the first page in it.
    assert [int(page.first) for page in filling.backlog.pages()] == [12]
    assert filling.pop_all() == [1, 2, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 20, 30, 31]


def test_pages_of_other_levels_are_not_in_the_way() -> None:
    filling = Filling(2)
    filling.add(1, priority=2)
    filling.add_page(2, 10, priority=1)
    filling.add_page(3, 12)
    filling.add(5, priority=2)
    filling.add_page(6, 9, priority=2)
    filling.add(13, 14)
    filling.refill.finish()
    # The others come first at their levels.
    assert [int(page.first) for page in filling.backlog.pages()] == [6]
    assert filling.pop_all() == [1, 5, 6, 9, 2, 10, 3, 12, 13, 14]


@pytest.mark.parametrize("seed", range(100))
def test_any_entries_and_pages_come_out_in_order(seed: int) -> None:
    random = Random(seed)
    filling = Filling(random.choice([0, 1, 4]))
    groups: list[list[tuple[int, int]]] = [[] for _ in range(8)]
    wanted: list[tuple[int, int]] = []
    for position in range(1, random.randrange(2, 90)):
        priority = random.randrange(5)
        wanted.append((-min(priority, filling.max_priority), position))
        near = position // 12 if random.random() < 0.8 else random.randrange(8)
        groups[near].append((position, priority))
    single = groups.pop()
    items = [(group[0][0], group) for group in groups if group]
    items += [(position, [(position, priority)]) for position, priority in single]
    for _, group in sorted(items):
        entries: list[Entry | None] = [filling.entry(*each) for each in group]
        if len(group) > 1:
            filling.refill.add_page(filling.store.write_page(entries))
        else:
            filling.add(group[0][0], priority=group[0][1])
    assert filling.pop_all() == [position for _, position in sorted(wanted)]
