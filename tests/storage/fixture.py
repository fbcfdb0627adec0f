"""The directory of each format that later versions must open: what makes it, and what must be in it.

`python -m tests.storage.fixture DIRECTORY` makes the one of the current format. Those in
`tests/storage/data`, packed, are never made again.
"""

import sys
from pathlib import Path

from tests.fakes import FixedNames

from supersoniq.amqp.tables import table_of
from supersoniq.broker.definitions import Setting
from supersoniq.broker.message import Entry, Message, address_of
from supersoniq.broker.ports import Holder, QueueStore
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.turn import Turn
from supersoniq.broker.vhost import VHost
from supersoniq.storage.directory import open_directory
from supersoniq.storage.disk import SystemDisk
from supersoniq.storage.marks import MappedMarks
from supersoniq.storage.recovery import NewVHost, Recovery, Report
from supersoniq.storage.store import DiskStore, StoreOptions
from supersoniq.storage.worker import InlineWorker

KIB = 1024
LATER_COUNT = 3_000
# From the first moment of 1970, where the clock of a stopped node stands.
EXPIRATION_MS = 4_102_444_800_000
HEADER = bytes.fromhex("003c 0000 0000000000000004 b000") + b"\x0atext/plain\x00\x00\x00\x00\x02\x01"


class Maker(NewVHost):
    """Has a node make its virtual hosts."""

    def __init__(self, node: "OpenNode") -> None:
        self._node = node

    def make(self, name: str) -> VHost:
        return self._node.make(name)


class Hands(Holder):
    """Hold what was taken and not settled."""

    def __init__(self) -> None:
        self.entries: list[tuple[Queue, Entry]] = []

    def held(self) -> list[tuple[QueueStore, Entry]]:
        return [(queue.kept, entry) for queue, entry in self.entries]


class OpenNode:
    """A store with its virtual hosts on a real directory, whose workers run at once."""

    def __init__(self, directory: Path) -> None:
        self.lock = open_directory(directory)
        self.turn = Turn()
        self.marks = MappedMarks(directory / "marks")
        options = StoreOptions(
            journal_file_bytes=64 * KIB, segment_bytes=64 * KIB, queue_memory_bytes=64 * KIB
        )
        disk = SystemDisk(directory)
        self.store = DiskStore(disk, self.turn, InlineWorker(), InlineWorker(), self.marks, options)
        self.vhosts = {"/": self.make("/")}
        self.report: Report = Recovery(disk, self.store, self.vhosts).run(Maker(self))
        self.hands = Hands()
        self.taken = self.hands.entries
        for vhost in self.vhosts.values():
            vhost.holders[self.hands] = None

    def make(self, name: str) -> VHost:
        return VHost(name, self.turn, self.store, FixedNames())

    def end_turn(self) -> None:
        """End a turn, and let the store do all it has to."""
        self.turn.finish()
        self.store.look()

    def publish(self, exchange: bytes, key: bytes, body: bytes, persistent: bool = True) -> None:
        vhost = self.vhosts["/"]
        address = address_of(exchange, key)
        message = Message(address, HEADER, body, persistent)
        vhost.publish(message, vhost.route(address, HEADER).queues)

    def take(self, queue: bytes) -> Entry:
        """Hold the first message of a queue."""
        entry = self.vhosts["/"].queues[queue].take(False)
        assert entry is not None
        self.taken.append((self.vhosts["/"].queues[queue], entry))
        return entry

    def settle(self, entry: Entry) -> None:
        queue = self._let_go(entry)
        queue.settle(entry)

    def requeue(self, entry: Entry) -> None:
        queue = self._let_go(entry)
        queue.requeue(entry)

    def _let_go(self, entry: Entry) -> Queue:
        index = next(index for index, (_, held) in enumerate(self.taken) if held is entry)
        return self.taken.pop(index)[0]

    def crash(self) -> None:
        """Leave everything as it is."""
        self.store.tick()
        self.marks.close()
        self.lock.release()

    def stop(self) -> None:
        self.store.stop()
        self.lock.release()


def body_of(number: int) -> bytes:
    return b"%06d" % number + b"." * 200


def fill(node: OpenNode) -> None:
    """Do some of everything; `check` in test_upgrade.py says what is left of it."""
    _declare(node)
    _fill_orders(node)
    _fill_deep(node)
    _fill_later(node)
    _set(node)
    vhost = node.vhosts["/"]
    node.store.begin()
    for queue in (b"orders", b"deep"):
        vhost.publish(
            Message(address_of(b"", queue), HEADER, b"in a transaction", True), [vhost.queues[queue]]
        )
    node.store.commit()
    node.end_turn()
    for _ in range(4):
        node.store.tick()


def _fill_later(node: OpenNode) -> None:
    """From format 2 on: messages that expire in another century, in the journal and in pages."""
    vhost = node.vhosts["/"]
    queue = vhost.declare_queue(b"later", True, False, False, {}, 1)
    for number in range(LATER_COUNT):
        message = Message(address_of(b"", b"later"), HEADER, body_of(number), True)
        vhost.publish_by_rules(message, [queue], EXPIRATION_MS + number)
        node.end_turn()


def _set(node: OpenNode) -> None:
    """From format 3 on: settings, one of which was changed and one is gone."""
    for name, value in [("alice", b"1"), ("bob", b"2"), ("alice", b'{"tags": []}')]:
        node.store.declared(Setting("user", "", name, value))
    node.store.declared(Setting("policy", "/", "p" * 255, b'{"pattern": "^o"}'))
    node.store.removed(Setting("user", "", "bob", b""))
    node.end_turn()


def _declare(node: OpenNode) -> None:
    vhost = node.vhosts["/"]
    arguments = table_of({"x-max-length": 5_000_000, "x-made-by": "format 1"})
    vhost.declare_exchange(b"logs", "fanout", True, False, False, {})
    vhost.declare_exchange(b"keys", "topic", True, True, True, table_of({"alternate-exchange": "logs"}))
    vhost.declare_exchange(b"gone", "direct", True, False, False, {})
    vhost.declare_queue(b"orders", True, False, False, arguments, 1)
    vhost.declare_queue(b"deep", True, False, False, {}, 1)
    vhost.declare_queue(b"gone", True, False, False, {}, 1)
    for queue in (b"orders", b"gone"):
        vhost.bind(b"logs", vhost.queues[queue], b"", {})
    vhost.bind(b"keys", vhost.queues[b"orders"], b"order.#", table_of({"weight": 7}))
    vhost.bind(b"keys", vhost.exchanges[b"logs"], b"log.*", {})
    node.end_turn()


def _fill_orders(node: OpenNode) -> None:
    vhost = node.vhosts["/"]
    for number in range(20):
        node.publish(b"logs", b"", b"order %d" % number)
    node.publish(b"", b"orders", b"transient", persistent=False)
    taken = [node.take(b"orders") for _ in range(6)]
    for entry in taken[:3]:
        node.settle(entry)
    for _ in range(2):
        node.requeue(taken[3])
        node.end_turn()
        taken[3] = node.take(b"orders")
    node.requeue(taken[3])
    node.end_turn()
    vhost.delete_queue(vhost.queues[b"gone"], False, False)
    vhost.delete_exchange(b"gone", False)


def _fill_deep(node: OpenNode) -> None:
    for number in range(4_000):
        node.publish(b"", b"deep", body_of(number), persistent=number % 10 != 0)
        if number % 50 == 0:
            node.end_turn()
    for number in range(1_500):
        node.settle(node.take(b"deep"))
        if number % 50 == 0:
            node.end_turn()


if __name__ == "__main__":
    made = OpenNode(Path(sys.argv[1]))
    fill(made)
    made.crash()
