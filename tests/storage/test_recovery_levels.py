"""A paged queue with priorities is there again, in order, after every end of a process."""

from __future__ import annotations

from random import Random

import pytest
from tests.broker.queues.test_levels import prioritized
from tests.storage.small_node import KIB, Pessimist, SmallNode
from tests.storage.test_retirement import churn, files_of

from supersoniq.amqp.tables import table_of
from supersoniq.broker.changing import change_queue
from supersoniq.broker.message import Entry
from supersoniq.broker.queues.levels import priority_of
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.queues.runs import runs_of
from supersoniq.storage.queue_store import DiskQueueStore
from supersoniq.storage.store import StoreOptions

# So many levels have chunks of a few of these messages.
MANY = 255
PAGED = StoreOptions(journal_file_bytes=16 * KIB, segment_bytes=64 * KIB, queue_memory_bytes=1)


def body(number: int) -> bytes:
    return b"%05d" % number + b"x" * 3_000


def spool_of(node: SmallNode) -> list[str]:
    return [path for path in node.disk.files() if path.startswith("spool")]


def segments_of(queue: Queue) -> int:
    assert isinstance(queue.kept, DiskQueueStore)
    return len(queue.kept.segments)


class Story:
    """A node with one queue, and what has to be in it: a body and a priority by position."""

    def __init__(
        self, seed: int, max_priority: int = MANY, durable: bool = True, options: StoreOptions = PAGED
    ) -> None:
        self.random = Random(seed)
        self.node = SmallNode(options=options)
        self.max_priority = max_priority
        arguments = table_of({"x-max-priority": max_priority} if max_priority else {})
        self.queue = self.node.queue(durable=durable, arguments=arguments)
        self.alive: dict[int, tuple[int, bytes]] = {}
        self.unsure: set[int] = set()  # positions that were settled, which is not safe yet
        self.published = 0

    def publish(self, count: int, *priorities: int) -> None:
        for _ in range(count):
            self.published += 1
            priority = self.random.choice(priorities or (0, 0, 0, 1, 1, 4, 200))
            position = int(self.queue.kept.next_position)
            message = prioritized(priority, body(self.published), persistent=True)
            self.node.publish_message(message, self.queue)
            self.node.turn.finish()
            self.alive[position] = (priority, message.body)

    def place(self, position: int) -> tuple[int, int]:
        return -min(self.alive[position][0], self.max_priority), position

    def take(self, count: int) -> list[Entry]:
        """Take what must be first."""
        held = {int(entry.position) for _, entry in self.node.in_hand}
        ready = sorted([self.place(position) for position in self.alive if position not in held])
        entries = self.node.take(min(count, len(ready)), self.queue)
        assert [int(entry.position) for entry in entries] == [position for _, position in ready[:count]]
        return entries

    def settle(self, entries: list[Entry]) -> None:
        self.node.settle(entries)
        self._forget([int(entry.position) for entry in entries])

    def _forget(self, positions: list[int]) -> None:
        for position in positions:
            del self.alive[position]
            self.unsure.add(position)

    def purge(self) -> None:
        held = {int(entry.position) for _, entry in self.node.in_hand}
        self.queue.purge()
        self._forget([position for position in self.alive if position not in held])

    def change(self, max_priority: int) -> None:
        self.max_priority = max_priority
        change_queue(
            self.node.vhost, self.queue, table_of({"x-max-priority": max_priority} if max_priority else {})
        )

    # Ends

    def rest(self) -> None:
        self.node.rest()
        self.node.tick(2)
        self.unsure.clear()

    def check(self, other: SmallNode, is_changing: bool = False) -> None:
        """Another node on the same files has it all, in order."""
        assert other.report.damages == []
        queue = other.vhost.queues[b"q"]
        highest = int(queue.rules.max_priority)
        assert is_changing or highest == self.max_priority
        count = queue.ready_count
        entries = other.take(count, queue)
        places = [(-min(int(priority_of(entry.message)), highest), int(entry.position)) for entry in entries]
        assert places == sorted(set(places))
        positions = {position for _, position in places}
        assert set(self.alive) <= positions
        assert positions <= set(self.alive) | self.unsure
        for entry in entries:
            known = self.alive.get(int(entry.position))
            assert known is None or known[1] == entry.message.body

    def check_all(self) -> None:
        """All ways to die now cost nothing."""
        node = self.node
        self.check(SmallNode(node.disk.copy().kill(), node.options, node.marks.copy()))
        self.check(SmallNode(node.disk.copy().crash(Pessimist()), node.options))
        self.check(SmallNode(node.disk.copy().crash(self.random), node.options))

    def check_every_step(self, is_changing: bool = False) -> None:
        """Let the threads do what there is, and look at what another process would find after each step."""
        node = self.node
        node.store.tick()
        for _ in range(2_000):
            node.end_turn()
            if node.committer.is_idle and node.background.is_idle:
                return
            for worker in (node.committer, node.background):
                worker.step()
                if self.random.random() < 0.2:
                    copy = SmallNode(node.disk.copy().kill(), node.options, node.marks.copy())
                    self.check(copy, is_changing)
            node.store.look()
        raise AssertionError("still busy")

    def restart(self) -> None:
        self.node = self.random.choice([self.node.killed, self.node.stopped, self.node.without_power])()
        assert self.node.report.damages == []
        self.queue = self.node.queue()

    def drain(self) -> None:
        """Take everything; no page and no segment is left."""
        self.settle([entry for _, entry in self.node.in_hand])
        while self.alive:
            self.settle(self.take(50))
            self.node.tick()
        assert self.queue.ready_count == 0
        self.node.tick(8)
        assert self.queue.pages() == []


@pytest.mark.parametrize("durable", [True, False])
def test_queue_beyond_its_memory_is_paged_and_read_back_in_order(durable: bool) -> None:
    story = Story(1, durable=durable)
    story.publish(400)
    story.rest()
    assert len({int(page.level) for page in story.queue.pages()}) == 4
    assert story.queue.memory_bytes < 400_000
    assert segments_of(story.queue) > 3
    story.drain()
    assert segments_of(story.queue) == 0
    assert spool_of(story.node) == []


def test_pages_stay_pages_when_the_queue_is_recovered() -> None:
    story = Story(2)
    story.publish(400)
    story.rest()
    pages = {(int(page.first), int(page.level), int(page.count)) for page in story.queue.pages()}
    story.check_all()
    story.restart()
    found = {(int(page.first), int(page.level), int(page.count)) for page in story.queue.pages()}
    # The first of each level is read when it is recovered.
    assert len(pages & found) >= len(pages) - 4
    assert story.queue.memory_bytes < 500_000
    story.drain()


def test_messages_between_the_pages_of_others_are_still_in_the_journal() -> None:
    """A page of a rare level covers its own positions only."""
    story = Story(3)
    for _ in range(15):
        story.publish(1, 7)
        story.publish(15, 0)
    story.rest()
    page = max(story.queue.pages(), key=lambda page: page.last - page.first if page.level == 7 else -1)
    assert len(runs_of(page)) == page.count > 3
    story.check_all()


def test_purge_settles_what_is_in_the_pages_and_nothing_else() -> None:
    story = Story(4)
    story.publish(300)
    held = story.take(40)
    story.settle(held[::2])
    story.rest()
    story.purge()
    story.publish(10)
    story.rest()
    assert sorted(story.alive) == sorted([int(entry.position) for entry in held[1::2]] + [*range(301, 311)])
    story.check_all()
    story.restart()
    story.drain()


def test_settlements_between_the_pages_of_other_levels_are_carried() -> None:
    story = Story(5)
    story.publish(300, 0, 9)
    story.rest()
    story.settle(story.take(40))
    story.settle(story.take(80)[::2])
    story.rest()
    before = files_of(story.node)
    churn(story.node)
    assert not before & files_of(story.node)
    story.check_all()
    story.restart()
    before = files_of(story.node)
    story.settle(story.take(30))
    story.rest()
    churn(story.node, 80)
    assert not before & files_of(story.node)
    story.check_all()


def test_transient_messages_of_a_durable_queue_are_paged_beside_others_and_are_gone_after_a_restart() -> None:
    node = SmallNode(options=PAGED)
    queue = node.queue(arguments=table_of({"x-max-priority": MANY}))
    for number in range(300):
        message = prioritized(number % 3, body(number), persistent=number % 2 == 0)
        node.publish_message(message, queue)
        node.turn.finish()
    node.rest()
    expected = [body(number) for level in (2, 1, 0) for number in range(300) if number % 3 == level]
    persistent = [each for each in expected if int(each[:5]) % 2 == 0]
    other = SmallNode(node.disk.copy().kill(), node.options, node.marks.copy())
    assert other.bodies() == persistent
    assert node.bodies() == expected


@pytest.mark.parametrize(("before", "after"), [(0, MANY), (MANY, 0), (MANY, 200), (3, MANY), (MANY, 3)])
def test_levels_that_change_in_place_take_paged_messages_with_them(before: int, after: int) -> None:
    story = Story(before + after, before)
    story.publish(350)
    story.rest()
    held = story.take(10)
    story.change(after)
    story.check_every_step(is_changing=True)
    story.rest()
    story.check_all()
    story.publish(50)
    story.settle(held[:5])
    story.settle(story.take(60))
    story.rest()
    story.check_all()
    story.restart()
    story.settle(story.take(20))
    story.rest()
    story.check_all()
    story.drain()


def test_pages_of_one_level_are_not_read_when_levels_change() -> None:
    story = Story(6, MANY)
    story.publish(400, 0, 1)
    story.rest()
    pages = story.queue.pages()
    story.change(200)
    assert len(set(story.queue.pages()) & set(pages)) >= len(pages) - 2
    story.drain()


@pytest.mark.parametrize("durable", [True, False])
def test_segment_to_which_its_own_messages_were_written_again_goes(durable: bool) -> None:
    story = Story(8, 0, durable, StoreOptions(segment_bytes=8_000 * KIB, queue_memory_bytes=1))
    story.publish(350)
    story.change(MANY)
    story.node.rest()
    assert segments_of(story.queue) == 1
    story.drain()
    assert segments_of(story.queue) == 0


def test_levels_of_a_queue_that_does_not_last_change_and_leave_no_files() -> None:
    story = Story(7, MANY, durable=False)
    story.publish(300)
    story.node.rest()
    for levels in (0, 3, MANY, 0, MANY):
        story.change(levels)
        story.node.rest()
        story.node.tick(2)
        written = sum([len(story.node.disk.files()[path]) for path in spool_of(story.node)])
        assert written < 2 * 300 * len(body(1))
    story.drain()
    assert spool_of(story.node) == []


@pytest.mark.parametrize("seed", range(12))
def test_nothing_is_lost_or_twice_or_out_of_order_whatever_happens(seed: int) -> None:
    story = Story(seed, Random(seed).choice([0, 3, MANY, MANY, MANY]))
    random = story.random
    for _ in range(14):
        story.publish(random.randrange(40))
        entries = story.take(random.randrange(60))
        random.shuffle(entries)
        middle = len(entries) * 2 // 3
        story.settle(entries[:middle])
        story.node.put_back(entries[middle : middle + random.randrange(8)])
        chance = random.random()
        if chance < 0.2:
            story.change(random.choice([0, 3, 200, MANY]))
            story.check_every_step(is_changing=True)
        elif chance < 0.25:
            story.purge()
        elif chance < 0.5:
            story.check_every_step()
        elif chance < 0.7:
            story.rest()
            story.check_all()
        elif chance < 0.85:
            story.rest()
            story.restart()
    story.rest()
    story.check_all()
    story.drain()
