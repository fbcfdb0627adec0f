"""A node without sockets.

A store with virtual hosts on a simulated disk, whose work is done when a test says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from tests.fakes import FakeClock, FixedNames, message
from tests.storage.simulated_disk import SimulatedDisk
from tests.storage.stepped import SimulatedMarks, SteppedWorker

from supersoniq.amqp.tables import Table
from supersoniq.broker.message import Entry, Message
from supersoniq.broker.ports import Holder, QueueStore
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.turn import Deferred, Turn
from supersoniq.broker.vhost import VHost
from supersoniq.storage.recovery import NewVHost, Recovery
from supersoniq.storage.store import DiskStore, StoreOptions

ROUNDS_MAX = 1_000
KIB = 1024


class Pessimist(Random):
    """Draws the first of everything: a power loss takes all that was not synced."""

    def random(self) -> float:
        return 0.0

    def choice(self, seq: Any) -> Any:
        return seq[0]


class Seen:
    """A message as somebody sees it; comparable to another one and to its body."""

    def __init__(self, entry: Entry) -> None:
        self.position = int(entry.position)
        self.body = entry.message.body
        self.times = int(entry.delivery_count)

    def __repr__(self) -> str:
        return f"{self.position}: {self.body[:20]!r} x{self.times}"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Seen):
            return (self.position, self.body, self.times) == (other.position, other.body, other.times)
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # nothing looks it up


class Waiter(Deferred):
    """Counts how often it is told that more is safe, and asks to be told again."""

    def __init__(self, store: DiskStore) -> None:
        super().__init__()
        self.times = 0
        self._store = store
        store.wait(self)

    def run(self) -> bool:
        return False

    def durable_moved(self) -> None:
        self.times += 1
        self._store.wait(self)


class Maker(NewVHost):
    """Has a node make its virtual hosts."""

    def __init__(self, node: SmallNode) -> None:
        self._node = node

    def make(self, name: str) -> VHost:
        return self._node.make(name)


class Hands(Holder):
    """Hold what was taken and not settled."""

    def __init__(self) -> None:
        self.entries: list[tuple[Queue, Entry]] = []

    def held(self) -> list[tuple[QueueStore, Entry]]:
        return [(queue.kept, entry) for queue, entry in self.entries]


class SmallNode:
    """Recovers when it is made. What `take` gives out it holds until that is settled or returned.

    Time stands still without a clock.
    """

    def __init__(
        self,
        disk: SimulatedDisk | None = None,
        options: StoreOptions | None = None,
        marks: SimulatedMarks | None = None,
        names: Sequence[str] = ("/",),
        clock: FakeClock | None = None,
    ) -> None:
        self.disk = disk if disk is not None else SimulatedDisk()
        self.options = options or StoreOptions(journal_file_bytes=64 * KIB, segment_bytes=64 * KIB)
        self.marks = marks or SimulatedMarks()
        self.clock = clock
        self.turn = Turn(clock)
        self.committer = SteppedWorker()
        self.background = SteppedWorker()
        self.store = DiskStore(
            self.disk, self.turn, self.committer, self.background, self.marks, self.options
        )
        self.made: list[str] = []
        self.hands = Hands()
        self.vhosts = {name: self.new_vhost(name) for name in names}
        self.report = Recovery(self.disk, self.store, self.vhosts).run(Maker(self))
        for vhost in self.vhosts.values():
            vhost.holders[self.hands] = None

    def new_vhost(self, name: str) -> VHost:
        return VHost(name, self.turn, self.store, FixedNames())

    def make(self, name: str) -> VHost:
        self.made.append(name)
        return self.new_vhost(name)

    @property
    def in_hand(self) -> list[tuple[Queue, Entry]]:
        """What was taken and not settled."""
        return self.hands.entries

    @property
    def vhost(self) -> VHost:
        """The first virtual host."""
        return next(iter(self.vhosts.values()))

    # What clients do

    def queue(
        self,
        name: bytes = b"q",
        durable: bool = True,
        arguments: Table | None = None,
        auto_delete: bool = False,
    ) -> Queue:
        """The queue, declared if it is missing."""
        known = self.vhost.queues.get(name)
        if known is not None:
            return known
        return self.vhost.declare_queue(name, durable, False, auto_delete, arguments or {}, 0)

    def publish(self, body: bytes, *queues: Queue, persistent: bool = True) -> int:
        """Publish to queues, or to `q`; returns the sequence."""
        return self.publish_message(message(body, persistent=persistent), *queues)

    def publish_message(self, published: Message, *queues: Queue) -> int:
        return int(self.vhost.publish(published, list(queues) or [self.queue()]))

    def publish_all(self, bodies: Sequence[bytes], *queues: Queue, persistent: bool = True) -> None:
        """Publish each in a turn of its own."""
        for body in bodies:
            self.publish(body, *queues, persistent=persistent)
            self.turn.finish()

    def take(self, count: int = 1, queue: Queue | None = None) -> list[Entry]:
        """Have so many messages delivered."""
        queue = queue or self.queue()
        entries: list[Entry] = []
        for _ in range(count):
            entry = queue.take(False)
            assert entry is not None
            self.in_hand.append((queue, entry))
            entries.append(entry)
        return entries

    def settle(self, entries: Sequence[Entry]) -> None:
        """Ack what `take` gave."""
        for queue, entry in self._let_go(entries):
            queue.settle(entry)

    def put_back(self, entries: Sequence[Entry]) -> None:
        """Requeue what `take` gave."""
        for queue, entry in self._let_go(entries):
            queue.requeue(entry)

    def _let_go(self, entries: Sequence[Entry]) -> list[tuple[Queue, Entry]]:
        wanted = {id(entry) for entry in entries}
        pairs = [pair for pair in self.in_hand if id(pair[1]) in wanted]
        assert len(pairs) == len(entries)
        self.in_hand[:] = [pair for pair in self.in_hand if id(pair[1]) not in wanted]
        return pairs

    def consume(self, count: int, queue: Queue | None = None) -> list[bytes]:
        """Take and ack so many messages."""
        entries = self.take(count, queue)
        self.settle(entries)
        return [entry.message.body for entry in entries]

    def seen(self, name: bytes = b"q") -> list[Seen]:
        """All that is ready in a queue; it is taken out for that."""
        queue = self.vhost.queues[name]
        expected = queue.ready_count
        entries = self.take(expected, queue)
        assert queue.take(False) is None
        return [Seen(entry) for entry in entries]

    def bodies(self, name: bytes = b"q") -> list[bytes]:
        """The bodies of all that is ready in a queue; it is taken out for that."""
        return [each.body for each in self.seen(name)]

    # Time

    def end_turn(self) -> None:
        """Do the deferred work."""
        for _ in range(ROUNDS_MAX):
            if not self.turn.finish():
                return
        raise AssertionError("turns do not end")

    def commit(self) -> None:
        """End the turn and let the commit thread do what it has."""
        self.end_turn()
        while not self.committer.is_idle:
            self.committer.step()
            self.store.look()
        self.end_turn()

    def rest(self) -> None:
        """Let both threads do all they have, and what follows from that."""
        self.end_turn()
        for _ in range(ROUNDS_MAX):
            if self.committer.is_idle and self.background.is_idle:
                return
            self.committer.step()
            self.background.step()
            self.store.look()
            self.end_turn()
        raise AssertionError(f"still busy after {ROUNDS_MAX} rounds: {self.store.trouble()}")

    def tick(self, count: int = 1) -> None:
        """Let time go by, with all the work that it brings."""
        for _ in range(count):
            self.store.tick()
            self.rest()

    # Ends

    def again(self) -> SmallNode:
        """The node that starts on the same files; this one is gone."""
        return SmallNode(self.disk, self.options, self.marks, list(self.vhosts), self.clock)

    def killed(self) -> SmallNode:
        """The next node after the end of the process, whatever was not written."""
        self.disk, self.marks = self.disk.kill(), self.marks.kill()
        return self.again()

    def without_power(self, keeps_marks: bool = False) -> SmallNode:
        """The next node after a power loss that took all that was not synced, the marks as well."""
        self.disk = self.disk.crash(Pessimist())
        self.marks = self.marks.kill() if keeps_marks else SimulatedMarks()
        return self.again()

    def stopped(self) -> SmallNode:
        """The next node after an orderly stop."""
        self.end_turn()
        self.store.stop()
        return self.killed()
