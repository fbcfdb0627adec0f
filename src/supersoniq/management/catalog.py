"""The catalog: queues in the order of their names, kept from one list to the next."""

import asyncio
from bisect import insort
from dataclasses import dataclass, field

from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.vhost import HIDDEN_PREFIXES, VHost
from supersoniq.server.slices import Slices, in_order

Item = tuple[VHost, Queue]

# More that are new are put in their places together.
INSERTED_MAX = 100


@dataclass
class _Known:
    """The queues of one virtual host, as far as they are known."""

    vhost: VHost
    created: int = 0
    deleted: int = 0
    items: list[Item] = field(default_factory=list)
    queues: set[Queue] = field(default_factory=set)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)  # while items are brought up to date

    async def renew(self, slices: Slices) -> None:
        """Notice what has come and gone."""
        vhost = self.vhost
        created, deleted = int(vhost.counters.queue_created), int(vhost.counters.queue_deleted)
        if deleted != self.deleted:
            self.deleted = deleted
            self.items = [item for item in self.items if not item[1].deleted]
            self.queues = {queue for _, queue in self.items}
        if created != self.created:
            self.created = created
            new = [(vhost, queue) for queue in _new(vhost, self.queues)]
            self.queues.update(queue for _, queue in new)
            self.items = await _with(self.items, new, slices)


class Catalog:
    """The queues of the virtual hosts of one node, as lists show them."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    async def queues(self, vhost: VHost, slices: Slices) -> list[Item]:
        """Return the queues of a virtual host by name; the list is not the caller's."""
        known = self._known.get(vhost.name)
        if known is None or known.vhost is not vhost:
            known = self._known[vhost.name] = _Known(vhost)
        async with known.lock:
            await known.renew(slices)
        return known.items

    def forget(self, vhosts: dict[str, VHost]) -> None:
        """Forget virtual hosts that are gone."""
        for name in [name for name in self._known if name not in vhosts]:
            del self._known[name]


def _new(vhost: VHost, known: set[Queue]) -> list[Queue]:
    """The queues that were made since: the last ones."""
    new: list[Queue] = []
    for queue in reversed(vhost.queues.values()):
        if queue in known:
            break
        if not queue.name.startswith(HIDDEN_PREFIXES):
            new.append(queue)
    return new


async def _with(items: list[Item], new: list[Item], slices: Slices) -> list[Item]:
    """The items with the new ones, in order; a list that was given away stays as it is."""
    if len(new) > INSERTED_MAX:
        return await in_order(items + new, slices, _name)
    found = items[:]
    for item in new:
        insort(found, item, key=_name)
    return found


def _name(item: Item) -> bytes:
    return item[1].name
