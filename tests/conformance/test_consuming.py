"""Consuming: tags, cancel, fairness between consumers, and prefetch in both scopes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from tests.conformance.codec import Basic, Channel, Queue
from tests.conformance.wire import Wire, WireChannel

Connect = Callable[..., Wire]


def consume(ch: WireChannel, queue: str, tag: str = "", **more: Any) -> str:
    reply = ch.call(Basic.consume(queue=queue, consumer_tag=tag, **more))
    return str(reply.consumer_tag)


def numbers(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


def delivered_to(ch: WireChannel, count: int) -> list[str]:
    """The consumer tags of the next `count` deliveries; no further delivery follows."""
    tags = [(ch << Basic.deliver()).consumer_tag for _ in range(count)]
    ch.quiet()
    return tags


@pytest.mark.rule("basic.consume", "tag")
def test_server_makes_a_consumer_tag(ch: WireChannel, q: str) -> None:
    tags = {consume(ch, q) for _ in range(3)}
    assert len(tags) == 3
    assert all(re.fullmatch(r"amq\.ctag-[A-Za-z0-9_-]{22}", tag) for tag in tags)


@pytest.mark.rule("basic.consume", "tag")
def test_tags_are_free_again_after_cancel_and_belong_to_the_channel(
    wire: Wire, ch: WireChannel, q: str
) -> None:
    assert consume(ch, q, "t") == "t"
    assert consume(wire.channel(), q, "t") == "t"
    ch.call(Basic.cancel(consumer_tag="t"))
    consume(ch, q, "t")


@pytest.mark.rule("basic.consume", "order")
def test_consume_ok_precedes_the_first_delivery(ch: WireChannel, q: str) -> None:
    ch.enqueue(q, b"a")
    ch >> Basic.consume(queue=q, consumer_tag="t")
    ch << Basic.consume_ok(consumer_tag="t")
    ch << Basic.deliver(consumer_tag="t", delivery_tag=1, redelivered=False, routing_key=q, body=b"a")


@pytest.mark.rule("basic.consume", "nowait")
def test_consume_and_cancel_with_nowait_are_not_answered(ch: WireChannel, q: str) -> None:
    ch >> Basic.consume(queue=q, consumer_tag="t", nowait=True)
    ch.publish(b"a", q)
    ch << Basic.deliver(consumer_tag="t", body=b"a")
    ch >> Basic.cancel(consumer_tag="t", nowait=True)
    assert ch.call(Queue.declare(queue=q, passive=True)).consumer_count == 0


@pytest.mark.rule("basic.consume", "no-local")
def test_no_local_is_ignored(ch: WireChannel, q: str) -> None:
    consume(ch, q, no_local=True)
    ch.publish(b"mine", q)
    ch << Basic.deliver(body=b"mine")


@pytest.mark.rule("basic.consume", "arguments")
def test_unknown_consumer_arguments_are_ignored(ch: WireChannel, q: str) -> None:
    consume(ch, q, arguments={"x-cancel-on-ha-failover": True, "x-anything": [1]})
    ch.publish(b"a", q)
    ch << Basic.deliver(body=b"a")


@pytest.mark.rule("basic.consume", "exclusive")
def test_exclusive_consumer_frees_the_queue_when_it_is_cancelled(
    ch: WireChannel, q: str, connect: Connect
) -> None:
    consume(ch, q, "t", exclusive=True)
    ch.call(Basic.cancel(consumer_tag="t"))
    consume(connect().channel(), q, exclusive=True)


@pytest.mark.rule("basic.consume", "exclusive")
def test_basic_get_works_beside_an_exclusive_consumer(ch: WireChannel, q: str, connect: Connect) -> None:
    ch.call(Basic.qos(prefetch_count=1))
    ch.enqueue(q, b"a", b"b")
    consume(ch, q, exclusive=True)
    ch << Basic.deliver(body=b"a")
    other = connect().channel()
    other >> Basic.get(queue=q, no_ack=True)
    other << Basic.get_ok(body=b"b")


@pytest.mark.rule("basic.cancel", "client")
def test_no_delivery_follows_cancel_ok_and_outstanding_ones_stay(ch: WireChannel, q: str) -> None:
    consume(ch, q, "t")
    ch.publish(b"a", q).publish(b"b", q)
    assert ch.bodies(2) == [b"a", b"b"]
    ch.call(Basic.cancel(consumer_tag="t"))
    ch.publish(b"c", q)
    ch >> Basic.ack(delivery_tag=1)
    ch.quiet()
    assert ch.drain(q) == [b"c"]
    ch >> Basic.nack(delivery_tag=2, requeue=True)
    assert ch.drain(q) == [b"b"]


@pytest.mark.rule("basic.deliver", "tags")
def test_delivery_tags_count_deliveries_and_gets_of_a_channel(wire: Wire, ch: WireChannel, q: str) -> None:
    consume(ch, q, "t")
    ch.publish(b"a", q)
    ch << Basic.deliver(delivery_tag=1)
    ch.call(Basic.cancel(consumer_tag="t"))
    ch.publish(b"b", q)
    ch >> Basic.get(queue=q, no_ack=True)
    ch << Basic.get_ok(delivery_tag=2)
    consume(ch, q, no_ack=True)
    ch.publish(b"c", q)
    ch << Basic.deliver(delivery_tag=3)
    other = wire.channel()
    other.publish(b"d", q)
    ch << Basic.deliver(delivery_tag=4)


@pytest.mark.rule("basic.consume", "no-ack")
def test_message_for_a_no_ack_consumer_is_gone_when_it_is_sent(ch: WireChannel, q: str) -> None:
    consume(ch, q, no_ack=True)
    ch.publish(b"a", q)
    ch << Basic.deliver(delivery_tag=1)
    ch >> Basic.ack(delivery_tag=1)
    ch << Channel.close(reply_code=406)
    ch >> Channel.close_ok()
    ch.call(Channel.open())
    assert ch.drain(q) == []


@pytest.mark.rule("basic.deliver", "round-robin")
def test_consumers_take_turns(ch: WireChannel, q: str) -> None:
    for tag in "abc":
        consume(ch, q, tag)
    for _ in range(9):
        ch.publish(b"", q)
    assert "".join(delivered_to(ch, 9)) in ("abc" * 3, "bca" * 3, "cab" * 3)


@pytest.mark.rule("basic.deliver", "round-robin")
def test_consumer_without_credit_is_passed_over(wire: Wire, ch: WireChannel, q: str) -> None:
    ch.call(Basic.qos(prefetch_count=1))
    consume(ch, q, "small")
    other = wire.channel()
    consume(other, q, "large")
    ch.enqueue(q, *numbers(6))
    assert delivered_to(ch, 1) == ["small"]
    assert delivered_to(other, 5) == ["large"] * 5


@pytest.mark.rule("basic.consume", "priority")
def test_higher_priority_is_served_first_while_it_has_credit(ch: WireChannel, q: str) -> None:
    ch.call(Basic.qos(prefetch_count=2))
    consume(ch, q, "lo")
    consume(ch, q, "hi", arguments={"x-priority": 10})
    ch.enqueue(q, *numbers(5))
    assert delivered_to(ch, 4) == ["hi", "hi", "lo", "lo"]
    ch >> Basic.ack(delivery_tag=1)
    assert delivered_to(ch, 1) == ["hi"]


@pytest.mark.rule("basic.consume", "priority")
def test_priorities_may_be_negative_and_equal_ones_take_turns(ch: WireChannel, q: str) -> None:
    ch.call(Basic.qos(prefetch_count=2))
    for tag, priority in (("below", -5), ("one", 0), ("two", 0)):
        consume(ch, q, tag, arguments={"x-priority": priority})
    ch.enqueue(q, *numbers(6))
    tags = delivered_to(ch, 6)
    assert sorted(tags[:4]) == ["one", "one", "two", "two"]
    assert tags[0] != tags[1]
    assert tags[4:] == ["below", "below"]


@pytest.mark.rule("basic.consume", "priority")
@pytest.mark.parametrize("value", ["high", 1.5, True], ids=str)
def test_priority_must_be_an_integer(value: object, wire: Wire, ch: WireChannel, q: str) -> None:
    ch >> Basic.consume(queue=q, arguments={"x-priority": value})
    ch << Channel.close(reply_code=406, class_id=60, method_id=20)
    ch >> Channel.close_ok()


# --- prefetch -------------------------------------------------------------------------------------


@pytest.mark.rule("basic.qos", "consumer")
def test_prefetch_limits_each_consumer_of_its_own(ch: WireChannel, q: str) -> None:
    ch.call(Basic.qos(prefetch_count=3))
    consume(ch, q, "a")
    consume(ch, q, "b")
    ch.enqueue(q, *numbers(10))
    assert sorted(delivered_to(ch, 6)) == ["a"] * 3 + ["b"] * 3


@pytest.mark.rule("basic.qos", "consumer")
def test_each_ack_makes_room_for_one_more(ch: WireChannel, q: str) -> None:
    ch.enqueue(q, *numbers(6))
    ch.call(Basic.qos(prefetch_count=2))
    consume(ch, q)
    assert ch.bodies(2) == [b"0", b"1"]
    ch.quiet()
    ch >> Basic.ack(delivery_tag=1)
    assert ch.bodies(1) == [b"2"]
    ch.quiet()
    ch >> Basic.ack(delivery_tag=3, multiple=True)
    assert ch.bodies(2) == [b"3", b"4"]
    ch.quiet()
    ch >> Basic.reject(delivery_tag=4, requeue=False)
    assert ch.bodies(1) == [b"5"]


@pytest.mark.rule("basic.qos", "consumer")
def test_zero_means_unlimited_and_no_ack_is_never_limited(ch: WireChannel, q: str) -> None:
    ch.call(Basic.qos(prefetch_count=1))
    ch.enqueue(q, *numbers(5))
    consume(ch, q, "t", no_ack=True)
    assert ch.bodies(5) == numbers(5)
    ch.call(Basic.cancel(consumer_tag="t"))
    ch.call(Basic.qos(prefetch_count=0))
    ch.enqueue(q, *numbers(5))
    consume(ch, q)
    assert ch.bodies(5) == numbers(5)


@pytest.mark.rule("basic.qos", "consumer")
def test_gotten_messages_do_not_count(ch: WireChannel, q: str) -> None:
    ch.enqueue(q, *numbers(5))
    ch.call(Basic.qos(prefetch_count=2))
    for _ in range(2):
        ch >> Basic.get(queue=q)
        ch << Basic.get_ok()
    consume(ch, q)
    assert ch.bodies(2) == [b"2", b"3"]
    ch.quiet()


@pytest.mark.rule("basic.qos", "channel")
def test_global_prefetch_is_shared_by_the_channels_consumers(ch: WireChannel, q: str) -> None:
    ch.call(Basic.qos(prefetch_count=3, global_=True))
    consume(ch, q, "a")
    consume(ch, q, "b")
    ch.enqueue(q, *numbers(10))
    assert len(delivered_to(ch, 3)) == 3
    ch >> Basic.ack(delivery_tag=1)
    assert len(delivered_to(ch, 1)) == 1


@pytest.mark.rule("basic.qos", "channel")
def test_global_prefetch_belongs_to_one_channel(wire: Wire, ch: WireChannel, q: str) -> None:
    ch.enqueue(q, *numbers(10))
    ch.call(Basic.qos(prefetch_count=2, global_=True))
    consume(ch, q)
    delivered_to(ch, 2)
    other = wire.channel()
    consume(other, q)
    delivered_to(other, 8)


@pytest.mark.rule("basic.qos", "channel")
def test_global_prefetch_may_be_raised_while_consuming(ch: WireChannel, q: str) -> None:
    ch.enqueue(q, *numbers(12))
    ch.call(Basic.qos(prefetch_count=3, global_=True))
    consume(ch, q)
    delivered_to(ch, 3)
    ch.call(Basic.qos(prefetch_count=10, global_=True))
    delivered_to(ch, 7)


@pytest.mark.rule("basic.qos", "channel")
def test_global_prefetch_may_be_lowered_while_consuming(ch: WireChannel, q: str) -> None:
    ch.enqueue(q, *numbers(12))
    ch.call(Basic.qos(prefetch_count=4, global_=True))
    consume(ch, q)
    delivered_to(ch, 4)
    ch.call(Basic.qos(prefetch_count=2, global_=True))
    ch >> Basic.ack(delivery_tag=1) >> Basic.ack(delivery_tag=2)
    ch.quiet()
    ch >> Basic.ack(delivery_tag=3)
    delivered_to(ch, 1)


@pytest.mark.rule("basic.qos", "channel")
def test_both_limits_hold_at_once(ch: WireChannel, q: str) -> None:
    ch.call(Basic.qos(prefetch_count=3))
    ch.call(Basic.qos(prefetch_count=5, global_=True))
    consume(ch, q, "a")
    consume(ch, q, "b")
    ch.enqueue(q, *numbers(12))
    tags = delivered_to(ch, 5)
    assert max(tags.count("a"), tags.count("b")) == 3


@pytest.mark.rule("basic.qos", "channel")
def test_consumer_limit_lifts_the_channel_limit(ch: WireChannel, q: str) -> None:
    ch.call(Basic.qos(prefetch_count=5, global_=True))
    ch.call(Basic.qos(prefetch_count=3))
    consume(ch, q, "a")
    consume(ch, q, "b")
    ch.enqueue(q, *numbers(12))
    assert sorted(delivered_to(ch, 6)) == ["a"] * 3 + ["b"] * 3


# pending_qos_decision: RabbitMQ applies a later non-global basic.qos to new consumers only; LavinMQ (and
# perhaps we, for Celery) to the channel's existing ones too. These two tests say what RabbitMQ does.


@pytest.mark.rule("basic.qos", "existing-consumers")
def test_consumer_keeps_the_limit_it_started_with(ch: WireChannel, q: str) -> None:
    ch.enqueue(q, *numbers(12))
    ch.call(Basic.qos(prefetch_count=3))
    consume(ch, q)
    delivered_to(ch, 3)
    ch.call(Basic.qos(prefetch_count=10))
    delivered_to(ch, 0)


@pytest.mark.rule("basic.qos", "existing-consumers")
def test_later_limit_is_for_later_consumers(ch: WireChannel, q: str) -> None:
    ch.call(Basic.qos(prefetch_count=3))
    consume(ch, q, "a")
    ch.call(Basic.qos(prefetch_count=1))
    consume(ch, q, "b")
    ch.enqueue(q, *numbers(12))
    assert sorted(delivered_to(ch, 4)) == ["a", "a", "a", "b"]
