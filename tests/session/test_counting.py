"""What channels, queues and exchanges count: each publish, delivery and settlement once."""

from typing import Any

import pytest
from tests.conformance.codec import Basic, Channel, Confirm, Connection, Exchange, Queue, Tx
from tests.session.script import ChannelScript, Client, Node

from supersoniq.amqp.tables import table_of
from supersoniq.broker.counters import MESSAGE_FIELDS, MessageCounters


@pytest.fixture
def node() -> Node:
    node = Node()
    node.queue()
    return node


def moved(counters: MessageCounters) -> dict[str, int]:
    """What is not zero."""
    return {name: value for name, value in zip(MESSAGE_FIELDS, counters.values(), strict=True) if value}


def of_channel(script: ChannelScript) -> dict[str, int]:
    return moved(script.client.session.channels[script.number].counters)


def of_queue(node: Node, name: bytes = b"q") -> dict[str, int]:
    return moved(node.vhost.queues[name].counters)


def of_exchange(node: Node, name: bytes = b"") -> dict[str, int]:
    return moved(node.vhost.exchanges[name].counters)


def consuming(node: Node, **fields: Any) -> ChannelScript:
    return node.channel().consume(**fields)


def test_publish_counts_for_channel_exchange_and_queue(node: Node) -> None:
    channel = node.channel().publish(b"a", b"b", b"c")
    assert of_channel(channel) == {"publish": 3}
    assert of_exchange(node) == {"publish_in": 3, "publish_out": 3}
    assert of_queue(node) == {"publish": 3}


def test_every_queue_that_takes_a_message_counts_it_and_the_first_exchange_all(node: Node) -> None:
    node.queue(b"p")
    channel = node.channel()
    for name in ("x", "y"):
        channel >> Exchange.declare(exchange=name, type="fanout") << Exchange.declare_ok()
    for source, queue in (("x", "q"), ("y", "p")):
        channel >> Queue.bind(queue=queue, exchange=source) << Queue.bind_ok()
    channel >> Exchange.bind(destination="y", source="x") << Exchange.bind_ok()
    channel.publish(b"a", b"b", exchange="x")
    assert of_exchange(node, b"x") == {"publish_in": 2, "publish_out": 4}
    assert of_exchange(node, b"y") == {}
    assert of_queue(node, b"q") == of_queue(node, b"p") == {"publish": 2}


def test_unroutable_messages_are_returned_or_dropped(node: Node) -> None:
    channel = node.channel().publish(b"a", key="nowhere").publish(b"b", b"c", key="nowhere", mandatory=True)
    assert of_channel(channel) == {"publish": 3, "return_unroutable": 2, "drop_unroutable": 1}
    assert of_exchange(node) == {"publish_in": 3}


def test_deliveries_without_ack(node: Node) -> None:
    node.channel().publish(b"a")
    channel = consuming(node, no_ack=True)
    node.channel().publish(b"b")
    assert of_channel(channel) == {"deliver_no_ack": 2}
    assert of_queue(node) == {"publish": 2, "deliver_no_ack": 2}


def test_deliveries_acks_and_redeliveries(node: Node) -> None:
    channel = consuming(node)
    node.channel().publish(b"a", b"b", b"c", b"d")
    channel >> Basic.ack(delivery_tag=1)
    channel >> Basic.reject(delivery_tag=2, requeue=True)  # comes as 5
    channel >> Basic.nack(delivery_tag=3)
    channel >> Basic.ack(delivery_tag=0, multiple=True)
    expected = {"deliver": 5, "redeliver": 1, "ack": 3}
    assert of_channel(channel) == expected
    assert of_queue(node) == {"publish": 4, **expected}


def test_redelivery_without_ack_counts_as_both(node: Node) -> None:
    holder = consuming(node)
    node.channel().publish(b"a")
    holder >> Channel.close(reply_code=200, reply_text="", class_id=0, method_id=0)
    channel = consuming(node, no_ack=True)
    assert of_channel(channel) == {"deliver_no_ack": 1, "redeliver": 1}


def test_gets(node: Node) -> None:
    channel = node.channel().publish(b"a", b"b")
    for no_ack in (False, True, True):
        channel >> Basic.get(queue="q", no_ack=no_ack)
    channel >> Basic.nack(delivery_tag=1, requeue=True)
    channel >> Basic.get(queue="q") << Basic.get_ok()
    expected = {"get": 2, "get_no_ack": 1, "get_empty": 1, "redeliver": 1}
    assert of_channel(channel) == {"publish": 2, **expected}
    assert of_queue(node) == {"publish": 2, **expected}


def test_confirms_count_what_was_acked(node: Node) -> None:
    no_room = table_of({"x-max-length": 0, "x-overflow": "reject-publish"})
    node.vhost.declare_queue(b"full", False, False, False, no_room, 0)
    channel = node.channel()
    channel.publish(b"before")
    channel >> Confirm.select() << Confirm.select_ok()
    channel.publish(b"a", b"b").publish(b"c", key="full").publish(b"d")
    assert of_channel(channel) == {"publish": 5, "confirm": 3}
    assert channel.client.session.channels[1].counters.publish_confirm == 4


def test_confirm_counts_when_it_leaves() -> None:
    node = Node(has_prompt_store=False)
    node.queue(durable=True)
    node.sync()
    channel = node.channel()
    channel >> Confirm.select() << Confirm.select_ok()
    channel.publish(b"a", b"b", properties={"delivery_mode": 2})
    assert of_channel(channel) == {"publish": 2}
    assert channel.client.session.channels[1].unconfirmed_count == 2
    node.sync()
    assert of_channel(channel) == {"publish": 2, "confirm": 2}
    assert channel.client.session.channels[1].unconfirmed_count == 0


def test_transaction_counts_when_it_is_committed(node: Node) -> None:
    channel = consuming(node)
    channel >> Tx.select() << Tx.select_ok()
    node.channel().publish(b"a")
    channel >> Basic.ack(delivery_tag=1)
    channel.publish(b"b").publish(b"c", key="nowhere")
    of_session = channel.client.session.channels[1]
    assert (of_session.uncommitted_count, of_session.acks_uncommitted_count) == (2, 1)
    assert of_channel(channel) == {"deliver": 1}
    channel >> Tx.commit()
    assert of_channel(channel) == {"publish": 2, "drop_unroutable": 1, "deliver": 2, "ack": 1}
    assert (of_session.uncommitted_count, of_session.acks_uncommitted_count) == (0, 0)


def test_rolled_back_transaction_counts_nothing(node: Node) -> None:
    channel = node.channel()
    channel >> Tx.select() << Tx.select_ok()
    channel.publish(b"a") >> Tx.rollback() << Tx.rollback_ok()
    assert of_channel(channel) == of_queue(node) == of_exchange(node) == {}


def test_dead_letter_is_no_publish(node: Node) -> None:
    dead = table_of({"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "q"})
    node.vhost.declare_queue(b"p", False, False, False, dead, 0)
    channel = node.channel().publish(b"a", key="p")
    channel >> Basic.get(queue="p") << Basic.get_ok()
    channel >> Basic.reject(delivery_tag=1)
    assert node.vhost.queues[b"q"].ready_count == 1
    assert of_queue(node) == {}


def test_delayed_message_goes_out_when_it_is_due(node: Node) -> None:
    delayed = table_of({"x-delayed-type": "fanout"})
    node.vhost.declare_exchange(b"x", "x-delayed-message", False, False, False, delayed)
    node.vhost.bind(b"x", node.vhost.queues[b"q"], b"", {})
    channel = node.channel().publish(b"a", exchange="x", properties={"headers": {"x-delay": 100}})
    assert of_channel(channel) == {"publish": 1}
    assert of_exchange(node, b"x") == {"publish_in": 1}
    assert of_queue(node) == {}
    node.pass_time(1_000)
    assert of_exchange(node, b"x") == {"publish_in": 1, "publish_out": 1}
    assert of_queue(node) == {"publish": 1}


def test_what_is_gone_stays_counted(node: Node) -> None:
    channel = consuming(node)
    publisher = node.channel().publish(b"a", b"b")
    counters = node.vhost.counters
    publisher.client >> Connection.close(reply_code=200, reply_text="", class_id=0, method_id=0)
    assert moved(counters.channels.total()) == {"publish": 2, "deliver": 2}
    node.vhost.delete_queue(node.vhost.queues[b"q"], False, False)
    channel >> Basic.ack(delivery_tag=0, multiple=True)
    assert moved(counters.gone_queues[b"classic"]) == {"publish": 2, "deliver": 2, "ack": 2}
    other = node.channel()
    other >> Exchange.declare(exchange="x", type="fanout") << Exchange.declare_ok()
    other.publish(b"c", exchange="x") >> Exchange.delete(exchange="x") << Exchange.delete_ok()
    assert moved(counters.gone_exchanges) == {"publish_in": 1}


def test_queues_are_counted_as_they_come_and_go(node: Node) -> None:
    counters = node.vhost.counters
    channel = node.channel()
    for passive in (False, False, True):
        channel >> Queue.declare(queue="p", passive=passive) << Queue.declare_ok()
    channel >> Queue.delete(queue="p") << Queue.delete_ok()
    channel >> Queue.delete(queue="p") << Queue.delete_ok()
    found = (counters.queue_declared, counters.queue_created, counters.queue_deleted)
    assert found == (3, 2, 1)  # the fixture has made one


def test_connections_and_channels_are_counted_as_they_come_and_go(node: Node) -> None:
    counters = node.context.counters
    client = node.client()
    client.channel(1)
    client.channel(2) >> Channel.close(reply_code=200, reply_text="", class_id=0, method_id=0)
    node.client().channel().client.session.lost()
    node.stranger().session.lost()
    assert (counters.connection_created, counters.connection_closed) == (2, 1)
    assert (counters.channel_created, counters.channel_closed) == (3, 2)


def test_logins_are_counted(node: Node) -> None:
    node.client()
    refused = node.stranger()
    refused >> b"AMQP\x00\x00\x09\x01"
    refused << Connection.start()
    refused.login(response=b"\0guest\0wrong")
    assert (node.context.counters.auth_succeeded, node.context.counters.auth_failed) == (1, 1)


def test_sizes_of_bodies(node: Node) -> None:
    node.channel().publish(b"", b"a" * 100, b"b" * 101, b"c" * 1000, b"d" * 1001)
    sizes = node.context.counters.sizes
    assert sizes.body_bytes == 100 + 101 + 1000 + 1001
    assert sizes.larger[:3] == [2, 1, 0]


def test_client_knows_where_it_is_and_since_when(node: Node) -> None:
    client: Client = node.client()
    facts = client.session.client
    facts.located("127.0.0.1", 50000, "::1", 5672)
    assert facts.path == "127.0.0.1:50000 -> [::1]:5672"
    assert facts.connected_at == node.clock.now
    assert facts.auth_mechanism == "PLAIN"
    assert facts.heartbeat_seconds == 0


def test_traffic_of_a_lost_connection_stays_counted(node: Node) -> None:
    session = node.client().session
    session.client.traffic.received_bytes = 5
    session.lost()
    assert node.context.counters.traffic.received_bytes == 5
    assert node.vhost.counters.traffic.received_bytes == 5
