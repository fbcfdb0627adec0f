"""Many queues with few messages each: what lives in a journal that is written round and round is not lost."""

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

from tests.conformance.codec import Basic, Confirm, Method, Queue
from tests.conformance.wire import Wire, WireChannel
from tests.faults.ledger import Ledger, Publication
from tests.faults.nodes import Node

SETTINGS = {"journal_file_bytes": "65536"}
PERSISTENT = {"delivery_mode": 2}
BUSY = "busy"
QUEUES = [f"many.{number}" for number in range(500)]
CHANGED = 100
TURNOVER_MESSAGES = 120
TURNOVER_BYTES = 20_000
KILLS = 3


def break_again_and_again(seed: int, home: Path) -> Counter[str]:
    """Run one seed and count what happened; raises AssertionError if a message was lost."""
    ledger, chance = Ledger(), Random(seed)
    node = Node(home, **SETTINGS)
    try:
        for epoch in range(KILLS):
            node.start()
            with closing(node.wire()) as wire:
                channel = confirming(wire)
                if epoch == 0:
                    declare(channel)
                publish(ledger, channel, [*QUEUES, *QUEUES] if epoch == 0 else chance.sample(QUEUES, CHANGED))
                take(ledger, wire.channel(), chance.sample(QUEUES, CHANGED))
                turn_over(channel, chance.randint(TURNOVER_MESSAGES // 4, TURNOVER_MESSAGES))
                node.stop(signal.SIGKILL)
            ledger.killed()
        node.start()
        with closing(node.wire()) as wire:
            drain(ledger, wire.channel())
        node.restart(signal.SIGTERM)
        with closing(node.wire()) as wire:
            assert not list(got(wire.channel(), QUEUES))
    finally:
        node.close()
    ledger.close()
    assert not ledger.violations, f"seed {seed}: " + "\n".join(ledger.violations[:20])
    assert "damaged" not in node.process.log
    return ledger.counts


def test_few_messages_in_many_queues_outlive_turnovers_of_the_journal(tmp_path: Path) -> None:
    counts = break_again_and_again(0, tmp_path)
    assert counts["acked"] >= counts["published"] > len(QUEUES)
    files = [int(path.name) for path in (tmp_path / "node" / "journal").glob("0*")]
    assert min(files) > 3 * len(files), "the journal was not written round"


def confirming(wire: Wire) -> WireChannel:
    channel = wire.channel()
    channel.call(Confirm.select())
    return channel


def declare(channel: WireChannel) -> None:
    for queue in [*QUEUES, BUSY]:
        channel >> Queue.declare(queue=queue, durable=True)
    for _ in [*QUEUES, BUSY]:
        channel << Queue.declare_ok()


def publish(ledger: Ledger, channel: WireChannel, queues: list[str]) -> list[Publication]:
    """Publish a message to each queue, and wait until all are confirmed."""
    publications = [ledger.published("publisher", (queue,), 10) for queue in queues]
    for publication in publications:
        channel.publish(publication.body, publication.queues[0], properties=PERSISTENT)
    while (channel << Basic.ack()).delivery_tag < len(queues):
        pass
    for publication in publications:
        ledger.confirmed(publication)
    return publications


def take(ledger: Ledger, channel: WireChannel, queues: list[str]) -> None:
    """Get the first message of each queue; ack every other one, and keep the rest unacked."""
    for number, (queue, method) in enumerate(got(channel, queues)):
        ledger.consuming(queue)
        publication = ledger.delivered(queue, "getter", method.body or b"", method.redelivered)
        if publication is not None and number % 2:
            ledger.acked(queue, publication)
            channel >> Basic.ack(delivery_tag=method.delivery_tag)


def got(channel: WireChannel, queues: list[str]) -> Iterator[tuple[str, Method]]:
    """The first message of each queue that has one."""
    channel.wire.write(b"".join([channel.octets(Basic.get(queue=queue)) for queue in queues]))
    for queue in queues:
        method = channel.next()
        if method.name == "basic.get_ok":
            yield queue, method


def turn_over(channel: WireChannel, count: int) -> None:
    """Have the journal begin file after file; nobody waits for the last of it."""
    for number in range(count):
        channel.publish(bytes(TURNOVER_BYTES), BUSY, properties=PERSISTENT)
        if number < count - 1:
            channel << Basic.ack()
        if number % 10 == 0:
            channel.call(Queue.purge(queue=BUSY))


def drain(ledger: Ledger, channel: WireChannel) -> None:
    """Take and ack all there is."""
    left = QUEUES
    while left:
        found = list(got(channel, left))
        for queue, method in found:
            ledger.drained(queue, method.body or b"", method.redelivered)
            channel >> Basic.ack(delivery_tag=method.delivery_tag)
        left = [queue for queue, _ in found]
