"""A random load on one virtual host, and what its queues must look like by it."""

from __future__ import annotations

import bisect
from random import Random
from typing import NamedTuple

from tests.fakes import NO_PROPERTIES
from tests.storage.oracle import (
    Bind,
    BindingKey,
    Change,
    Declare,
    DeclareExchange,
    Delete,
    DeleteExchange,
    Found,
    Ledger,
    Picture,
    Publish,
    Return,
    Settle,
    Unbind,
)

from supersoniq.broker.exchanges.base import Exchange
from supersoniq.broker.message import Entry, Message, address_of
from supersoniq.broker.ports import Consumer, Holder, QueueStore
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.turn import Deferred, Turn
from supersoniq.broker.vhost import VHost
from supersoniq.storage.store import DiskStore

QUEUES = {b"d1": True, b"d2": True, b"d3": True, b"d4": True, b"t1": False, b"t2": False}
EXCHANGES = {b"fan": "fanout", b"top": "topic", b"pass": "fanout"}
DURABLE_EXCHANGES = {b"fan", b"top"}
KEYS = [b"", b"a", b"#"]
RECORD_BYTES = 40  # of a message, beside address, header and body
HEADERS = [NO_PROPERTIES, NO_PROPERTIES[:-2] + b"\x10\x00\x02", NO_PROPERTIES[:-2] + b"\x80\x00\x01x"]


class Spoken(NamedTuple):
    """What was published under a number."""

    address: bytes
    header: bytes
    size: int


class Messages:
    """All messages that were ever published, by number; bodies are made when they are needed."""

    def __init__(self) -> None:
        self._spoken: dict[int, Spoken] = {}
        self._last = 0

    def new(self, address: bytes, header: bytes, size: int, persistent: bool) -> tuple[int, Message]:
        """Make a message with a body of about this size."""
        self._last += 1
        self._spoken[self._last] = Spoken(address, header, size)
        return self._last, Message(address, header, _body(self._last, size), persistent)

    def size_of(self, number: int) -> int:
        """Return how many octets a message takes in a file."""
        spoken = self._spoken[number]
        return RECORD_BYTES + len(spoken.address) + len(spoken.header) + len(_body(number, 0)) + spoken.size

    def number_of(self, address: bytes, header: bytes, body: bytes) -> int:
        """Return the number; AssertionError if this was never published."""
        digits = body[:20].partition(b"|")[0]
        assert digits.isdigit(), f"{body[:20]!r} was never published"
        number = int(digits)
        spoken = self._spoken.get(number)
        assert spoken is not None, f"message {number} was never published"
        assert (address, header) == (spoken.address, spoken.header), f"message {number} has another head"
        assert body == _body(number, spoken.size), f"message {number} has another body"
        return number


def _body(number: int, size: int) -> bytes:
    return b"%d|" % number + bytes([number & 255]) * size


class Spot:
    """A message in a queue."""

    __slots__ = ("number", "persistent", "times")

    def __init__(self, number: int, persistent: bool, times: int) -> None:
        self.number = number
        self.persistent = persistent
        self.times = times


class LiveQueue:
    """A queue of the running node: what it must have ready, by position, and what it has handed out."""

    def __init__(self, number: int, queue: Queue) -> None:
        self.number = number
        self.queue = queue
        self.ready: list[int] = []
        self.spots: dict[int, Spot] = {}
        self.consumers: list[LoadConsumer] = []

    def is_kept(self, position: int) -> bool:
        """Whether the message at a position is to survive."""
        return self.queue.durable and self.spots[position].persistent


class LoadConsumer(Consumer):
    """Takes as many as it has room for."""

    def __init__(self, load: Load, live: LiveQueue, no_ack: bool, room: int) -> None:
        super().__init__(b"c", no_ack, False, 0)
        self.live = live
        self.room = room
        self._load = load

    def is_ready(self) -> bool:
        return self.room > 0

    def deliver(self, entry: Entry) -> None:
        self.room -= 1
        self._load.delivered(self.live, entry)

    def deliver_settled(self, message: Message, redelivered: bool) -> None:
        self.room -= 1
        self._load.delivered_settled(self.live, message, redelivered)

    def cancelled(self) -> None:
        self.live.consumers.remove(self)


class _Sending(Deferred):
    """What a session sends at the end of a turn: from then on its client has seen it."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self.spots: list[tuple[int, int]] = []
        self._ledger = ledger

    def run(self) -> bool:
        self._ledger.seen.update(self.spots)
        self.spots.clear()
        return False


class Load(Holder):
    """Does random things to a virtual host and checks what it delivers."""

    def __init__(
        self,
        random: Random,
        vhost: VHost,
        store: DiskStore,
        turn: Turn,
        ledger: Ledger,
        messages: Messages,
        sizes: list[int],
    ) -> None:
        self._random = random
        self._vhost = vhost
        self._store = store
        self._turn = turn
        self._ledger = ledger
        self._messages = messages
        self._sizes = sizes
        self._queues: dict[bytes, LiveQueue] = {}
        self._held: list[tuple[LiveQueue, Entry]] = []
        self._sending = _Sending(ledger)
        vhost.holders[self] = None

    def adopt(self, picture: Picture, found: Found) -> None:
        """Begin with what was recovered."""
        for number, queue in picture.queues.items():
            live = LiveQueue(number, self._vhost.queues[queue.name])
            for place in found.queues[queue.name].places:
                live.ready.append(place.position)
                live.spots[place.position] = Spot(place.number, True, place.times)
            self._queues[queue.name] = live
            assert live.queue.ready_count == len(live.ready)

    def live_bytes(self) -> int:
        """What lives in the durable queues, as it stands in files: bodies, heads and some octets each."""
        durable = [live for live in self._queues.values() if live.queue.durable]
        return sum([self._messages.size_of(spot.number) for live in durable for spot in live.spots.values()])

    def held(self) -> list[tuple[QueueStore, Entry]]:
        return [(live.queue.kept, entry) for live, entry in self._held]

    def _note(self, *changes: Change) -> None:
        self._ledger.note(int(self._store.journal.number), *changes)

    # What the queues deliver

    def delivered(self, live: LiveQueue, entry: Entry) -> None:
        """Check that it is the next one, and hold it."""
        position = int(entry.position)
        spot = self._taken(live, entry.message, position)
        assert entry.delivery_count == spot.times, f"{entry.delivery_count} deliveries, not {spot.times}"
        if live.is_kept(position):
            self._note(Return(live.number, position, 1))
        self._held.append((live, entry))

    def delivered_settled(self, live: LiveQueue, message: Message, redelivered: bool) -> None:
        """Check that it is the next one; it is gone."""
        position = live.ready[0]
        spot = self._taken(live, message, position)
        assert redelivered == (spot.times > 0)
        self._settled(live, position)

    def _taken(self, live: LiveQueue, message: Message, position: int) -> Spot:
        assert live.ready, f"{live.queue.name!r} has nothing and delivers position {position}"
        assert position == live.ready[0], f"position {position} delivered, not {live.ready[0]}"
        spot = live.spots[position]
        del live.ready[0]
        number = self._messages.number_of(message.address, message.header, message.body)
        assert number == spot.number, f"message {number} delivered, not {spot.number}"
        if live.is_kept(position):
            self._ledger.delivered.add((live.number, position))
            self._sending.spots.append((live.number, position))
            self._turn.send(self._sending)
        return spot

    def _settled(self, live: LiveQueue, position: int) -> None:
        if live.is_kept(position) and not live.queue.deleted:
            self._note(Settle(live.number, position))
        del live.spots[position]

    # What clients do

    def step(self) -> None:
        """Do one thing."""
        action = self._random.choice(ACTIONS)
        action(self)

    def publish(self) -> None:
        """Publish one message."""
        random = self._random
        persistent = random.random() < 0.75
        exchange = random.choice([b"", b"", *EXCHANGES])
        key = random.choice(list(QUEUES)) if not exchange else random.choice([b"a", b"b"])
        if exchange and exchange not in self._vhost.exchanges:
            return
        address, header = address_of(exchange, key), random.choice(HEADERS)
        size = random.randint(0, random.choice(self._sizes))
        number, message = self._messages.new(address, header, size, persistent)
        queues = self._vhost.route(address, header).queues
        changes: list[Change] = []
        for queue in queues:
            live = self._queues[queue.name]
            assert live.queue is queue
            position = int(queue.kept.next_position)
            live.ready.append(position)
            live.spots[position] = Spot(number, persistent, 0)
            if live.is_kept(position):
                changes.append(Publish(live.number, position, number))
        self._note(*changes)
        sequence = self._vhost.publish(message, queues)
        assert sequence == (self._store.journal.number if changes else 0)

    def burst(self) -> None:
        """Publish many."""
        for _ in range(self._random.choice([5, 20, 60])):
            self.publish()

    def subscribe(self) -> None:
        """Have one consumer more."""
        if self._queues:
            live = self._random.choice(list(self._queues.values()))
            consumer = LoadConsumer(self, live, self._random.random() < 0.3, self._random.randint(0, 8))
            live.consumers.append(consumer)
            live.queue.subscribe(consumer)

    def unsubscribe(self) -> None:
        """Have one consumer less, with which its queue may go."""
        consumers = [consumer for live in self._queues.values() for consumer in live.consumers]
        if consumers:
            consumer = self._random.choice(consumers)
            live = consumer.live
            live.consumers.remove(consumer)
            if live.queue.auto_delete and not live.consumers:
                self._note_gone(live)
            self._vhost.unsubscribe(live.queue, consumer)

    def take_more(self) -> None:
        """Give the consumers room."""
        for live in self._queues.values():
            for consumer in live.consumers:
                consumer.room += self._random.choice([0, 1, 5, 40])
                live.queue.unpark(consumer)

    def fetch(self) -> None:
        """Basic.Get."""
        if self._queues:
            live = self._random.choice(list(self._queues.values()))
            no_ack = self._random.random() < 0.3
            entry = live.queue.take(no_ack)
            assert (entry is None) == (not live.ready)
            if entry is None:
                return
            if no_ack:
                self.delivered_settled(live, entry.message, entry.redelivered)
            else:
                self.delivered(live, entry)

    def settle(self) -> None:
        """Settle some deliveries."""
        for live, entry in self._some_held():
            live.queue.settle(entry)
            self._settled(live, int(entry.position))

    def requeue(self) -> None:
        """Requeue some deliveries, the latest first."""
        for live, entry in reversed(self._some_held()):
            position = int(entry.position)
            live.queue.requeue(entry)
            if live.queue.deleted:
                del live.spots[position]
                continue
            spot = live.spots[position]
            spot.times += 1
            assert entry.delivery_count == spot.times
            bisect.insort(live.ready, position)
            if live.is_kept(position):
                self._note(Return(live.number, position, spot.times))

    def _some_held(self) -> list[tuple[LiveQueue, Entry]]:
        """Take out one, some or all of what is held."""
        count = len(self._held)
        if not count:
            return []
        style = self._random.randrange(4)
        if style == 0:
            taken, self._held = self._held, []
        elif style == 1:
            at = self._random.randrange(count) + 1
            taken, self._held = self._held[:at], self._held[at:]
        else:
            taken = [self._held.pop(self._random.randrange(count))]
        return taken

    def purge(self) -> None:
        """Purge a queue."""
        if self._queues:
            live = self._random.choice(list(self._queues.values()))
            count = live.queue.purge()
            assert count == len(live.ready)
            for position in live.ready:
                self._settled(live, position)
            live.ready.clear()

    def declare(self) -> None:
        """Declare a queue that may be there."""
        name = self._random.choice(list(QUEUES))
        had = self._vhost.queues.get(name)
        auto_delete = name == b"d4"
        number = int(self._store.next_queue)
        queue = self._vhost.declare_queue(name, QUEUES[name], False, auto_delete, {}, 0)
        assert had is None or queue is had
        if had is None:
            self._queues[name] = LiveQueue(number, queue)
            if queue.durable:
                self._note(Declare(number, name, auto_delete))

    def delete(self) -> None:
        """Delete a queue."""
        if self._queues:
            live = self._random.choice(list(self._queues.values()))
            self._note_gone(live)
            count = self._vhost.delete_queue(live.queue, False, False)
            assert count == len(live.ready)

    def _note_gone(self, live: LiveQueue) -> None:
        """Note that a queue is about to go, with its bindings."""
        del self._queues[live.queue.name]
        for binding in live.queue.inbound:
            self._note_unbound((binding.source.name, live.queue.name, False, binding.binding_key))
        if live.queue.durable:
            self._note(Delete(live.number))

    def _note_unbound(self, key: BindingKey) -> None:
        destination = key[1] in DURABLE_EXCHANGES if key[2] else QUEUES[key[1]]
        if key[0] in DURABLE_EXCHANGES and destination:
            self._note(Unbind(key))

    def declare_exchange(self) -> None:
        """Declare an exchange that may be there."""
        name = self._random.choice(list(EXCHANGES))
        is_new = name not in self._vhost.exchanges
        durable = name in DURABLE_EXCHANGES
        self._vhost.declare_exchange(name, EXCHANGES[name], durable, False, False, {})
        if is_new and durable:
            self._note(DeclareExchange(name, EXCHANGES[name]))

    def delete_exchange(self) -> None:
        """Delete an exchange that may be missing."""
        name = self._random.choice(list(EXCHANGES))
        exchange = self._vhost.exchanges.get(name)
        if exchange is None:
            return
        for binding in [*exchange.bindings.values(), *exchange.inbound]:
            end = binding.destination
            key = (binding.source.name, end.name, isinstance(end, Exchange), binding.binding_key)
            self._note_unbound(key)
        self._vhost.delete_exchange(name, False)
        if name in DURABLE_EXCHANGES:
            self._note(DeleteExchange(name))

    def bind(self) -> None:
        """Bind anew or again."""
        source, destination, key = self._ends()
        if source is None or destination is None:
            return
        known = len(source.bindings)
        self._vhost.bind(source.name, destination, key, {})
        if len(source.bindings) > known and source.durable and destination.durable:
            self._note(Bind((source.name, destination.name, isinstance(destination, Exchange), key)))

    def unbind(self) -> None:
        """Unbind what may not be bound."""
        source, destination, key = self._ends()
        if source is None or destination is None:
            return
        known = len(source.bindings)
        self._vhost.unbind(source.name, destination, key, {}, 0)
        if len(source.bindings) < known:
            self._note_unbound((source.name, destination.name, isinstance(destination, Exchange), key))

    def _ends(self) -> tuple[Exchange | None, Queue | Exchange | None, bytes]:
        source = self._vhost.exchanges.get(self._random.choice(list(EXCHANGES)))
        name = self._random.choice([*QUEUES, *QUEUES, *EXCHANGES])
        destination = self._vhost.exchanges.get(name) if name in EXCHANGES else self._vhost.queues.get(name)
        return source, destination, self._random.choice(KEYS)

    def transact(self) -> None:
        """Commit a transaction."""
        self._store.begin()
        self._ledger.begin()
        for _ in range(self._random.randint(1, 6)):
            self._random.choice([self.publish, self.publish, self.settle, self.requeue])()
        self._ledger.commit(int(self._store.journal.number))
        self._store.commit()

    def end_turn(self) -> None:
        """Let the event loop go on."""
        self._turn.finish()


ACTIONS = [
    *[Load.publish] * 20,
    *[Load.end_turn] * 20,
    *[Load.settle] * 10,
    *[Load.take_more] * 6,
    *[Load.fetch, Load.transact] * 4,
    *[Load.burst, Load.requeue, Load.subscribe, Load.declare, Load.bind] * 3,
    *[Load.unsubscribe, Load.purge, Load.declare_exchange, Load.delete, Load.unbind, Load.delete_exchange],
]
