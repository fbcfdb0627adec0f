"""What a transaction holds back happens at its commit, or never."""

import pytest
from tests.conformance.codec import Basic, Channel, Queue, Tx
from tests.session.script import ChannelScript, Node

from supersoniq.amqp.tables import table_of


@pytest.fixture
def node() -> Node:
    node = Node()
    node.queue()
    return node


def transactional(node: Node) -> ChannelScript:
    channel = node.channel()
    channel >> Tx.select()
    channel << Tx.select_ok()
    return channel


def committed(channel: ChannelScript) -> None:
    channel >> Tx.commit()
    channel << Tx.commit_ok()


def rolled_back(channel: ChannelScript) -> None:
    channel >> Tx.rollback()
    channel << Tx.rollback_ok()


def counts(node: Node) -> tuple[int, int]:
    queue = node.vhost.queues[b"q"]
    return queue.ready_count, int(queue.unacked_count)


def holding(node: Node, count: int) -> ChannelScript:
    node.channel().publish(*[b"%d" % number for number in range(1, count + 1)])
    channel = transactional(node).consume()
    assert len(channel.bodies()) == count
    channel >> Basic.cancel(consumer_tag="c", nowait=True)
    return channel


def test_publishes_appear_in_order_at_the_commit(node: Node) -> None:
    channel = transactional(node).publish(b"1", b"2")
    assert counts(node) == (0, 0)
    committed(channel)
    assert node.channel().consume().bodies() == [b"1", b"2"]


def test_publishes_are_dropped_by_a_rollback(node: Node) -> None:
    channel = transactional(node).publish(b"1")
    rolled_back(channel)
    committed(channel)
    assert counts(node) == (0, 0)


def test_transaction_begins_anew_after_each_commit(node: Node) -> None:
    channel = transactional(node)
    for number in range(1, 4):
        channel.publish(b"x")
        committed(channel)
        assert counts(node) == (number, 0)


@pytest.mark.parametrize(("requeue", "ready"), [(False, 0), (True, 2)])
def test_settlements_count_at_the_commit(node: Node, requeue: bool, ready: int) -> None:
    channel = holding(node, 3)
    channel >> Basic.nack(delivery_tag=2, multiple=True, requeue=requeue)
    assert counts(node) == (0, 3)
    committed(channel)
    assert counts(node) == (ready, 1)


def test_ack_of_one_counts_at_the_commit(node: Node) -> None:
    channel = holding(node, 2)
    channel >> Basic.ack(delivery_tag=1)
    assert counts(node) == (0, 2)
    committed(channel)
    assert counts(node) == (0, 1)


def test_rolled_back_settlement_can_be_made_again(node: Node) -> None:
    channel = holding(node, 3)
    channel >> Basic.ack(delivery_tag=2) >> Basic.reject(delivery_tag=3, requeue=True)
    rolled_back(channel)
    channel >> Basic.ack(delivery_tag=3, multiple=True)
    committed(channel)
    assert counts(node) == (0, 0)


def test_tag_settled_in_a_transaction_is_unknown_to_it(node: Node) -> None:
    channel = holding(node, 1)
    channel >> Basic.ack(delivery_tag=1) >> Basic.ack(delivery_tag=1)
    channel.closed_with(406)
    assert counts(node) == (1, 0)


def test_closing_the_channel_rolls_back(node: Node) -> None:
    channel = holding(node, 2).publish(b"never")
    channel >> Basic.ack(delivery_tag=1)
    channel >> Channel.close()
    channel << Channel.close_ok()
    assert counts(node) == (2, 0)
    assert node.channel().consume().bodies() == [b"1", b"2"]


def test_acks_in_a_transaction_make_no_room_before_the_commit(node: Node) -> None:
    node.channel().publish(b"1", b"2")
    channel = transactional(node).qos(1).consume()
    assert channel.bodies() == [b"1"]
    channel >> Basic.ack(delivery_tag=1)
    assert channel.client.is_quiet()
    channel >> Tx.commit()
    assert channel.client.method_names() == ["tx.commit_ok", "basic.deliver"]


def test_unroutable_mandatory_message_comes_back_at_the_commit(node: Node) -> None:
    channel = transactional(node).publish(b"x", key="nobody", mandatory=True)
    assert channel.client.is_quiet()
    channel >> Tx.commit()
    assert channel.client.method_names() == ["basic.return", "tx.commit_ok"]


def test_message_for_a_queue_deleted_meanwhile_is_dropped(node: Node) -> None:
    node.queue(b"gone")
    channel = transactional(node).publish(b"x", key="gone")
    node.channel() >> Queue.delete(queue="gone", nowait=True)
    committed(channel)
    assert set(node.vhost.queues) == {b"q"}


# Queues with rules


def declared(node: Node, name: bytes, durable: bool = False, **arguments: object) -> None:
    named = {"x-" + key.replace("_", "-"): value for key, value in arguments.items()}
    node.vhost.declare_queue(name, durable, False, False, table_of(named), 0)


def test_refused_publish_is_told_at_the_commit_and_the_rest_of_it_happened(node: Node) -> None:
    declared(node, b"one", max_length=1, overflow="reject-publish")
    channel = holding(node, 1)
    channel.publish(b"a", b"b", key="one").publish(b"c")
    channel >> Basic.ack(delivery_tag=1)
    assert channel.client.is_quiet()
    channel >> Tx.commit()
    assert channel.closed_with(406).reply_text == "PRECONDITION_FAILED - partial tx completion"
    assert counts(node) == (1, 0)
    assert node.vhost.queues[b"one"].ready_count == 1


def test_room_is_looked_for_at_the_commit(node: Node) -> None:
    declared(node, b"one", max_length=1, overflow="reject-publish")
    node.channel().publish(b"before", key="one")
    channel = transactional(node).publish(b"after", key="one")
    node.channel() >> Queue.purge(queue="one", nowait=True)
    committed(channel)
    assert node.vhost.queues[b"one"].ready_count == 1


def test_rejection_waits_for_the_commit(node: Node) -> None:
    declared(node, b"dead")
    declared(node, b"dying", dead_letter_exchange="", dead_letter_routing_key="dead")
    node.channel().publish(b"1", b"2", key="dying")
    channel = transactional(node).consume("dying")
    assert len(channel.bodies()) == 2
    channel >> Basic.reject(delivery_tag=1, requeue=False)
    rolled_back(channel)
    channel >> Basic.nack(delivery_tag=2, requeue=False)
    assert node.vhost.queues[b"dead"].ready_count == 0
    committed(channel)
    assert node.channel().consume("dead").bodies() == [b"2"]


def test_transaction_of_the_store_ends_before_dead_letters_are_moved(node: Node) -> None:
    declared(node, b"dead", durable=True)
    declared(node, b"dying", durable=True, dead_letter_exchange="", dead_letter_routing_key="dead")
    node.channel().publish(b"1", key="dying", properties={"delivery_mode": 2})
    channel = transactional(node).consume("dying")
    channel.bodies()
    node.store.log.clear()
    channel >> Basic.reject(delivery_tag=1, requeue=False)
    committed(channel)
    assert node.store.log == ["begin", "commit", "begin", "append 1", "settled 1", "commit"]


# What the store is told


@pytest.fixture
def durable() -> Node:
    """A node where the queue `q` lasts, and what it was told of before is forgotten."""
    node = Node()
    node.queue(durable=True)
    node.store.log.clear()
    return node


PERSISTENT = {"delivery_mode": 2}


def test_publishes_and_settlements_are_one_whole_for_the_store(durable: Node) -> None:
    durable.channel().publish(b"1", b"2", b"3", properties=PERSISTENT)
    channel = transactional(durable).qos(3).consume()
    assert len(channel.bodies()) == 3
    durable.store.log.clear()
    channel.publish(b"4", b"5", properties=PERSISTENT)
    channel >> Basic.ack(delivery_tag=1) >> Basic.nack(delivery_tag=3, multiple=True, requeue=True)
    assert durable.store.log == []
    channel >> Basic.cancel(consumer_tag="c", nowait=True) >> Tx.commit()
    assert durable.store.log == [
        *["begin", "append 4", "append 5"],
        *["settled 1", "returned 3 the 1. time", "returned 2 the 1. time", "commit"],
    ]


def test_delivery_that_a_commit_brings_about_at_once_is_part_of_it(durable: Node) -> None:
    durable.channel().consume()
    channel = transactional(durable).publish(b"1", b"2", properties=PERSISTENT)
    committed(channel)
    assert durable.store.log == ["begin", "append 1", "delivered 1", "append 2", "delivered 2", "commit"]


def test_store_hears_of_no_transaction_that_is_rolled_back_or_never_ends(durable: Node) -> None:
    channel = transactional(durable).publish(b"1", properties=PERSISTENT)
    rolled_back(channel)
    channel.publish(b"2", properties=PERSISTENT)
    channel.client.session.lost()
    durable.end_turn()
    assert durable.store.log == []


def test_every_transaction_of_the_store_is_ended(durable: Node) -> None:
    channel = transactional(durable)
    for key in ("q", "nobody"):
        channel.publish(b"x", key=key, properties=PERSISTENT)
        committed(channel)
    committed(channel)
    assert [line for line in durable.store.log if "append" not in line] == ["begin", "commit"] * 3


def test_publishes_outside_of_a_transaction_are_no_part_of_one(durable: Node) -> None:
    transactional(durable).publish(b"1", properties=PERSISTENT)
    durable.channel().publish(b"2", properties=PERSISTENT)
    assert durable.store.log == ["append 1"]
