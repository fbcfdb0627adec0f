"""Declaring, binding, purging and deleting, as methods with their answers."""

import pytest
from tests.conformance.codec import Access, Basic, Exchange, Method, Queue
from tests.session.script import ChannelScript, Node


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
def channel(node: Node) -> ChannelScript:
    return node.channel()


def test_declare_tells_name_messages_and_consumers(node: Node, channel: ChannelScript) -> None:
    channel >> Queue.declare(queue="q")
    channel << Queue.declare_ok(queue="q", message_count=0, consumer_count=0)
    channel.publish(b"1", b"2")
    channel >> Queue.declare(queue="q")
    channel << Queue.declare_ok(queue="q", message_count=2, consumer_count=0)
    node.channel().consume()
    channel >> Queue.declare(queue="q", passive=True)
    channel << Queue.declare_ok(queue="q", message_count=0, consumer_count=1)


def test_bits_of_declare_mean_what_they_say(node: Node, channel: ChannelScript) -> None:
    channel >> Queue.declare(queue="durable", durable=True, nowait=True)
    channel >> Queue.declare(queue="exclusive", exclusive=True, nowait=True)
    channel >> Queue.declare(queue="auto", auto_delete=True, nowait=True)
    found = {
        name: (queue.durable, queue.owner != 0, queue.auto_delete)
        for name, queue in node.vhost.queues.items()
    }
    assert found == {
        b"durable": (True, False, False),
        b"exclusive": (False, True, False),
        b"auto": (False, False, True),
    }


def test_server_named_queue_is_told(node: Node, channel: ChannelScript) -> None:
    channel >> Queue.declare()
    ok = channel << Queue.declare_ok()
    assert ok.queue.encode() in node.vhost.queues


def test_empty_name_means_the_queue_declared_last(node: Node, channel: ChannelScript) -> None:
    channel >> Queue.declare(queue="first", nowait=True) >> Queue.declare(queue="last", nowait=True)
    channel >> Queue.bind(exchange="amq.fanout")
    channel << Queue.bind_ok()
    channel.publish(b"x", exchange="amq.fanout")
    channel >> Basic.get(no_ack=True)
    channel << Basic.get_ok(body=b"x")
    channel >> Basic.consume(consumer_tag="c", nowait=True) >> Queue.purge()
    channel << Queue.purge_ok(message_count=0)
    channel >> Queue.delete(nowait=True)
    assert set(node.vhost.queues) == {b"first"}


def test_empty_name_and_key_bind_with_the_name_of_the_queue(channel: ChannelScript) -> None:
    channel >> Queue.declare(queue="q", nowait=True) >> Queue.bind(exchange="amq.direct", nowait=True)
    channel.publish(b"x", exchange="amq.direct", key="q", mandatory=True)
    assert channel.client.is_quiet()
    channel >> Queue.unbind(exchange="amq.direct")
    channel << Queue.unbind_ok()
    channel.publish(b"x", exchange="amq.direct", key="q", mandatory=True)
    channel << Basic.return_()


@pytest.mark.parametrize(
    "method", [Queue.bind(exchange="amq.direct"), Queue.purge(), Queue.delete(), Basic.get(), Basic.consume()]
)
def test_empty_name_without_a_declared_queue_is_not_found(channel: ChannelScript, method: Method) -> None:
    channel >> method
    channel.closed_with(404)


def test_memory_of_the_last_queue_is_per_channel(channel: ChannelScript) -> None:
    channel >> Queue.declare(queue="q", nowait=True)
    other = channel.client.channel(2)
    other >> Queue.purge()
    other.closed_with(404)


def test_purge_tells_how_many(channel: ChannelScript) -> None:
    channel >> Queue.declare(queue="q", nowait=True)
    channel.publish(b"1", b"2", b"3")
    channel >> Queue.purge(queue="q")
    channel << Queue.purge_ok(message_count=3)


def test_delete_tells_how_many_and_is_fine_twice(channel: ChannelScript) -> None:
    channel >> Queue.declare(queue="q", nowait=True)
    channel.publish(b"1")
    channel >> Queue.delete(queue="q")
    channel << Queue.delete_ok(message_count=1)
    channel >> Queue.delete(queue="q")
    channel << Queue.delete_ok(message_count=0)


@pytest.mark.parametrize("field", ["if_unused", "if_empty"])
def test_conditional_delete_is_refused_where_the_condition_fails(channel: ChannelScript, field: str) -> None:
    channel >> Queue.declare(queue="q", nowait=True)
    if field == "if_unused":
        channel.consume(no_ack=True)
    else:
        channel.publish(b"1")
    channel >> Queue.delete(queue="q", **{field: True})
    channel.closed_with(406)


@pytest.mark.parametrize(
    "method",
    [
        Queue.declare(queue="q", passive=True),
        Queue.bind(queue="q", exchange="amq.direct"),
        Queue.purge(queue="q"),
        Queue.delete(queue="q"),
        Basic.get(queue="q"),
        Basic.consume(queue="q"),
    ],
)
def test_exclusive_queue_is_locked_for_other_connections(
    node: Node, channel: ChannelScript, method: Method
) -> None:
    channel >> Queue.declare(queue="q", exclusive=True, nowait=True)
    other = node.channel()
    other >> method
    other.closed_with(405)
    channel.client.channel(2) >> method


def test_reply_queue_cannot_be_bound(node: Node, channel: ChannelScript) -> None:
    channel.consume("amq.rabbitmq.reply-to", no_ack=True)
    (name,) = node.vhost.queues
    channel >> Queue.bind(queue=name, exchange="amq.direct")
    channel.closed_with(403)


def test_reply_to_can_be_looked_at(channel: ChannelScript) -> None:
    channel >> Queue.declare(queue="amq.rabbitmq.reply-to", passive=True)
    channel << Queue.declare_ok(queue="amq.rabbitmq.reply-to", message_count=0)


def test_exchange_methods_are_answered(node: Node, channel: ChannelScript) -> None:
    channel >> Exchange.declare(exchange="e", type="topic", durable=True, auto_delete=True, internal=True)
    channel << Exchange.declare_ok()
    exchange = node.vhost.exchanges[b"e"]
    assert (exchange.kind, exchange.durable, exchange.auto_delete, exchange.internal) == (
        "topic",
        True,
        True,
        True,
    )
    channel >> Exchange.bind(destination="amq.fanout", source="e", routing_key="k")
    channel << Exchange.bind_ok()
    channel >> Exchange.declare(exchange="e", passive=True)
    channel << Exchange.declare_ok()
    channel >> Exchange.unbind(destination="amq.fanout", source="e", routing_key="k")
    channel << Exchange.unbind_ok()
    assert b"e" not in node.vhost.exchanges
    channel >> Exchange.delete(exchange="e")
    channel << Exchange.delete_ok()


def test_nothing_is_answered_without_wait(node: Node, channel: ChannelScript) -> None:
    channel >> Exchange.declare(exchange="e", type="fanout", nowait=True)
    channel >> Queue.declare(queue="q", nowait=True)
    channel >> Queue.bind(queue="q", exchange="e", nowait=True)
    channel >> Exchange.bind(destination="e", source="amq.fanout", nowait=True)
    channel.publish(b"x", exchange="amq.fanout")
    assert node.vhost.queues[b"q"].ready_count == 1
    channel >> Exchange.unbind(destination="e", source="amq.fanout", nowait=True)
    channel >> Queue.purge(queue="q", nowait=True) >> Queue.delete(queue="q", nowait=True)
    channel >> Exchange.delete(exchange="e", nowait=True)
    assert channel.client.is_quiet()


@pytest.mark.parametrize(
    ("method", "code"),
    [
        (Exchange.declare(exchange="missing", passive=True), 404),
        (Exchange.declare(exchange="", passive=True), 403),
        (Exchange.declare(exchange="", type="direct"), 403),
        (Exchange.declare(exchange="amq.mine", type="direct"), 403),
        (Exchange.declare(exchange="amq.direct", type="fanout", durable=True), 406),
        (Exchange.delete(exchange="amq.direct"), 403),
        (Exchange.bind(destination="amq.direct", source=""), 403),
        (Exchange.bind(destination="", source="amq.direct"), 403),
        (Exchange.bind(destination="missing", source="amq.direct"), 404),
        (Exchange.bind(destination="amq.direct", source="missing"), 404),
        (Exchange.unbind(destination="", source="amq.direct"), 403),
        (Queue.declare(queue="amq.mine"), 403),
        (Queue.declare(queue="missing", passive=True), 404),
        (Queue.bind(queue="missing", exchange="amq.direct"), 404),
        (Queue.purge(queue="missing"), 404),
        (Queue.bind(queue="there", exchange=""), 403),
        (Queue.bind(queue="there", exchange="missing"), 404),
        (Queue.bind(queue="there", exchange="amq.headers", arguments={"x-match": "some"}), 406),
        (Queue.declare(queue="there", durable=True), 406),
        (Queue.declare(queue="there", arguments={"x-max-length": 1}), 406),
        (Queue.declare(queue="new", arguments={"x-max-length": -1}), 406),
    ],
)
def test_method_is_refused(node: Node, channel: ChannelScript, method: Method, code: int) -> None:
    node.queue(b"there")
    channel >> method
    channel.closed_with(code)


def test_access_is_granted_to_clients_of_the_past(channel: ChannelScript) -> None:
    channel >> Access.request(realm="/data")
    channel << Access.request_ok(ticket=1)
