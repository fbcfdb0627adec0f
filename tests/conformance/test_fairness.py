"""Fairness seen from outside: a client that does not read, floods or dies is nobody else's problem."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from tests.conformance.codec import Basic, Confirm, Connection, Queue
from tests.conformance.names import Names
from tests.conformance.wire import Wire, WireChannel

Connect = Callable[..., Wire]
BODY = b"x" * 100_000
MANY = 600  # 60 MB: far more than the socket buffers of both sides
MEMORY_LIMIT = 40_000_000


def round_trip(ch: WireChannel, queue: str) -> float:
    """Seconds from a publish to its delivery on the same connection."""
    start = time.monotonic()
    ch.publish(b"ping", queue)
    ch << Basic.deliver(body=b"ping")
    return time.monotonic() - start


@pytest.fixture
def bystander(connect: Connect, names: Names) -> Callable[[], float]:
    """Measures a round trip of a connection that has nothing to do with the others."""
    queue = names()
    ch = connect().channel()
    ch.call(Queue.declare(queue=queue))
    ch.call(Basic.consume(queue=queue, no_ack=True))
    return lambda: round_trip(ch, queue)


@pytest.mark.rule("fairness", "mute-consumer")
def test_consumer_that_does_not_read_disturbs_nobody_and_costs_bounded_memory(
    ch: WireChannel,
    q: str,
    connect: Connect,
    bystander: Callable[[], float],
    resident_bytes: Callable[[], int],
) -> None:
    publisher = connect().channel()
    publisher.call(Confirm.select())
    for _ in range(MANY):
        publisher.publish(BODY, q)
    while (publisher << Basic.ack()).delivery_tag < MANY:
        pass
    before = resident_bytes()
    mute = connect().channel()
    mute >> Basic.consume(queue=q, no_ack=True)
    worst = max(bystander() for _ in range(50))
    assert worst < 1
    assert resident_bytes() - before < MEMORY_LIMIT
    mute << Basic.consume_ok()
    assert all(body == BODY for body in mute.bodies(MANY))


@pytest.mark.rule("fairness", "mute-consumer")
def test_other_consumers_of_its_queue_take_over_from_one_that_does_not_read(
    ch: WireChannel, q: str, connect: Connect
) -> None:
    mute = connect()
    mute_channel = mute.channel()
    mute_channel.call(Basic.qos(prefetch_count=50))
    mute_channel.call(Basic.consume(queue=q))
    reader = connect().channel()
    reader.call(Basic.qos(prefetch_count=10))
    reader.call(Basic.consume(queue=q))
    publisher = connect().channel()
    for number in range(200):
        publisher.publish(b"%03d" % number + BODY, q)
    seen: set[bytes] = set()

    def read_until(count: int) -> None:
        while len(seen) < count:
            received = reader << Basic.deliver()
            seen.add((received.body or b"")[:3])
            reader >> Basic.ack(delivery_tag=received.delivery_tag)

    read_until(150)
    mute.reset()
    read_until(200)


@pytest.mark.rule("fairness", "flood")
def test_flooding_publishers_starve_nobody(
    ch: WireChannel, q: str, connect: Connect, bystander: Callable[[], float]
) -> None:
    flooders = [connect().channel() for _ in range(3)]
    flood = flooders[0].octets(Basic.publish(routing_key=q, body=b"0123456789abcdef")) * 1000
    worst = 0.0
    for _ in range(20):
        for flooder in flooders:
            flooder.wire.write(flood)
        worst = max(worst, bystander())
    assert worst < 1
    for flooder in flooders:
        flooder.call(Basic.qos())
    ch.call(Basic.consume(queue=q, no_ack=True))
    assert len(ch.bodies(60_000)) == 60_000


@pytest.mark.rule("fairness", "deletion")
def test_deleting_a_long_queue_does_not_hold_up_the_others(
    ch: WireChannel, q: str, bystander: Callable[[], float]
) -> None:
    ch.enqueue(q, *[b""] * 20_000)
    ch >> Queue.delete(queue=q)
    assert bystander() < 1
    ch << Queue.delete_ok(message_count=20_000)


@pytest.mark.rule("fairness", "requeue")
def test_giving_back_many_messages_does_not_hold_up_the_others(
    ch: WireChannel, q: str, connect: Connect, bystander: Callable[[], float]
) -> None:
    ch.enqueue(q, *[b"m"] * 10_000)
    lost = connect()
    consumer = lost.channel()
    consumer.call(Basic.consume(queue=q))
    consumer.bodies(10_000)
    lost.reset()
    assert bystander() < 1
    ch.call(Basic.consume(queue=q, no_ack=True))
    for _ in range(10_000):
        ch << Basic.deliver(redelivered=True)


@pytest.mark.rule("fairness", "garbage")
@pytest.mark.parametrize(
    "octets",
    [b"\xff" * 4096, bytes(4096), b"\x01\x00\x01\x00\x00\x00\x04" * 500],
    ids=["ones", "zeros", "frames"],
)
def test_garbage_ends_one_connection_only(
    octets: bytes, connect: Connect, bystander: Callable[[], float]
) -> None:
    wire = connect()
    wire.channel()
    wire.write(octets)
    wire << Connection.close(reply_code=501)
    assert bystander() < 1
