"""Delayed messages and a broker that is killed: all come, each once, none early, in little memory."""

from __future__ import annotations

import shutil
import struct
import time
from contextlib import closing
from random import Random
from typing import NamedTuple

import pytest
from tests.conformance.codec import (
    FRAME_BODY,
    FRAME_HEADER,
    FRAME_METHOD,
    Basic,
    Confirm,
    Exchange,
    Queue,
    Typed,
    encode_method,
)
from tests.conformance.wire import Wire, WireChannel, frame, header_payload
from tests.faults.nodes import Node
from tests.faults.test_long_queue import RssWatch

MESSAGES = 20_000
SOAK_MESSAGES = 1_000_000
SOAK_RSS_BYTES_MAX = 100_000_000
BATCH = 500
WINDOW = 10_000
BODY_BYTES = 100
HOUR_MS = 3_600_000


class Arrival(NamedTuple):
    """A message, by its number, and when it came after it was due."""

    number: int
    late_ms: int


def declare(channel: WireChannel) -> None:
    """Declare a durable delayed exchange `x`, and the queue `q` behind it."""
    arguments = {"x-delayed-type": "fanout"}
    channel.call(Exchange.declare(exchange="x", type="x-delayed-message", durable=True, arguments=arguments))
    channel.call(Queue.declare(queue="q", durable=True))
    channel.call(Queue.bind(queue="q", exchange="x"))


def publish(wire: Wire, dues_ms: list[int], watch: RssWatch | None = None) -> None:
    """Publish persistent messages of 100 octets, due at these times; returns when all are confirmed."""
    channel = wire.channel()
    channel.call(Confirm.select())
    method = frame(FRAME_METHOD, channel.number, encode_method(Basic.publish(exchange="x")))
    sent = confirmed = 0
    while confirmed < len(dues_ms):
        while sent < len(dues_ms) and sent - confirmed < WINDOW:
            upto = min(sent + BATCH, len(dues_ms))
            now_ms = time.time_ns() // 1_000_000
            wire.write(
                b"".join(
                    [
                        method + content(channel, number, dues_ms[number], now_ms)
                        for number in range(sent, upto)
                    ]
                )
            )
            sent = upto
        ack = channel.next(30)
        assert ack.name == "basic.ack", ack
        confirmed = ack.delivery_tag
        if watch is not None:
            watch()


def content(channel: WireChannel, number: int, due_ms: int, now_ms: int) -> bytes:
    """Header and body: the body says which one it is and when it is due."""
    headers = {"x-delay": Typed("l", max(due_ms - now_ms, 1))}
    if number % 2:
        headers = {"x-deliver-at": Typed("l", due_ms)}
    header = header_payload(BODY_BYTES, {"delivery_mode": 2, "headers": headers})
    body = struct.pack(">QQ", number, due_ms).ljust(BODY_BYTES, b".")
    return frame(FRAME_HEADER, channel.number, header) + frame(FRAME_BODY, channel.number, body)


def consume(wire: Wire, count: int, patience: float) -> list[Arrival]:
    """Take so many messages, and see that no more come."""
    channel = wire.channel()
    channel.call(Basic.consume(queue="q", no_ack=True))
    arrivals: list[Arrival] = []
    while len(arrivals) < count:
        delivery = channel.next(patience)
        now_ms = time.time_ns() // 1_000_000
        number, due_ms = struct.unpack(">QQ", (delivery.body or b"")[:16])
        arrivals.append(Arrival(number, now_ms - due_ms))
    channel.quiet(0.5)
    return arrivals


def test_every_delayed_message_comes_once_after_a_kill_and_none_early(node: Node) -> None:
    node.start(queue_memory="64KiB")
    chance = Random(1)
    now_ms = time.time_ns() // 1_000_000
    # Some are due before the kill, some while the node is down, most after it.
    dues_ms = [now_ms + chance.randint(1_000, 12_000) for _ in range(MESSAGES)]
    with closing(node.wire()) as wire:
        declare(wire.channel())
        publish(wire, dues_ms)
    node.restart()
    with closing(node.wire()) as wire:
        arrivals = consume(wire, MESSAGES, 20)
    assert sorted([arrival.number for arrival in arrivals]) == list(range(MESSAGES))
    assert min([arrival.late_ms for arrival in arrivals]) >= 0
    node.restart()
    with closing(node.wire()) as wire:
        assert consume(wire, 0, 1) == []


def test_far_messages_outlive_a_kill_and_go_with_their_exchange(node: Node) -> None:
    node.start()
    now_ms = time.time_ns() // 1_000_000
    with closing(node.wire()) as wire:
        declare(wire.channel())
        publish(wire, [now_ms + HOUR_MS * 24 * day for day in range(1, 1_000)])
    node.restart()
    assert _recovered(node) == 999
    with closing(node.wire()) as wire:
        wire.channel().call(Exchange.delete(exchange="x"))
    node.restart()
    assert _recovered(node) == 0


def _recovered(node: Node) -> int:
    """How many messages the node said it found."""
    [line] = [line for line in node.process.lines if "recovered" in line]
    words = line.replace('"', " ").replace(",", "").split()
    return int(words[words.index("messages") - 1])


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_million_delayed_messages_wait_in_little_memory_and_outlive_a_kill(node: Node) -> None:
    node.start()
    idle_bytes = node.rss_bytes()
    chance = Random(1)
    now_ms = time.time_ns() // 1_000_000
    dues_ms = [now_ms + chance.randint(HOUR_MS, 24 * HOUR_MS) for _ in range(SOAK_MESSAGES)]
    publishing = RssWatch(node)
    with closing(node.wire()) as wire:
        declare(wire.channel())
        publish(wire, dues_ms, publishing)
    node.restart()
    assert _recovered(node) == SOAK_MESSAGES
    grown = {"publishing": publishing.peak_bytes - idle_bytes, "started": node.rss_bytes() - idle_bytes}
    assert max(grown.values()) < SOAK_RSS_BYTES_MAX, grown
    node.close()
    shutil.rmtree(node.directory)
