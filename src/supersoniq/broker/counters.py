"""Counters: plain integers that only grow, kept where things happen and read by whoever wants to know.

Names are RabbitMQ's. What is gone keeps counting: a total takes in the counters of what it was made of.
"""

from typing import Final, final

from mypy_extensions import i64

# The attributes of MessageCounters, as `message_stats` has them, in the order of `values`.
PUBLISH_FIELDS: Final = ("publish", "confirm", "return_unroutable", "drop_unroutable")
EXCHANGE_FIELDS: Final = ("publish_in", "publish_out")
DELIVER_FIELDS: Final = ("deliver", "deliver_no_ack", "get", "get_no_ack", "get_empty", "ack", "redeliver")
MESSAGE_FIELDS: Final = PUBLISH_FIELDS + EXCHANGE_FIELDS + DELIVER_FIELDS

# The largest body that each bucket counts, as in RabbitMQ 4.1; there is one more for what is larger.
SIZE_BOUNDS: Final = (100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 50_000_000, 100_000_000)
SMALL_BODY_BYTES: Final = 100


@final
class MessageCounters:
    """What was published, delivered and settled: of one queue, exchange or channel, or of many together.

    `publish_confirm` are those of `publish` that are to be confirmed. `history` belongs to the sampler.
    """

    def __init__(self) -> None:
        self.publish: i64 = 0
        self.confirm: i64 = 0
        self.return_unroutable: i64 = 0
        self.drop_unroutable: i64 = 0
        self.publish_in: i64 = 0
        self.publish_out: i64 = 0
        self.deliver: i64 = 0
        self.deliver_no_ack: i64 = 0
        self.get: i64 = 0
        self.get_no_ack: i64 = 0
        self.get_empty: i64 = 0
        self.ack: i64 = 0
        self.redeliver: i64 = 0
        self.publish_confirm: i64 = 0
        self.history: object = None
        self._seen: i64 = 0

    def has_moved(self, other: i64 = 0) -> bool:
        """Whether anything was counted, or `other` has changed, since the last call."""
        seen = (
            other * 1_000_003
            + self.publish
            + self.confirm
            + self.return_unroutable
            + self.drop_unroutable
            + self.publish_in
            + self.publish_out
            + self.deliver
            + self.deliver_no_ack
            + self.get
            + self.get_no_ack
            + self.get_empty
            + self.ack
            + self.redeliver
        )
        if seen == self._seen:
            return False
        self._seen = seen
        return True

    @property
    def deliver_get(self) -> int:
        """How often messages were handed out, in whatever way."""
        return int(self.deliver + self.deliver_no_ack + self.get + self.get_no_ack)

    def add(self, other: "MessageCounters") -> None:
        """Count what another has counted as well."""
        self.publish += other.publish
        self.confirm += other.confirm
        self.return_unroutable += other.return_unroutable
        self.drop_unroutable += other.drop_unroutable
        self.publish_in += other.publish_in
        self.publish_out += other.publish_out
        self.deliver += other.deliver
        self.deliver_no_ack += other.deliver_no_ack
        self.get += other.get
        self.get_no_ack += other.get_no_ack
        self.get_empty += other.get_empty
        self.ack += other.ack
        self.redeliver += other.redeliver
        self.publish_confirm += other.publish_confirm

    def values(self) -> list[int]:
        """Return what was counted, in the order of `MESSAGE_FIELDS`."""
        return [
            int(self.publish),
            int(self.confirm),
            int(self.return_unroutable),
            int(self.drop_unroutable),
            int(self.publish_in),
            int(self.publish_out),
            int(self.deliver),
            int(self.deliver_no_ack),
            int(self.get),
            int(self.get_no_ack),
            int(self.get_empty),
            int(self.ack),
            int(self.redeliver),
        ]


@final
class Tally:
    """The counters of all objects of one kind: of those that are there, and `gone` of all others."""

    def __init__(self) -> None:
        self.gone = MessageCounters()
        self._present: dict[MessageCounters, None] = {}

    def open(self) -> MessageCounters:
        """Return new counters, for one more object."""
        counters = MessageCounters()
        self._present[counters] = None
        return counters

    def close(self, counters: MessageCounters) -> None:
        """Take note that the object of these counters is gone."""
        if self._present.pop(counters, counters) is None:
            self.gone.add(counters)

    def total(self) -> MessageCounters:
        """Return what all have counted together."""
        total = MessageCounters()
        total.add(self.gone)
        for counters in self._present:
            total.add(counters)
        return total

    def publishers(self) -> int:
        """Return how many of those that are there have published."""
        return sum([counters.publish > 0 for counters in self._present])


@final
class TrafficCounters:
    """What went over a connection's socket; `received_count` and `sent_count` are of reads and writes.

    `history` belongs to the sampler.
    """

    def __init__(self) -> None:
        self.received_bytes: i64 = 0
        self.received_count: i64 = 0
        self.sent_bytes: i64 = 0
        self.sent_count: i64 = 0
        self.history: object = None
        self._seen: i64 = 0

    def has_moved(self) -> bool:
        """Whether anything was counted since the last call."""
        seen = self.received_count + self.sent_count
        if seen == self._seen:
            return False
        self._seen = seen
        return True

    def add(self, other: "TrafficCounters") -> None:
        """Count what another has counted as well."""
        self.received_bytes += other.received_bytes
        self.received_count += other.received_count
        self.sent_bytes += other.sent_bytes
        self.sent_count += other.sent_count


@final
class IOCounters:
    """What the store has read, written and synced, and how long the syncs took.

    Several threads count here: what they count at the same moment may be lost.
    """

    def __init__(self) -> None:
        self.read_count: i64 = 0
        self.read_bytes: i64 = 0
        self.write_count: i64 = 0
        self.written_bytes: i64 = 0
        self.sync_count: i64 = 0
        self.sync_seconds = 0.0


@final
class SizeCounters:
    """How large bodies are; those of at most `SMALL_BODY_BYTES` are not counted but what is left of all."""

    def __init__(self) -> None:
        self.body_bytes: i64 = 0
        self._to_1000: i64 = 0
        self._to_10000: i64 = 0
        self._to_100000: i64 = 0
        self._larger = [0] * (len(SIZE_BOUNDS) - 3)  # by bucket

    def count(self, size: i64) -> None:
        """Count a body that is not small."""
        if size <= 1_000:
            self._to_1000 += 1
        elif size <= 10_000:
            self._to_10000 += 1
        elif size <= 100_000:
            self._to_100000 += 1
        else:
            place = 0
            while place < len(self._larger) - 1 and size > SIZE_BOUNDS[place + 4]:
                place += 1
            self._larger[place] += 1

    @property
    def larger(self) -> list[int]:
        """How many there are in each bucket but the first."""
        return [int(self._to_1000), int(self._to_10000), int(self._to_100000), *self._larger]


@final
class VHostCounters:
    """What a virtual host counts beside what its queues and exchanges count themselves.

    `history` belongs to the sampler.
    """

    def __init__(self) -> None:
        self.queue_declared: i64 = 0
        self.queue_created: i64 = 0
        self.queue_deleted: i64 = 0
        self.channels = Tally()
        self.traffic = TrafficCounters()  # of connections that are gone
        self.gone_exchanges = MessageCounters()
        self.gone_queues: dict[bytes, MessageCounters] = {}  # by type
        self.dead_letters: dict[tuple[bytes, bytes, bytes], int] = {}  # by queue type, strategy, reason
        self.history: object = None

    def absorb(self, other: "VHostCounters") -> None:
        """Count what another has counted as well, whose virtual host is deleted with all that was in it."""
        self.queue_declared += other.queue_declared
        self.queue_created += other.queue_created
        self.queue_deleted += other.queue_deleted
        self.channels.gone.add(other.channels.total())
        self.traffic.add(other.traffic)
        self.gone_exchanges.add(other.gone_exchanges)
        for queue_type, counters in other.gone_queues.items():
            self._of_gone(queue_type).add(counters)
        for kind, count in other.dead_letters.items():
            self.dead_letters[kind] = self.dead_letters.get(kind, 0) + count

    def queue_made(self) -> None:
        """Take note that a queue was declared that was not there."""
        self.queue_declared += 1
        self.queue_created += 1

    def queue_gone(self, queue_type: bytes, counters: MessageCounters) -> MessageCounters:
        """Take note that a queue is deleted; returns the counters for what is acked late."""
        self.queue_deleted += 1
        gone = self._of_gone(queue_type)
        gone.add(counters)
        return gone

    def _of_gone(self, queue_type: bytes) -> MessageCounters:
        gone = self.gone_queues.get(queue_type)
        if gone is None:
            gone = self.gone_queues[queue_type] = MessageCounters()
        return gone


@final
class SessionCounters:
    """What the connections of a node have counted: how many came and went, what was refused, what was sent.

    A connection counts as created when it has opened a virtual host.
    """

    def __init__(self) -> None:
        self.connection_created: i64 = 0
        self.connection_closed: i64 = 0
        self.channel_created: i64 = 0
        self.channel_closed: i64 = 0
        self.auth_succeeded: i64 = 0
        self.auth_failed: i64 = 0
        self.stall_count: i64 = 0  # how often the event loop stood still
        self.stall_seconds = 0.0
        self.traffic = TrafficCounters()  # of connections that are gone
        self.sizes = SizeCounters()
        self.gone_vhosts = VHostCounters()
