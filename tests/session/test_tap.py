"""While a virtual host is traced each publish and delivery is seen once, and only then."""

import pytest
from tests.conformance.codec import Basic, Confirm, Tx
from tests.session.script import ChannelScript, Node

from supersoniq.amqp.properties import headers_property
from supersoniq.amqp.tables import plain, table_of
from supersoniq.broker.tracing import TRACE_EXCHANGE

DELAYED = table_of({"x-delayed-type": "fanout"})


class Traced:
    """A node whose virtual host is traced, and a queue for the copies."""

    def __init__(self) -> None:
        self.node = Node()
        self.copies = self.node.queue(b"copies")
        self.node.queue()
        self.node.vhost.bind(TRACE_EXCHANGE, self.copies, b"#", {})
        self.node.vhost.tracing.switch(True)
        self.channel: ChannelScript = self.node.channel()

    def headers(self) -> list[dict[str, object]]:
        """The headers of all copies since the last time, with their keys."""
        self.node.end_turn()
        found: list[dict[str, object]] = []
        while (entry := self.copies.take(True)) is not None:
            headers = plain(headers_property(entry.message.header))
            found.append({"key": entry.message.routing_key, "body": entry.message.body, **headers})
        return found

    def keys(self) -> list[tuple[object, object]]:
        return [(each["key"], each["body"]) for each in self.headers()]


@pytest.fixture
def traced() -> Traced:
    return Traced()


def test_publish_and_delivery_are_seen_with_who_it_was(traced: Traced) -> None:
    traced.channel.consume().publish(b"a")
    published, delivered = traced.headers()
    path = traced.channel.client.session.client.path
    assert (published["key"], delivered["key"]) == (b"publish.", b"deliver.q")
    for each in (published, delivered):
        assert (each["connection"], each["channel"], each["user"]) == (path, 1, "guest")
    assert published["routed_queues"] == ["q"]
    assert delivered["redelivered"] == 0


def test_every_message_is_seen_in_order(traced: Traced) -> None:
    bodies = [b"%d" % number for number in range(200)]
    traced.channel >> Confirm.select() << Confirm.select_ok()
    traced.channel.publish(*bodies)
    assert traced.keys() == [(b"publish.", body) for body in bodies]
    assert [entry.message.body for entry in traced.node.vhost.queues[b"q"].browse(0, 999)] == bodies
    traced.channel << Basic.ack(delivery_tag=200, multiple=True)


def test_what_goes_nowhere_is_seen(traced: Traced) -> None:
    traced.channel.publish(b"a", key="nowhere")
    [copy] = traced.headers()
    assert (copy["routing_keys"], copy["routed_queues"]) == (["nowhere"], [])


def test_all_keys_are_seen_when_it_is_published(traced: Traced) -> None:
    properties = {"headers": {"CC": ["r"], "BCC": ["s"]}}
    traced.channel.publish(b"a", properties=properties)
    [copy] = traced.headers()
    assert copy["routing_keys"] == ["q", "r", "s"]
    assert copy["properties"] == {"headers": {"CC": ["r"]}}


def test_message_with_properties_that_are_looked_at_is_seen(traced: Traced) -> None:
    traced.channel.publish(b"a", properties={"expiration": "60000", "user_id": "guest"})
    [copy] = traced.headers()
    assert copy["properties"] == {"expiration": "60000", "user_id": "guest"}


def test_transaction_is_seen_when_it_is_published(traced: Traced) -> None:
    channel = traced.channel
    channel >> Tx.select() << Tx.select_ok()
    channel.publish(b"a")
    assert traced.keys() == [(b"publish.", b"a")]
    channel >> Tx.commit() << Tx.commit_ok()
    assert traced.keys() == []
    channel.publish(b"b")
    channel >> Tx.rollback() << Tx.rollback_ok()
    assert traced.keys() == [(b"publish.", b"b")]


def test_redelivery_and_get_are_seen(traced: Traced) -> None:
    channel = traced.channel.publish(b"a")
    traced.headers()
    for redelivered in (0, 1):
        channel >> Basic.get(queue="q")
        tag = (channel << Basic.get_ok()).fields["delivery_tag"]
        channel >> Basic.nack(delivery_tag=tag, requeue=True)
        [copy] = traced.headers()
        assert (copy["key"], copy["redelivered"]) == (b"deliver.q", redelivered)
    channel >> Basic.get(queue="q", no_ack=True) << Basic.get_ok()
    assert traced.keys() == [(b"deliver.q", b"a")]


def test_delivery_without_ack_is_seen(traced: Traced) -> None:
    traced.channel.consume(no_ack=True).publish(b"a")
    assert traced.keys() == [(b"publish.", b"a"), (b"deliver.q", b"a")]


def test_answer_to_direct_reply_to_is_seen_when_it_is_published(traced: Traced) -> None:
    channel = traced.channel.consume(queue="amq.rabbitmq.reply-to", no_ack=True)
    channel.publish(b"ask", properties={"reply_to": "amq.rabbitmq.reply-to"})
    [ask] = traced.headers()
    properties = ask["properties"]
    assert isinstance(properties, dict)
    channel.publish(b"answer", key=properties["reply_to"])
    [copy] = traced.headers()
    assert (copy["key"], copy["routed_queues"]) == (b"publish.", [])
    assert channel.bodies() == [b"answer"]


def test_delayed_message_is_seen_when_it_is_published(traced: Traced) -> None:
    traced.node.vhost.declare_exchange(b"d", "x-delayed-message", False, False, False, DELAYED)
    traced.channel.publish(b"a", exchange="d", properties={"headers": {"x-delay": 1000}})
    [copy] = traced.headers()
    assert (copy["key"], copy["routed_queues"]) == (b"publish.d", [])


def test_copies_are_not_seen_though_they_are_consumed(traced: Traced) -> None:
    consumer = traced.node.channel()
    consumer.consume(queue="copies", no_ack=True)
    traced.channel.publish(b"a")
    traced.node.end_turn()
    assert consumer.bodies() == [b"a"]


def test_nothing_is_seen_when_it_is_switched_off(traced: Traced) -> None:
    traced.channel.consume().publish(b"a")
    assert len(traced.headers()) == 2
    traced.node.vhost.tracing.switch(False)
    traced.channel.publish(b"b", b"c")
    assert traced.headers() == []


def test_switching_on_reaches_a_publisher_that_knows_its_way(traced: Traced) -> None:
    traced.node.vhost.tracing.switch(False)
    traced.channel.publish(b"a", b"b")
    traced.node.vhost.tracing.switch(True)
    traced.channel.publish(b"c")
    assert traced.keys() == [(b"publish.", b"c")]
