"""The catalog: queues in the order of their names, which is made anew only when some have come or gone."""

from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.totals import visible_queues
from supersoniq.broker.vhost import VHost

Generation = tuple[int, int, int]


class Catalog:
    """The queues of the virtual hosts of one node, as lists show them."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[VHost, Generation, list[tuple[VHost, Queue]]]] = {}

    def queues(self, vhost: VHost) -> list[tuple[VHost, Queue]]:
        """Return the queues of a virtual host by name; the list is not the caller's."""
        generation = (
            int(vhost.counters.queue_created),
            int(vhost.counters.queue_deleted),
            len(vhost.queues),
        )
        known = self._known.get(vhost.name)
        if known is not None and known[0] is vhost and known[1] == generation:
            return known[2]
        queues = sorted(visible_queues(vhost), key=_name)
        found = [(vhost, queue) for queue in queues]
        self._known[vhost.name] = (vhost, generation, found)
        return found

    def forget(self, vhosts: dict[str, VHost]) -> None:
        """Forget virtual hosts that are gone."""
        for name in [name for name in self._known if name not in vhosts]:
            del self._known[name]


def _name(queue: Queue) -> bytes:
    return queue.name
