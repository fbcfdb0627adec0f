"""Sampling: the counters of a node are read every five seconds, and what has moved gets a row of its history.

The work is done in short steps, so that ten thousand queues hold up nobody: each takes some microseconds.
"""

import time
from collections.abc import Sequence
from itertools import chain
from typing import Final, cast

from supersoniq.broker.counters import MESSAGE_FIELDS, MessageCounters, TrafficCounters, VHostCounters
from supersoniq.broker.exchanges.base import Exchange
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.totals import Lengths, lengths_of, visible_queues
from supersoniq.broker.vhost import VHost
from supersoniq.metrics.details import PERIOD_MS
from supersoniq.metrics.figures import Figures
from supersoniq.metrics.history import History
from supersoniq.metrics.sources import Sources
from supersoniq.session.connection import Connection

MINUTE_MS: Final = 60_000
# Ten minutes, an hour, eight hours and a day, as RabbitMQ keeps them by default.
OF_NODE: Final = (PERIOD_MS, MINUTE_MS, 10 * MINUTE_MS, 30 * MINUTE_MS)
ROWS_OF_NODE: Final = (122, 62, 50, 50)
# Ten minutes and an hour of everything else, less of it where much is going on.
OF_OBJECT: Final = (PERIOD_MS, MINUTE_MS)
ROWS_OF_OBJECT: Final = (122, 62)
ROWS_MAX: Final = 240_000
ROWS_MIN: Final = 14  # a minute

# Where the values stand in the rows of what has several kinds of them.
MESSAGES: Final = len(MESSAGE_FIELDS)
CHURN: Final = (
    "connection_created",
    "connection_closed",
    "channel_created",
    "channel_closed",
    "queue_declared",
    "queue_created",
    "queue_deleted",
)
TRAFFIC: Final = ("recv_oct", "recv_cnt", "send_oct", "send_cnt")
LENGTHS: Final = ("messages_ready", "messages_unacknowledged")
NODE_LENGTHS_AT: Final = MESSAGES + len(CHURN)
VHOST_LENGTHS_AT: Final = MESSAGES + len(TRAFFIC)


class Totals:
    """What a node, or one virtual host, has counted and holds."""

    def __init__(self) -> None:
        self.messages = MessageCounters()
        self.lengths = Lengths()
        self.traffic = TrafficCounters()


class Sampling:
    """Takes the samples of one node: `begin`, then `step` until that is all."""

    def __init__(self, sources: Sources) -> None:
        self.last_ms = 0  # of the samples that are complete
        self.figures = Figures()
        self.node = History(OF_NODE, NODE_LENGTHS_AT)
        self._sources = sources
        self._now_ms = 0
        self._vhosts: list[tuple[VHost, Lengths]] = []
        self._queues: list[tuple[list[Queue], Lengths]] = []  # what is left of each virtual host
        self._exchanges: list[Exchange] = []
        self._connections: list[Connection] = []
        self._moved_count = 0
        self._rows_max: tuple[int, ...] = ROWS_OF_OBJECT

    def begin(self) -> None:
        """Begin to take samples of everything, as of now."""
        sources = self._sources
        self._now_ms = sources.now_ms() // PERIOD_MS * PERIOD_MS
        self.figures = sources.figures()
        vhosts = list(sources.vhosts.values())
        self._vhosts = [(vhost, Lengths()) for vhost in vhosts]
        self._queues = [(visible_queues(vhost), lengths) for vhost, lengths in self._vhosts]
        self._exchanges = list(chain.from_iterable(vhost.exchanges.values() for vhost in vhosts))
        self._connections = list(sources.connections())
        self._moved_count = 0

    def step(self, seconds: float) -> bool:
        """Go on for about so long; true if there is more to do."""
        end = time.monotonic() + seconds
        while self._queues:
            queues, lengths = self._queues[-1]
            if not queues:
                self._queues.pop()
                continue
            self._sample_queue(queues.pop(), lengths)
            if time.monotonic() > end:
                return True
        while self._exchanges:
            self._sample_messages(self._exchanges.pop().counters)
            if time.monotonic() > end:
                return True
        while self._connections:
            self._sample_connection(self._connections.pop())
            if time.monotonic() > end:
                return True
        self._sample_totals()
        rows = min(max(ROWS_MAX // max(self._moved_count, 1), ROWS_MIN), ROWS_OF_OBJECT[0])
        self._rows_max = (rows, min(rows, ROWS_OF_OBJECT[1]))
        self.last_ms = self._now_ms
        return False

    def _sample_totals(self) -> None:
        """Sample virtual hosts and the node, whose queues were counted one by one."""
        sources, now_ms = self._sources, self._now_ms
        ready = unacked = 0
        for vhost, lengths in self._vhosts:
            messages = vhost.counters.channels.total()
            traffic = vhost_traffic(sources, vhost)
            values = messages.values() + traffic_values(traffic) + length_values(lengths)
            history = vhost.counters.history
            if history is None:
                history = vhost.counters.history = History(OF_OBJECT, VHOST_LENGTHS_AT)
            cast(History, history).add(now_ms, values, ROWS_OF_OBJECT)
            ready += int(lengths.ready_count)
            unacked += int(lengths.unacked_count)
        values = [*node_messages(sources).values(), *churn(sources), ready, unacked]
        self.node.add(now_ms, values + self.figures.sampled(), ROWS_OF_NODE)
        self._vhosts = []

    def _sample_queue(self, queue: Queue, lengths: Lengths) -> None:
        if queue.deleted:
            return
        lengths.add(queue)
        counters = queue.counters
        ready, unacked = queue.ready_count, int(queue.unacked_count)
        if counters.has_moved(ready + 7 * unacked):
            self._add(counters, [*counters.values(), ready, unacked])

    def _sample_messages(self, counters: MessageCounters) -> None:
        if counters.has_moved():
            self._add(counters, counters.values())

    def _sample_connection(self, connection: Connection) -> None:
        for channel in connection.channels.values():
            self._sample_messages(channel.counters)
            if channel.unacked_count > 0:
                for queue, since_ms in channel.outstanding_since():
                    queue.residence.held(since_ms, self._now_ms)
        traffic = connection.client.traffic
        if traffic.has_moved():
            self._add(traffic, traffic_values(traffic))

    def _add(self, owner: MessageCounters | TrafficCounters, values: Sequence[int]) -> None:
        self._moved_count += 1
        history = owner.history
        if history is None:
            history = owner.history = History(OF_OBJECT, MESSAGES)
        cast(History, history).add(self._now_ms, values, self._rows_max)


def traffic_values(traffic: TrafficCounters) -> list[int]:
    """Return what went over sockets, in the order of `TRAFFIC`."""
    return [
        int(traffic.received_bytes),
        int(traffic.received_count),
        int(traffic.sent_bytes),
        int(traffic.sent_count),
    ]


def length_values(lengths: Lengths) -> list[int]:
    """Return what is in queues, in the order of `LENGTHS`."""
    return [int(lengths.ready_count), int(lengths.unacked_count)]


def churn(sources: Sources) -> list[int]:
    """Return how much has come and gone, in the order of `CHURN`."""
    sessions = sources.context.counters
    kept: list[VHostCounters] = [sessions.gone_vhosts]
    kept.extend(vhost.counters for vhost in sources.vhosts.values())
    return [
        int(sessions.connection_created),
        int(sessions.connection_closed),
        int(sessions.channel_created),
        int(sessions.channel_closed),
        sum([int(counters.queue_declared) for counters in kept]),
        sum([int(counters.queue_created) for counters in kept]),
        sum([int(counters.queue_deleted) for counters in kept]),
    ]


def vhost_traffic(sources: Sources, vhost: VHost) -> TrafficCounters:
    """Return what went over the sockets of a virtual host's connections."""
    traffic = TrafficCounters()
    traffic.add(vhost.counters.traffic)
    for connection in sources.connections():
        if connection.client.vhost is vhost:
            traffic.add(connection.client.traffic)
    return traffic


def vhost_totals(sources: Sources, name: str) -> Totals:
    """Return what a virtual host has counted and holds."""
    totals = Totals()
    vhost = sources.vhosts[name]
    totals.messages = vhost.counters.channels.total()
    totals.lengths = lengths_of(visible_queues(vhost))
    totals.traffic = vhost_traffic(sources, vhost)
    return totals


def node_messages(sources: Sources) -> MessageCounters:
    """Return what all channels of a node have counted."""
    messages = MessageCounters()
    messages.add(sources.context.counters.gone_vhosts.channels.gone)
    for vhost in sources.vhosts.values():
        messages.add(vhost.counters.channels.total())
    return messages


def node_totals(sources: Sources) -> Totals:
    """Return what a node has counted and holds; its traffic is not among it."""
    totals = Totals()
    totals.messages = node_messages(sources)
    for vhost in sources.vhosts.values():
        for queue in visible_queues(vhost):
            totals.lengths.add(queue)
    return totals
