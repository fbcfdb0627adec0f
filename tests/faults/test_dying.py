"""Messages that die while the broker is killed: each does so once, wherever it stands, and none is lost."""

import contextlib
import signal
import time
from pathlib import Path
from random import Random

import pytest
from tests.conformance.codec import Basic, Confirm, Exchange, Queue
from tests.conformance.wire import Wire, WireChannel
from tests.faults.nodes import Node

COUNT = 4_000
# Bodies that make the queue page its tail out.
BODY_BYTES = 600
KILLS = 3


def ready(channel: WireChannel, queue: str) -> int:
    count: int = channel.call(Queue.declare(queue=queue, passive=True)).message_count
    return count


def fill(wire: Wire, random: Random) -> None:
    """Publish to `q`, and wait until all of it is safe."""
    channel = wire.channel()
    channel.call(Queue.declare(queue="dead", durable=True))
    arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead", "x-message-ttl": 3_000}
    channel.call(Queue.declare(queue="q", durable=True, arguments=arguments))
    channel.call(Confirm.select())
    for number in range(COUNT):
        properties: dict[str, object] = {"delivery_mode": 2}
        if number % 2:
            properties |= {"expiration": str(random.randrange(1_000, 3_000))}
        channel.publish(b"%06d" % number + bytes(BODY_BYTES), "q", properties=properties)
    while (channel << Basic.ack()).delivery_tag < COUNT:
        pass


@pytest.mark.rule("dlx", "durable")
@pytest.mark.parametrize("seed", range(2))
def test_expired_messages_are_dead_lettered_once_through_kills(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    node = Node(tmp_path, queue_memory="64KiB", journal_file_bytes="262144")
    try:
        node.start()
        with contextlib.closing(node.wire()) as wire:
            fill(wire, random)
        for _ in range(KILLS):
            time.sleep(random.random() * 0.8)
            node.restart(signal.SIGKILL)
        with contextlib.closing(node.wire()) as wire:
            channel = wire.channel()
            deadline = time.monotonic() + 30
            while ready(channel, "dead") < COUNT:
                assert time.monotonic() < deadline, (
                    f"{ready(channel, 'dead')} dead, {ready(channel, 'q')} left"
                )
                time.sleep(0.05)
            assert ready(channel, "q") == 0
            dead = [int(body[:6]) for body in channel.drain("dead")]
        assert sorted(dead) == list(range(COUNT))
        assert node.process.log.count("recovered") == 1
        assert "damaged" not in node.process.log
    finally:
        node.close()


WAITING = {
    "x-queue-type": "quorum",
    "x-overflow": "reject-publish",
    "x-dead-letter-strategy": "at-least-once",
    "x-dead-letter-exchange": "later",
}


def publish_waiting(wire: Wire, count: int) -> set[bytes]:
    """Publish to `expiring` and `rejecting`, reject what is in the second, and return the bodies.

    Nobody takes the dead letters yet.
    """
    channel = wire.channel()
    channel.call(Queue.declare(queue="expiring", durable=True, arguments=WAITING | {"x-message-ttl": 1}))
    channel.call(Queue.declare(queue="rejecting", durable=True, arguments=WAITING))
    published: set[bytes] = set()
    for queue in ("expiring", "rejecting"):
        bodies = [b"%s %04d" % (queue.encode(), number) for number in range(count)]
        channel.enqueue(queue, *bodies, properties={"delivery_mode": 2})
        published.update(bodies)
    reject(channel, count)
    return published


def reject(channel: WireChannel, count: int) -> None:
    """Reject so many messages of `rejecting`, which has no others."""
    channel.call(Basic.consume(queue="rejecting", consumer_tag="c"))
    assert len(set(channel.bodies(count))) == count
    channel >> Basic.nack(delivery_tag=0, multiple=True, requeue=False)
    channel.call(Basic.cancel(consumer_tag="c"))


def take_dead_letters(channel: WireChannel, count: int) -> None:
    """Have a queue `dead` take them, and wait until it has so many."""
    channel.call(Exchange.declare(exchange="later", type="fanout", durable=True))
    channel.call(Queue.declare(queue="dead", durable=True))
    channel.call(Queue.bind(queue="dead", exchange="later"))
    deadline = time.monotonic() + 30
    while ready(channel, "dead") < count:
        assert time.monotonic() < deadline, f"{ready(channel, 'dead')} dead"
        time.sleep(0.05)


@pytest.mark.rule("dlx", "at-least-once")
def test_dead_letters_that_wait_outlive_kills(tmp_path: Path) -> None:
    count = 1_500
    node = Node(tmp_path, journal_file_bytes="65536")
    try:
        node.start()
        with contextlib.closing(node.wire()) as wire:
            published = publish_waiting(wire, count)
            time.sleep(1.5)  # some of the journal's files are given up, and what is in use moves
            channel = wire.channel()
            assert [ready(channel, "expiring"), ready(channel, "rejecting")] == [0, 0]
        for _ in range(KILLS):
            node.restart(signal.SIGKILL)
        with contextlib.closing(node.wire()) as wire:
            channel = wire.channel()
            reject(channel, count)  # they were delivered again
            take_dead_letters(channel, 2 * count)
        # What was moved just now and is not safe yet is where it was.
        node.restart(signal.SIGKILL)
        with contextlib.closing(node.wire()) as wire:
            channel = wire.channel()
            left = channel.drain("rejecting")
            take_dead_letters(channel, 2 * count - len(left))
            assert sorted(left + channel.drain("dead")) == sorted(published)
        assert "damaged" not in node.process.log
    finally:
        node.close()
