"""Queues: their fields."""

from supersoniq.amqp.primitives import text
from supersoniq.amqp.tables import plain
from supersoniq.broker.queues.queue import NOBODY, Queue
from supersoniq.broker.vhost import VHost


def queue_view(vhost: VHost, queue: Queue) -> dict[str, object]:
    """Return a queue as RabbitMQ lists it."""
    return {
        "name": text(queue.name),
        "vhost": vhost.name,
        "durable": queue.durable,
        "auto_delete": queue.auto_delete,
        "exclusive": queue.owner != NOBODY,
        "arguments": plain(queue.options.arguments),
        "type": text(queue.options.queue_type),
        "messages": queue.ready_count + int(queue.unacked_count),
        "messages_ready": queue.ready_count,
        "messages_unacknowledged": int(queue.unacked_count),
        "consumers": len(queue.consumers),
    }
