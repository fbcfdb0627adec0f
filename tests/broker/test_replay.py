"""What an exchange keeps is delivered to what is newly bound to it."""

import pytest
from tests.conformance import codec
from tests.fakes import FakeClock, FakeStore, FixedNames, settle_down

from supersoniq.amqp.tables import table_of
from supersoniq.broker.exchanges.base import Exchange
from supersoniq.broker.message import Message, address_of
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.turn import Turn
from supersoniq.broker.vhost import VHost

PLAIN: dict[str, object] = {}


class Host:
    """A virtual host with the recent history exchange `e`, and time that a test moves."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.turn = Turn(self.clock)
        self.store = FakeStore()
        self.vhost = VHost("/", self.turn, self.store, FixedNames())
        self.exchange()

    def exchange(self, name: bytes = b"e", kind: str = "x-recent-history", durable: bool = False) -> Exchange:
        return self.vhost.declare_exchange(name, kind, durable, False, False, {})

    def queue(self, name: bytes = b"q", durable: bool = False, **arguments: object) -> Queue:
        table = table_of({key.replace("_", "-"): value for key, value in arguments.items()})
        return self.vhost.declare_queue(name, durable, False, False, table, 1)

    def publish(self, *bodies: bytes, properties: dict[str, object] = PLAIN, key: bytes = b"k") -> None:
        """What a session does with messages for the exchange."""
        header = b"\x00\x3c\x00\x00" + bytes(8) + codec.encode_properties(properties)
        for body in bodies:
            route = self.vhost.route(address_of(b"e", key), header)
            message = Message(address_of(b"e", key), header, body, properties.get("delivery_mode") == 2)
            for keeper in route.keepers or []:
                keeper.published(message)
            if route.queues:
                self.vhost.publish_by_rules(message, route.queues, -1)

    def bind(self, queue: Queue | Exchange, key: bytes = b"", source: bytes = b"e") -> None:
        self.vhost.bind(source, queue, key, {})


@pytest.fixture
def host() -> Host:
    return Host()


def bodies(queue: Queue) -> list[bytes]:
    return [entry.message.body for entry in queue.in_memory()]


def kept(exchange: Exchange) -> list[bytes]:
    return [message.body for message in exchange.kept()]


def test_newly_bound_queue_gets_what_is_kept_then_what_comes(host: Host) -> None:
    host.publish(b"1", b"2")
    queue = host.queue()
    host.bind(queue)
    host.publish(b"3")
    assert bodies(queue) == [b"1", b"2", b"3"]


def test_queue_gets_it_once_more_for_another_binding_but_not_for_an_equal_one(host: Host) -> None:
    host.publish(b"1")
    queue = host.queue()
    for key in (b"one", b"one", b"other"):
        host.bind(queue, key)
    assert bodies(queue) == [b"1", b"1"]


def test_message_keeps_its_address(host: Host) -> None:
    host.publish(b"1", key=b"news")
    queue = host.queue()
    host.bind(queue)
    (entry,) = queue.in_memory()
    assert (entry.message.exchange, entry.message.routing_key) == (b"e", b"news")


def test_store_takes_the_message_again_for_each_durable_queue(host: Host) -> None:
    first, second = host.queue(b"first", durable=True), host.queue(b"second", durable=True)
    host.bind(first)
    host.publish(b"1", properties={"delivery_mode": 2})
    (stored,) = [message for message, _ in host.store.appended]
    host.vhost.take_sequence()
    host.bind(second)
    messages = [message for message, _ in host.store.appended]
    assert [message.body for message in messages] == [b"1", b"1"]
    assert messages[1] is not stored
    assert host.vhost.take_sequence() == host.store.sequence == messages[1].stored


def test_nothing_is_stored_for_a_transient_queue(host: Host) -> None:
    host.publish(b"1", properties={"delivery_mode": 2})
    queue = host.queue()
    host.bind(queue)
    assert bodies(queue) == [b"1"]
    assert host.store.appended == []


def test_binding_stays_covered_when_its_messages_need_no_store(host: Host) -> None:
    host.publish(b"1")
    host.exchange(b"durable", durable=True)
    host.bind(host.vhost.exchange(b"durable"))
    host.vhost.take_sequence()
    host.bind(host.queue(durable=True), source=b"durable")
    assert host.vhost.take_sequence() == host.store.sequence > 0


def test_messages_begin_to_expire_anew(host: Host) -> None:
    host.publish(b"1", properties={"expiration": "50"})
    host.clock.move(host.turn, 1_000)
    queue = host.queue()
    host.bind(queue)
    assert bodies(queue) == [b"1"]
    host.clock.move(host.turn, 100)
    settle_down(host.turn)
    assert bodies(queue) == []


def test_queue_takes_no_more_than_its_rules_allow(host: Host) -> None:
    host.publish(b"1", b"2", b"3")
    queue = host.queue(x_max_length=2)
    host.bind(queue)
    settle_down(host.turn)
    assert bodies(queue) == [b"2", b"3"]


def test_newly_bound_exchange_routes_what_is_kept(host: Host) -> None:
    direct = host.exchange(b"direct", "direct")
    queue = host.queue()
    host.bind(queue, b"k", b"direct")
    host.publish(b"1")
    host.publish(b"2", key=b"other")
    host.bind(direct)
    assert bodies(queue) == [b"1"]


def test_newly_bound_exchange_keeps_what_is_kept(host: Host) -> None:
    host.publish(b"1")
    other = host.exchange(b"other")
    host.bind(other)
    assert kept(other) == [b"1"]


def test_cycle_of_exchanges_keeps_a_message_once(host: Host) -> None:
    host.publish(b"1")
    other = host.exchange(b"other")
    host.bind(host.vhost.exchange(b"e"), source=b"other")
    host.bind(other)
    assert kept(host.vhost.exchange(b"e")) == [b"1"]
    assert kept(other) == [b"1"]
