"""The pages `/metrics/per-object` and `/metrics/detailed`: figures of each queue, channel and connection.

They are written piece by piece with pauses, as there may be very many objects.
"""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from typing import Final

from supersoniq.amqp.primitives import text
from supersoniq.broker.exchanges.base import Exchange
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.totals import lengths_of, visible_queues
from supersoniq.broker.vhost import VHost
from supersoniq.metrics import families
from supersoniq.metrics.families import Family
from supersoniq.metrics.rows import (
    age_values,
    channel_values,
    connection_values,
    delivery_values,
    exchange_values,
    labels_of,
    octet_values,
    publish_values,
    queue_length_values,
)
from supersoniq.metrics.sources import Sources
from supersoniq.metrics.writer import Row, Writer
from supersoniq.server.slices import Slices
from supersoniq.session.channel import Channel
from supersoniq.session.connection import Connection

Table = Sequence[Family]

# Groups by RabbitMQ's names, with their families; what is said of a node is not among them.
OF_QUEUES: Final[dict[str, Table]] = {
    "queue_coarse_metrics": families.QUEUE_COARSE,
    "queue_metrics": families.QUEUE,
    "queue_consumer_count": families.QUEUE_CONSUMER_COUNT,
    "queue_delivery_metrics": families.QUEUE_DELIVERY,
    "channel_queue_exchange_metrics": families.QUEUE_PUBLISHED,
    "queue_age_metrics": families.QUEUE_AGES,
}
OF_CHANNELS: Final[dict[str, Table]] = {
    "channel_metrics": families.CHANNEL,
    "channel_exchange_metrics": families.CHANNEL_EXCHANGE,
    "channel_queue_metrics": families.CHANNEL_QUEUE,
}
OF_CONNECTIONS: Final[dict[str, Table]] = {
    "connection_coarse_metrics": families.CONNECTION_COARSE,
    "connection_metrics": families.CONNECTION,
}
OF_EXCHANGES: Final[dict[str, Table]] = {
    "exchange_metrics": families.EXCHANGE,
    "exchange_names": families.EXCHANGE_NAME,
    "exchange_bindings": families.EXCHANGE_BINDINGS,
}
OF_VHOSTS: Final[dict[str, Table]] = {"vhost_status": families.VHOST_STATUS}
GROUPS_PER_OBJECT: Final = frozenset({*OF_QUEUES, *OF_CHANNELS, *OF_CONNECTIONS, "exchange_metrics"}) - {
    "queue_consumer_count"
}


class ObjectPage:
    """Writes groups of figures of single objects.

    `prefix` is that of the names; of virtual hosts only those in `vhosts` are looked at, None for all.
    """

    def __init__(
        self,
        sources: Sources,
        writer: Writer,
        slices: Slices,
        prefix: str,
        vhosts: Collection[str] | None = None,
    ) -> None:
        self._sources = sources
        self._writer = writer
        self._slices = slices
        self._prefix = prefix
        self._vhosts = [vhost for name, vhost in sources.vhosts.items() if vhosts is None or name in vhosts]

    async def pieces(self, groups: Collection[str], sampled_ms: int) -> AsyncIterator[bytes]:
        """Yield the page in pieces; unacked deliveries are known from samples at `sampled_ms`."""
        if "queue_metrics" in groups:
            groups = set(groups) - {"queue_consumer_count"}  # the same family
        for kinds, rows in (
            (OF_QUEUES, lambda group: self._queues(group, sampled_ms)),
            (OF_CHANNELS, self._channels),
            (OF_CONNECTIONS, self._connections),
            (OF_EXCHANGES, self._exchanges),
            (OF_VHOSTS, self._virtual_hosts),
        ):
            for group, table in kinds.items():
                if group in groups:
                    prefix = "rabbitmq_cluster_" if table in CLUSTER else self._prefix
                    for piece in self._writer.families(prefix, table, await rows(group)):
                        yield piece
                        await self._slices.breathe()

    async def _queues(self, group: str, sampled_ms: int) -> list[Row]:
        now_ms = self._sources.now_ms()
        of_queue: dict[str, Callable[[Queue], Sequence[float]]] = {
            "queue_coarse_metrics": lambda queue: queue_length_values(lengths_of([queue]))[0],
            "queue_metrics": lambda queue: queue_length_values(lengths_of([queue]))[1],
            "queue_consumer_count": lambda queue: [len(queue.consumers)],
            "queue_delivery_metrics": lambda queue: delivery_values(queue.counters),
            "channel_queue_exchange_metrics": lambda queue: [int(queue.counters.publish)],
            "queue_age_metrics": lambda queue: age_values(queue, now_ms, sampled_ms),
        }
        values = of_queue[group]
        rows: list[Row] = []
        for vhost in self._vhosts:
            async for queue in self._slices.each(visible_queues(vhost)):
                if not queue.deleted:
                    rows.append((labels_of(vhost=vhost.name, queue=text(queue.name)), values(queue)))
        return rows

    async def _channels(self, group: str) -> list[Row]:
        rows: list[Row] = []
        async for connection in self._slices.each(self._their_connections()):
            for channel in list(connection.channels.values()):
                name = f"{connection.client.path} ({int(channel.number)})"
                rows.append((labels_of(channel=name), _of_channel(group, channel)))
        return rows

    async def _connections(self, group: str) -> list[Row]:
        rows: list[Row] = []
        async for connection in self._slices.each(self._their_connections()):
            client = connection.client
            is_coarse = group == "connection_coarse_metrics"
            values = octet_values(client) if is_coarse else connection_values(connection)
            rows.append((labels_of(channel=client.path), values))
        return rows

    def _their_connections(self) -> list[Connection]:
        return [each for each in self._sources.connections() if each.client.vhost in self._vhosts]

    async def _exchanges(self, group: str) -> list[Row]:
        rows: list[Row] = []
        for vhost in self._vhosts:
            async for exchange in self._slices.each(list(vhost.exchanges.values())):
                if exchange.name or group == "exchange_metrics":
                    rows.append((_exchange_labels(group, vhost, exchange), _of_exchange(group, exchange)))
        return rows

    async def _virtual_hosts(self, group: str) -> list[Row]:
        return [(labels_of(vhost=vhost.name), [1]) for vhost in self._vhosts]


# These have a prefix of their own in RabbitMQ.
CLUSTER: Final = (families.EXCHANGE_NAME, families.EXCHANGE_BINDINGS, families.VHOST_STATUS)


def _of_channel(group: str, channel: Channel) -> list[int]:
    if group == "channel_metrics":
        return channel_values(channel)
    if group == "channel_exchange_metrics":
        return publish_values(channel.counters)
    return delivery_values(channel.counters)


def _of_exchange(group: str, exchange: Exchange) -> list[int]:
    if group == "exchange_metrics":
        return exchange_values(exchange.counters)
    return [len(exchange.bindings) if group == "exchange_bindings" else 1]


def _exchange_labels(group: str, vhost: VHost, exchange: Exchange) -> str:
    name = text(exchange.name)
    if group == "exchange_metrics":
        return labels_of(vhost=vhost.name, exchange=name)
    return labels_of(vhost=vhost.name, exchange=name, type=exchange.kind)
