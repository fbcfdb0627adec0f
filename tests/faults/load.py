"""A load that ends with a kill: its queues and its clients, and how it is drained after the last kill.

q.*   direct, by their names; q.3 has no consumer     fan.*  three queues at a fanout
tx.*  two queues that transactions publish to         wipe   purged, deleted, declared again
deep  far more messages than are ever settled         built.*  declared and bound while the load runs
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from random import Random

from tests.conformance.codec import Basic, Channel, Exchange, Method, Queue
from tests.conformance.wire import Wire, WireChannel
from tests.conftest import Process
from tests.faults.clients import (
    BUILT,
    TX_QUEUES,
    Builder,
    Client,
    Consumer,
    Filler,
    Hoarder,
    Kind,
    Publisher,
    Round,
    Route,
    Transactor,
    Wiper,
)
from tests.faults.ledger import Ledger, Publication
from tests.faults.link import Link

FANOUT = "fan"
FANOUT_QUEUES = ("fan.1", "fan.2", "fan.3")
QUEUES = ("q.1", "q.2", "q.3", *FANOUT_QUEUES, *TX_QUEUES, "deep", "wipe")
DIRECT = [Route("", queue, (queue,)) for queue in ("q.1", "q.2", "q.3")]
DEEP = [Route("", "deep", ("deep",))]
BROAD = [Route(FANOUT, "", FANOUT_QUEUES)]
MANDATORY = [*DIRECT, Route("", "nowhere", ()), Route(BUILT, "nowhere", ())]
KILL_SECONDS_MAX = 0.4
DEEP_KILL_SECONDS_MAX = 1.0


class Load:
    """The clients of all epochs of one ledger."""

    def __init__(self, ledger: Ledger, chance: Random, kind: Kind) -> None:
        self.ledger = ledger
        self._kind = kind
        self._chance = chance
        self._built: list[str] = []
        self._wipe: list[Publication] = []

    def declare(self, wire: Wire) -> None:
        """Declare what the load needs; after a kill nearly all of it must be there."""
        found = self._check_definitions(wire) if self.ledger.epoch else []
        channel = wire.channel()
        channel.call(Exchange.declare(exchange=FANOUT, type="fanout", durable=True))
        channel.call(Exchange.declare(exchange=BUILT, type="direct", durable=True))
        for queue in QUEUES:
            channel.call(Queue.declare(queue=queue, durable=True))
        for queue in FANOUT_QUEUES:
            channel.call(Queue.bind(queue=queue, exchange=FANOUT))
        self._check_bindings(channel, [queue for queue in self._built if queue in found])
        self._built.clear()

    def _check_definitions(self, wire: Wire) -> list[str]:
        """The names that are there. `wipe` may not be: a kill can come between its delete and its declare."""
        found: list[str] = []
        for exchange in (FANOUT, BUILT):
            self._expect(wire, Exchange.declare(exchange=exchange, passive=True), found)
        for queue in [*QUEUES[:-1], *self._built]:
            self._expect(wire, Queue.declare(queue=queue, passive=True), found)
        return found

    def _expect(self, wire: Wire, declare: Method, found: list[str]) -> None:
        channel = wire.channel()
        channel >> declare
        answer = channel.next()
        if answer.name == "channel.close":
            self.ledger.violated(f"lost: {answer.reply_text}")
            channel >> Channel.close_ok()
        else:
            found.append(declare.fields.get("queue", ""))
            channel.call(Channel.close())

    def _check_bindings(self, channel: WireChannel, queues: list[str]) -> None:
        for queue in queues:
            channel.publish(b"", queue, BUILT)
        for queue in queues:
            if channel.call(Queue.delete(queue=queue)).message_count != 1:
                self.ledger.violated(f"{queue}: its binding is lost")

    async def run(self, process: Process) -> None:
        """Load the broker until it is killed, and read what it had sent."""
        wires: list[Wire] = []
        links: list[Link] = []
        at = Round(self.ledger, self._chance, process, self._kind)
        try:
            wires += [Wire.opened(process.url) for _ in range(9 if self._kind.is_deep else 6)]
            self.declare(wires[0])
            links += [Link(wire) for wire in wires]
            clients = list(self._clients(at, wires, links))
            for link in links:
                await link.begin()
            for client in clients:
                client.begin()
            seconds = DEEP_KILL_SECONDS_MAX if self._kind.is_deep else KILL_SECONDS_MAX
            asyncio.get_running_loop().call_later(self._chance.uniform(0.01, seconds), at.kill)
            await asyncio.wait_for(asyncio.gather(*[link.lost for link in links]), 10)
        finally:
            for wire in wires:
                wire.drop()
        for link in links:
            if link.failure is not None:
                raise link.failure
        self.ledger.killed()

    def _clients(self, at: Round, wires: list[Wire], links: list[Link]) -> Iterable[Client]:
        """Three connections that publish, on two channels each, and three that consume."""
        chance = self._chance
        yield Publisher(at, links[0], wires[0].channel(), "direct", DIRECT)
        yield Publisher(at, links[0], wires[0].channel(), "broad", BROAD)
        yield Publisher(at, links[1], wires[1].channel(), "mandatory", MANDATORY)
        yield Publisher(at, links[1], wires[1].channel(), "wide", [*DIRECT, *BROAD])
        yield Transactor(at, links[2], wires[2].channel())
        yield Wiper(at, links[2], wires[2].channel(), self._wipe)
        yield Builder(at, links[2], wires[2].channel(), self._built)
        yield Consumer(at, links[3], wires[3].channel(), "q.1", is_picky=False)
        yield Consumer(at, links[3], wires[3].channel(), "fan.1", is_picky=False)
        yield Consumer(at, links[4], wires[4].channel(), "q.2", is_picky=True)
        yield Consumer(at, links[4], wires[4].channel(), "fan.2", is_picky=True)
        yield Consumer(at, links[5], wires[5].channel(), "fan.2", is_picky=True)
        if chance.random() < 0.5:
            yield Consumer(at, links[5], wires[5].channel(), "tx.1", is_picky=chance.random() < 0.5)
        if self._kind.is_deep:
            yield Filler(at, links[6], wires[6].channel(), "filler", DEEP)
            yield Hoarder(at, links[7], wires[7].channel(), "deep")
            yield Hoarder(at, links[8], wires[8].channel(), "deep")

    def drain(self, wire: Wire) -> None:
        """Have everything delivered, and ack it."""
        self.declare(wire)
        for queue in QUEUES:
            channel = wire.channel()
            count = channel.call(Queue.declare(queue=queue, passive=True)).message_count
            channel.call(Basic.consume(queue=queue, consumer_tag="drain"))
            for _ in range(count):
                method = channel << Basic.deliver()
                self.ledger.drained(queue, method.body or b"", method.redelivered)
                channel >> Basic.ack(delivery_tag=method.delivery_tag)
            channel.call(Basic.cancel(consumer_tag="drain"))

    def check_empty(self, wire: Wire) -> None:
        """Nothing is left, once the drained messages were acked and the broker was stopped in order."""
        channel = wire.channel()
        for queue in QUEUES:
            channel >> Queue.declare(queue=queue, passive=True)
            answer = channel.next()
            if answer.name != "queue.declare_ok":
                self.ledger.violated(f"lost: {answer.reply_text}")
                channel = wire.channel()
            elif answer.message_count:
                self.ledger.violated(f"{queue}: {answer.message_count} acked messages came back")
