"""What is published and delivered is copied to the trace exchange, once, in order, and only while traced."""

import pytest
from tests.fakes import FakeStore, FixedNames, message, settle_down

from supersoniq.amqp.properties import Properties, headers_property, read_properties
from supersoniq.amqp.tables import plain, table_of
from supersoniq.broker.message import Message, address_of
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.tracing import TRACE_EXCHANGE, Origin
from supersoniq.broker.turn import Turn
from supersoniq.broker.vhost import VHost

ORIGIN = Origin("127.0.0.1:1 -> 127.0.0.1:2", 3, "ann")


class Host:
    """A traced virtual host, and a queue for its copies."""

    def __init__(self) -> None:
        self.turn = Turn()
        self.vhost = VHost("v", self.turn, FakeStore(), FixedNames())
        self.tracing = self.vhost.tracing
        self.tracing.node = "n@h"
        self.copies = self.vhost.declare_queue(b"copies", True, False, False, {}, 1)
        self.vhost.bind(TRACE_EXCHANGE, self.copies, b"#", {})
        self.queue = self.vhost.declare_queue(b"q", False, False, False, {}, 1)
        self.tracing.switch(True)

    def traced(self) -> list[Message]:
        settle_down(self.turn)
        found = []
        while (entry := self.copies.take(True)) is not None:
            found.append(entry.message)
        return found


@pytest.fixture
def host() -> Host:
    return Host()


def headers_of(copy: Message) -> dict[str, object]:
    return plain(headers_property(copy.header))


def with_properties(**values: int) -> Message:
    properties = Properties()
    properties.priority = values["priority"]
    properties.change_headers(table_of({"CC": ["r", "s"], "n": 1}))
    return Message(address_of(b"e", b"k"), properties.content_header(4), b"body", True)


def test_publish_is_copied_with_where_it_goes(host: Host) -> None:
    host.tracing.published(with_properties(priority=3), [b"k", b"r"], [host.queue], ORIGIN)
    [copy] = host.traced()
    assert (copy.exchange, copy.routing_key, copy.body) == (TRACE_EXCHANGE, b"publish.e", b"body")
    assert not copy.persistent
    assert read_properties(copy.header).values == {}
    assert headers_of(copy) == {
        "exchange_name": "e", "routing_keys": ["k", "r"], "node": "n@h", "vhost": "v",
        "properties": {"headers": {"CC": ["r", "s"], "n": 1}, "priority": 3},
        "connection": "127.0.0.1:1 -> 127.0.0.1:2", "channel": 3, "user": "ann", "routed_queues": ["q"],
    }  # fmt: skip


def test_delivery_is_copied_with_its_queue_and_all_its_keys(host: Host) -> None:
    host.tracing.delivered(host.queue, with_properties(priority=3), True, ORIGIN)
    host.tracing.delivered(host.queue, message(b"plain"), False, ORIGIN)
    one, other = host.traced()
    assert (one.routing_key, other.routing_key) == (b"deliver.q", b"deliver.q")
    assert headers_of(one)["redelivered"] == 1
    assert headers_of(one)["routing_keys"] == ["k", "r", "s"]
    assert "routed_queues" not in headers_of(one)
    assert headers_of(other)["redelivered"] == 0
    assert headers_of(other)["routing_keys"] == ["q"]


def test_copies_are_not_copied(host: Host) -> None:
    host.tracing.published(message(exchange=TRACE_EXCHANGE), [b"k"], [host.queue], ORIGIN)
    host.tracing.delivered(host.queue, message(exchange=TRACE_EXCHANGE), False, ORIGIN)
    assert host.traced() == []


def test_nothing_is_copied_while_nothing_is_bound(host: Host) -> None:
    host.vhost.unbind(TRACE_EXCHANGE, host.copies, b"#", {}, 1)
    host.tracing.published(message(), [b"q"], [], ORIGIN)
    host.vhost.bind(TRACE_EXCHANGE, host.copies, b"#", {})
    assert host.traced() == []


def test_name_that_leaves_no_room_is_cut(host: Host) -> None:
    queue: Queue = host.vhost.declare_queue(b"x" * 255, False, False, False, {}, 1)
    host.tracing.delivered(queue, message(), False, ORIGIN)
    [copy] = host.traced()
    assert copy.routing_key == b"deliver." + b"x" * 247


def test_route_of_a_traced_virtual_host_does_not_last(host: Host) -> None:
    address = address_of(b"", b"q")
    traced = host.vhost.route(address, b"")
    assert (traced.current, traced.keepers) == (False, [])
    host.tracing.switch(False)
    route = host.vhost.route(address, b"")
    assert (route.current, route.keepers) == (True, None)
    assert host.vhost.route(address, b"") is route
    host.tracing.switch(True)
    assert not route.current
