"""Messages that expire while the broker is killed: each dies once, wherever it stands."""

import contextlib
import signal
import time
from pathlib import Path
from random import Random

import pytest
from tests.conformance.codec import Basic, Confirm, Queue
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
