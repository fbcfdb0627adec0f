"""What is measured: the rows of the benchmark, and the bars that some of them have to clear."""

from dataclasses import dataclass

FIXED_RATE = 5000


@dataclass(frozen=True)
class Row:
    """One measurement. `command` is that of `supersoniq perf`; without one, `measures.py` knows the key.

    `figure` is the one that is shown where a table has only one.
    """

    key: str
    title: str
    group: str
    command: tuple[str, ...] = ()
    figure: str = ""


@dataclass(frozen=True)
class Bar:
    """`figure` of the row `key` must be at most `ceiling`, and at most RabbitMQ's times `factor`.

    With `times` it must be at least so many times RabbitMQ's, and with `beside` at most twice what the row of
    that key has.
    """

    title: str
    key: str
    figure: str
    ceiling: float | None = None
    factor: float | None = None
    times: float | None = None
    beside: str = ""


@dataclass(frozen=True)
class Depth:
    """A deep queue: first so many messages, then with `more_messages` in all; 0 if it stays as it is."""

    size: int
    messages: int
    more_messages: int = 0

    @property
    def memory(self) -> str:
        """The row of its memory."""
        return f"deep-{self.size}-memory"

    @property
    def more(self) -> str:
        """The row of its memory with `more_messages`."""
        return f"deep-{self.size}-more"

    @property
    def killed(self) -> str:
        """The row of its recovery after SIGKILL."""
        return f"deep-{self.size}-killed"

    @property
    def stopped(self) -> str:
        """The row of its recovery after SIGTERM."""
        return f"deep-{self.size}-stopped"


@dataclass(frozen=True)
class Scale:
    """How long and how much."""

    runs: int
    seconds: float
    warmup_seconds: float
    churn_seconds: float
    queued: int
    crowd_queues: int
    stored: int
    routed: int
    expiring: int
    delayed: int
    depths: tuple[Depth, ...]


FULL = Scale(
    3,
    1.6,
    0.5,
    2.0,
    1_000_000,
    10_000,
    300_000,
    200_000,
    1_000_000,
    1_000_000,
    (Depth(1024, 1_000_000), Depth(100, 10_000_000, 50_000_000)),
)
QUICK = Scale(
    1,
    0.8,
    0.3,
    0.8,
    200_000,
    1_000,
    50_000,
    50_000,
    50_000,
    50_000,
    (Depth(1024, 20_000), Depth(100, 100_000, 200_000)),
)


THROUGH = "Messages through, published and delivered"
ONE_SIDED = "Publishing or consuming alone"
LATENCY = "Latency"
CHURN = "Connections, channels, queues and bindings"
SIZE = "Start and memory"
CROWD = "In a crowd"
DURABLE = "Persistent messages in durable queues, each confirmed"
CONFIRM = "Until the confirm, one persistent message at a time"
DEEP = "Deep durable queues of persistent messages"
RULES = "Rules of exchanges and queues"
LATENESS = "From the time a message is due to expire until it is dead-lettered"
EXPIRY = "Persistent messages that all expire within a second"
DELAYED = "Delayed messages that wait"

OPERATING = "Operating a node"

# Rows that `supersoniq perf` has no words for.
TOPIC = "topic-wildcards"
LATE_HEAD = "late-head"
LATE_MIDDLE = "late-middle"
EXPIRING = "expiring"
DELAYED_MEMORY = "delayed-memory"
DELAYED_READY = "delayed-ready"
API_START = "api-start"
API_MEMORY = "api-memory"
API_PAGE = "api-page"
API_LATENCY = "api-latency"
COMMAND = "command"

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


def durable(name: str, title: str, *arguments: str) -> Row:
    """A row of persistent messages through durable queues, with confirms."""
    command = ("throughput", "--persistent", "--durable", *arguments)
    return Row(f"durable-{name}", title, DURABLE, command)


def durable_rows(stored: int) -> list[Row]:
    """Messages that are confirmed; `stored` of them where nobody consumes."""
    acks = ACKS["each"][1]
    narrow = ("--confirm-window", "100", "--batch", "10")
    wide = ("--confirm-window", "1000", "--batch", "100")
    crowd = ("--producers", "100", "--queues", "100", "--consumers", "10", "--confirm-window", "10")
    publish = ("--consumers", "0", "--count", str(stored))
    confirm = ("--persistent", "--durable", "--confirm-window", "1", "--consumers", "0", "--busy-poll")
    return [
        durable("narrow-16", "16 B, window 100, 1×1", *narrow, *acks),
        durable("wide-16", "16 B, window 1,000, 1×1", *wide, *acks),
        durable("publish-16", "16 B, window 1,000, published only", *wide, *publish),
        durable("wide-1024", "1 KiB, window 1,000, 1×1", "--size", "1024", *wide, *acks),
        durable("100x100", "16 B, 100 queues, a publisher with window 10 for each", *crowd, *acks),
        Row("durable-confirm", "16 B, window 1", CONFIRM, ("latency", "--until-confirm", *confirm)),
    ]


def deep_rows(depth: Depth) -> list[Row]:
    """What is measured of one deep queue."""
    what = f"{depth.messages:,} messages of {SIZES.get(str(depth.size), f'{depth.size} B')}"
    rows = [
        Row(depth.memory, f"RSS of {what} more, MB", DEEP, figure="mb"),
        Row(depth.killed, f"start to the first of {what}, after SIGKILL, s", DEEP, figure="s"),
        Row(depth.stopped, f"start to the first of {what}, after SIGTERM, s", DEEP, figure="s"),
    ]
    if depth.more_messages:
        more = what.replace(f"{depth.messages:,}", f"{depth.more_messages:,}")
        rows.append(Row(depth.more, f"RSS of {more} more, MB", DEEP, figure="mb"))
    return rows


def rule_rows(scale: Scale) -> list[Row]:
    """Priorities, many bindings, many queues; what expires and what is delayed."""
    sided = str(scale.queued * 3 // 10)
    levels = ("--priorities", "10")
    fanout = ("--fanout", "100", "--consumers", "100", "--backlog", "1000")
    small = ("throughput", "--size", "16")
    what = f"{scale.delayed:,} messages of 100 B"
    return [
        Row("priority-through", "priority queue of 10 levels, 16 B through", RULES, (*small, *levels)),
        Row(
            "priority-produce",
            "the same, published to it alone",
            RULES,
            (*small, *levels, "--consumers", "0", "--count", sided),
        ),
        Row(
            "priority-consume",
            "the same, consumed from it alone",
            RULES,
            (*small, *levels, "--producers", "0", "--preload", sided),
        ),
        Row("fanout-100", "fanout to 100 queues, 16 B, per delivery", RULES, (*small, *fanout)),
        Row(TOPIC, "topic exchange, 10,000 bindings with wildcards, 16 B", RULES),
        Row(LATE_HEAD, "at the head of the queue", LATENESS),
        Row(LATE_MIDDLE, "in the middle, behind messages that live longer", LATENESS),
        Row(EXPIRING, f"{scale.expiring:,} of 16 B", EXPIRY),
        Row(DELAYED_MEMORY, f"RSS of {what} more, MB", DELAYED, figure="mb"),
        Row(DELAYED_READY, f"start to a declare answered with {what}, after SIGKILL, s", DELAYED, figure="s"),
    ]


def operating_rows(scale: Scale) -> list[Row]:
    """The management API and the commands."""
    queues = f"{scale.crowd_queues:,} queues"
    return [
        Row(API_START, "start to an answer of the management API, s", OPERATING, figure="s"),
        Row(API_MEMORY, "RSS idle with the API, MB", OPERATING, figure="mb"),
        Row(API_PAGE, f"a page of 500 of {queues}, ms", OPERATING, figure="ms"),
        Row(API_LATENCY, "99 % latency of messages while pages are read, times that without", OPERATING,
            figure="ratio"),
        Row(COMMAND, "`supersoniq queues list`, ms", OPERATING, figure="ms"),
    ]  # fmt: skip


def churn(operation: str) -> tuple[str, ...]:
    """The command for one kind of operation."""
    return ("churn", "--operation", operation, "--busy-poll")


def rows(scale: Scale) -> list[Row]:
    """All rows."""
    queued = scale.queued
    return [
        Row("start", "start to listening, s", SIZE, figure="s"),
        Row("rss-idle", "RSS idle, MB", SIZE, figure="mb"),
        Row("rss-connections", "RSS of 1,000 connections more, MB", SIZE, figure="mb"),
        Row("rss-queues", "RSS of 1,000 queues more, MB", SIZE, figure="mb"),
        Row("rss-queued", f"RSS of {queued:,} queued messages of 16 B more, MB", SIZE, figure="mb"),
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
        Row(
            "crowd",
            f"16 B through, with {scale.crowd_queues:,} queues and 1,000 idle connections open",
            CROWD,
        ),
        *durable_rows(scale.stored),
        *rule_rows(scale),
        *operating_rows(scale),
        *[row for depth in scale.depths for row in deep_rows(depth)],
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
    Bar("persistent 16 B, confirmed, window 100: CPU", "durable-narrow-16", "cpu_us", None, 1 / 10),
    Bar("the same with window 1,000: CPU", "durable-wide-16", "cpu_us", None, 1 / 20),
    Bar("the same: messages per second", "durable-wide-16", "rate", times=10),
    Bar("the same, published only: CPU", "durable-publish-16", "cpu_us", None, 1 / 18),
    Bar("the same with 1 KiB: CPU", "durable-wide-1024", "cpu_us", None, 1 / 12),
    Bar("100 queues, 100 publishers with window 10: messages per second", "durable-100x100", "rate", times=3),
    Bar(
        "until the confirm: median, against a bare write and fdatasync", "durable-confirm", "times_bare", 1.3
    ),
    Bar(
        "priority queue of 10 levels, 16 B through",
        "priority-through",
        "cpu_us",
        None,
        1 / 8,
        beside="through-16-auto-1x1-batches",
    ),
    Bar("the same, published alone", "priority-produce", "cpu_us", None, 1 / 8, beside="produce-16"),
    Bar("the same, consumed alone", "priority-consume", "cpu_us", None, 1 / 8, beside="consume-16"),
    Bar("topic exchange, 10,000 bindings with wildcards", TOPIC, "cpu_us", None, 1 / 5),
    Bar("fanout to 100 queues, per delivery", "fanout-100", "cpu_us", None, 1 / 10),
    Bar("expired at the head of a queue: median lateness", LATE_HEAD, "late_ms", 20),
    Bar("expired in the middle of a queue: median lateness", LATE_MIDDLE, "late_ms", 20),
    Bar("many expire within a second: worst round trip meanwhile", EXPIRING, "stall_ms", 50),
    Bar("RSS of delayed messages more", DELAYED_MEMORY, "mb", 100),
    Bar("start to an answer of the management API", API_START, "s", 0.7),
    Bar("RSS idle with the API", API_MEMORY, "mb", 90),
    Bar("a page of 500 of 10,000 queues", API_PAGE, "ms", 100),
    Bar("99 % latency of messages while such pages are read", API_LATENCY, "ratio", 2),
    Bar("a command", COMMAND, "ms", 150),
]

# Of the rows of deep queues, at full scale.
DEEP_CEILINGS = {
    "deep-100-memory": 60,
    "deep-100-more": 60,
    "deep-1024-killed": 2,
    "deep-1024-stopped": 2,
    "deep-100-killed": 5,
    "deep-100-stopped": 5,
}


def bars(every_row: list[Row]) -> list[Bar]:
    """All bars; those of deep queues have the titles of their rows."""
    deep = [row for row in every_row if row.key in DEEP_CEILINGS]
    return BARS + [
        Bar(row.title.rpartition(",")[0], row.key, row.figure, DEEP_CEILINGS[row.key]) for row in deep
    ]
