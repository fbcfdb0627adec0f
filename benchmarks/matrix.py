"""What is measured: the rows of the benchmark, and the bars that some of them have to clear."""

from dataclasses import dataclass

FIXED_RATE = 5000


@dataclass(frozen=True)
class Row:
    """One measurement. `command` is that of `supersoniq perf`; without one, `measures.py` knows the key."""

    key: str
    title: str
    group: str
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bar:
    """`figure` of the row `key` must be at most `ceiling`, and at most RabbitMQ's times `factor`."""

    title: str
    key: str
    figure: str
    ceiling: float | None = None
    factor: float | None = None


THROUGH = "Messages through, published and delivered"
ONE_SIDED = "Publishing or consuming alone"
LATENCY = "Latency"
CHURN = "Connections, channels, queues and bindings"
SIZE = "Start and memory"
CROWD = "In a crowd"

SIZES = {"16": "16 B", "1024": "1 KiB", "65536": "64 KiB"}
ACKS = {
    "auto": ("auto-ack", ()),
    "each": ("ack each, prefetch 200", ("--ack-every", "1", "--prefetch", "200")),
    "100": ("ack per 100, prefetch 1,000", ("--ack-every", "100", "--prefetch", "1000")),
}
SHAPES = {
    "1x1": ("1×1", ()),
    "10x10": ("10×10", ("--producers", "10", "--consumers", "10", "--queues", "10")),
    "fanout": ("fanout to 10", ("--fanout", "10", "--consumers", "10")),
}
WRITES = {"batches": ("batches", ()), "flush": ("each flushed", ("--flush",))}

# Everything with small messages, where the broker's own work is what costs; larger ones where they differ.
COMBINATIONS = [
    *[("16", ack, shape, write) for shape in SHAPES for ack in ACKS for write in WRITES],
    *[("1024", "auto", "1x1", write) for write in WRITES],
    ("1024", "each", "1x1", "batches"),
    ("1024", "100", "1x1", "batches"),
    ("1024", "auto", "10x10", "batches"),
    ("1024", "auto", "fanout", "batches"),
    ("65536", "auto", "1x1", "batches"),
    ("65536", "each", "1x1", "batches"),
    ("65536", "auto", "10x10", "batches"),
    ("65536", "auto", "fanout", "batches"),
]


def through(size: str, ack: str, shape: str, write: str) -> Row:
    """A row of messages that go all the way through."""
    title = ", ".join([SIZES[size], ACKS[ack][0], SHAPES[shape][0], WRITES[write][0]])
    arguments = (*ACKS[ack][1], *SHAPES[shape][1], *WRITES[write][1])
    return Row(
        f"through-{size}-{ack}-{shape}-{write}", title, THROUGH, ("throughput", "--size", size, *arguments)
    )


def churn(operation: str) -> tuple[str, ...]:
    """The command for one kind of operation."""
    return ("churn", "--operation", operation, "--busy-poll")


def rows(queued: int, crowd_queues: int) -> list[Row]:
    """All rows; `queued` messages fill a queue, `crowd_queues` stand around."""
    return [
        Row("start", "start to listening, s", SIZE),
        Row("rss-idle", "RSS idle, MB", SIZE),
        Row("rss-connections", "RSS of 1,000 connections more, MB", SIZE),
        Row("rss-queues", "RSS of 1,000 queues more, MB", SIZE),
        Row("rss-queued", f"RSS of {queued:,} queued messages of 16 B more, MB", SIZE),
        *[through(*combination) for combination in COMBINATIONS],
        Row(
            "produce-16",
            "16 B, published to a queue that nobody consumes",
            ONE_SIDED,
            ("throughput", "--consumers", "0", "--count", str(queued * 3 // 10)),
        ),
        Row(
            "consume-16",
            "16 B, consumed from a queue that is full, auto-ack",
            ONE_SIDED,
            ("throughput", "--producers", "0", "--preload", str(queued * 3 // 10)),
        ),
        Row("ping-pong", "one message at a time", LATENCY, ("latency", "--busy-poll")),
        Row(
            "fixed-rate",
            f"{FIXED_RATE:,} msg/s, evenly spaced",
            LATENCY,
            ("latency", "--rate", str(FIXED_RATE)),
        ),
        Row("connection", "connection open and close", CHURN, churn("connection")),
        Row("channel", "channel open and close", CHURN, churn("channel")),
        Row("queue", "transient queue declare and delete", CHURN, churn("queue")),
        Row("bind", "bind", CHURN, churn("bind")),
        Row("unbind", "unbind", CHURN, churn("unbind")),
        Row("crowd", f"16 B through, with {crowd_queues:,} queues and 1,000 idle connections open", CROWD),
    ]


BARS = [
    Bar("16 B through, auto-ack, 1×1, batches", "through-16-auto-1x1-batches", "cpu_us", 0.8, 1 / 14),
    Bar("the same, each flushed", "through-16-auto-1x1-flush", "cpu_us", None, 1 / 10),
    Bar("the same, ack each, prefetch 200, batches", "through-16-each-1x1-batches", "cpu_us", None, 1 / 10),
    Bar("1 KiB through, auto-ack, batches", "through-1024-auto-1x1-batches", "cpu_us", None, 1 / 10),
    Bar("64 KiB through, auto-ack", "through-65536-auto-1x1-batches", "cpu_us", None, 1.0),
    Bar("fanout to 10 queues, per delivery", "through-16-auto-fanout-batches", "cpu_us", None, 1 / 12),
    Bar("5,000 msg/s of 16 B: CPU per message", "fixed-rate", "cpu_us", None, 1 / 3),
    Bar("5,000 msg/s of 16 B: 99 % latency", "fixed-rate", "p99_us", None, 1.0),
    Bar("one message at a time: median latency", "ping-pong", "p50_us", None, 1 / 2),
    Bar("connection open and close", "connection", "cpu_us", None, 1 / 8),
    Bar("channel open and close", "channel", "cpu_us", None, 1 / 12),
    Bar("transient queue declare and delete", "queue", "cpu_us", None, 1 / 20),
    Bar("bind", "bind", "cpu_us", None, 1 / 12),
    Bar("start to listening", "start", "s", 0.5),
    Bar("RSS idle", "rss-idle", "mb", 60),
    Bar("RSS of 1,000 connections more", "rss-connections", "mb", 30),
    Bar("RSS of 1,000 queues more", "rss-queues", "mb", 10),
    Bar("cost per message in a crowd, against 1×1 without", "crowd", "ratio", 1.3),
]
