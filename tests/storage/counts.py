"""What each journal file must count as living in it, counted anew from all that refers to it."""

from __future__ import annotations

import collections

from tests.storage.stepped import SteppedWorker

from supersoniq.broker.vhost import VHost
from supersoniq.storage.queue_store import DiskQueueStore
from supersoniq.storage.store import DiskStore


def live_counts(store: DiskStore, vhost: VHost, background: SteppedWorker) -> dict[int, int]:
    """Return it for each file that anything refers to; `background` has to be idle."""
    assert background.is_idle
    counts: collections.Counter[int] = collections.Counter()
    for exchange in vhost.exchanges.values():
        ends = [exchange, *exchange.bindings.values()]
        counts.update([int(end.definition.stored) for end in ends if end.definition is not None])
    for queue in vhost.queues.values():
        if queue.definition is not None:
            counts[int(queue.definition.stored)] += 1
        if queue.durable:
            counts.update([int(entry.message.stored) for entry in queue.in_memory()])
    for holder in vhost.holders:
        for kept, entry in holder.held():
            assert isinstance(kept, DiskQueueStore)
            if kept.durable:
                counts[int(entry.message.stored)] += 1
    for kept in store.shared.paged:
        for segment in kept.segments.values():
            counts.update(segment.refs)
            counts[int(segment.recorded_in)] += 1
    for release in store.shared.releases:
        counts.update(release.refs)
    return {number: count for number, count in counts.items() if number > 0 and count}
