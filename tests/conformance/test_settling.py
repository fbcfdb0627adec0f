"""Settling: get, ack, reject, nack, recover, and where requeued messages go."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.conformance.codec import Basic, Channel, Method, Queue
from tests.conformance.wire import Wire, WireChannel

Connect = Callable[..., Wire]


def numbers(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


@pytest.fixture
def taken(ch: WireChannel, q: str) -> WireChannel:
    """`ch`, on which messages 0 to 3 of 0 to 5 are outstanding as delivery tags 1 to 4."""
    ch.enqueue(q, *numbers(6))
    for _ in range(4):
        ch >> Basic.get(queue=q)
        ch << Basic.get_ok()
    return ch


def received(ch: WireChannel, queue: str) -> list[tuple[bytes | None, bool]]:
    """Everything ready in `queue` with its redelivered flag, acknowledged at once."""
    out: list[tuple[bytes | None, bool]] = []
    while True:
        ch >> Basic.get(queue=queue, no_ack=True)
        reply = ch.next()
        if reply.name == "basic.get_empty":
            return out
        out.append((reply.body, reply.redelivered))


@pytest.mark.rule("basic.get", "reply")
def test_get_ok_counts_what_remains_and_get_empty_has_an_empty_cluster_id(ch: WireChannel, q: str) -> None:
    ch.enqueue(q, b"a", b"b")
    ch >> Basic.get(queue=q) >> Basic.get(queue=q, no_ack=True) >> Basic.get(queue=q)
    ch << Basic.get_ok(
        delivery_tag=1, redelivered=False, exchange="", routing_key=q, message_count=1, body=b"a"
    )
    ch << Basic.get_ok(delivery_tag=2, message_count=0, body=b"b")
    ch << Basic.get_empty(cluster_id="")


@pytest.mark.rule("basic.get", "no-ack")
def test_message_gotten_with_no_ack_is_settled(ch: WireChannel, q: str) -> None:
    ch.enqueue(q, b"a")
    ch >> Basic.get(queue=q, no_ack=True)
    ch << Basic.get_ok(delivery_tag=1)
    ch >> Basic.ack(delivery_tag=1)
    ch << Channel.close(reply_code=406, reply_text="PRECONDITION_FAILED - unknown delivery tag 1")
    ch >> Channel.close_ok()


@pytest.mark.rule("basic.ack", "multiple")
def test_multiple_settles_everything_up_to_its_tag(taken: WireChannel, q: str) -> None:
    taken >> Basic.ack(delivery_tag=3, multiple=True)
    taken.call(Channel.close())
    taken.call(Channel.open())
    assert received(taken, q) == [(b"3", True), (b"4", False), (b"5", False)]


@pytest.mark.rule("basic.ack", "zero")
def test_tag_zero_with_multiple_settles_everything(taken: WireChannel, q: str) -> None:
    taken >> Basic.ack(delivery_tag=0, multiple=True)
    taken.call(Channel.close())
    taken.call(Channel.open())
    assert received(taken, q) == [(b"4", False), (b"5", False)]


@pytest.mark.rule("basic.ack", "twice")
@pytest.mark.parametrize(
    "again",
    [
        Basic.ack(delivery_tag=2),
        Basic.reject(delivery_tag=2),
        Basic.nack(delivery_tag=2),
        Basic.ack(delivery_tag=2, multiple=True),
        Basic.nack(delivery_tag=2, multiple=True),
    ],
    ids=["ack", "reject", "nack", "ack-multiple", "nack-multiple"],
)
def test_settling_twice_closes_the_channel(again: Method, taken: WireChannel) -> None:
    taken >> Basic.ack(delivery_tag=2) >> again
    taken << Channel.close(
        reply_code=406, reply_text="PRECONDITION_FAILED - unknown delivery tag 2", class_id=60
    )
    taken >> Channel.close_ok()


@pytest.mark.rule("basic.ack", "other-channel")
def test_tags_of_another_channel_are_unknown(wire: Wire, taken: WireChannel) -> None:
    other = wire.channel()
    other >> Basic.ack(delivery_tag=1)
    other << Channel.close(reply_code=406, reply_text="PRECONDITION_FAILED - unknown delivery tag 1")
    other >> Channel.close_ok()


@pytest.mark.rule("basic.reject", "discard")
@pytest.mark.parametrize(
    "settle",
    [Basic.reject(delivery_tag=1, requeue=False), Basic.nack(delivery_tag=1, requeue=False)],
    ids=lambda method: method.name,
)
def test_rejected_message_without_requeue_is_gone(settle: Method, taken: WireChannel, q: str) -> None:
    taken >> settle
    taken.call(Channel.close())
    taken.call(Channel.open())
    assert received(taken, q)[0] == (b"1", True)


@pytest.mark.rule("basic.reject", "position")
def test_requeued_messages_go_where_they_were(wire: Wire, taken: WireChannel, q: str) -> None:
    taken >> Basic.nack(delivery_tag=3, requeue=True) >> Basic.reject(delivery_tag=1, requeue=True)
    taken.call(Channel.close())
    assert received(wire.channel(), q) == [
        *((body, True) for body in numbers(4)),
        (b"4", False),
        (b"5", False),
    ]


@pytest.mark.rule("basic.nack", "position")
def test_nack_multiple_requeues_in_order(taken: WireChannel, q: str) -> None:
    taken >> Basic.nack(delivery_tag=4, multiple=True, requeue=True)
    assert [body for body, _ in received(taken, q)] == numbers(6)


@pytest.mark.rule("basic.nack", "position")
def test_nack_tag_zero_multiple_requeues_everything(taken: WireChannel, q: str) -> None:
    taken >> Basic.nack(delivery_tag=0, multiple=True, requeue=True)
    assert [body for body, _ in received(taken, q)] == numbers(6)


@pytest.mark.rule("basic.nack", "consumers")
def test_requeued_message_goes_to_a_waiting_consumer(ch: WireChannel, q: str, connect: Connect) -> None:
    ch.enqueue(q, b"a")
    ch >> Basic.get(queue=q)
    ch << Basic.get_ok(redelivered=False)
    other = connect().channel()
    other.call(Basic.consume(queue=q))
    ch >> Basic.nack(delivery_tag=1, requeue=True)
    other << Basic.deliver(redelivered=True, body=b"a", delivery_tag=1)


@pytest.mark.rule("basic.nack", "consumers")
def test_consumer_that_requeues_gets_the_message_again(ch: WireChannel, q: str) -> None:
    ch.call(Basic.qos(prefetch_count=1))
    ch.call(Basic.consume(queue=q))
    ch.publish(b"a", q).publish(b"b", q)
    ch << Basic.deliver(delivery_tag=1, redelivered=False, body=b"a")
    for tag in range(1, 4):
        ch >> Basic.reject(delivery_tag=tag, requeue=True)
        ch << Basic.deliver(delivery_tag=tag + 1, redelivered=True, body=b"a")
    ch >> Basic.ack(delivery_tag=4)
    ch << Basic.deliver(delivery_tag=5, redelivered=False, body=b"b")


@pytest.mark.rule("basic.recover", "requeue")
def test_recover_requeues_what_is_outstanding_even_to_the_same_consumer(ch: WireChannel, q: str) -> None:
    ch.enqueue(q, *numbers(3))
    ch.call(Basic.consume(queue=q))
    assert ch.bodies(3) == numbers(3)
    ch >> Basic.ack(delivery_tag=2)
    ch.call(Basic.recover(requeue=True))
    assert [(ch << Basic.deliver(redelivered=True)).body for _ in range(2)] == [b"0", b"2"]
    ch.quiet()


@pytest.mark.rule("basic.recover-async", "requeue")
def test_recover_async_is_not_answered(taken: WireChannel, q: str) -> None:
    taken >> Basic.recover_async(requeue=True)
    assert received(taken, q) == [*((body, True) for body in numbers(4)), (b"4", False), (b"5", False)]


@pytest.mark.rule("channel.close", "requeue")
def test_closed_channel_gives_messages_back_before_close_ok(
    ch: WireChannel, q: str, connect: Connect
) -> None:
    ch.enqueue(q, *numbers(50))
    consumer = connect().channel()
    consumer.call(Basic.consume(queue=q))
    consumer.bodies(50)
    consumer.call(Channel.close())
    reply = ch.call(Queue.declare(queue=q, passive=True))
    assert (reply.message_count, reply.consumer_count) == (50, 0)
    assert [body for body, _ in received(ch, q)] == numbers(50)


@pytest.mark.rule("channel.close", "requeue")
def test_messages_of_two_consumers_return_to_one_order(ch: WireChannel, q: str, connect: Connect) -> None:
    ch.enqueue(q, *numbers(10))
    consumers = [connect().channel() for _ in range(2)]
    for consumer in consumers:
        for _ in range(5):
            consumer >> Basic.get(queue=q)
            consumer << Basic.get_ok()
    for consumer in reversed(consumers):
        consumer.call(Channel.close())
    assert received(ch, q) == [(body, True) for body in numbers(10)]


@pytest.mark.rule("channel.close", "requeue")
def test_server_closed_channel_gives_messages_back_too(taken: WireChannel, q: str) -> None:
    taken >> Basic.ack(delivery_tag=99)
    taken << Channel.close(reply_code=406)
    taken >> Channel.close_ok()
    taken.call(Channel.open())
    assert [body for body, _ in received(taken, q)] == numbers(6)
