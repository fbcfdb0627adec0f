"""The ports of the core as plain classes, for tests without a disk, a socket or chance."""

from mypy_extensions import i64

from supersoniq.amqp.tables import Table
from supersoniq.broker.arguments import QueueOptions
from supersoniq.broker.message import Entry, Message, address_of
from supersoniq.broker.ports import Consumer, Names, Store
from supersoniq.broker.queues.queue import NOBODY, Queue
from supersoniq.broker.turn import Deferred, Turn
from supersoniq.session.output import Transport

NO_PROPERTIES = b"\x00\x3c\x00\x00" + bytes(8) + b"\x00\x00"


class FixedNames(Names):
    """Counts instead of drawing: `name-0000000000000001` and so on, 22 characters as promised."""

    def __init__(self) -> None:
        self.count = 0

    def unique(self) -> bytes:
        self.count += 1
        return b"name-%017d" % self.count


class FakeStore(Store):
    """Syncs when it is told to."""

    def __init__(self) -> None:
        self.appended: list[tuple[Message, int]] = []
        self.discarded: list[Message] = []
        self.synced = 0

    def append(self, message: Message, queue_count: int) -> i64:
        self.appended.append((message, queue_count))
        return len(self.appended)

    def discard(self, message: Message) -> None:
        self.discarded.append(message)

    def durable(self) -> i64:
        return self.synced

    def sync(self) -> None:
        """Everything appended so far is safe."""
        self.synced = len(self.appended)


class FakeConsumer(Consumer):
    """Takes as many as it has room for, and keeps them."""

    def __init__(
        self,
        tag: bytes = b"c",
        room: int = 1_000_000,
        no_ack: bool = False,
        priority: int = 0,
        exclusive: bool = False,
    ) -> None:
        super().__init__(tag, no_ack, exclusive, priority)
        self.room = room
        self.entries: list[Entry] = []
        self.settled: list[tuple[Message, bool]] = []
        self.times_asked = 0
        self.is_cancelled = False

    @property
    def bodies(self) -> list[bytes]:
        """What was delivered, in order."""
        if self.no_ack:
            return [message.body for message, _ in self.settled]
        return [entry.message.body for entry in self.entries]

    def is_ready(self) -> bool:
        self.times_asked += 1
        return self.room > 0

    def deliver(self, entry: Entry) -> None:
        self.room -= 1
        self.entries.append(entry)

    def deliver_settled(self, message: Message, redelivered: bool) -> None:
        self.room -= 1
        self.settled.append((message, redelivered))

    def cancelled(self) -> None:
        self.is_cancelled = True


class FakeTransport(Transport):
    """Keeps what is written and how it was written; what is written after `close` is kept apart."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.late: list[bytes] = []
        self.piece_counts: list[int] = []
        self.is_closed = False
        self.is_aborted = False
        self.is_reading = True

    def write(self, data: bytes) -> None:
        self.write_pieces([data])

    def write_pieces(self, pieces: list[bytes]) -> None:
        if self.is_closed:
            self.late.extend(pieces)
            return
        self.writes.extend(pieces)
        self.piece_counts.append(len(pieces))

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_aborted = True

    def pause_reading(self) -> None:
        self.is_reading = False

    def resume_reading(self) -> None:
        self.is_reading = True


class Work(Deferred):
    """Deferred work that notes its name in a log when it runs, and asks for `again` more turns."""

    def __init__(self, name: str, log: list[str], again: int = 0) -> None:
        self.scheduled = False
        self.name = name
        self.again = again
        self._log = log

    def run(self) -> bool:
        self._log.append(self.name)
        self.again -= 1
        return self.again >= 0


def message(
    body: bytes = b"", exchange: bytes = b"", routing_key: bytes = b"q", persistent: bool = False
) -> Message:
    """A message without properties."""
    return Message(address_of(exchange, routing_key), NO_PROPERTIES, body, persistent)


def queue_of(
    turn: Turn, store: Store, name: bytes = b"q", durable: bool = False, arguments: Table | None = None
) -> Queue:
    """A queue that belongs to no virtual host."""
    options = QueueOptions(arguments if arguments is not None else {}, b"classic")
    return Queue(name, durable, False, NOBODY, options, turn, store)


def settle_down(turn: Turn, turns_max: int = 10_000) -> int:
    """Finish turns until nothing is left; returns how many it took."""
    for count in range(1, turns_max + 1):
        if not turn.finish():
            return count
    raise AssertionError(f"still busy after {turns_max} turns")
