"""Delayed messages that wait: what they take of memory, and how soon the broker is back with them."""

import random
import re
import time
from collections.abc import Callable

from brokers import Broker
from matrix import DELAYED_MEMORY, DELAYED_READY
from measures import SETTLE_SECONDS, Failed, Figures, rss_mb
from raw import Raw, header_of, publish

from supersoniq.amqp.spec import BASIC_ACK, FRAME_METHOD

EXCHANGE = "delayed"
QUEUE = "behind"
BODY_BYTES = 100
HOUR_MS = 3_600_000
CHUNK = 500
WINDOW = 10_000
READY_SECONDS_MAX = 120.0
RETRY_SECONDS = 0.005


def measure_delayed(broker: Broker, messages: int, note: Callable[[str, Figures], None]) -> None:
    """Publish to a delayed exchange, kill the broker and start it again; raises Failed.

    The broker is stopped and its directory removed.
    """
    try:
        broker.start()
        with Raw(broker.url) as client:
            arguments = {"x_delayed_type": "direct"}
            client.declare_exchange(EXCHANGE, "x-delayed-message", durable=True, **arguments)
            client.declare(QUEUE, durable=True)
            client.bind(QUEUE, EXCHANGE, QUEUE)
            time.sleep(SETTLE_SECONDS)
            idle_mb = rss_mb(broker)
            began = time.monotonic()
            _publish(client, messages)
            rate = messages / (time.monotonic() - began)
            time.sleep(SETTLE_SECONDS)
            if client.count(QUEUE):
                raise Failed("delayed messages came at once")
        note(DELAYED_MEMORY, {"mb": rss_mb(broker) - idle_mb, "rate": rate})
        broker.kill()
        note(DELAYED_READY, {"s": _ready_seconds(broker), "mb": rss_mb(broker) - idle_mb})
        found = _recovered(broker)
        if found != messages:
            raise Failed(f"{found:,} of {messages:,} messages came back")
    finally:
        broker.stop()
        broker.clear()


def _publish(client: Raw, messages: int) -> None:
    """Publish persistent messages with delays of 1 to 24 hours; returns when all are confirmed."""
    client.confirm()
    chance = random.Random(1)
    confirmed = 0
    for first in range(0, messages, CHUNK):
        octets = []
        for _ in range(first, min(first + CHUNK, messages)):
            header = header_of(BODY_BYTES, True, x_delay=chance.randint(HOUR_MS, 24 * HOUR_MS))
            octets.append(publish(EXCHANGE, QUEUE, header, bytes(BODY_BYTES)))
        client.write(b"".join(octets))
        while first + CHUNK - confirmed > WINDOW:
            confirmed = _confirmed(client)
    while confirmed < messages:
        confirmed = _confirmed(client)


def _confirmed(client: Raw) -> int:
    """The delivery tag of the next ack: what is before it is confirmed, too."""
    frame = client.next()
    method = int.from_bytes(frame.payload[:4])
    if frame.kind != FRAME_METHOD or method != BASIC_ACK:
        raise Failed("a delayed message was not confirmed")
    return int.from_bytes(frame.payload[4:12])


def _ready_seconds(broker: Broker) -> float:
    """Start the broker with what it has; how long it takes until a declare is answered."""
    began = time.monotonic()
    broker.launch()
    while True:
        try:
            with Raw(broker.url) as client:
                client.count(QUEUE)
                return time.monotonic() - began
        except (OSError, Failed) as error:
            if broker.has_ended or time.monotonic() - began > READY_SECONDS_MAX:
                raise Failed(f"not back: {error}") from None
            time.sleep(RETRY_SECONDS)


def _recovered(broker: Broker) -> int:
    """How many messages the broker says it found."""
    found = re.findall(r"recovered.*?([\d,]+) messages", (broker.directory / "output.log").read_text())
    return int(found[-1].replace(",", "")) if found else 0
