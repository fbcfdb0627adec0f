"""A virtual host: its exchanges, queues and bindings, and the rules by which they come and go."""

from typing import Final, final

from mypy_extensions import i64

from supersoniq.amqp.errors import AccessRefused, NotFound, PreconditionFailed
from supersoniq.amqp.primitives import text
from supersoniq.amqp.tables import Field, Table
from supersoniq.broker.announcing import Announcer
from supersoniq.broker.arguments import check_queue
from supersoniq.broker.counters import VHostCounters
from supersoniq.broker.dead_letters import DeadLetters
from supersoniq.broker.deduplication import OF_EXCHANGE, OF_QUEUE, check_deduplication
from supersoniq.broker.definitions import BindingDefinition, ExchangeDefinition, QueueDefinition
from supersoniq.broker.delayed import Delayed
from supersoniq.broker.delays import check_same_delay, underlying_kind
from supersoniq.broker.disuse import Disuses, Remover
from supersoniq.broker.enforcement import Policies
from supersoniq.broker.equivalence import check_same_exchange, check_same_queue, locked
from supersoniq.broker.events import INTERNAL_USER
from supersoniq.broker.exchanges.base import Binding, Destination, Exchange
from supersoniq.broker.exchanges.kinds import check_kind, new_exchange
from supersoniq.broker.limits import VHostLimits
from supersoniq.broker.message import Message
from supersoniq.broker.ports import Consumer, Holder, Names, QueueStore
from supersoniq.broker.publishing import Publishing, publish_report
from supersoniq.broker.queues.queue import NOBODY, Queue
from supersoniq.broker.replay import replay
from supersoniq.broker.routing import DEDUPLICATION_PREFIX, DELAYED_PREFIX, INTERNAL_PREFIXES, Route, Router
from supersoniq.broker.store import Store
from supersoniq.broker.tracing import Tracing
from supersoniq.broker.turn import Turn

RESERVED: Final = b"amq."
REPLY_TO: Final = b"amq.rabbitmq.reply-to"
REPLY_PREFIX: Final = b"amq.rabbitmq.reply-to."
GENERATED_PREFIX: Final = b"amq.gen-"
HIDDEN_PREFIXES: Final = (REPLY_PREFIX, *INTERNAL_PREFIXES)
PREDECLARED: Final = [
    (b"", "direct", False),
    (b"amq.direct", "direct", False),
    (b"amq.fanout", "fanout", False),
    (b"amq.topic", "topic", False),
    (b"amq.headers", "headers", False),
    (b"amq.match", "headers", False),
    (b"amq.rabbitmq.trace", "topic", True),
]


@final
class _Remover(Remover):
    """Deletes the queues of a virtual host that nobody uses."""

    def __init__(self, vhost: "VHost") -> None:
        self._vhost = vhost

    def remove_unused(self, queue: Queue) -> None:
        """Delete it, with what is in it."""
        self._vhost.delete_queue(queue, False, False)


class VHost:
    """One virtual host. Operations raise from `amqp.errors`; `connection` is the id of the one who asks."""

    def __init__(self, name: str, turn: Turn, store: Store, names: Names) -> None:
        self.name = name
        self.exchanges: dict[bytes, Exchange] = {}
        self.queues: dict[bytes, Queue] = {}
        self.router = Router(self.exchanges, self.queues)
        self.store = store
        self.holders: dict[Holder, None] = {}
        self.disuses = Disuses(_Remover(self), turn.timers)
        self.policies = Policies(self.exchanges, self.queues, self.router, self.disuses, HIDDEN_PREFIXES)
        self.limits = VHostLimits()
        self.announcer = Announcer(name)
        self.counters = VHostCounters()
        self.default_queue_type = b"classic"  # of durable queues that do not name one
        self._publishing = Publishing(name, self.queues, store, turn)
        self.deduplication = self._publishing.deduplication
        self._dead_letters = DeadLetters(self._publishing, self.exchanges, self.router, store, turn)
        self.counters.dead_letters = self._dead_letters.counts
        self.holders[self._dead_letters.limbo] = None
        self.delayed = Delayed(name, self._publishing, self.exchanges, self.queues, self.router, store, turn)
        self.holders[self.delayed.limbo] = None
        self.tracing = Tracing(name, self.exchanges, self.router, self._publishing, turn)
        self._sequence: i64 = 0  # of the last change to what is durable
        self._exclusive: dict[int, dict[bytes, Queue]] = {}
        self._turn = turn
        self._names = names
        for predeclared, kind, internal in PREDECLARED:
            self.predeclare(predeclared, kind, internal)

    # Exchanges

    def predeclare(self, name: bytes, kind: str, internal: bool) -> None:
        """Have an exchange that is there from the beginning, and always."""
        self.exchanges[name] = new_exchange(kind, name, True, False, internal, {})

    def exchange(self, name: bytes) -> Exchange:
        """Return an exchange; raises 404."""
        exchange = self.exchanges.get(name)
        if exchange is None:
            raise NotFound(f"no exchange '{text(name)}' in vhost '{self.name}'")
        return exchange

    def declare_exchange(
        self, name: bytes, kind: str, durable: bool, auto_delete: bool, internal: bool, arguments: Table
    ) -> Exchange:
        """Return the exchange, made where it is missing.

        Raises 403 for reserved names, 406 for what differs and for types that there are not.
        """
        _refuse_default(name)
        exchange = self.exchanges.get(name)
        if exchange is not None:
            check_same_exchange(self.name, exchange, kind, durable, auto_delete, internal, arguments)
            check_same_delay(self.name, exchange, arguments)
            return exchange
        check_kind(underlying_kind(name, kind, arguments))
        if name.startswith(RESERVED):
            raise AccessRefused(f"exchange name '{text(name)}' contains reserved prefix 'amq.*'")
        alternate = arguments.get(b"alternate-exchange")
        if alternate is not None and not alternate.is_string:
            raise PreconditionFailed(
                f"invalid type '{alternate.kind_name}' for arg 'alternate-exchange' "
                f"in exchange '{text(name)}' in vhost '{self.name}'"
            )
        exchange = new_exchange(kind, name, durable, auto_delete, internal, arguments)
        exchange.check_arguments()
        check_deduplication(name, arguments)
        self.exchanges[name] = exchange
        self.policies.govern_exchange(exchange)
        if durable:
            exchange.definition = ExchangeDefinition(self.name, name, kind, auto_delete, internal, arguments)
            self._sequence = self.store.declared(exchange.definition)
        self.router.changed()
        self.announcer.exchange_created(exchange)
        return exchange

    def delete_exchange(self, name: bytes, if_unused: bool) -> None:
        """Delete an exchange and its bindings; a missing one is fine.

        Raises 403 for system ones, 406 if in use.
        """
        _refuse_default(name)
        if name.startswith(RESERVED) and name in self.exchanges:
            raise AccessRefused(
                f"deletion of system exchange '{text(name)}' in vhost '{self.name}' not allowed"
            )
        exchange = self.exchanges.get(name)
        if exchange is None:
            return
        if if_unused and exchange.bindings:
            raise PreconditionFailed(f"exchange '{text(name)}' in vhost '{self.name}' in use")
        self._remove_exchange(exchange)

    def _remove_exchange(self, exchange: Exchange) -> None:
        """Remove an exchange, then the auto-delete ones that lose their last binding by that, and so on."""
        pending = [exchange]
        while pending:
            gone = pending.pop()
            if self.exchanges.get(gone.name) is gone:
                del self.exchanges[gone.name]
                self.announcer.exchange_deleted(gone)
                for binding in list(gone.bindings.values()):
                    self._remove_binding(binding)
                pending.extend(self._unbind_inbound(gone))
                self.counters.gone_exchanges.add(gone.counters)
                self.deduplication.forget(OF_EXCHANGE, gone.name)
                self.delayed.forget(gone.name)
                if gone.definition is not None:
                    self._sequence = self.store.removed(gone.definition)
        self.router.changed()

    # Queues

    def queue(self, name: bytes, connection: int) -> Queue:
        """Return a queue; raises 404, or 405 if it is another connection's.

        Queues of direct reply-to and of delayed messages are nobody's to consume from, purge or delete.
        """
        queue = self.queues.get(name)
        if queue is None or name.startswith(HIDDEN_PREFIXES):
            raise NotFound(f"no queue '{text(name)}' in vhost '{self.name}'")
        self._check_owner(queue, connection)
        return queue

    def _check_owner(self, queue: Queue, connection: int) -> None:
        if queue.owner != NOBODY and queue.owner != connection:
            raise locked(self.name, queue.name)

    def declare_queue(
        self,
        name: bytes,
        durable: bool,
        exclusive: bool,
        auto_delete: bool,
        arguments: Table,
        connection: int,
    ) -> Queue:
        """Return the queue, made where it is missing.

        Raises 403 for reserved names, 405 and 406 for what differs.
        """
        name = name.replace(b"\r", b"").replace(b"\n", b"")
        if not name:
            name = self.unique_queue_name()
        durable = durable and not exclusive
        if durable and not auto_delete and self.default_queue_type != b"classic":
            arguments = {b"x-queue-type": Field(ord("S"), self.default_queue_type), **arguments}
        queue = self.queues.get(name)
        if queue is not None and not name.startswith(INTERNAL_PREFIXES):
            owner = connection if exclusive else NOBODY
            check_same_queue(self.name, queue, durable, owner, auto_delete, arguments)
            self.counters.queue_declared += 1
            self.disuses.used(queue)
            return queue
        if not name.startswith(GENERATED_PREFIX):
            check_queue_name(name)
        self._check_room(name)
        options = check_queue(name, self.name, durable, exclusive, auto_delete, arguments)
        check_deduplication(name, arguments)
        owner = connection if exclusive else NOBODY
        kept = self.store.open_queue(durable)
        queue = Queue(name, durable, auto_delete, owner, options, self._turn, kept)
        queue.graveyard = self._dead_letters
        self.queues[name] = queue
        if durable:
            queue.definition = QueueDefinition(self.name, name, auto_delete, arguments, kept)
            self._sequence = self.store.declared(queue.definition)
        if exclusive:
            self._exclusive.setdefault(connection, {})[name] = queue
        self.policies.govern_queue(queue)
        self.counters.queue_made()
        self.router.changed()
        self.disuses.used(queue)
        self.announcer.queue_created(queue, arguments)
        return queue

    def unique_queue_name(self) -> bytes:
        """Return a name for a queue whose client left that to the server."""
        return GENERATED_PREFIX + self._names.unique()

    def _check_room(self, name: bytes) -> None:
        """Raise 406 if there are too many queues; hidden ones do not count."""
        if 0 <= self.limits.max_queues <= len(self.queues):
            hidden = [each for each in self.queues if each.startswith(HIDDEN_PREFIXES)]
            self.limits.check_queue(self.name, name, len(self.queues) - len(hidden))

    def delete_queue(self, queue: Queue, if_unused: bool, if_empty: bool) -> int:
        """Delete a queue and tell its consumers; returns how many messages were ready. Raises 406."""
        if if_unused and len(queue.consumers) > 0:
            raise PreconditionFailed(f"queue '{text(queue.name)}' in vhost '{self.name}' in use")
        if if_empty and queue.ready_count > 0:
            raise PreconditionFailed(f"queue '{text(queue.name)}' in vhost '{self.name}' not empty")
        count = queue.ready_count
        if self.queues.get(queue.name) is queue:
            del self.queues[queue.name]
            with self.announcer.acting(INTERNAL_USER):
                for exchange in self._unbind_inbound(queue):
                    self._remove_exchange(exchange)
            self.router.changed()
            if not queue.name.startswith(HIDDEN_PREFIXES):
                queue.counters = self.counters.queue_gone(queue.options.queue_type, queue.counters)
                self.announcer.queue_deleted(queue)
        if queue.definition is not None and not queue.deleted:
            self._sequence = self.store.removed(queue.definition)
        self.disuses.forget(queue)
        self.deduplication.forget(OF_QUEUE, queue.name)
        owned = self._exclusive.get(queue.owner)
        if owned is not None:
            owned.pop(queue.name, None)
        consumers = queue.close()
        self._dead_letters.drop(queue)
        for consumer in consumers:
            consumer.cancelled()
        return count

    def purge(self, queue: Queue) -> int:
        """Drop all that is ready, as a whole, and what waits to be dead-lettered.

        Returns how many were ready.
        """
        self.store.begin()
        count = queue.purge()
        self._dead_letters.drop(queue)
        sequence = self.store.commit()
        if sequence > 0:
            self._sequence = sequence
        return count

    def unsubscribe(self, queue: Queue, consumer: Consumer) -> None:
        """Remove a consumer; an auto-delete queue goes with its last one."""
        queue.unsubscribe(consumer)
        self.disuses.used(queue)
        if queue.auto_delete and not queue.deleted and len(queue.consumers) == 0:
            self.delete_queue(queue, False, False)

    def release(self, connection: int) -> None:
        """Delete the exclusive queues of a connection that is gone."""
        owned = self._exclusive.pop(connection, None)
        if owned is not None:
            for queue in list(owned.values()):
                self.delete_queue(queue, False, False)

    def open_reply_queue(self) -> Queue:
        """Make the queue behind direct reply-to.

        Named past guessing, for one consumer, gone when that goes.
        """
        name = REPLY_PREFIX + self._names.unique()
        options = check_queue(name, self.name, False, False, True, {})
        queue = Queue(name, False, True, NOBODY, options, self._turn, self.store.open_queue(False))
        self.queues[name] = queue
        self.router.changed()
        return queue

    # Bindings

    def bind(self, source: bytes, destination: Destination, binding_key: bytes, arguments: Table) -> None:
        """Bind; an equal binding is fine. Raises 403 for the default exchange, 404 for a missing source."""
        _refuse_default(source)
        _refuse_default(destination.name)
        exchange = self.exchange(source)
        binding = Binding(exchange, destination, binding_key, arguments)
        if exchange.bind(binding):
            if exchange.durable and destination.durable:
                binding.definition = BindingDefinition(
                    self.name,
                    source,
                    destination.name,
                    isinstance(destination, Exchange),
                    binding_key,
                    arguments,
                )
                self._sequence = self.store.declared(binding.definition)
            self.router.changed()
            self.announcer.binding_created(binding)
            if exchange.keeps:
                sequence = replay(exchange, destination, self.router, self._publishing)
                self._sequence = max(self._sequence, sequence)

    def _remove_binding(self, binding: Binding) -> None:
        """Remove the binding that equals `binding`, if there is one."""
        known = binding.source.unbind(binding)
        if known is not None:
            self.announcer.binding_deleted(known)
            if known.definition is not None:
                self._sequence = self.store.removed(known.definition)

    def _unbind_inbound(self, destination: Destination) -> list[Exchange]:
        """Remove the bindings that lead to a destination.

        Returns the auto-delete exchanges that lost their last one by that (spec: exchange.declare/auto-
        delete).
        """
        unused: list[Exchange] = []
        for binding in list(destination.inbound):
            source = binding.source
            self._remove_binding(binding)
            if source.auto_delete and not source.bindings:
                unused.append(source)
        return unused

    def unbind(
        self,
        source: bytes,
        destination: Destination | None,
        binding_key: bytes,
        arguments: Table,
        connection: int,
    ) -> None:
        """Remove a binding; one that is missing, or misses an end, is fine. Raises 403 and 405."""
        _refuse_default(source)
        exchange = self.exchanges.get(source)
        if exchange is None or destination is None:
            return
        binding = Binding(exchange, destination, binding_key, arguments)
        if not exchange.has(binding):
            return
        if isinstance(destination, Queue):
            self._check_owner(destination, connection)
        self._remove_binding(binding)
        self.router.changed()
        if exchange.auto_delete and not exchange.bindings:
            self._remove_exchange(exchange)

    # Messages

    def memory_bytes(self) -> int:
        """Return about what messages occupy: in all queues, on their way out of them, and in exchanges."""
        in_queues = sum([queue.memory_bytes for queue in self.queues.values()])
        kept = sum([exchange.memory_bytes for exchange in self.exchanges.values() if exchange.keeps])
        return in_queues + self._dead_letters.memory_bytes + kept

    def route(self, address: bytes, header: bytes) -> Route:
        """Find where a message with this address goes; raises 404 or 403 for an exchange that takes none."""
        route = self.router.remembered(address)
        if route is None:
            name_end = 1 + address[0]
            exchange = self.publishable(address[1:name_end])
            route = self.router.route(exchange, address, address[name_end + 1 :], header)
        return route

    def publishable(self, name: bytes) -> Exchange:
        """Return an exchange that clients may publish to; raises 404, or 403 if it is internal."""
        exchange = self.exchange(name)
        if exchange.internal:
            raise AccessRefused(f"cannot publish to internal exchange '{text(name)}' in vhost '{self.name}'")
        return exchange

    def publish(self, message: Message, queues: list[Queue]) -> i64:
        """Enqueue a message in each of `queues`.

        Returns the store's sequence that covers it, 0 if it is safe now.
        """
        sequence: i64 = 0
        if message.persistent:
            sequence = self._append(message, queues)
        for queue in queues:
            queue.enqueue(message)
        return sequence

    def publish_by_rules(self, message: Message, queues: list[Queue], expiration_ms: i64) -> i64:
        """Enqueue a message in each of `queues`, as `Publishing` does."""
        return self._publishing.publish_by_rules(message, queues, expiration_ms)

    def report(self, exchange: Exchange, message: Message) -> None:
        """Publish what the node itself has to say."""
        publish_report(self._publishing, self.router, exchange, message)

    def _append(self, message: Message, queues: list[Queue]) -> i64:
        """Store a message for the durable ones of `queues`."""
        durable: list[QueueStore] = []
        for queue in queues:
            if queue.durable:
                durable.append(queue.kept)
        return self.store.append(message, durable) if durable else 0

    def take_sequence(self) -> i64:
        """Return the sequence that covers what changed in what is durable since the last call, 0 for none."""
        sequence = self._sequence
        self._sequence = 0
        return sequence

    # Restoring

    def restore_queue(self, definition: QueueDefinition) -> Queue:
        """Make the queue of a definition again, empty; raises 406 for arguments that are refused by now."""
        name = definition.name
        if name.startswith(DELAYED_PREFIX):
            return self.delayed.restore(definition)
        if name.startswith(DEDUPLICATION_PREFIX):
            return self.deduplication.restore(definition)
        options = check_queue(name, self.name, True, False, definition.auto_delete, definition.arguments)
        queue = Queue(name, True, definition.auto_delete, NOBODY, options, self._turn, definition.kept)
        queue.definition = definition
        queue.graveyard = self._dead_letters
        self.queues[name] = queue
        self.policies.govern_queue(queue)
        self.disuses.used(queue)
        return queue

    def close(self) -> None:
        """Drop everything: the node is stopping."""
        for queue in list(self.queues.values()):
            queue.close()
        for exchange in self.exchanges.values():
            self.counters.gone_exchanges.add(exchange.counters)
        self.queues.clear()
        self.exchanges.clear()
        self._exclusive.clear()


def check_queue_name(name: bytes) -> None:
    """Raise 403 for a name that nobody may give a queue, be it there or not."""
    if name.startswith(RESERVED):
        raise AccessRefused(f"queue name '{text(name)}' contains reserved prefix 'amq.*'")


def _refuse_default(name: bytes) -> None:
    if not name:
        raise AccessRefused("operation not permitted on the default exchange")
