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
        counts[0 if exchange.definition is None else int(exchange.definition.stored)] += 1
        definitions = [binding.definition for binding in exchange.bindings.values()]
        counts.update([int(each.stored) for each in definitions if each is not None])
    for queue in vhost.queues.values():
        counts[0 if queue.definition is None else int(queue.definition.stored)] += 1
        if queue.durable:
            counts.update([int(entry.message.stored) for entry in queue.in_memory()])
    counts.update(_held(vhost))
    for kept in store.shared.paged:
        for segment in kept.segments.values():
            counts.update(segment.refs)
            counts[int(segment.recorded_in)] += 1
    for release in store.shared.releases:
        counts.update(release.refs)
    return {number: count for number, count in counts.items() if number > 0 and count}


def _held(vhost: VHost) -> list[int]:
    stored: list[int] = []
    for holder in vhost.holders:
        for kept, entry in holder.held():
            assert isinstance(kept, DiskQueueStore)
            stored.append(int(entry.message.stored) if kept.durable else 0)
    return stored
