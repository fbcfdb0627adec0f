"""Consumers and their fields."""

from supersoniq.amqp.primitives import text
from supersoniq.broker.ports import Consumer
from supersoniq.broker.queues.queue import Queue
from supersoniq.management.views.common import Fields, arguments_view
from supersoniq.session.client import Client
from supersoniq.session.consuming import ChannelConsumer


def consumer_view(node: str, vhost: str, queue: Queue, consumer: Consumer) -> Fields:
    """Return a consumer as RabbitMQ lists it."""
    active = queue.consumers.active()
    is_active = active is None or active is consumer
    fields: Fields = {
        "arguments": {},
        "ack_required": not consumer.no_ack,
        "active": is_active,
        "activity_status": "single_active" if active is consumer else "up" if is_active else "waiting",
        "channel_details": {},
        "consumer_tag": text(consumer.tag),
        "exclusive": consumer.exclusive,
        "prefetch_count": 0,
        "queue": {"name": text(queue.name), "vhost": vhost},
    }
    if isinstance(consumer, ChannelConsumer):
        fields["arguments"] = arguments_view(consumer.arguments)
        fields["prefetch_count"] = int(consumer.prefetch_count)
        client = consumer.client
        if client is not None:
            fields["channel_details"] = _channel_details(node, client, consumer.channel_number)
    return fields


def _channel_details(node: str, client: Client, number: int) -> Fields:
    return {
        "connection_name": client.path,
        "name": f"{client.path} ({number})",
        "node": node,
        "number": number,
        "peer_host": client.peer_host,
        "peer_port": client.peer_port,
        "user": client.user,
    }
