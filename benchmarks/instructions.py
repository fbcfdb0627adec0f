"""Instructions per message of the core, counted by valgrind: exact where the machine is noisy.

    python benchmarks/instructions.py [--before PYTHON] [--only PATTERN]

Sessions are played without sockets, so what is counted is the broker's own work and not the kernel's.
Each row is played twice, with more messages the second time; the difference is theirs alone. PYTHON is
an interpreter that has an earlier version installed.
"""

import argparse
import asyncio
import os
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from supersoniq import Broker
from supersoniq.amqp.properties import Properties
from supersoniq.client.publishing import publish_frames
from supersoniq.session.connection import Connection
from supersoniq.session.context import Context
from supersoniq.session.output import Transport

MESSAGES = 20_000
# What the start takes varies by some millions: many messages make that small.
TIMES = 9
BATCH = 500
COLLECTED = re.compile(rb"I\s+refs:\s+([\d,]+)")


class Sink(Transport):
    """Takes what is sent and keeps nothing."""

    def write(self, data: bytes) -> None:
        """Drop it."""

    def write_pieces(self, pieces: list[bytes]) -> None:
        """Drop them."""

    def close(self) -> None:
        """Nothing is open."""

    def abort(self) -> None:
        """Nothing is open."""

    def pause_reading(self) -> None:
        """Nothing is read."""

    def resume_reading(self) -> None:
        """Nothing is read."""


def method(channel: int, class_id: int, method_id: int, arguments: bytes) -> bytes:
    """The frame of a method."""
    payload = struct.pack(">HH", class_id, method_id) + arguments
    return struct.pack(">BHI", 1, channel, len(payload)) + payload + b"\xce"


def shortstr(text: str) -> bytes:
    """A short string as it stands on the wire."""
    return bytes([len(text)]) + text.encode()


class Client:
    """One client of the broker, played: an open connection with channel 1."""

    def __init__(self, context: Context) -> None:
        self._turn = context.turn
        self._session = Connection(context, Sink(), "127.0.0.1:1", True)
        response = b"\0guest\0guest"
        self.send(b"AMQP\0\0\x09\x01")
        start_ok = bytes(4) + shortstr("PLAIN") + struct.pack(">I", len(response)) + response
        self.send(method(0, 10, 11, start_ok + shortstr("en_US")))

    async def open(self) -> None:
        """Finish the handshake; the password may be looked at elsewhere."""
        for _ in range(500):
            await asyncio.sleep(0.01)
            if self._session.client.user:
                break
        self.send(method(0, 10, 31, struct.pack(">HIH", 2047, 131_072, 0)))
        self.send(method(0, 10, 40, shortstr("/") + bytes(2)))
        self.send(method(1, 20, 10, bytes(1)))
        assert 1 in self._session.channels

    def send(self, data: bytes) -> None:
        """Be read, and end the turn."""
        self._session.feed(data)
        while self._turn.finish():
            pass

    def declare(self, queue: str) -> None:
        """Declare a transient queue."""
        self.send(method(1, 50, 10, bytes(2) + shortstr(queue) + bytes(1) + bytes(4)))

    def consume(self, queue: str, no_ack: bool) -> None:
        """Consume from a queue."""
        flags = bytes([2 if no_ack else 0])
        self.send(method(1, 60, 20, bytes(2) + shortstr(queue) + shortstr(queue) + flags + bytes(4)))


def publishes(exchange: str, size: int, messages: int) -> bytes:
    """The octets of some publishes with the routing key `q`."""
    header = Properties().content_header(size)
    return publish_frames(1, exchange.encode(), b"q", header, bytes(size), 131_072) * messages


class Play:
    """What the rows have in common: a publisher, a consumer, and the queue `q`."""

    def __init__(self, publisher: Client, consumer: Client) -> None:
        self.publisher = publisher
        self.consumer = consumer

    def flow(self, messages: int, size: int, batch: int, exchange: str = "") -> None:
        """Publish in batches."""
        data = publishes(exchange, size, batch)
        for _ in range(messages // batch):
            self.publisher.send(data)

    def auto(self, messages: int) -> None:
        """Consume without acks."""
        self.consumer.consume("q", True)
        self.flow(messages, 16, BATCH)

    def single(self, messages: int) -> None:
        """The same, one message in a turn."""
        self.consumer.consume("q", True)
        self.flow(messages, 16, 1)

    def kilobyte(self, messages: int) -> None:
        """The same with 1 KiB."""
        self.consumer.consume("q", True)
        self.flow(messages, 1024, 60)

    def produce(self, messages: int) -> None:
        """Nobody consumes."""
        self.flow(messages, 16, BATCH)

    def each(self, messages: int) -> None:
        """Every message is acked by itself."""
        self._acked(messages, 1)

    def hundred(self, messages: int) -> None:
        """One ack for a hundred."""
        self._acked(messages, 100)

    def _acked(self, messages: int, every: int) -> None:
        self.consumer.consume("q", False)
        data = publishes("", 16, BATCH)
        multiple = bytes([every > 1])
        for first in range(1, messages, BATCH):
            self.publisher.send(data)
            tags = range(first + every - 1, first + BATCH, every)
            self.consumer.send(
                b"".join([method(1, 60, 80, struct.pack(">Q", tag) + multiple) for tag in tags])
            )

    def fanout(self, messages: int) -> None:
        """Ten queues get each message."""
        for number in range(10):
            queue = f"f{number}"
            self.publisher.declare(queue)
            self.publisher.send(
                method(1, 50, 20, bytes(2) + shortstr(queue) + shortstr("amq.fanout") + bytes(2) + bytes(4))
            )
            self.consumer.consume(queue, True)
        self.flow(messages, 16, 100, "amq.fanout")


ROWS: dict[str, tuple[str, Callable[[Play, int], None]]] = {
    "auto": ("16 B, auto-ack, batches", Play.auto),
    "single": ("16 B, auto-ack, one message in a turn", Play.single),
    "each": ("16 B, ack each, batches", Play.each),
    "hundred": ("16 B, ack per 100, batches", Play.hundred),
    "fanout": ("16 B, auto-ack, fanout to 10, per publish", Play.fanout),
    "kilobyte": ("1 KiB, auto-ack, batches", Play.kilobyte),
    "produce": ("16 B, published to a queue that nobody consumes", Play.produce),
}


async def play(row: str, messages: int) -> None:
    """Be the process that is counted."""
    async with Broker(port=0) as broker:
        clients = [Client(broker.node.context) for _ in range(2)]
        for client in clients:
            await client.open()
        clients[0].declare("q")
        ROWS[row][1](Play(*clients), messages)


def instructions(python: str, row: str, messages: int) -> int:
    """How many instructions a whole process takes."""
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    environ = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": ""}
    played = [python, str(Path(__file__).resolve()), "--play", row, "--messages", str(messages)]
    done = subprocess.run([*command, *played], env=environ, capture_output=True, check=False)
    found = COLLECTED.search(done.stderr)
    if done.returncode != 0 or found is None:
        raise SystemExit(done.stderr.decode())
    return int(found[1].replace(b",", b""))


def per_message(python: str, row: str) -> float:
    """How many instructions a message takes."""
    less, more = (instructions(python, row, MESSAGES * times) for times in (1, TIMES))
    return (more - less) / (MESSAGES * (TIMES - 1))


def main() -> int:
    """Count and print a table; 1 without valgrind."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--before", metavar="PYTHON")
    parser.add_argument("--only", default="", metavar="PATTERN")
    parser.add_argument("--play", choices=list(ROWS), help=argparse.SUPPRESS)
    parser.add_argument("--messages", type=int, default=MESSAGES, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.play:
        asyncio.run(play(asked.play, asked.messages))
        return 0
    if shutil.which("valgrind") is None:
        print("valgrind is not installed", file=sys.stderr)
        return 1
    print("| instructions per message | before | now | |\n|---|--:|--:|--:|")
    for row, (title, _) in ROWS.items():
        if asked.only in row:
            now = per_message(sys.executable, row)
            before = per_message(asked.before, row) if asked.before else 0
            change = f"{(now / before - 1) * 100:+.1f} %" if before else ""
            print(f"| {title} | {before:,.0f} | {now:,.0f} | {change} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
