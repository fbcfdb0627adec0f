"""The tap of one channel: what goes through it is shown to the tracing of its virtual host."""

from typing import final

from supersoniq.broker.message import Message
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.tracing import Origin, Tracing
from supersoniq.broker.vhost import HIDDEN_PREFIXES, VHost
from supersoniq.session.client import Client


@final
class Tap:
    """Knows whose channel it is. To be asked for nothing unless `tracing` is on."""

    def __init__(self, channel: int, client: Client, vhost: VHost) -> None:
        self.tracing: Tracing = vhost.tracing
        self._channel = channel
        self._client = client

    def published(self, message: Message, routing_keys: list[bytes], queues: list[Queue]) -> None:
        """Show a message that goes to `queues`; without `routing_keys` it has only the one that it names."""
        seen = [queue for queue in queues if not queue.name.startswith(HIDDEN_PREFIXES)]
        self.tracing.published(message, routing_keys or [message.routing_key], seen, self._origin())

    def delivered(self, queue: Queue, message: Message, redelivered: bool) -> None:
        """Show a message that was delivered from a queue, unless that is a hidden one."""
        if not queue.name.startswith(HIDDEN_PREFIXES):
            self.tracing.delivered(queue, message, redelivered, self._origin())

    def _origin(self) -> Origin:
        return Origin(self._client.path, self._channel, self._client.user)
