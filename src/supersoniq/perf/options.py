"""What a load is made of, checked before anything is connected."""

from dataclasses import dataclass
from typing import NamedTuple

from supersoniq.client.address import DEFAULT_URL, parse_url

MESSAGES_MAX = 1_000_000_000
SECONDS_MAX = 86_400.0
# Deep queues cost some brokers far more per message than short ones: that is to be asked for.
BACKLOG_MESSAGES = 10_000
BACKLOG_BYTES = 16 << 20
COUNT_SECONDS_MAX = 300.0


class Limit(NamedTuple):
    """The smallest and largest value of an option."""

    name: str
    smallest: float
    largest: float


LIMITS = [
    Limit("producers", 0, 10_000),
    Limit("consumers", 0, 10_000),
    Limit("queues", 1, 100_000),
    Limit("fanout", 0, 10_000),
    Limit("priorities", 0, 255),
    Limit("size", 0, 128 << 20),
    Limit("rate", 0, 10_000_000),
    Limit("ack_every", 0, MESSAGES_MAX),
    Limit("prefetch", 0, 65_535),
    Limit("confirm_window", 0, MESSAGES_MAX),
    Limit("count", 0, MESSAGES_MAX),
    Limit("duration", 0, SECONDS_MAX),
    Limit("warmup", 0, SECONDS_MAX),
    Limit("batch", 0, 100_000),
    Limit("backlog", 0, MESSAGES_MAX),
    Limit("preload", 0, MESSAGES_MAX),
]


@dataclass(frozen=True)
class LoadOptions:
    """One load. `rate` is per producer; 0 is "as fast as it goes", "none", or "decide for me", as fits.

    With `priorities` the queues have that as x-max-priority, and messages the priorities below it in turn.
    `backlog` limits how many messages are on their way at once; with `stamped` each message carries the time,
    and latency is what has passed at its delivery, or at its confirm with `until_confirm`.
    """

    url: str = DEFAULT_URL
    producers: int = 1
    consumers: int = 1
    queues: int = 1
    fanout: int = 0
    priorities: int = 0
    size: int = 16
    rate: float = 0.0
    ack_every: int = 0
    prefetch: int = 0
    confirm_window: int = 0
    persistent: bool = False
    durable: bool = False
    existing: tuple[str, ...] = ()
    count: int = 0
    duration: float = 0.0
    warmup: float = 1.0
    flush: bool = False
    batch: int = 0
    backlog: int = 0
    preload: int = 0
    stamped: bool = False
    until_confirm: bool = False
    busy_poll: bool = False
    broker_pid: int = 0

    def __post_init__(self) -> None:
        """Raise ValueError, with a text for the user, for what cannot be run."""
        parse_url(self.url)
        for limit in LIMITS:
            value = getattr(self, limit.name)
            if not limit.smallest <= value <= limit.largest:
                name = limit.name.replace("_", "-")
                raise ValueError(f"{name} is {value:g}: it must be {limit.smallest:g} to {limit.largest:g}")
        for is_wrong, text in self._contradictions():
            if is_wrong:
                raise ValueError(text)

    def _contradictions(self) -> list[tuple[bool, str]]:
        nobody_consumes = not self.consumers and not self.count and not self.duration and not self.preload
        return [
            (not self.producers and not self.consumers, "there are neither producers nor consumers"),
            (not self.producers and not self.preload, "without producers there must be a preload to consume"),
            (
                nobody_consumes,
                "without consumers there must be a count or a duration: the broker keeps all of it",
            ),
            (
                bool(self.preload) and not self.consumers,
                "a preload without consumers is a count without consumers",
            ),
            (
                bool(self.preload and self.producers),
                "a preload is consumed without producers: say producers 0",
            ),
            (
                0 < self.prefetch < self.ack_every,
                "an ack for more messages than prefetch lets through never comes",
            ),
            (
                bool(self.prefetch) and not self.ack_every,
                "prefetch limits unacked messages: it needs ack-every",
            ),
            (self.stamped and self.size < 8, "the time in each message needs a size of 8 or more"),
            (
                self.until_confirm and not (self.confirm_window and self.producers),
                "the time until the confirm needs a confirm-window",
            ),
            (
                bool(self.fanout and self.existing),
                "fanout declares queues of its own: it does not go with existing ones",
            ),
            (bool(self.fanout and self.preload), "a preload goes to queues, not to a fanout"),
        ]

    @property
    def queue_count(self) -> int:
        """How many queues take part."""
        return len(self.existing) or self.fanout or self.queues

    @property
    def copies(self) -> int:
        """Deliveries per publish."""
        return self.fanout or 1

    @property
    def backlog_max(self) -> int:
        """Deliveries that may be on their way at once; 0, no limit, if nobody consumes."""
        if not self.consumers:
            return 0
        if self.backlog:
            return self.backlog * self.copies
        messages = min(BACKLOG_MESSAGES, BACKLOG_BYTES // max(self.size, 1))
        return max(messages, 4 * self.producers) * self.copies

    @property
    def seconds_max(self) -> float:
        """When a run that is limited by count is given up, or how long one that is not is measured."""
        if self.duration:
            return self.duration
        return COUNT_SECONDS_MAX if self.count or self.preload else 10.0
