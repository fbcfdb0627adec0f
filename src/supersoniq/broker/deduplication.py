"""De-duplication: exchanges and queues that take a message only once (lavinmq: message deduplication).

Declared with `x-message-deduplication: true`, they look at one header of each message,
`x-deduplication-header` unless an argument of that name names another one. A value that was seen before makes
the message a duplicate: it is dropped, and confirmed. `x-cache-size` values are remembered (128), the latest
ones, for `x-cache-ttl` milliseconds if that is given.

What is remembered is kept in a hidden queue for each of them, whose messages are the values: its length limit
and its time to live are those of the memory, and it lasts as long as its owner does, restarts included.
"""

from typing import Final, final

from mypy_extensions import i64

from supersoniq.amqp.errors import PreconditionFailed
from supersoniq.amqp.properties import headers_property
from supersoniq.amqp.tables import Field, Table, encode_table
from supersoniq.broker.arguments import check_queue
from supersoniq.broker.dead_letters import Publisher
from supersoniq.broker.definitions import QueueDefinition
from supersoniq.broker.exchanges.base import Exchange
from supersoniq.broker.message import Entry, Message, address_of
from supersoniq.broker.ports import Recollection
from supersoniq.broker.queues.graveyard import Graveyard
from supersoniq.broker.queues.queue import NOBODY, Queue
from supersoniq.broker.queues.rules import deduplicates
from supersoniq.broker.routing import DEDUPLICATION_PREFIX
from supersoniq.broker.store import Store
from supersoniq.broker.turn import Turn

OF_EXCHANGE: Final = b"x."
OF_QUEUE: Final = b"q."
NAME_BYTES_MAX: Final = 255 - len(DEDUPLICATION_PREFIX) - len(OF_QUEUE)

SIZE: Final = b"x-cache-size"
TTL: Final = b"x-cache-ttl"
HEADER: Final = b"x-deduplication-header"
SIZE_DEFAULT: Final = 128
# Of a content header without properties, before and after the size of the body.
HEADER_BEGIN: Final = b"\x00\x3c\x00\x00"
HEADER_END: Final = b"\x00\x00"
READ_AT_ONCE: Final = 1_000


def check_deduplication(name: bytes, arguments: Table) -> None:
    """Raise 406 for arguments that cannot be followed."""
    if not deduplicates(arguments):
        return
    for argument in (SIZE, TTL):
        field = arguments.get(argument)
        if field is not None and (not field.is_integer or field.integer() < 0):
            raise PreconditionFailed(f"invalid arg '{argument.decode()}': expected an integer from 0 on")
    header = arguments.get(HEADER)
    if header is not None and not header.is_string:
        raise PreconditionFailed(f"invalid arg '{HEADER.decode()}': expected the name of a header")
    if len(name) > NAME_BYTES_MAX:
        raise PreconditionFailed(f"names of what deduplicates have at most {NAME_BYTES_MAX} octets")


@final
class _Oblivion(Graveyard):
    """Takes what the hidden queue of a memory drops."""

    def __init__(self, memory: "Memory") -> None:
        self._memory = memory

    def take(self, queue: Queue, entry: Entry, reason: bytes) -> None:
        """Forget a value: there are others, or its time is over."""
        self._memory.forget(entry)
        queue.buried(entry)


@final
class Memory(Recollection):
    """What one exchange or queue has seen, in a hidden queue."""

    def __init__(self, header: bytes, publisher: Publisher) -> None:
        self.queue: Queue | None = None
        self._header = header
        self._publisher = publisher
        self._seen: dict[bytes, i64] = {}  # with the latest position of each
        self._is_loaded = False

    def value_of(self, header: bytes) -> bytes | None:
        """Return what makes a message a duplicate of others, None if it has nothing of that."""
        field = headers_property(header).get(self._header)
        return None if field is None else encode_table({b"": field})

    def has_seen(self, value: bytes) -> bool:
        """Whether it was remembered, and is not forgotten."""
        if not self._is_loaded:
            self._load()
        return value in self._seen

    def remember(self, value: bytes) -> None:
        """Remember a value from now on."""
        queue = self.queue
        assert queue is not None
        self._seen[value] = queue.kept.next_position
        size = len(value).to_bytes(8, "big")
        message = Message(address_of(b"", queue.name), HEADER_BEGIN + size + HEADER_END, value, queue.durable)
        self._publisher.publish_by_rules(message, [queue], -1)

    def _load(self) -> None:
        """Read what an earlier process has remembered."""
        self._is_loaded = True
        queue = self.queue
        assert queue is not None
        after: i64 = 0
        while True:
            entries = queue.browse(after, READ_AT_ONCE)
            if not entries:
                return
            for entry in entries:
                self._seen[entry.message.body] = entry.position
                after = entry.position

    def forget(self, entry: Entry) -> None:
        """Forget the value in an entry, unless it was remembered once more."""
        value = entry.message.body
        if self._seen.get(value, 0) == entry.position:
            del self._seen[value]


@final
class Deduplication:
    """The memories of one virtual host, whose queues it shares."""

    def __init__(
        self, vhost: str, publisher: Publisher, queues: dict[bytes, Queue], store: Store, turn: Turn
    ) -> None:
        self._vhost = vhost
        self._publisher = publisher
        self._queues = queues
        self._store = store
        self._turn = turn
        self._memories: dict[bytes, Memory] = {}

    def of_exchange(self, exchange: Exchange) -> Memory:
        """Return what an exchange has seen."""
        return self._memory_of(OF_EXCHANGE, exchange.name, exchange.durable, exchange.arguments)

    def is_duplicate(self, queue: Queue, message: Message) -> bool:
        """Whether a queue has seen a message like this one."""
        memory = self._memory_of(OF_QUEUE, queue.name, queue.durable, queue.options.arguments)
        value = memory.value_of(message.header)
        return value is not None and memory.has_seen(value)

    def remember(self, queue: Queue, message: Message) -> None:
        """Have a queue remember a message that it has taken."""
        memory = self._memory_of(OF_QUEUE, queue.name, queue.durable, queue.options.arguments)
        value = memory.value_of(message.header)
        if value is not None:
            memory.remember(value)

    def _memory_of(self, kind: bytes, name: bytes, durable: bool, arguments: Table) -> Memory:
        """Return what an exchange or a queue remembers, nothing at first."""
        hidden = DEDUPLICATION_PREFIX + kind + name
        memory = self._memories.get(hidden)
        if memory is None:
            kept = self._store.open_queue(durable)
            definition = QueueDefinition(self._vhost, hidden, False, _hidden_arguments(arguments), kept)
            memory = self._new_memory(definition, durable)
            if durable:
                self._store.declared(definition)
        return memory

    def restore(self, definition: QueueDefinition) -> Queue:
        """Make the hidden queue of a definition again, empty."""
        queue = self._new_memory(definition, True).queue
        assert queue is not None
        return queue

    def _new_memory(self, definition: QueueDefinition, durable: bool) -> Memory:
        name, arguments = definition.name, definition.arguments
        options = check_queue(name, self._vhost, durable, False, False, arguments)
        memory = Memory(arguments[HEADER].octets(), self._publisher)
        queue = Queue(name, durable, False, NOBODY, options, self._turn, definition.kept)
        queue.graveyard = _Oblivion(memory)
        memory.queue = self._queues[name] = queue
        self._memories[name] = memory
        if durable:
            queue.definition = definition
        return memory

    def forget(self, kind: bytes, name: bytes) -> None:
        """Forget all that an exchange or a queue remembers, which is gone."""
        memory = self._memories.pop(DEDUPLICATION_PREFIX + kind + name, None)
        if memory is None:
            return
        queue = memory.queue
        assert queue is not None
        del self._queues[queue.name]
        if queue.definition is not None:
            self._store.removed(queue.definition)
        queue.close()


def _hidden_arguments(arguments: Table) -> Table:
    """Return the arguments of the hidden queue; what it drops goes to its graveyard, not to an exchange."""
    size, ttl, header = arguments.get(SIZE), arguments.get(TTL), arguments.get(HEADER)
    hidden: Table = {
        b"x-max-length": Field(ord("l"), SIZE_DEFAULT if size is None else size.integer()),
        b"x-dead-letter-exchange": Field(ord("S"), b""),
        HEADER: Field(ord("S"), HEADER if header is None else header.octets()),
    }
    if ttl is not None:
        hidden[b"x-message-ttl"] = Field(ord("l"), ttl.integer())
    return hidden
