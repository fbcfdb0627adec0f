"""Queues that nobody uses go in time, and those that somebody uses stay."""

from tests.fakes import FakeClock, FakeConsumer, FakeQueueStore, FakeStore, FixedNames, queue_of

from supersoniq.amqp.tables import table_of
from supersoniq.broker.definitions import QueueDefinition
from supersoniq.broker.disuse import Disuses, Remover
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.turn import Turn
from supersoniq.broker.vhost import VHost

EXPIRES_MS = 1_000


class Graves(Remover):
    """Notes what is removed and when."""

    def __init__(self, clock: FakeClock) -> None:
        self.removed: list[tuple[bytes, int]] = []
        self._clock = clock

    def remove_unused(self, queue: Queue) -> None:
        self.removed.append((queue.name, self._clock.now))
        queue.close()


class Desk:
    """Disuses with a clock that begins at 10,000."""

    def __init__(self) -> None:
        self.clock = FakeClock(10_000)
        self.turn = Turn(self.clock)
        self.graves = Graves(self.clock)
        self.disuses = Disuses(self.graves, self.turn.timers)

    def queue(self, name: bytes = b"q", expires_ms: int | None = EXPIRES_MS) -> Queue:
        arguments = {} if expires_ms is None else table_of({"x-expires": expires_ms})
        queue = queue_of(self.turn, FakeQueueStore(), name, arguments=arguments)
        self.disuses.used(queue)
        return queue

    def move(self, milliseconds: int) -> None:
        self.clock.move(self.turn, milliseconds)


def test_queue_goes_when_its_time_is_over() -> None:
    desk = Desk()
    desk.queue()
    desk.move(EXPIRES_MS - 1)
    assert desk.graves.removed == []
    desk.move(1)
    assert desk.graves.removed == [(b"q", 11_000)]


def test_queue_without_a_time_stays() -> None:
    desk = Desk()
    desk.queue(expires_ms=None)
    assert desk.clock.wanted == 0
    desk.move(10_000_000)
    assert desk.graves.removed == []


def test_each_use_begins_anew() -> None:
    desk = Desk()
    queue = desk.queue()
    for _ in range(10):
        desk.move(EXPIRES_MS - 1)
        desk.disuses.used(queue)
    assert desk.graves.removed == []
    desk.move(EXPIRES_MS)
    assert desk.graves.removed == [(b"q", 10_000 + 10 * (EXPIRES_MS - 1) + EXPIRES_MS)]


def test_consumer_is_a_use_for_as_long_as_it_is_there() -> None:
    desk = Desk()
    queue, consumer = desk.queue(), FakeConsumer()
    queue.subscribe(consumer)
    desk.move(10 * EXPIRES_MS + 300)
    queue.unsubscribe(consumer)
    desk.disuses.used(queue)
    desk.move(EXPIRES_MS - 1)
    assert desk.graves.removed == []
    desk.move(1)
    assert [name for name, _ in desk.graves.removed] == [b"q"]


def test_queues_go_each_in_its_time() -> None:
    desk = Desk()
    for name, expires_ms in ((b"c", 300), (b"a", 100), (b"b", 200)):
        desk.queue(name, expires_ms)
    desk.move(250)
    assert desk.graves.removed == [(b"a", 10_100), (b"b", 10_200)]


def test_queue_that_was_deleted_is_not_removed_again() -> None:
    desk = Desk()
    deleted, forgotten = desk.queue(b"deleted"), desk.queue(b"forgotten")
    deleted.close()
    forgotten.close()
    desk.disuses.forget(forgotten)
    desk.move(10 * EXPIRES_MS)
    assert desk.graves.removed == []
    assert desk.clock.wanted == 0


class Host:
    """A virtual host with a clock."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.turn = Turn(self.clock)
        self.store = FakeStore(is_prompt=True)
        self.vhost = VHost("/", self.turn, self.store, FixedNames())

    def declare(self, **arguments: object) -> Queue:
        return self.vhost.declare_queue(b"q", True, False, False, table_of({"x-expires": EXPIRES_MS}), 0)


def test_host_deletes_the_queue_and_the_store_forgets_it() -> None:
    host = Host()
    queue = host.declare()
    host.clock.move(host.turn, EXPIRES_MS)
    assert host.vhost.queues == {}
    assert queue.deleted
    assert host.store.log[-2:] == ["removed queue q", "deleted"]


def test_declaring_it_again_and_cancelling_are_uses() -> None:
    host = Host()
    queue, consumer = host.declare(), FakeConsumer()
    host.clock.move(host.turn, EXPIRES_MS - 1)
    assert host.declare() is queue
    host.clock.move(host.turn, EXPIRES_MS - 1)
    queue.subscribe(consumer)
    host.clock.move(host.turn, 5 * EXPIRES_MS)
    host.vhost.unsubscribe(queue, consumer)
    host.clock.move(host.turn, EXPIRES_MS - 1)
    assert host.vhost.queues == {b"q": queue}
    host.clock.move(host.turn, 1)
    assert host.vhost.queues == {}


def test_queue_of_the_same_name_has_a_time_of_its_own() -> None:
    host = Host()
    host.vhost.delete_queue(host.declare(), False, False)
    host.clock.move(host.turn, EXPIRES_MS // 2)
    queue = host.declare()
    host.clock.move(host.turn, EXPIRES_MS - 1)
    assert host.vhost.queues == {b"q": queue}
    host.clock.move(host.turn, 1)
    assert host.vhost.queues == {}


def test_recovered_queue_has_all_its_time_again() -> None:
    host = Host()
    arguments = table_of({"x-expires": EXPIRES_MS})
    host.vhost.restore_queue(QueueDefinition("/", b"q", False, arguments, FakeQueueStore()))
    host.clock.move(host.turn, EXPIRES_MS - 1)
    assert list(host.vhost.queues) == [b"q"]
