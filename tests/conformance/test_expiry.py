"""Expiry: messages that wait too long, and queues that nobody uses."""

from __future__ import annotations

import time

import pytest
from tests.conformance.codec import Basic, Queue
from tests.conformance.names import Names
from tests.conformance.test_queues import eventually_gone, is_gone
from tests.conformance.wire import Wire, WireChannel, properties_of


def ready(ch: WireChannel, queue: str) -> int:
    """How many messages are ready."""
    count: int = ch.call(Queue.declare(queue=queue, passive=True)).message_count
    return count


def eventually(ch: WireChannel, queue: str, count: int, seconds: float = 5.0) -> float:
    """Wait until so many are ready; returns after how many seconds."""
    began = time.monotonic()
    while ready(ch, queue) != count:
        assert time.monotonic() - began < seconds, f"{ready(ch, queue)} ready, {count} expected"
        ch.quiet(0.005)
    return time.monotonic() - began


def declare(ch: WireChannel, queue: str, durable: bool = False, **arguments: object) -> str:
    """Declare a queue with `x_message_ttl=5` and the like."""
    named = {"x-" + name.removeprefix("x_").replace("_", "-"): value for name, value in arguments.items()}
    ch.call(Queue.declare(queue=queue, durable=durable, arguments=named))
    return queue


@pytest.mark.rule("queue.declare", "message-ttl")
@pytest.mark.parametrize("durable", [False, True])
def test_message_expires_in_a_queue_with_a_ttl(ch: WireChannel, names: Names, durable: bool) -> None:
    q = declare(ch, names.q, durable, message_ttl=300)
    ch.enqueue(q, b"a", b"b", properties={"delivery_mode": 2})
    assert ready(ch, q) == 2
    assert 0.1 < eventually(ch, q, 0) < 2


@pytest.mark.rule("basic.publish", "expiration")
def test_message_expires_when_it_says_so(ch: WireChannel, q: str) -> None:
    ch.enqueue(q, b"a", properties={"expiration": "200"})
    ch.enqueue(q, b"b")
    eventually(ch, q, 1)
    assert ch.drain(q) == [b"b"]


@pytest.mark.rule("basic.publish", "expiration")
def test_the_shorter_time_counts(ch: WireChannel, names: Names) -> None:
    q = declare(ch, names.q, message_ttl=60_000)
    ch.enqueue(q, b"a", properties={"expiration": "100"})
    eventually(ch, q, 0)
    short = declare(ch, names(), message_ttl=100)
    ch.enqueue(short, b"a", properties={"expiration": "60000"})
    eventually(ch, short, 0)


@pytest.mark.oracle_differs("only the head of the queue is looked at")
def test_message_expires_wherever_it_stands(ch: WireChannel, q: str) -> None:
    for number in range(30):
        ch.enqueue(q, b"%d" % number, properties={"expiration": "100"} if number % 3 else {})
    eventually(ch, q, 10)
    assert ch.drain(q) == [b"%d" % number for number in range(0, 30, 3)]


def test_expiration_of_nothing_is_for_consumers_that_wait(ch: WireChannel, wire: Wire, q: str) -> None:
    ch.enqueue(q, b"gone", properties={"expiration": "0"})
    assert ready(ch, q) == 0
    consumer = wire.channel()
    consumer.call(Basic.consume(queue=q, no_ack=True))
    ch.publish(b"seen", q, properties={"expiration": "0"})
    assert consumer.bodies(1) == [b"seen"]


def test_message_that_is_held_does_not_expire_before_it_comes_back(
    ch: WireChannel, wire: Wire, names: Names
) -> None:
    q = declare(ch, names.q, message_ttl=150)
    ch.enqueue(q, b"a")
    holder = wire.channel()
    holder >> Basic.get(queue=q)
    got = holder << Basic.get_ok(body=b"a")
    holder.quiet(0.4)
    holder >> Basic.nack(delivery_tag=got.delivery_tag, requeue=True)
    eventually(ch, q, 0)
    assert ch.drain(q) == []


def test_expired_messages_are_never_delivered(ch: WireChannel, wire: Wire, names: Names) -> None:
    q = declare(ch, names.q, message_ttl=50)
    ch.enqueue(q, *[b"%d" % number for number in range(200)])
    ch.quiet(0.3)
    consumer = wire.channel()
    consumer.call(Basic.consume(queue=q, no_ack=True))
    consumer.quiet()


@pytest.mark.rule("queue.declare", "expires")
def test_queue_that_nobody_uses_goes(ch: WireChannel, names: Names) -> None:
    q = declare(ch, names.q, expires=200)
    assert not is_gone(ch, q)
    began = time.monotonic()
    while time.monotonic() - began < 5:
        ch.quiet(0.4)  # a passive declaration is a use, too
        if is_gone(ch, q):
            return
    raise AssertionError("the queue is still there")


@pytest.mark.rule("queue.declare", "expires")
def test_consumer_keeps_its_queue(ch: WireChannel, wire: Wire, names: Names) -> None:
    q = declare(ch, names.q, expires=150)
    consumer = wire.channel()
    tag = consumer.call(Basic.consume(queue=q)).consumer_tag
    ch.quiet(0.5)
    ch.publish(b"a", q)
    assert consumer.bodies(1) == [b"a"]
    consumer.call(Basic.cancel(consumer_tag=tag))
    ch.quiet(0.5)
    assert eventually_gone(ch, q)


def test_expired_message_keeps_its_properties_when_it_is_delivered_in_time(ch: WireChannel, q: str) -> None:
    ch.enqueue(q, b"a", properties={"expiration": "60000"})
    ch >> Basic.get(queue=q, no_ack=True)
    got = ch << Basic.get_ok(body=b"a")
    assert properties_of(got)["expiration"] == "60000"
