"""How the rules of exchanges and queues are measured where `supersoniq perf` has no words for them."""

import random
import select
import struct
import time
from collections import deque
from statistics import median, quantiles

from brokers import Broker
from matrix import LATE_HEAD, LATE_MIDDLE, TOPIC, Row, Scale
from measures import Failed, Figures
from raw import SILENCE_SECONDS_MAX, Raw, header_of, publish

from supersoniq.amqp.spec import FRAME_BODY
from supersoniq.perf.usage import broker_usage

EXCHANGE = "rules"
QUEUES = 100
TAG_BYTES = 2
BODY_BYTES = 16
# Of a topic exchange: messages that are written at once, and those that may wait for their delivery.
CHUNK = 100
BACKLOG = 2000
WARMUP_SHARE = 10
# What a delivery takes beside its consumer tag, exchange, routing key and properties.
DELIVERY_BYTES = (8 + 4 + 1 + 8 + 1 + 1 + 1) + (8 + 14) + (8 + BODY_BYTES)

EXPIRING = 300
SPACING_SECONDS = 0.004
TTL_MS = 200
LONG_MS = 5000
STAMP = struct.Struct(">qq")


def measure_rule(broker: Broker, row: Row, scale: Scale) -> Figures:
    """Measure one row; raises Failed."""
    try:
        if row.key == TOPIC:
            return measure_topic(broker, scale.routed)
        if row.key in (LATE_HEAD, LATE_MIDDLE):
            return measure_lateness(broker, row.key == LATE_MIDDLE)
    except OSError as error:
        raise Failed(str(error) or type(error).__name__) from None
    raise Failed(f"nobody knows how to measure {row.key}")


# --- topic exchange ------------------------------------------------------------------------------


def measure_topic(broker: Broker, messages: int) -> Figures:
    """Route keys that never come again through patterns with wildcards, to QUEUES queues that are consumed.

    A message without its deliveries, or with one too many, is a failure.
    """
    with Raw(broker.url) as publisher, Raw(broker.url) as consumer:
        publisher.declare_exchange(EXCHANGE, "topic")
        for number in range(QUEUES):
            publisher.declare(f"{EXCHANGE}-{number}")
            consumer.consume(f"{EXCHANGE}-{number}", f"{number:0{TAG_BYTES}}")
        for number, pattern in enumerate(patterns()):
            publisher.bind(queue_of(number), EXCHANGE, pattern)
        warmup = messages // WARMUP_SHARE
        Flow(publisher, consumer).run(0, warmup)
        before = broker_usage(broker.pid).cpu_seconds
        began = time.perf_counter()
        Flow(publisher, consumer).run(warmup, warmup + messages)
        seconds = time.perf_counter() - began
        cpu_seconds = broker_usage(broker.pid).cpu_seconds - before
        publisher.delete_exchange(EXCHANGE)
        for number in range(QUEUES):
            publisher.delete(f"{EXCHANGE}-{number}")
    return {"cpu_us": cpu_seconds * 1e6 / messages, "rate": messages / seconds}


KINDS = ("stock.{}.*", "*.{}.#", "stock.*.*.{}", "#.{}")
NAMES = 2500


def patterns() -> list[str]:
    """The binding keys: of each kind as many as there are names."""
    return [kind.format(f"n{number}") for number in range(NAMES) for kind in KINDS]


def queue_of(binding: int) -> str:
    """The queue of the binding with this number."""
    return f"{EXCHANGE}-{binding * 7 % QUEUES}"


def routed(number: int) -> tuple[str, int]:
    """The routing key of a message, and to how many queues it goes: one in five goes nowhere."""
    name = number * 31 % NAMES
    other = number * 17 % NAMES
    match number % 5:
        case 0:
            return f"stock.n{name}.k{number}", len({queue_of(4 * name), queue_of(4 * name + 1)})
        case 1:
            return f"bond.n{name}.k{number}", 1
        case 2:
            bindings = (4 * name + 1, 4 * other + 2, 4 * other + 3)
            return f"stock.n{name}.k{number}.n{other}", len({queue_of(each) for each in bindings})
        case 3:
            return f"bond.k{number}.n{other}", 1
        case _:
            return f"bond.k{number}.k", 0


class Flow:
    """Messages on their way, counted by the octets of their deliveries."""

    def __init__(self, publisher: Raw, consumer: Raw) -> None:
        self._publisher = publisher
        self._consumer = consumer
        self._received = 0

    def run(self, first: int, end: int) -> None:
        """Publish, and wait for all deliveries; raises Failed if there are too few or too many."""
        header = header_of(BODY_BYTES, False)
        expected = 0
        waiting: deque[int] = deque()
        for begin in range(first, end, CHUNK):
            octets = []
            for number in range(begin, min(begin + CHUNK, end)):
                key, copies = routed(number)
                octets.append(publish(EXCHANGE, key, header, bytes(BODY_BYTES)))
                expected += copies * (DELIVERY_BYTES + TAG_BYTES + len(EXCHANGE) + len(key))
            self._publisher.write(b"".join(octets))
            waiting.append(expected)
            self._receive(waiting.popleft() if len(waiting) > BACKLOG // CHUNK else 0)
        self._receive(expected)
        # What should not have come is behind the answer to nothing: give it a moment.
        if select.select([self._consumer.socket], [], [], 0.05)[0]:
            raise Failed("the topic exchange delivered more than matches")

    def _receive(self, upto: int) -> None:
        while self._received < upto:
            octets = self._consumer.socket.recv(1 << 20)
            if not octets:
                raise Failed("the broker closed the connection")
            self._received += len(octets)


# --- expiry --------------------------------------------------------------------------------------


def measure_lateness(broker: Broker, middle: bool) -> Figures:
    """How long after they are due EXPIRING messages come out of the queue behind the dead letter exchange.

    In the `middle` each has one before it that expires much later; else they are at the head in turn.
    """
    with Raw(broker.url) as publisher, Raw(broker.url) as consumer:
        publisher.declare("gone")
        publisher.declare("mortal", x_dead_letter_exchange="", x_dead_letter_routing_key="gone")
        consumer.consume("gone", "c")
        lates: list[float] = []
        chance = random.Random(1)
        for _ in range(EXPIRING):
            if middle:
                publisher.write(_mortal(LONG_MS, 0))
            publisher.write(_mortal(TTL_MS + chance.randrange(TTL_MS) if middle else TTL_MS, 1))
            _collect(consumer, lates, SPACING_SECONDS)
        ends = time.monotonic() + SILENCE_SECONDS_MAX
        while len(lates) < EXPIRING and time.monotonic() < ends:
            _collect(consumer, lates, 0.1)
        publisher.delete("mortal")
        publisher.delete("gone")
    if len(lates) < EXPIRING:
        raise Failed(f"{len(lates)} of {EXPIRING} messages expired")
    return {"late_ms": median(lates), "late_p99_ms": quantiles(lates, n=100)[-1]}


def _mortal(expiration_ms: int, counts: int) -> bytes:
    header = header_of(STAMP.size, False, expiration_ms)
    due_ns = time.monotonic_ns() + expiration_ms * 1_000_000
    return publish("", "mortal", header, STAMP.pack(due_ns, counts))


def _collect(consumer: Raw, lates: list[float], seconds: float) -> None:
    """Note how late those are that come in the next `seconds`."""
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        if not select.select([consumer.socket], [], [], left)[0]:
            return
        came_ns = time.monotonic_ns()
        for frame in consumer.arrived():
            if frame.kind == FRAME_BODY:
                due_ns, counts = STAMP.unpack(frame.payload)
                if counts:
                    lates.append((came_ns - due_ns) / 1e6)
