"""Delayed messages of one virtual host: they wait in hidden queues, and are routed when they are due.

A hidden queue is a bucket: it takes the messages of one exchange that are due within one slice of time, and a
message is due when it expires there. Slices are the longer the further away they are: a minute, or 16, 16²
and up to 16⁵ of them, and no message is further away than 16 slices of its bucket when it comes there. So an
exchange has about a hundred buckets at the most, each with no more in memory than two short lists; the rest
is in pages.

A page is read shortly before its first message is due. It holds what was published at about the same time,
which may be due at any time of the slice: that does for a minute, not for a month. So what is in a longer
slice does not expire. Shortly before such a slice begins, its messages are taken one page after the other and
go to shorter slices.

What becomes of a message is one transaction of the store: it has left its bucket when it is elsewhere.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple, final

from mypy_extensions import i64

from supersoniq.amqp.tables import Field, Table
from supersoniq.broker.arguments import check_queue
from supersoniq.broker.dead_letters import Publisher
from supersoniq.broker.definitions import QueueDefinition
from supersoniq.broker.delays import copies_of, due_header, expiration_of
from supersoniq.broker.exchanges.base import Exchange
from supersoniq.broker.message import Entry, Message
from supersoniq.broker.ports import Holder, QueueStore
from supersoniq.broker.queues.graveyard import Graveyard
from supersoniq.broker.queues.queue import NOBODY, Queue
from supersoniq.broker.routing import DELAYED_PREFIX, Router
from supersoniq.broker.store import Store
from supersoniq.broker.timers import Timer
from supersoniq.broker.turn import Deferred, Turn

FACTOR: Final = 16
# In milliseconds. The last ones cover ten years and more.
SLICES: Final[list[int]] = [60_000 * FACTOR**level for level in range(6)]
# What one bucket has in memory before it writes pages; it is not read for long.
MEMORY_BYTES_MAX: Final = 256 * 1024
# Messages that are moved in one turn.
MOVED_MAX: Final = 500
# Pages are read so long before their first message is due, one in a turn: reading many takes longer than
# messages may be late.
AHEAD_MS: Final = 2_000
# A bucket whose time has come is looked at so often.
LOOKED_MS: Final = 500
LISTED_MAX: Final = 1_000
MISSING: Final = -1  # instead of a sequence


class DelayedId(NamedTuple):
    """What names a delayed message, until it moves on to another bucket or is due."""

    bucket: bytes
    position: int


class DelayedMessage(NamedTuple):
    """A message that waits."""

    id: DelayedId
    due_ms: int
    message: Message


@final
class Bucket(Timer):
    """A hidden queue, for what is due from `start_ms` on and before `end_ms`."""

    def __init__(self, delayed: "Delayed", queue: Queue, exchange: bytes, level: int, number: i64) -> None:
        super().__init__()
        self.queue = queue
        self.exchange = exchange
        self.level = level
        self.number: i64 = number
        self.start_ms: i64 = number * SLICES[level]
        self.end_ms: i64 = self.start_ms + SLICES[level]
        self._delayed = delayed

    def fire(self, now_ms: i64) -> i64:
        """Move on what is in it, or remove it when it is over."""
        return self._delayed.look(self, now_ms)


@final
class _Limbo(Holder):
    """What is due and not routed yet, for the store."""

    def __init__(self) -> None:
        self.queues: list[Queue] = []
        self.entries: list[Entry] = []

    def held(self) -> list[tuple[QueueStore, Entry]]:
        """Return the entries that no queue has any more."""
        return [(queue.kept, entry) for queue, entry in zip(self.queues, self.entries, strict=True)]


@final
class _Release(Deferred):
    """Routes what is due at the end of the turn."""

    def __init__(self, delayed: "Delayed") -> None:
        super().__init__()
        self._delayed = delayed

    def run(self) -> bool:
        """Do it."""
        return self._delayed.release()


@final
class _Spread(Deferred):
    """Moves messages to buckets of shorter slices."""

    def __init__(self, delayed: "Delayed") -> None:
        super().__init__()
        self._delayed = delayed

    def run(self) -> bool:
        """Do it."""
        return self._delayed.spread()


@final
class Delayed(Graveyard):
    """The delayed messages of one virtual host, whose exchanges and queues it shares."""

    def __init__(
        self,
        vhost: str,
        publisher: Publisher,
        exchanges: dict[bytes, Exchange],
        queues: dict[bytes, Queue],
        router: Router,
        store: Store,
        turn: Turn,
    ) -> None:
        self.limbo = _Limbo()
        self._vhost = vhost
        self._publisher = publisher
        self._exchanges = exchanges
        self._queues = queues
        self._router = router
        self._store = store
        self._turn = turn
        self._still = Turn()  # time stands still in it: nothing expires
        self._release = _Release(self)
        self._spread = _Spread(self)
        self._by_exchange: dict[bytes, dict[int, Bucket]] = {}
        self._open: list[Bucket] = []  # those whose messages are being moved

    def now_ms(self) -> i64:
        """Return the time."""
        return self._turn.timers.clock.now_ms()

    # What comes in

    def queues_for(self, exchange: Exchange, delay_ms: i64) -> list[Queue]:
        """Return the queue for a message that is to be published now and expires there after `delay_ms`.

        None for an exchange that is gone.
        """
        if self._exchanges.get(exchange.name) is not exchange:
            return []
        now_ms = self.now_ms()
        return [self._bucket(exchange, now_ms + delay_ms, now_ms)]

    def _bucket(self, exchange: Exchange, due_ms: i64, now_ms: i64) -> Queue:
        level = level_of(due_ms, now_ms)
        number = due_ms // SLICES[level]
        buckets = self._by_exchange.get(exchange.name)
        bucket = None if buckets is None else buckets.get(_key(level, number))
        if bucket is None:
            bucket = self._new_bucket(exchange, level, number)
        kept = bucket.queue.kept
        kept.memory_bytes_max = min(kept.memory_bytes_max, MEMORY_BYTES_MAX)
        return bucket.queue

    def _new_bucket(self, exchange: Exchange, level: int, number: i64) -> Bucket:
        name = DELAYED_PREFIX + exchange.name + f".{level}.{int(number)}".encode()
        arguments: Table = {b"x-dead-letter-exchange": Field(ord("S"), exchange.name)}
        kept = self._store.open_queue(exchange.durable)
        bucket = self._add(name, exchange.durable, arguments, kept)
        if exchange.durable:
            definition = QueueDefinition(self._vhost, name, False, arguments, kept)
            bucket.queue.definition = definition
            self._store.declared(definition)
        return bucket

    def _add(self, name: bytes, durable: bool, arguments: Table, kept: QueueStore) -> Bucket:
        options = check_queue(name, self._vhost, durable, False, False, arguments)
        exchange = options.rules.dead_letter_exchange
        assert exchange is not None
        slice_name, _, number = name.rpartition(b".")
        level = int(slice_name.rpartition(b".")[2])
        turn = self._turn if level == 0 else self._still
        queue = Queue(name, durable, False, NOBODY, options, turn, kept)
        queue.graveyard = self
        self._queues[name] = queue
        bucket = Bucket(self, queue, exchange, level, int(number))
        self._by_exchange.setdefault(exchange, {})[_key(level, bucket.number)] = bucket
        at_ms = _opens_ms(bucket.start_ms, level) if level > 0 else bucket.start_ms - AHEAD_MS
        self._turn.timers.set(bucket, at_ms)
        return bucket

    def restore(self, definition: QueueDefinition) -> Queue:
        """Make the bucket of a definition again, empty."""
        queue = self._add(definition.name, True, definition.arguments, definition.kept).queue
        queue.definition = definition
        return queue

    # What goes on

    def look(self, bucket: Bucket, now_ms: i64) -> i64:
        """Begin to move what is in a bucket, or read its pages, and remove it when it is over.

        Returns when to look again.
        """
        if bucket.queue.deleted:
            return 0
        if bucket.level > 0:
            self._open.append(bucket)
            self._turn.dispatch(self._spread)
            return 0
        if bucket.queue.ready_count > 0 or self.limbo.entries or now_ms < bucket.end_ms:
            return now_ms + (1 if bucket.queue.read_ahead(now_ms + AHEAD_MS) else LOOKED_MS)
        self._remove(bucket)
        return 0

    def spread(self) -> bool:
        """Move messages from longer slices to shorter ones; true if some are left."""
        bucket = self._open[0]
        queue = bucket.queue
        if not queue.deleted:
            exchange = self._exchanges.get(bucket.exchange)
            now_ms = self.now_ms()
            self._store.begin()
            for _ in range(MOVED_MAX):
                entry = queue.take(True)
                if entry is None:
                    break
                if exchange is not None:
                    self._move(entry, exchange, now_ms)
            self._store.commit()
        if queue.ready_count == 0:
            del self._open[0]
            self._remove(bucket)
        return bool(self._open)

    def _move(self, entry: Entry, exchange: Exchange, now_ms: i64) -> None:
        """Add a message to the bucket where it is now to be, or route it."""
        had, due_ms = entry.message, entry.expires_at
        if due_ms <= now_ms:
            self._route(had, exchange)
            return
        queue = self._bucket(exchange, due_ms, now_ms)
        message = Message(had.address, had.header, had.body, had.persistent)
        if message.persistent and queue.durable:
            queue.kept.next_expires_at = due_ms
            self._store.append(message, [queue.kept])
            queue.kept.next_expires_at = 0
        queue.take_in(message, due_ms, now_ms)

    def take(self, queue: Queue, entry: Entry, reason: bytes) -> None:
        """Take a message that is due, to be routed at the end of this turn."""
        self.limbo.queues.append(queue)
        self.limbo.entries.append(entry)
        self._turn.dispatch(self._release)

    def release(self) -> bool:
        """Route what is due; true if some is left."""
        limbo = self.limbo
        count = min(len(limbo.entries), MOVED_MAX)
        self._store.begin()
        for index in range(count):
            queue, entry = limbo.queues[index], limbo.entries[index]
            exchange = self._exchanges.get(queue.rules.dead_letter_exchange or b"")
            if exchange is not None and not queue.deleted:
                self._route(entry.message, exchange)
            queue.buried(entry)
        del limbo.queues[:count]
        del limbo.entries[:count]
        self._store.commit()
        return bool(limbo.entries)

    def _route(self, had: Message, exchange: Exchange) -> None:
        """Publish a message that is due."""
        header = due_header(had.header)
        message = Message(had.address, header, had.body, had.persistent)
        routing_keys = copies_of(had.header)
        if routing_keys or exchange.internal:
            routing_keys.insert(0, had.routing_key)
            queues = self._router.resolve(exchange, routing_keys, header)
            keepers: list[Exchange] | None = self._router.keepers
        else:
            route = self._router.remembered(had.address)
            if route is None:
                route = self._router.route(exchange, had.address, had.routing_key, header)
            queues = route.queues
            keepers = route.keepers
        if keepers is not None:
            for keeper in keepers:
                keeper.published(message)
        exchange.counters.publish_out += len(queues)
        if queues:
            self._publisher.publish_by_rules(message, queues, expiration_of(header))

    # What goes away

    def forget(self, exchange: bytes) -> None:
        """Delete the buckets of an exchange that is gone, with all that is in them."""
        for bucket in list(self._by_exchange.get(exchange, {}).values()):
            self._remove(bucket)

    def _remove(self, bucket: Bucket) -> None:
        queue = bucket.queue
        if queue.deleted:
            return
        self._turn.timers.set(bucket, 0)
        del self._queues[queue.name]
        buckets = self._by_exchange[bucket.exchange]
        del buckets[_key(bucket.level, bucket.number)]
        if not buckets:
            del self._by_exchange[bucket.exchange]
        if queue.definition is not None:
            self._store.removed(queue.definition)
        queue.close()

    # For those who look after them

    def count(self, exchange: bytes) -> int:
        """Return how many messages of an exchange wait."""
        return sum([bucket.queue.ready_count for bucket in self._by_exchange.get(exchange, {}).values()])

    def pending(self, exchange: bytes) -> Iterator[DelayedMessage]:
        """Return all that waits, bucket by bucket; what comes and goes meanwhile may be missed."""
        after: DelayedId | None = None
        while True:
            listed = self.listed(exchange, after, LISTED_MAX)
            yield from listed
            if len(listed) < LISTED_MAX:
                return
            after = listed[-1].id

    def listed(self, exchange: bytes, after: DelayedId | None, count_max: int) -> list[DelayedMessage]:
        """Return the first messages that wait, or those that follow `after`.

        Buckets come in order of their time, messages of one bucket in the order in which they came there.
        """
        buckets = sorted(self._by_exchange.get(exchange, {}).values(), key=_place)
        first = (0, 0) if after is None else _place_of(after.bucket)
        listed: list[DelayedMessage] = []
        for bucket in buckets:
            place = _place(bucket)
            if place < first:
                continue
            position = after.position if after is not None and place == first else 0
            for entry in bucket.queue.browse(position, count_max - len(listed)):
                name = DelayedId(bucket.queue.name, int(entry.position))
                listed.append(DelayedMessage(name, int(entry.expires_at), entry.message))
            if len(listed) == count_max:
                break
        return listed

    def cancel(self, name: DelayedId) -> i64:
        """Drop a message that waits.

        Returns the store's sequence that covers that, 0 if it is safe now, `MISSING` if there is none.
        """
        queue = self._queues.get(name.bucket)
        if queue is None or queue.graveyard is not self:
            return MISSING
        self._store.begin()
        is_gone = queue.withdraw(name.position)
        sequence = self._store.commit()
        return sequence if is_gone else MISSING


def level_of(due_ms: i64, now_ms: i64) -> int:
    """Return which slices take a message: the shortest ones of which no more than 16 lie before it.

    Where such a slice has begun to be moved, it is a shorter one.
    """
    level = 0
    top = len(SLICES) - 1
    while level < top and due_ms - now_ms > SLICES[level] * FACTOR:
        level += 1
    while level > 0 and _opens_ms(due_ms // SLICES[level] * SLICES[level], level) <= now_ms:
        level -= 1
    return level


def _opens_ms(start_ms: i64, level: int) -> i64:
    """Return when the messages of a slice are moved to shorter ones: one of those before it begins."""
    return start_ms - SLICES[level - 1]


def _key(level: int, number: i64) -> int:
    return int(number) * FACTOR + level


def _place(bucket: Bucket) -> tuple[int, int]:
    return int(bucket.start_ms), bucket.level


def _place_of(name: bytes) -> tuple[int, int]:
    """Return the place of the bucket with this name, which may be gone."""
    slice_name, _, number = name.rpartition(b".")
    level = int(slice_name.rpartition(b".")[2])
    return int(number) * SLICES[level], level
