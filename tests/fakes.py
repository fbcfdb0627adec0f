"""The ports of the core as plain classes, for tests without a disk, a socket or chance."""

from mypy_extensions import i64

from supersoniq.amqp.primitives import text
from supersoniq.amqp.tables import Table
from supersoniq.broker.arguments import QueueOptions
from supersoniq.broker.definitions import (
    BindingDefinition,
    Definition,
    ExchangeDefinition,
    QueueDefinition,
    Setting,
    SettingKey,
)
from supersoniq.broker.message import Entry, Message, address_of
from supersoniq.broker.ports import Consumer, Names, Page, QueueStore
from supersoniq.broker.queues.queue import NOBODY, Queue
from supersoniq.broker.queues.runs import Runs
from supersoniq.broker.store import Store
from supersoniq.broker.timers import Clock
from supersoniq.broker.turn import Deferred, Turn
from supersoniq.session.output import Output, Transport

NO_PROPERTIES = b"\x00\x3c\x00\x00" + bytes(8) + b"\x00\x00"


class FixedNames(Names):
    """Counts instead of drawing: `name-0000000000000001` and so on, 22 characters as promised."""

    def __init__(self) -> None:
        self.count = 0

    def unique(self) -> bytes:
        self.count += 1
        return b"name-%017d" % self.count


class FakeClock(Clock):
    """Stands still until a test moves it; `wanted` is when it is to ring next."""

    def __init__(self, now: int = 1_000_000) -> None:
        self.now = now
        self.wanted = 0

    def now_ms(self) -> i64:
        return self.now

    def wake(self, at_ms: i64) -> None:
        self.wanted = int(at_ms)

    def move(self, turn: Turn, milliseconds: int) -> None:
        """Let time go by, ring whenever that is wanted, and finish all turns that brings about."""
        end = self.now + milliseconds
        while 0 < self.wanted <= end:
            self.now = max(self.now, self.wanted)
            turn.timers.run()
            settle_down(turn)
        self.now = end


class FakeQueueStore(QueueStore):
    """Keeps pages in memory, and notes what it is told; entries at `damaged` positions are not read back.

    Of a queue that is not durable it notes the end only: what is stored there is stored for others.
    """

    def __init__(self, log: list[str] | None = None, memory_bytes_max: int = 0, durable: bool = True) -> None:
        super().__init__()
        self.durable = durable
        self.memory_bytes_max = memory_bytes_max
        self.log: list[str] = [] if log is None else log
        self.settled_messages: list[Message] = []
        self.written: dict[Page, list[Entry]] = {}
        self.damaged: set[int] = set()
        self.is_deleted = False

    def delivered(self, position: i64) -> None:
        self._note(f"delivered {position}")

    def returned(self, entry: Entry) -> None:
        self._note(f"returned {entry.position} the {entry.delivery_count}. time")

    def settled(self, position: i64, message: Message) -> None:
        self._note(f"settled {position}")
        if self.durable:
            self.settled_messages.append(message)

    def _note(self, what: str) -> None:
        if self.durable:
            self.log.append(what)

    def write_page(self, entries: list[Entry | None]) -> Page:
        kept = [entry for entry in entries if entry is not None]
        assert len(kept) == len(entries) > 0
        assert kept == sorted(kept, key=lambda entry: int(entry.position))
        body_bytes = sum([len(entry.message.body) for entry in kept])
        page = Page(len(kept), body_bytes, kept[0].position, kept[-1].position)
        self.written[page] = kept
        return page

    @property
    def pages(self) -> dict[Page, list[Entry]]:
        """What is out of memory."""
        return {page: self.rest_of(page) for page in self.written if page.count > 0}

    def rest_of(self, page: Page) -> list[Entry]:
        """What a page has that was not taken from it."""
        runs = Runs(page) if page.is_reduced else None
        return [entry for entry in self.written[page] if runs is None or runs.has(entry.position)]

    def read_page(self, page: Page) -> list[Entry | None]:
        return [again(entry) for entry in self.rest_of(page) if int(entry.position) not in self.damaged]

    def settled_page(self, page: Page) -> None:
        del self.written[page]
        self.log.append(f"settled page {page.first} to {page.last}")

    def deleted(self) -> None:
        assert not self.is_deleted
        self.is_deleted = True
        self.log.append("deleted")


class FakeStore(Store):
    """Makes safe what it was given when the test says so, or at once if it is prompt, and notes all of it."""

    def __init__(self, is_prompt: bool = False, memory_bytes_max: int = 0) -> None:
        self.is_prompt = is_prompt
        self.shares_sequences = False  # one for all that is not decided yet
        self.memory_bytes_max = memory_bytes_max  # of each queue
        self.log: list[str] = []
        self.appended: list[tuple[Message, list[QueueStore]]] = []
        self.definitions: list[Definition] = []
        self.kept_settings: dict[SettingKey, Setting] = {}
        self.queues: list[FakeQueueStore] = []
        self.waiters: list[Deferred] = []
        self.sequence = 0
        self.synced = 0
        self.given_up = 0
        self.is_in_transaction = False
        self._begun_at = 0

    @property
    def settled(self) -> list[Message]:
        """What was settled, once for each queue, queue by queue."""
        return [message for queue in self.queues for message in queue.settled_messages]

    def _take(self, what: str) -> i64:
        self.log.append(what)
        if not self.shares_sequences or self.sequence <= max(self.synced, self.given_up):
            self.sequence += 1
        if self.is_prompt:
            self.synced = self.sequence
        return self.sequence

    def open_queue(self, durable: bool) -> QueueStore:
        queue = FakeQueueStore(self.log, self.memory_bytes_max, durable)
        self.queues.append(queue)
        return queue

    def append(self, message: Message, queues: list[QueueStore]) -> i64:
        assert message.persistent
        assert queues
        positions = [str(queue.next_position) for queue in queues]
        self.appended.append((message, list(queues)))
        sequence = self._take("append " + " ".join(positions))
        message.stored = sequence
        return sequence

    def begin(self) -> None:
        assert not self.is_in_transaction
        self.is_in_transaction = True
        self.log.append("begin")
        self._begun_at = len(self.log)

    def commit(self) -> i64:
        assert self.is_in_transaction
        self.is_in_transaction = False
        if len(self.log) > self._begun_at:
            return self._take("commit")
        self.log.append("commit")
        return 0

    def declared(self, definition: Definition) -> i64:
        if isinstance(definition, Setting):
            self.kept_settings[definition.key] = definition
        elif definition not in self.definitions:
            self.definitions.append(definition)
        return self._take("declared " + described(definition))

    def removed(self, definition: Definition) -> i64:
        if isinstance(definition, Setting):
            self.kept_settings.pop(definition.key, None)
        else:
            self.definitions.remove(definition)
        return self._take("removed " + described(definition))

    def settings(self) -> list[Setting]:
        return list(self.kept_settings.values())

    def durable(self) -> i64:
        return self.synced

    def refused(self) -> i64:
        return self.given_up

    def wait(self, waiter: Deferred) -> None:
        assert waiter not in self.waiters
        self.waiters.append(waiter)

    def sync(self, sequence: int | None = None) -> None:
        """Everything up to `sequence` is safe, or everything there is."""
        self.synced = max(self.synced, self.sequence if sequence is None else sequence)
        self._moved()

    def refuse(self, sequence: int | None = None) -> None:
        """What is not safe yet, up to `sequence`, cannot be made safe for now."""
        self.given_up = max(self.given_up, self.sequence if sequence is None else sequence)
        self._moved()

    def _moved(self) -> None:
        waiters, self.waiters = self.waiters, []
        for waiter in waiters:
            waiter.durable_moved()


def again(entry: Entry) -> Entry:
    """The entry as it is read back: the same, in another object."""
    copy = Entry(entry.message, entry.position)
    copy.delivery_count = entry.delivery_count
    copy.expires_at = entry.expires_at
    return copy


def described(definition: Definition) -> str:
    """A definition in a log: `exchange e`, `queue q`, `binding e > q`, `user /guest`."""
    if isinstance(definition, Setting):
        return f"{definition.kind} {definition.vhost}/{definition.name}"
    if isinstance(definition, ExchangeDefinition):
        return f"exchange {text(definition.name)}"
    if isinstance(definition, QueueDefinition):
        return f"queue {text(definition.name)}"
    assert isinstance(definition, BindingDefinition)
    return f"binding {text(definition.source)} > {text(definition.destination)}"


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
    """Keeps what is written and how it was written; what is written after `close` is kept apart.

    It pauses `output` when it was given as many octets as there is room for, if that is limited.
    """

    def __init__(self) -> None:
        self.output: Output | None = None
        self.room_bytes: int | None = None
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
        if self.room_bytes is not None:
            self.room_bytes -= sum([len(piece) for piece in pieces])
            if self.room_bytes <= 0 and self.output is not None:
                self.output.pause()

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
    turn: Turn, kept: QueueStore, name: bytes = b"q", durable: bool = False, arguments: Table | None = None
) -> Queue:
    """A queue that belongs to no virtual host."""
    options = QueueOptions(arguments if arguments is not None else {}, b"classic")
    return Queue(name, durable, False, NOBODY, options, turn, kept)


def settle_down(turn: Turn, turns_max: int = 10_000) -> int:
    """Finish turns until nothing is left; returns how many it took."""
    for count in range(1, turns_max + 1):
        if not turn.finish():
            return count
    raise AssertionError(f"still busy after {turns_max} turns")
