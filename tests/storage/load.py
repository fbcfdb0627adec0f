"""A random load on one virtual host, and what its queues must look like by it."""

from __future__ import annotations

from random import Random

from tests.fakes import FakeClock
from tests.storage.expectations import Expectations
from tests.storage.letters import Letters
from tests.storage.live_queue import LiveConsumer, LiveQueue
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
    Return,
    Set,
    Unbind,
)
from tests.storage.plans import QUEUES, Plan
from tests.storage.spoken import HEADERS, Messages, header_of

from supersoniq.broker.definitions import Setting
from supersoniq.broker.exchanges.base import Exchange
from supersoniq.broker.message import Entry, Message, address_of
from supersoniq.broker.ports import Holder, QueueStore
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.turn import Deferred, Turn
from supersoniq.broker.vhost import VHost
from supersoniq.storage.store import DiskStore

EXCHANGES = {b"fan": "fanout", b"top": "topic", b"pass": "fanout"}
DURABLE_EXCHANGES = {b"fan", b"top"}
SETTINGS = [("user", "", "a"), ("user", "", "b"), ("policy", "/", "a")]
KEYS = [b"", b"a", b"#"]
PRIORITIES = [0, 0, 1, 2, 5, 200]
EXPIRATIONS_MS = [*[None] * 6, 0, 20, 500, 20_000]


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
        clock: FakeClock,
        ledger: Ledger,
        messages: Messages,
        sizes: list[int],
        plans: dict[bytes, Plan],
    ) -> None:
        self._random = random
        self._vhost = vhost
        self._store = store
        self._turn = turn
        self._clock = clock
        self._ledger = ledger
        self._messages = messages
        self._sizes = sizes
        self._plans = plans
        self._expected = Expectations(store, clock, ledger, messages)
        self._held: list[tuple[LiveQueue, Entry]] = []
        self._sending = _Sending(ledger)
        self._letters = Letters(vhost, turn, clock, ledger, messages, self._expected)
        vhost.holders[self] = None

    def adopt(self, picture: Picture, found: Found) -> None:
        """Begin with what was recovered; what is beyond limits by now is dropped first."""
        for number, queue in picture.queues.items():
            live = self._new_live(number, self._vhost.queues[queue.name])
            for place in found.queues[queue.name].places:
                live.spots[place.position] = self._expected.new_spot(
                    live, place.number, True, place.expires_at
                )
                live.spots[place.position].times = place.times
                live.add(place.position)
            live.check()
        for live in self._queues.values():
            self._expected.shorten(live)
            live.queue.apply(live.queue.rules)
            live.check()

    def _new_live(self, number: int, queue: Queue) -> LiveQueue:
        live = LiveQueue(number, queue, self._plans[queue.name], self._clock)
        self._letters.watch(live)
        self._queues[queue.name] = live
        return live

    @property
    def _queues(self) -> dict[bytes, LiveQueue]:
        return self._expected.queues

    def catch_up(self) -> None:
        """Check that all queues have what they must have."""
        self._expected.catch_up()

    def live_bytes(self) -> int:
        """What lives in the durable queues, as it stands in files: bodies, heads and some octets each."""
        durable = [live for live in self._queues.values() if live.queue.durable]
        return sum([self._messages.size_of(spot.number) for live in durable for spot in live.spots.values()])

    def held(self) -> list[tuple[QueueStore, Entry]]:
        return [(live.queue.kept, entry) for live, entry in self._held]

    # What the queues deliver

    def delivered(self, live: LiveQueue, entry: Entry) -> None:
        """Check that it is the next one, and hold it."""
        position, _ = self._next(live)
        assert int(entry.position) == position, f"position {entry.position} delivered, not {position}"
        message = entry.message
        self._check_delivered(live, position, message.address, message.header, message.body)
        spot = live.spots[position]
        times, expires_at = int(entry.delivery_count), int(entry.expires_at)
        assert (times, expires_at) == (spot.times, spot.expires_at), f"{times} times until {expires_at}"
        if live.is_kept(position):
            self._expected.note(Return(live.number, position, 1))
        self._held.append((live, entry))

    def delivered_settled(self, live: LiveQueue, message: Message, redelivered: bool) -> None:
        """Check that it is the next one; it is gone."""
        position, group = self._next(live)
        spot = live.spots[position]
        # A queue that counts deliveries adds the count to the header.
        is_counted = live.plan.delivery_limit is not None and spot.times > 0
        header = self._messages[spot.number].header if is_counted else message.header
        self._check_delivered(live, position, message.address, header, message.body)
        assert redelivered == (spot.times > 0)
        self._expected.settled(live, position, group)

    def _next(self, live: LiveQueue) -> tuple[int, list[Change] | None]:
        """Return the position that is to be delivered now, and the changes that come with that."""
        if live.promised:
            return live.promised.popleft()
        assert live.count, f"{live.queue.name!r} has nothing and delivers something"
        if not live.plan.has_dead_letters:
            self._expected.drop_late(live)
        position = live.first
        assert not live.is_late(position)
        live.remove(position)
        return position, None

    def _check_delivered(
        self, live: LiveQueue, position: int, address: bytes, header: bytes, body: bytes
    ) -> None:
        number = self._messages.number_of(address, header, body)
        expected = live.spots[position].number
        assert number == expected, f"message {number} delivered, not {expected}"
        if live.is_kept(position):
            self._ledger.delivered.add((live.number, position))
            self._sending.spots.append((live.number, position))
            self._turn.send(self._sending)

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
        priority, expiration_ms, header = 0, None, random.choice(HEADERS)
        if random.random() < 0.5:
            priority, expiration_ms = random.choice(PRIORITIES), random.choice(EXPIRATIONS_MS)
            header = header_of(priority, expiration_ms)
        address = address_of(exchange, key)
        size = random.randint(0, random.choice(self._sizes))
        number, message = self._messages.new(address, header, priority, size, persistent)
        route = self._vhost.route(address, header)
        expected = self._expected.expect(number, persistent, route.queues, expiration_ms, None)
        if route.is_plain and expiration_ms is None:
            sequence = self._vhost.publish(message, route.queues)
        else:
            wish = -1 if expiration_ms is None else expiration_ms
            sequence = self._vhost.publish_by_rules(message, route.queues, wish)
        assert sequence == expected

    def burst(self) -> None:
        """Publish many."""
        for _ in range(self._random.choice([5, 20, 60])):
            self.publish()

    def subscribe(self) -> None:
        """Have one consumer more."""
        if self._queues:
            live = self._random.choice(list(self._queues.values()))
            consumer = LiveConsumer(self, live, self._random.random() < 0.3, self._random.randint(0, 8))
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
            self._expected.drop_late(live)
            entry = live.queue.take(no_ack)
            assert (entry is None) == (live.count == 0)
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
            self._expected.settled(live, int(entry.position))

    def reject(self) -> None:
        """Reject some deliveries for good."""
        for live, entry in self._some_held():
            position = int(entry.position)
            if live.queue.deleted:
                del live.spots[position]
            else:
                self._expected.drop(live, position, b"rejected")
            live.queue.reject(entry)

    def drop_much(self) -> None:
        """Reject all there is, and more."""
        for _ in range(10):
            self.fetch()
        while self._held:
            self.reject()

    def requeue(self) -> None:
        """Requeue some deliveries, the latest first."""
        for live, entry in reversed(self._some_held()):
            self._expected.back(live, int(entry.position))
            live.queue.requeue(entry)

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
            assert count == live.count
            for position in live.positions():
                self._expected.settled(live, position)
            live.clear()

    def declare(self) -> None:
        """Declare a queue that may be there."""
        name = self._random.choice(list(QUEUES))
        had = self._vhost.queues.get(name)
        plan = self._plans[name]
        number = int(self._store.next_queue)
        queue = self._vhost.declare_queue(name, plan.durable, False, plan.auto_delete, plan.arguments(), 0)
        assert had is None or queue is had
        if had is None:
            self._new_live(number, queue)
            if queue.durable:
                self._expected.note(Declare(number, name, plan.auto_delete))

    def delete(self) -> None:
        """Delete a queue."""
        if self._queues:
            live = self._random.choice(list(self._queues.values()))
            self._note_gone(live)
            count = self._vhost.delete_queue(live.queue, False, False)
            assert count == live.count

    def _note_gone(self, live: LiveQueue) -> None:
        """Note that a queue is about to go, with its bindings."""
        del self._queues[live.queue.name]
        for binding in live.queue.inbound:
            self._note_unbound((binding.source.name, live.queue.name, False, binding.binding_key))
        if live.queue.durable:
            self._expected.note(Delete(live.number))

    def _note_unbound(self, key: BindingKey) -> None:
        destination = key[1] in DURABLE_EXCHANGES if key[2] else QUEUES[key[1]]
        if key[0] in DURABLE_EXCHANGES and destination:
            self._expected.note(Unbind(key))

    def declare_exchange(self) -> None:
        """Declare an exchange that may be there."""
        name = self._random.choice(list(EXCHANGES))
        is_new = name not in self._vhost.exchanges
        durable = name in DURABLE_EXCHANGES
        self._vhost.declare_exchange(name, EXCHANGES[name], durable, False, False, {})
        if is_new and durable:
            self._expected.note(DeclareExchange(name, EXCHANGES[name]))

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
            self._expected.note(DeleteExchange(name))

    def bind(self) -> None:
        """Bind anew or again."""
        source, destination, key = self._ends()
        if source is None or destination is None:
            return
        known = len(source.bindings)
        self._vhost.bind(source.name, destination, key, {})
        if len(source.bindings) > known and source.durable and destination.durable:
            self._expected.note(Bind((source.name, destination.name, isinstance(destination, Exchange), key)))

    def unbind(self) -> None:
        """Unbind what may not be bound."""
        source, destination, key = self._ends()
        if source is None or destination is None:
            return
        known = len(source.bindings)
        self._vhost.unbind(source.name, destination, key, {}, 0)
        if len(source.bindings) < known:
            self._note_unbound((source.name, destination.name, isinstance(destination, Exchange), key))

    def set(self) -> None:
        """Set something, whether it is set already or not."""
        key = self._random.choice(SETTINGS)
        value = b"%d" % self._random.randrange(1_000) * self._random.choice([1, 10, 200])
        self._store.declared(Setting(*key, value))
        self._expected.note(Set(key, value))

    def unset(self) -> None:
        """Remove a setting that may be missing."""
        key = self._random.choice(SETTINGS)
        if key in {setting.key for setting in self._store.settings()}:
            self._expected.note(Set(key, None))
        self._store.removed(Setting(*key, b""))

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
            self._random.choice(
                [self.publish, self.publish, self.settle, self.reject, self.requeue, self.set]
            )()
        self._ledger.commit(int(self._store.journal.number))
        self._store.commit()

    def end_turn(self) -> None:
        """Let the event loop go on."""
        self._turn.finish()
        self._expected.catch_up()

    def wait(self) -> None:
        """Let time go by; as a rule what is due is done then."""
        self._clock.now += self._random.choice([1, 20, 500, 20_000])
        if self._random.random() < 0.2:
            return
        while 0 < self._clock.wanted <= self._clock.now:
            self._turn.timers.run()
        self._expected.all_late_gone()


ACTIONS = [
    *[Load.publish] * 20,
    *[Load.end_turn] * 20,
    *[Load.settle] * 10,
    *[Load.take_more] * 6,
    *[Load.fetch, Load.transact] * 4,
    *[Load.reject, Load.requeue] * 6,
    *[Load.wait, Load.burst, Load.subscribe, Load.declare, Load.bind] * 3,
    *[Load.set, Load.unset] * 2,
    *[Load.unsubscribe, Load.purge, Load.declare_exchange, Load.delete, Load.unbind, Load.delete_exchange],
]
