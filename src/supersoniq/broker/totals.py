"""Totals: what the queues, exchanges and channels of a virtual host have counted, what is gone included.

Each call walks over all queues or exchanges of a virtual host: 10,000 take less than a millisecond.
"""

from typing import final

from mypy_extensions import i64

from supersoniq.broker.counters import MessageCounters
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.vhost import HIDDEN_PREFIXES, VHost


@final
class Lengths:
    """What is in queues now; `body_bytes` are of the ready messages, `memory_bytes` of all."""

    def __init__(self) -> None:
        self.queue_count: i64 = 0
        self.consumer_count: i64 = 0
        self.ready_count: i64 = 0
        self.unacked_count: i64 = 0
        self.paged_count: i64 = 0
        self.ready_body_bytes: i64 = 0
        self.unacked_body_bytes: i64 = 0
        self.paged_body_bytes: i64 = 0
        self.memory_bytes: i64 = 0

    def add(self, queue: Queue) -> None:
        """Count a queue and what is in it."""
        self.queue_count += 1
        self.consumer_count += len(queue.consumers)
        self.ready_count += queue.ready_count
        self.unacked_count += queue.unacked_count
        self.paged_count += queue.paged_count
        self.ready_body_bytes += queue.ready_body_bytes
        self.unacked_body_bytes += queue.unacked_body_bytes
        self.paged_body_bytes += queue.paged_body_bytes
        self.memory_bytes += queue.memory_bytes


def visible_queues(vhost: VHost) -> list[Queue]:
    """Return the queues of a virtual host that are not the node's own."""
    queues: list[Queue] = []
    for name, queue in vhost.queues.items():
        if not name.startswith(b"amq.") or not name.startswith(HIDDEN_PREFIXES):
            queues.append(queue)
    return queues


def lengths_of(queues: list[Queue]) -> Lengths:
    """Return what is in queues now."""
    lengths = Lengths()
    for queue in queues:
        lengths.add(queue)
    return lengths


def totals_by_type(vhost: VHost, queues: list[Queue]) -> dict[bytes, MessageCounters]:
    """Return what the queues of a virtual host have counted, by type; `queues` are those that are there."""
    totals: dict[bytes, MessageCounters] = {}
    for queue_type, gone in vhost.counters.gone_queues.items():
        _of_type(totals, queue_type).add(gone)
    for queue in queues:
        _of_type(totals, queue.options.queue_type).add(queue.counters)
    return totals


def _of_type(totals: dict[bytes, MessageCounters], queue_type: bytes) -> MessageCounters:
    total = totals.get(queue_type)
    if total is None:
        total = totals[queue_type] = MessageCounters()
    return total


def exchange_total(vhost: VHost) -> MessageCounters:
    """Return what the exchanges of a virtual host have counted."""
    total = MessageCounters()
    total.add(vhost.counters.gone_exchanges)
    for exchange in vhost.exchanges.values():
        total.add(exchange.counters)
    return total
