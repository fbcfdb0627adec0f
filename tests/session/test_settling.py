"""Ack, nack, reject and recover: which deliveries they mean, and that nothing is settled twice."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance.codec import Basic, Channel, Connection, Method, Queue, Tx
from tests.definitions import thorough
from tests.session.script import ChannelScript, Node, frame, method_frame


@pytest.fixture
def node() -> Node:
    node = Node()
    node.queue()
    return node


def holding(node: Node, count: int, **fields: Any) -> ChannelScript:
    """A consumer that holds `count` messages with the tags 1 to `count`."""
    node.channel().publish(*[b"%d" % number for number in range(1, count + 1)])
    channel = node.channel().consume(**fields)
    assert len(channel.bodies()) == count
    channel >> Basic.cancel(consumer_tag="c", nowait=True)
    return channel


def counts(node: Node) -> tuple[int, int]:
    queue = node.vhost.queues[b"q"]
    return queue.ready_count, int(queue.unacked_count)


@pytest.mark.parametrize(
    ("method", "ready", "unacked"),
    [
        (Basic.ack(delivery_tag=3), 0, 4),
        (Basic.ack(delivery_tag=3, multiple=True), 0, 2),
        (Basic.ack(delivery_tag=0, multiple=True), 0, 0),
        (Basic.nack(delivery_tag=3), 0, 4),
        (Basic.nack(delivery_tag=3, requeue=True), 1, 4),
        (Basic.nack(delivery_tag=3, multiple=True), 0, 2),
        (Basic.nack(delivery_tag=3, multiple=True, requeue=True), 3, 2),
        (Basic.nack(delivery_tag=0, multiple=True, requeue=True), 5, 0),
        (Basic.reject(delivery_tag=3), 0, 4),
        (Basic.reject(delivery_tag=3, requeue=True), 1, 4),
        (Basic.recover(requeue=True), 5, 0),
    ],
)
def test_method_settles_what_it_means(node: Node, method: Method, ready: int, unacked: int) -> None:
    holding(node, 5) >> method
    assert counts(node) == (ready, unacked)


@pytest.mark.parametrize(
    ("method", "tag"),
    [
        (Basic.ack(delivery_tag=6), 6),
        (Basic.ack(delivery_tag=6, multiple=True), 6),
        (Basic.ack(delivery_tag=0), 0),
        (Basic.ack(delivery_tag=2**64 - 1), 2**64 - 1),
        (Basic.ack(delivery_tag=2**63, multiple=True), 2**63),
        (Basic.nack(delivery_tag=6), 6),
        (Basic.nack(delivery_tag=2**64 - 1, multiple=True), 2**64 - 1),
        (Basic.reject(delivery_tag=6, requeue=True), 6),
        (Basic.reject(delivery_tag=0), 0),
    ],
)
def test_unknown_tag_closes_the_channel(node: Node, method: Method, tag: int) -> None:
    channel = holding(node, 5)
    channel >> method
    assert channel.closed_with(406).reply_text == f"PRECONDITION_FAILED - unknown delivery tag {tag}"
    assert counts(node) == (5, 0)


def test_tag_can_be_settled_once_only(node: Node) -> None:
    channel = holding(node, 2)
    channel >> Basic.ack(delivery_tag=1) >> Basic.ack(delivery_tag=1)
    channel.closed_with(406)


def test_tags_belong_to_their_channel(node: Node) -> None:
    holding(node, 2)
    other = node.channel()
    other >> Basic.ack(delivery_tag=1)
    other.closed_with(406)


def test_multiple_with_tag_zero_and_nothing_outstanding_is_fine(node: Node) -> None:
    channel = node.channel()
    channel >> Basic.ack(delivery_tag=0, multiple=True) >> Basic.nack(delivery_tag=0, multiple=True)
    assert channel.client.is_quiet()


def test_no_ack_deliveries_have_tags_that_cannot_be_acked(node: Node) -> None:
    channel = holding(node, 2, no_ack=True)
    channel >> Basic.ack(delivery_tag=1)
    channel.closed_with(406)


@pytest.mark.parametrize(
    "method", [Basic.ack(delivery_tag=1), Basic.nack(delivery_tag=1), Basic.reject(delivery_tag=1)]
)
@pytest.mark.parametrize("missing", [1, 5, 9])
def test_settling_cut_short_is_a_frame_error(node: Node, method: Method, missing: int) -> None:
    channel = holding(node, 1)
    channel >> frame(1, 1, method_frame(1, method)[7:-1][:-missing])
    channel.client << Connection.close(reply_code=501)


def test_deliveries_of_a_deleted_queue_can_still_be_settled(node: Node) -> None:
    channel = holding(node, 3)
    channel >> Queue.delete(queue="q", nowait=True)
    (
        channel
        >> Basic.ack(delivery_tag=1)
        >> Basic.nack(delivery_tag=2, requeue=True)
        >> Basic.recover(requeue=True)
    )
    channel << Basic.recover_ok()
    assert channel.client.is_quiet()


@thorough
@given(st.permutations(range(1, 9)), st.integers(0, 8))
def test_requeued_messages_come_back_in_their_order(order: list[int], acked: int) -> None:
    node = Node()
    node.queue()
    channel = holding(node, 8)
    for tag in order[:acked]:
        channel >> Basic.ack(delivery_tag=tag)
    for tag in order[acked:]:
        channel >> Basic.nack(delivery_tag=tag, requeue=True)
    again = node.channel().consume()
    assert again.bodies() == [b"%d" % tag for tag in sorted(order[acked:])]


def test_requeued_messages_go_to_each_queue_they_came_from(node: Node) -> None:
    node.queue(b"r")
    channel = node.channel().consume("q", "q").consume("r", "r")
    channel.publish(b"1").publish(b"2", key="r")
    assert sorted(channel.bodies()) == [b"1", b"2"]
    channel >> Basic.cancel(consumer_tag="q", nowait=True) >> Basic.cancel(consumer_tag="r", nowait=True)
    channel >> Basic.nack(delivery_tag=0, multiple=True, requeue=True)
    assert [node.vhost.queues[name].ready_count for name in (b"q", b"r")] == [1, 1]


# What the store asks for: who has what was delivered and is not settled


def held(node: Node) -> list[tuple[bytes, int]]:
    """What all channels together have, as queues and positions, in the order in which they tell it."""
    names = {queue.kept: queue.name for queue in node.vhost.queues.values()}
    return [
        (names[kept], int(entry.position)) for holder in node.vhost.holders for kept, entry in holder.held()
    ]


def test_what_is_outstanding_is_held(node: Node) -> None:
    channel = holding(node, 4)
    channel >> Basic.ack(delivery_tag=1) >> Basic.reject(delivery_tag=3, requeue=True)
    assert held(node) == [(b"q", 2), (b"q", 4)]
    assert held(node) == [(b"q", 2), (b"q", 4)]
    channel >> Basic.ack(delivery_tag=0, multiple=True)
    assert held(node) == []


def test_what_was_fetched_is_held_and_what_was_settled_by_that_is_not(node: Node) -> None:
    node.channel().publish(b"1", b"2")
    channel = node.channel()
    channel >> Basic.get(queue="q") >> Basic.get(queue="q", no_ack=True)
    assert held(node) == [(b"q", 1)]


def test_deliveries_of_many_queues_are_held_with_their_queue(node: Node) -> None:
    node.queue(b"r")
    channel = node.channel().consume("q", "q").consume("r", "r")
    channel.publish(b"1", b"2").publish(b"3", key="r")
    assert held(node) == [(b"q", 1), (b"q", 2), (b"r", 1)]


def test_each_channel_holds_its_own_until_it_closes(node: Node) -> None:
    one = holding(node, 2)
    other = node.channel()
    assert node.channel_count() == 3  # one published, one holds, one is idle
    other.publish(b"3").consume()
    assert held(node) == [(b"q", 1), (b"q", 2), (b"q", 3)]
    other >> Basic.cancel(consumer_tag="c", nowait=True)
    one >> Channel.close()
    assert held(node) == [(b"q", 3)]
    assert node.channel_count() == 2


@pytest.mark.parametrize("end", ["close", "error", "lost", "connection"])
def test_channel_that_is_gone_holds_nothing_more(node: Node, end: str) -> None:
    channel = node.channel()
    channel.publish(b"1").consume()
    before = len(node.vhost.holders)
    if end == "close":
        channel >> Channel.close()
    elif end == "error":
        channel >> Basic.ack(delivery_tag=9)
    elif end == "lost":
        channel.client.session.lost()
    else:
        channel.client >> Connection.close(reply_code=200)
    assert len(node.vhost.holders) == before - 1
    assert held(node) == []


def test_what_an_open_transaction_has_settled_is_held_until_its_end(node: Node) -> None:
    node.channel().publish(b"1", b"2", b"3", b"4")
    channel = node.channel()
    channel >> Tx.select()
    channel << Tx.select_ok()
    channel.consume()
    channel >> Basic.ack(delivery_tag=2) >> Basic.nack(delivery_tag=3, multiple=True, requeue=True)
    assert sorted(held(node)) == [(b"q", 1), (b"q", 2), (b"q", 3), (b"q", 4)]
    channel >> Basic.cancel(consumer_tag="c", nowait=True) >> Tx.rollback()
    assert held(node) == [(b"q", 1), (b"q", 2), (b"q", 3), (b"q", 4)]
    channel >> Basic.nack(delivery_tag=3, multiple=True, requeue=True) >> Tx.commit()
    assert held(node) == [(b"q", 4)]


def test_deliveries_of_a_deleted_queue_are_held_still(node: Node) -> None:
    kept = node.vhost.queues[b"q"].kept
    channel = holding(node, 2)
    channel >> Queue.delete(queue="q", nowait=True)
    told = [(of, int(entry.position)) for holder in node.vhost.holders for of, entry in holder.held()]
    assert told == [(kept, 1), (kept, 2)]
