"""The exchange and queues of a run: declared before it, gone after it, unless they were there already."""

import secrets

from supersoniq.client.channel import Channel
from supersoniq.perf.options import LoadOptions


class Topology:
    """What `options` ask for, under names that no other run has."""

    def __init__(self, options: LoadOptions) -> None:
        token = secrets.token_hex(4)
        self.exchange = f"perf-{token}" if options.fanout else ""
        self.queues = list(options.existing) or [
            f"perf-{token}-{number:05}" for number in range(options.queue_count)
        ]
        self._owned = not options.existing
        self._durable = options.durable
        self._arguments: dict[str, object] = {}
        if options.priorities:
            self._arguments["x-max-priority"] = options.priorities

    async def declare(self, channel: Channel) -> None:
        """Declare everything; raises ChannelClosed if a queue that should exist does not."""
        if self.exchange:
            await channel.exchange_declare(self.exchange, "fanout", durable=self._durable)
        for queue in self.queues:
            await channel.queue_declare(
                queue, passive=not self._owned, durable=self._durable, arguments=self._arguments
            )
            if self.exchange:
                await channel.queue_bind(queue, self.exchange)

    async def delete(self, channel: Channel) -> None:
        """Delete what `declare` made."""
        if not self._owned:
            return
        for queue in self.queues:
            await channel.queue_delete(queue)
        if self.exchange:
            await channel.exchange_delete(self.exchange)

    async def message_count(self, channel: Channel) -> int:
        """How many messages are ready in all queues."""
        total = 0
        for queue in self.queues:
            total += (await channel.queue_declare(queue, passive=True)).message_count
        return total

    def routing_keys(self, number: int, parties: int) -> list[str]:
        """Where producer `number` of `parties` publishes to."""
        return [""] if self.exchange else self.share(number, parties)

    def share(self, number: int, parties: int) -> list[str]:
        """The queues of consumer `number` of `parties`: no queue and no consumer is left out."""
        if parties >= len(self.queues):
            return [self.queues[number % len(self.queues)]]
        return self.queues[number::parties]
