"""Many persistent messages that all expire within one second, into a dead letter exchange."""

import struct
import threading
import time

from brokers import Broker
from measures import SETTLE_SECONDS, Failed, Figures
from raw import Raw, header_of, publish

from supersoniq.amqp.spec import FRAME_BODY
from supersoniq.perf.usage import broker_usage

MORTAL = "mortal"
DEAD = "dead"
BODY_BYTES = 16
CHUNK = 1000
# A broker that reads more slowly than the client writes must not read old times to live.
SYNC_MESSAGES = 10_000
SPREAD_MS = 1000
LEAD_SECONDS = 2.0
# How much longer the publishing may take than a trial promises.
LEAD_FACTOR = 1.5
TRIES = 3
FAR_MS = 3_600_000
POLL_SECONDS = 0.02
PING_SECONDS = 0.002
EXPIRY_SECONDS_MAX = 600.0
NUMBER = struct.Struct(">QQ")


def measure_expiry(broker: Broker, messages: int) -> Figures:
    """Measure with a fresh broker, which is stopped and removed after; raises Failed."""
    try:
        broker.start()
        with Raw(broker.url) as client:
            client.declare(DEAD, durable=True)
            rule = {"x_dead_letter_exchange": "", "x_dead_letter_routing_key": DEAD}
            client.declare(MORTAL, durable=True, **rule)
            due = _published(client, messages)
            figures = _expired(broker, client, messages, due)
            _check_each_once(broker, messages)
            return figures
    finally:
        broker.stop()
        broker.clear()


def _published(client: Raw, messages: int) -> float:
    """Publish everything before the first is due; returns when that is. Raises Failed."""
    trial = messages // 20
    began = time.monotonic()
    _publish(client, trial, began + FAR_MS / 1000)
    lead = (time.monotonic() - began) * messages / trial * LEAD_FACTOR + LEAD_SECONDS
    for _ in range(TRIES):
        client.purge(MORTAL)
        client.purge(DEAD)
        due = time.monotonic() + lead
        _publish(client, messages, due)
        if time.monotonic() < due - SETTLE_SECONDS / 2:
            return due
        lead *= 2
    raise Failed(f"{messages:,} messages were not published in {lead / 2:.0f} s")


def _publish(client: Raw, messages: int, due: float) -> None:
    """Publish `messages`, the first due at `due`, the last a second later; returns when all are ready."""
    for first in range(0, messages, CHUNK):
        left_ms = int((due - time.monotonic()) * 1000) + first * SPREAD_MS // messages
        header = header_of(BODY_BYTES, True, max(left_ms, 1))
        # Only the body differs, so each message is its number between the same octets.
        before = publish("", MORTAL, header, bytes(BODY_BYTES))[: -BODY_BYTES - 1]
        bodies = [NUMBER.pack(number, 0) for number in range(first, min(first + CHUNK, messages))]
        client.write(b"".join([before + body + b"\xce" for body in bodies]))
        if first % SYNC_MESSAGES == 0:
            client.count(MORTAL)
    ends = time.monotonic() + EXPIRY_SECONDS_MAX
    while client.count(MORTAL) < messages and time.monotonic() < min(ends, due):
        time.sleep(POLL_SECONDS)


def _expired(broker: Broker, client: Raw, messages: int, due: float) -> Figures:
    """Wait until all are dead-lettered, and note what that took."""
    time.sleep(max(0.0, due - time.monotonic() - SETTLE_SECONDS / 4))
    before = broker_usage(broker.pid).cpu_seconds
    with Ping(broker.url) as ping:
        while client.count(DEAD) < messages:
            if time.monotonic() - due > EXPIRY_SECONDS_MAX:
                raise Failed(f"{client.count(DEAD):,} of {messages:,} messages were dead-lettered in time")
            time.sleep(POLL_SECONDS)
        seconds = time.monotonic() - due
    cpu_seconds = broker_usage(broker.pid).cpu_seconds - before
    return {
        "stall_ms": ping.worst_seconds * 1000,
        "cpu_us": cpu_seconds * 1e6 / messages,
        "rate": messages / seconds,
    }


def _check_each_once(broker: Broker, messages: int) -> None:
    """Consume what was dead-lettered; raises Failed if one is missing or comes twice."""
    time.sleep(SETTLE_SECONDS)
    with Raw(broker.url) as client:
        if client.count(MORTAL) or client.count(DEAD) != messages:
            raise Failed(f"{client.count(DEAD):,} of {messages:,} messages were dead-lettered")
        client.consume(DEAD, "c")
        seen = bytearray(messages)
        left = messages
        while left:
            for frame in client.arrived():
                if frame.kind == FRAME_BODY:
                    number, _ = NUMBER.unpack(frame.payload)
                    seen[number] += 1
                    left -= 1
    if seen.count(1) != messages:
        raise Failed(f"{seen.count(0):,} of {messages:,} messages are missing, others came twice")


class Ping:
    """Passive declares on a connection of its own as long as it is entered; the worst round trip."""

    def __init__(self, url: str) -> None:
        self.worst_seconds = 0.0
        self._client = Raw(url)
        self._client.declare("ping")
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Ping":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._client.close()

    def _run(self) -> None:
        while not self._ended.is_set():
            began = time.perf_counter()
            self._client.count("ping")
            self.worst_seconds = max(self.worst_seconds, time.perf_counter() - began)
            time.sleep(PING_SECONDS)
