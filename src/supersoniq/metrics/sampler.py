"""The sampler of a node: what was counted, how fast that grows, and how it was before, in RabbitMQ's fields.

Values are those of now; rates are of the last five seconds that are over.
"""

from collections.abc import Sequence
from typing import Final, cast

from supersoniq.broker.counters import DELIVER_FIELDS, MESSAGE_FIELDS, PUBLISH_FIELDS, MessageCounters
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.queues.stays import percentile_ms
from supersoniq.broker.vhost import VHost
from supersoniq.metrics.details import Past
from supersoniq.metrics.figures import SAMPLED, Figures
from supersoniq.metrics.history import History
from supersoniq.metrics.ranges import Range
from supersoniq.metrics.sampling import (
    CHURN,
    LENGTHS,
    MESSAGES,
    NODE_LENGTHS_AT,
    TRAFFIC,
    VHOST_LENGTHS_AT,
    Sampling,
    churn,
    length_values,
    node_totals,
    traffic_values,
    vhost_totals,
)
from supersoniq.metrics.sources import Sources
from supersoniq.session.client import Client

Fields = dict[str, object]
Group = tuple[str, ...]

DELIVERIES: Final[Group] = (*DELIVER_FIELDS, "deliver_get")
# Fields that appear together as soon as any of them was counted.
ALL_GROUPS: Final[tuple[Group, ...]] = (PUBLISH_FIELDS, ("publish_in",), ("publish_out",), DELIVERIES)
QUEUE_GROUPS: Final[tuple[Group, ...]] = (("publish",), DELIVERIES)
NODE_GROUPS: Final[tuple[Group, ...]] = (PUBLISH_FIELDS, DELIVERIES)

# Where the lengths of a queue stand in the rows of its history.
READY_AT: Final = (MESSAGES,)
UNACKED_AT: Final = (MESSAGES + 1,)
ALL_AT: Final = (MESSAGES, MESSAGES + 1)

INDEXES: Final[dict[str, tuple[int, ...]]] = {
    **{name: (index,) for index, name in enumerate(MESSAGE_FIELDS)},
    "deliver_get": tuple(
        MESSAGE_FIELDS.index(name) for name in ("deliver", "deliver_no_ack", "get", "get_no_ack")
    ),
}


class Sampler:
    """Answers for one node; `sampling` takes the samples, which somebody has to ask it for."""

    def __init__(self, sources: Sources) -> None:
        self.sampling = Sampling(sources)
        self._sources = sources

    @property
    def figures(self) -> Figures:
        """What the node used of the machine when the last samples were taken."""
        return self.sampling.figures

    def stats(
        self, counters: MessageCounters, wanted: Range | None = None, groups: Sequence[Group] = ALL_GROUPS
    ) -> Fields:
        """Return `message_stats` of an exchange or a channel; empty if nothing was counted."""
        return _stats(counters, self._past(counters.history), wanted, groups)

    def queue_stats(self, queue: Queue, wanted: Range | None = None) -> Fields:
        """Return `message_stats` of a queue; empty if nothing was counted."""
        return self.stats(queue.counters, wanted, QUEUE_GROUPS)

    def idle_since_ms(self, counters: MessageCounters, *lengths: int) -> int:
        """Return since when nothing was counted, to the samples' five seconds; 0 while something is.

        It is 0 as well for what has never counted anything: nobody knows since when that is there.
        """
        history = cast(History | None, counters.history)
        if history is None:
            return 0
        since_ms = history.still_since_ms([*counters.values(), *lengths])
        return since_ms if since_ms < self.sampling.last_ms else 0

    def queue_lengths(self, queue: Queue, wanted: Range | None = None) -> Fields:
        """Return how many messages are in a queue, and in what state."""
        ready, unacked = queue.ready_count, int(queue.unacked_count)
        past = self._past(queue.counters.history)
        return {
            "messages_ready": ready,
            "messages_ready_details": past.details(READY_AT, wanted),
            "messages_unacknowledged": unacked,
            "messages_unacknowledged_details": past.details(UNACKED_AT, wanted),
            "messages": ready + unacked,
            "messages_details": past.details(ALL_AT, wanted),
        }

    def queue_ages(self, queue: Queue) -> Fields:
        """Return how old the oldest messages of a queue are, and how long messages stay, in seconds.

        An age is None where there is no such message. That of the oldest unacked delivery, since it was
        delivered, is known from the last samples. How long messages stay is of the last five to ten minutes.
        """
        now_ms = self._sources.now_ms()
        residence = queue.residence
        counts = residence.recent_counts()
        ready_ms = queue.ready_since_ms
        unacked_ms = int(residence.unacked_since_ms) if queue.unacked_count > 0 else 0
        if residence.unacked_seen_ms < self.sampling.last_ms:
            unacked_ms = 0
        return {
            "oldest_ready_age": _age(ready_ms, now_ms),
            "oldest_unacked_age": _age(unacked_ms, now_ms),
            "time_in_queue": {
                "p50": percentile_ms(counts, 0.5) / 1000,
                "p99": percentile_ms(counts, 0.99) / 1000,
                "samples": sum(counts),
            },
        }

    def traffic(self, client: Client, wanted: Range | None = None) -> Fields:
        """Return what went over a connection's socket."""
        past = self._past(client.traffic.history)
        fields = _fields(TRAFFIC, traffic_values(client.traffic), past, 0, wanted, ("recv_oct", "send_oct"))
        return {**fields, "send_pend": client.unsent_bytes}

    def vhost(
        self, vhost: VHost, lengths: Range | None, msg_rates: Range | None, data: Range | None
    ) -> Fields:
        """Return the figures of a virtual host: `message_stats`, lengths, and what went over its sockets."""
        totals = vhost_totals(self._sources, vhost.name)
        past = self._past(vhost.counters.history)
        octets = _fields(
            TRAFFIC, traffic_values(totals.traffic), past, MESSAGES, data, ("recv_oct", "send_oct")
        )
        return {
            "message_stats": _stats(totals.messages, past, msg_rates, NODE_GROUPS),
            **_lengths(length_values(totals.lengths), past, VHOST_LENGTHS_AT, lengths),
            **{name: value for name, value in octets.items() if "_oct" in name},
        }

    def message_stats(self, wanted: Range | None = None) -> Fields:
        """Return `message_stats` of the node, deleted things included."""
        return _stats(node_totals(self._sources).messages, self._node_past(), wanted, NODE_GROUPS)

    def queue_totals(self, wanted: Range | None = None) -> Fields:
        """Return how many messages are in all queues together."""
        values = length_values(node_totals(self._sources).lengths)
        return _lengths(values, self._node_past(), NODE_LENGTHS_AT, wanted)

    def churn_rates(self, wanted: Range | None = None) -> Fields:
        """Return how many connections, channels and queues have come and gone."""
        return _fields(CHURN, churn(self._sources), self._node_past(), MESSAGES, wanted, CHURN)

    def node_stats(self, wanted: Range | None = None) -> Fields:
        """Return what the node used of the machine when the last samples were taken."""
        at = NODE_LENGTHS_AT + len(LENGTHS)
        return _fields(SAMPLED, self.figures.sampled(), self._node_past(), at, wanted, SAMPLED)

    def _past(self, history: object) -> Past:
        return Past(cast(History | None, history), self.sampling.last_ms)

    def _node_past(self) -> Past:
        return Past(self.sampling.node, self.sampling.last_ms)


def _age(since_ms: int, now_ms: int) -> float | None:
    return max(now_ms - since_ms, 0) / 1000 if since_ms > 0 else None


def _stats(counters: MessageCounters, past: Past, wanted: Range | None, groups: Sequence[Group]) -> Fields:
    values = counters.values()
    fields: Fields = {}
    if not any(values):
        return fields
    for group in groups:
        found = {name: sum([values[index] for index in INDEXES[name]]) for name in group}
        if any(found.values()):
            for name, value in found.items():
                fields[name] = value
                fields[f"{name}_details"] = past.details(INDEXES[name], wanted)
    return fields


def _lengths(values: Sequence[int], past: Past, at: int, wanted: Range | None) -> Fields:
    fields = _fields(LENGTHS, values, past, at, wanted, LENGTHS)
    fields["messages"] = sum(values)
    fields["messages_details"] = past.details((at, at + 1), wanted)
    return fields


def _fields(
    names: Sequence[str],
    values: Sequence[int],
    past: Past,
    at: int,
    wanted: Range | None,
    with_details: Sequence[str],
) -> Fields:
    """Return values by name, those of `with_details` with their past; they stand in rows from `at` on."""
    fields: Fields = {}
    for index, (name, value) in enumerate(zip(names, values, strict=True)):
        fields[name] = value
        if name in with_details:
            fields[f"{name}_details"] = past.details((at + index,), wanted)
    return fields
