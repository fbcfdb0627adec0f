"""Changing a queue in place: it is declared with other arguments, and its messages stay."""

from mypy_extensions import i64

from supersoniq.amqp.tables import Table
from supersoniq.broker.arguments import check_queue
from supersoniq.broker.queues.queue import NOBODY, Queue
from supersoniq.broker.vhost import VHost


def change_queue(vhost: VHost, queue: Queue, arguments: Table) -> i64:
    """Have a queue go by other arguments, of another type perhaps, with what its policies say.

    When a message expires was settled when it came. Returns the sequence that covers it in the store, 0 if
    the queue does not last. Raises 406 for arguments that are refused.
    """
    is_exclusive = queue.owner != NOBODY
    options = check_queue(queue.name, vhost.name, queue.durable, is_exclusive, queue.auto_delete, arguments)
    vhost.policies.change_queue(queue, options)
    vhost.router.changed()
    vhost.disuses.used(queue)
    definition = queue.definition
    if definition is None:
        return 0
    definition.arguments = arguments
    return vhost.store.declared(definition)
