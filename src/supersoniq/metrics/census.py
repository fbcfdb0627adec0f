"""The census: one walk over all that a node has, for the figures that are of everything together."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from supersoniq.broker.counters import MessageCounters, TrafficCounters, VHostCounters
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.totals import Lengths, visible_queues
from supersoniq.broker.vhost import VHost
from supersoniq.metrics.families import CHANNEL
from supersoniq.metrics.rows import channel_values, ready_age, unacked_age
from supersoniq.metrics.sources import Sources
from supersoniq.server.slices import Slices


@dataclass
class Census:
    """What was found; what was counted includes what is gone."""

    lengths: Lengths = field(default_factory=Lengths)
    by_type: dict[bytes, MessageCounters] = field(default_factory=dict)
    channels: MessageCounters = field(default_factory=MessageCounters)
    exchanges: MessageCounters = field(default_factory=MessageCounters)
    traffic: TrafficCounters = field(default_factory=TrafficCounters)
    dead_letters: dict[tuple[bytes, bytes, bytes], int] = field(default_factory=dict)
    channel_values: list[int] = field(default_factory=lambda: [0] * len(CHANNEL))
    channel_count: int = 0
    connection_count: int = 0
    pending_count: int = 0
    publisher_count: int = 0
    oldest_ready_age: float = 0.0
    oldest_unacked_age: float = 0.0

    def of_type(self, queue_type: bytes) -> MessageCounters:
        """Return the counters of a queue type."""
        return self.by_type.setdefault(queue_type, MessageCounters())

    def add_gone(self, counters: VHostCounters) -> None:
        """Count what is gone of a virtual host, and all of its channels."""
        self.exchanges.add(counters.gone_exchanges)
        self.channels.add(counters.channels.total())
        self.publisher_count += counters.channels.publishers()
        for queue_type, gone in counters.gone_queues.items():
            self.of_type(queue_type).add(gone)
        for kind, count in counters.dead_letters.items():
            self.dead_letters[kind] = self.dead_letters.get(kind, 0) + count


async def census_of(sources: Sources, sampled_ms: int, slices: Slices) -> Census:
    """Walk over everything; unacked deliveries are known from samples at `sampled_ms`.

    Whatever is deleted meanwhile is counted once: which objects there are, and what is gone, is looked up in
    one go for each virtual host, and the counters of an object are still there when it is not.
    """
    census = Census()
    sessions = sources.context.counters
    census.add_gone(sessions.gone_vhosts)
    for vhost in list(sources.vhosts.values()):
        await _count_vhost(census, vhost, sources.now_ms(), sampled_ms, slices)
    census.traffic.add(sessions.traffic)
    async for connection in slices.each(list(sources.connections())):
        client = connection.client
        census.connection_count += client.vhost is not None
        census.traffic.add(client.traffic)
        census.pending_count += client.unsent_bytes > 0
        for channel in connection.channels.values():
            census.channel_count += 1
            for index, value in enumerate(channel_values(channel)):
                census.channel_values[index] += value
    return census


async def _count_vhost(census: Census, vhost: VHost, now_ms: int, sampled_ms: int, slices: Slices) -> None:
    census.add_gone(vhost.counters)
    exchanges = [exchange.counters for exchange in vhost.exchanges.values()]
    queues: Sequence[tuple[Queue, MessageCounters]]
    queues = [(queue, queue.counters) for queue in visible_queues(vhost)]
    async for counters in slices.each(exchanges):
        census.exchanges.add(counters)
    async for queue, counters in slices.each(queues):
        census.of_type(queue.options.queue_type).add(counters)
        if not queue.deleted:
            census.lengths.add(queue)
            census.oldest_ready_age = max(census.oldest_ready_age, ready_age(queue, now_ms))
            census.oldest_unacked_age = max(census.oldest_unacked_age, unacked_age(queue, now_ms, sampled_ms))
