"""Events become messages as RabbitMQ's, for whoever is bound; while nobody is there are none."""

from tests.fakes import FakeClock, FakeStore, FixedNames, settle_down

from supersoniq.amqp.properties import headers_property, read_properties
from supersoniq.amqp.tables import Field, plain, table_of
from supersoniq.broker.event_exchange import EVENT_EXCHANGE, EventExchange, event_headers
from supersoniq.broker.message import Message
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.turn import Turn
from supersoniq.broker.vhost import VHost


class Host:
    """A virtual host that has the exchange, as the only one of its node."""

    def __init__(self) -> None:
        self.turn = Turn(FakeClock(1_700_000_000_123))
        self.store = FakeStore(is_prompt=True)
        self.vhost = VHost("/", self.turn, self.store, FixedNames())
        self.vhost.predeclare(EVENT_EXCHANGE, "topic", True)
        self.vhosts = {"/": self.vhost}
        self.events = EventExchange(self.vhosts, "/", self.turn)

    def bound(self, key: bytes = b"#", durable: bool = False, name: bytes = b"q") -> Queue:
        queue = self.vhost.declare_queue(name, durable, False, False, {}, 1)
        self.vhost.bind(EVENT_EXCHANGE, queue, key, {})
        return queue


def messages(queue: Queue) -> list[Message]:
    found = []
    while (entry := queue.take(True)) is not None:
        found.append(entry.message)
    return found


def test_message_has_key_and_headers_and_no_body() -> None:
    host = Host()
    queue = host.bound()
    host.events.emit("vhost.created", {"name": "v", "tracing": False, "count": 3})
    settle_down(host.turn)
    [message] = messages(queue)
    assert (message.exchange, message.routing_key, message.body) == (EVENT_EXCHANGE, b"vhost.created", b"")
    properties = read_properties(message.header)
    assert (properties.delivery_mode, properties.timestamp) == (2, 1_700_000_000)
    headers = headers_property(message.header)
    assert plain(headers) == {
        "name": "v", "tracing": False, "count": 3, "timestamp_in_ms": 1_700_000_000_123,
    }  # fmt: skip
    assert (headers[b"count"].kind, headers[b"timestamp_in_ms"].kind) == (ord("l"), ord("l"))


def test_durable_queue_keeps_it() -> None:
    host = Host()
    host.bound(durable=True)
    host.events.emit("vhost.created", {})
    settle_down(host.turn)
    assert [message.routing_key for message, _ in host.store.appended] == [b"vhost.created"]


def test_events_come_at_the_end_of_the_turn_in_order() -> None:
    host = Host()
    queue = host.bound()
    for name in ("a", "b", "c"):
        host.events.emit(name, {})
    assert queue.ready_count == 0
    settle_down(host.turn)
    assert [message.routing_key for message in messages(queue)] == [b"a", b"b", b"c"]


def test_only_what_is_bound_hears() -> None:
    host = Host()
    assert not host.events.is_heard()
    queue = host.bound(b"queue.*")
    assert host.events.is_heard()
    host.events.emit("queue.created", {})
    host.events.emit("user.created", {})
    settle_down(host.turn)
    assert [message.routing_key for message in messages(queue)] == [b"queue.created"]
    host.vhost.delete_queue(queue, False, False)
    assert not host.events.is_heard()


def test_what_nobody_is_bound_for_is_not_unroutable() -> None:
    host = Host()
    keeper = host.vhost.declare_queue(b"lost", False, False, False, {}, 1)
    host.vhost.router.unroutable = b"lost"
    host.bound(b"queue.*")
    host.events.emit("user.created", {})
    settle_down(host.turn)
    assert keeper.ready_count == 0


def test_events_of_our_own_are_not_published() -> None:
    host = Host()
    queue = host.bound()
    host.events.emit("supersoniq.refused", {})
    settle_down(host.turn)
    assert queue.ready_count == 0


def test_node_without_the_virtual_host_has_no_exchange() -> None:
    host = Host()
    host.bound()
    host.events.emit("vhost.deleted", {})
    del host.vhosts["/"]
    assert not host.events.is_heard()
    settle_down(host.turn)


def test_queue_that_refuses_harms_nobody() -> None:
    host = Host()
    arguments = table_of({"x-max-length": 1, "x-overflow": "reject-publish"})
    full = host.vhost.declare_queue(b"full", False, False, False, arguments, 1)
    host.vhost.bind(EVENT_EXCHANGE, full, b"#", {})
    other = host.bound()
    for _ in range(3):
        host.events.emit("a", {})
    settle_down(host.turn)
    assert (full.ready_count, other.ready_count) == (1, 3)


def test_headers_are_written_as_rabbitmq_does() -> None:
    headers = event_headers(
        {
            "peer_host": "127.0.0.1", "protocol": "AMQP 0-9-1", "other": "127.0.0.1", "left_out": None,
            "arguments": table_of({"x-max-length": 5}), "nothing": {}, "tags": ["a", "b"],
            "definition": {"max-length": 5, "nested": {"x": [1]}}, "name": b"\xff", "f": 1.5, "error": "no",
        }
    )  # fmt: skip
    assert headers[b"name"].equals(Field(ord("S"), b"\xff"))
    headers.pop(b"name")
    assert plain(headers) == {
        "peer_host": "{127,0,0,1}", "protocol": "{0,9,1}", "other": "127.0.0.1",
        "arguments": ['{<<"x-max-length">>,signedint,5}'], "nothing": [], "tags": ["a", "b"],
        "definition": {"max-length": 5, "nested": {"x": [1]}}, "f": 1.5, "error": [110, 111],
    }  # fmt: skip
