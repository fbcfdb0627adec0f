"""The page `/metrics`: everything of a node together, as a collector for prometheus_client.

All that RabbitMQ's Overview dashboard asks for is here (docs/metrics.md).
"""

from collections.abc import Iterator, Sequence
from typing import Final

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from supersoniq.amqp.primitives import text as decoded
from supersoniq.broker.counters import MessageCounters
from supersoniq.metrics import families
from supersoniq.metrics.census import Census
from supersoniq.metrics.families import COUNTER, Family
from supersoniq.metrics.node_metrics import (
    AMQP,
    alarms,
    auth_attempts,
    churn_metrics,
    counter,
    gauge,
    identity,
    message_sizes,
    node_coarse,
    node_limits,
    persister,
    stalls,
    times_in_queues,
)
from supersoniq.metrics.rows import delivery_values, publish_values, queue_length_values
from supersoniq.metrics.sources import Sources

PREFIX: Final = "rabbitmq_"
AGGREGATED: Final = "aggregated"
PER_OBJECT: Final = "per-object"
DETAILED: Final = "detailed"
QUEUE_TYPES: Final = (b"classic", b"quorum", b"stream")
DEAD_LETTERED: Final = {
    "expired": "due to message TTL exceeded",
    "rejected": "due to basic.reject or basic.nack",
    "maxlen": "due to overflow drop-head or reject-publish-dlx",
    "delivery_limit": "due to delivery-limit exceeded",
    "confirmed": "and confirmed by target queues",
}
CLASSIC_STRATEGIES: Final = ("at_most_once", "disabled")
QUORUM_STRATEGIES: Final = ("at_least_once", *CLASSIC_STRATEGIES)


class NodePage(Collector):
    """Collects what a census has found, and what the node says of itself.

    Without what the page `/metrics/per-object`, which is the other `endpoint`, has for each object.
    """

    def __init__(self, sources: Sources, census: Census, endpoint: str) -> None:
        self._sources = sources
        self._census = census
        self._endpoint = endpoint

    def collect(self) -> Iterator[Metric]:
        """Yield all families, in RabbitMQ's order; ours come last."""
        context, figures = self._sources.context, self._sources.figures()
        yield from alarms(context)
        yield from churn_metrics(PREFIX, self._sources)
        yield from node_coarse(PREFIX, figures)
        yield from node_limits(PREFIX, self._sources)
        yield from persister(PREFIX, figures)
        yield from auth_attempts(PREFIX, context)
        if self._endpoint == AGGREGATED:
            yield from self._objects()
        yield from self._counts()
        yield from identity(self._sources.facts(), self._endpoint)
        yield from self._globals()
        yield message_sizes(context.counters.sizes, int(self._census.channels.publish))
        yield from self._own()

    def _objects(self) -> Iterator[Metric]:
        """Yield for everything together what other pages have for each queue, channel and connection."""
        census = self._census
        channels, traffic, queues = census.channels, census.traffic, MessageCounters()
        for counters in census.by_type.values():
            queues.add(counters)
        coarse, lengths = queue_length_values(census.lengths)
        yield from _summed(families.QUEUE_COARSE, coarse)
        yield from _summed(families.QUEUE, lengths)
        yield from _summed(families.QUEUE_PUBLISHED, [int(queues.publish)])
        yield from _summed(families.CHANNEL, census.channel_values)
        yield from _summed(families.CHANNEL_EXCHANGE, publish_values(channels))
        yield from _summed(families.CHANNEL_QUEUE, delivery_values(channels))
        yield from _summed(families.CONNECTION_COARSE, [int(traffic.received_bytes), int(traffic.sent_bytes)])
        packets = [int(traffic.received_count), int(traffic.sent_count)]
        yield from _summed(families.CONNECTION, [*packets, census.pending_count, census.channel_count])

    def _counts(self) -> Iterator[Metric]:
        census = self._census
        yield gauge("rabbitmq_connections", "Connections currently open", census.connection_count)
        yield gauge("rabbitmq_channels", "Channels currently open", census.channel_count)
        yield gauge("rabbitmq_consumers", "Consumers currently connected", int(census.lengths.consumer_count))
        yield gauge("rabbitmq_queues", "Queues available", int(census.lengths.queue_count))

    def _globals(self) -> Iterator[Metric]:
        census, channels = self._census, self._census.channels
        consumers = int(census.lengths.consumer_count)
        yield gauge("rabbitmq_global_consumers", "Current number of consumers", consumers, protocol=AMQP)
        yield gauge(
            "rabbitmq_global_publishers",
            "Current number of publishers",
            census.publisher_count,
            protocol=AMQP,
        )
        received = {
            "received": ("received from publishers", channels.publish),
            "received_confirm": (
                "received from publishers expecting confirmations",
                channels.publish_confirm,
            ),
            "routed": ("routed to queues or streams", census.exchanges.publish_out),
            "confirmed": ("confirmed to publishers", channels.confirm),
            "unroutable_dropped": (
                "published as non-mandatory into an exchange and dropped as unroutable",
                channels.drop_unroutable,
            ),
            "unroutable_returned": (
                "published as mandatory into an exchange and returned to the publisher as unroutable",
                channels.return_unroutable,
            ),
        }
        for name, (what, value) in received.items():
            yield counter(
                f"rabbitmq_global_messages_{name}",
                f"Total number of messages {what}",
                int(value),
                protocol=AMQP,
            )
        yield from self._deliveries()
        yield from self._dead_letters()

    def _deliveries(self) -> Iterator[Metric]:
        """Yield what was delivered, by type of queue."""
        found = {
            "acknowledged": "acknowledged by consumers",
            "delivered_consume_auto_ack": (
                "delivered to consumers using basic.consume with automatic acknowledgment"
            ),
            "delivered_consume_manual_ack": (
                "delivered to consumers using basic.consume with manual acknowledgment"
            ),
            "delivered_get_auto_ack": (
                "delivered to consumers using basic.get with automatic acknowledgment"
            ),
            "delivered_get_manual_ack": ("delivered to consumers using basic.get with manual acknowledgment"),
            "delivered": "delivered to consumers",
            "redelivered": "redelivered to consumers",
            "get_empty": "",
        }
        for name, what in found.items():
            text = f"Total number of messages {what}"
            if name == "get_empty":
                text = "Total number of times basic.get operations fetched no message"
            family = CounterMetricFamily(
                f"rabbitmq_global_messages_{name}", text, labels=["protocol", "queue_type"]
            )
            for queue_type in QUEUE_TYPES:
                counters = self._census.by_type.get(queue_type, MessageCounters())
                family.add_metric([AMQP, f"rabbit_{decoded(queue_type)}_queue"], _delivered(name, counters))
            yield family

    def _dead_letters(self) -> Iterator[Metric]:
        for reason, what in DEAD_LETTERED.items():
            family = CounterMetricFamily(
                f"rabbitmq_global_messages_dead_lettered_{reason}",
                f"Total number of messages dead-lettered {what}",
                labels=["queue_type", "dead_letter_strategy"],
            )
            for queue_type, strategy in _strategies(reason):
                key = (queue_type.encode(), strategy.encode(), reason.encode())
                family.add_metric(
                    [f"rabbit_{queue_type}_queue", strategy], self._census.dead_letters.get(key, 0)
                )
            yield family

    def _own(self) -> Iterator[Metric]:
        census = self._census
        yield gauge(
            "supersoniq_oldest_ready_age_seconds",
            "Age of the oldest message that waits in any queue",
            census.oldest_ready_age,
        )
        yield gauge(
            "supersoniq_oldest_unacked_age_seconds",
            "Time since the oldest unacked delivery of any queue",
            census.oldest_unacked_age,
        )
        yield from times_in_queues(self._sources.context.turn.marks)
        yield from stalls(self._sources.context)


def _summed(table: Sequence[Family], values: Sequence[float]) -> Iterator[Metric]:
    for family, value in zip(table, values, strict=True):
        make = counter if family.kind == COUNTER else gauge
        yield make(f"{family.prefix}_{family.name}", family.text, value)


def _delivered(name: str, counters: MessageCounters) -> int:
    values = {
        "acknowledged": counters.ack,
        "delivered_consume_auto_ack": counters.deliver_no_ack,
        "delivered_consume_manual_ack": counters.deliver,
        "delivered_get_auto_ack": counters.get_no_ack,
        "delivered_get_manual_ack": counters.get,
        "delivered": counters.deliver_get,
        "redelivered": counters.redeliver,
        "get_empty": counters.get_empty,
    }
    return int(values[name])


def _strategies(reason: str) -> Iterator[tuple[str, str]]:
    """Yield the types of queues and the strategies that RabbitMQ has for a reason."""
    if reason == "confirmed":
        yield "quorum", "at_least_once"
        return
    if reason != "delivery_limit":
        for strategy in CLASSIC_STRATEGIES:
            yield "classic", strategy
    for strategy in QUORUM_STRATEGIES:
        if (reason, strategy) != ("maxlen", "at_least_once"):
            yield "quorum", strategy
