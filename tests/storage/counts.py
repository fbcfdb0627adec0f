"""What each journal file must count as living in it, counted anew from all that refers to it."""

from __future__ import annotations

import collections

from tests.storage.stepped import SteppedWorker

from supersoniq.broker.definitions import Definition
from supersoniq.broker.vhost import VHost
from supersoniq.storage.queue_store import DiskQueueStore
from supersoniq.storage.store import DiskStore


def live_counts(store: DiskStore, vhost: VHost, background: SteppedWorker) -> dict[int, int]:
    """Return it for each file that anything refers to; `background` has to be idle."""
    assert background.is_idle
    counts: collections.Counter[int] = collections.Counter()
    counts.update(definition_files(store, vhost))
    for queue in vhost.queues.values():
        if queue.durable:
            counts.update([int(entry.message.stored) for entry in queue.in_memory()])
    counts.update(_held(vhost))
    for kept in store.shared.paged:
        for segment in kept.segments.values():
            counts.update(segment.refs)
    for release in store.shared.releases:
        counts.update(release.refs)
    return {number: count for number, count in counts.items() if number > 0 and count}


def definition_files(store: DiskStore, vhost: VHost) -> list[int]:
    """Return the file of each definition, and of each record that says how much of a segment is safe."""
    definitions: list[Definition | None] = []
    for exchange in vhost.exchanges.values():
        definitions.append(exchange.definition)
        definitions.extend([binding.definition for binding in exchange.bindings.values()])
    definitions.extend([queue.definition for queue in vhost.queues.values()])
    definitions.extend(store.settings())
    files = [int(each.stored) for each in definitions if each is not None]
    for kept in store.shared.paged:
        files.extend([int(segment.recorded_in) for segment in kept.segments.values()])
    return files


def spooled_bytes(store: DiskStore) -> int:
    """Return about how much of what does not last lives on the disk."""
    segments = [
        segment for kept in store.shared.paged if not kept.durable for segment in kept.segments.values()
    ]
    return sum([int(segment.live_bytes) for segment in segments])


def _held(vhost: VHost) -> list[int]:
    stored: list[int] = []
    for holder in vhost.holders:
        for kept, entry in holder.held():
            assert isinstance(kept, DiskQueueStore)
            stored.append(int(entry.message.stored) if kept.durable else 0)
    return stored
