"""Demolition: all of a virtual host goes, and the store forgets it. Nobody is connected to it any more."""

from supersoniq.broker.queues.queue import NOBODY
from supersoniq.broker.vhost import RESERVED, VHost


def demolish(vhost: VHost) -> None:
    """Delete its queues, bindings and exchanges; what the node predeclares is of no use afterwards."""
    for queue in list(vhost.queues.values()):
        # Deleting one queue takes the node's own queues with it that belong to it.
        if not queue.deleted:
            vhost.delete_queue(queue, False, False)
    for exchange in list(vhost.exchanges.values()):
        for binding in list(exchange.bindings.values()):
            vhost.unbind(exchange.name, binding.destination, binding.binding_key, binding.arguments, NOBODY)
    for name in list(vhost.exchanges):
        if name and not name.startswith(RESERVED):
            vhost.delete_exchange(name, False)
    for exchange in vhost.exchanges.values():
        vhost.announcer.exchange_deleted(exchange)
    vhost.close()
