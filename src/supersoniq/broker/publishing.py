"""Publishing by the rules of queues: what is refused, what expires, and what was there before.

What the node itself has to say goes the same way.
"""

from typing import Final, final

from mypy_extensions import i64

from supersoniq.broker.dead_letters import Publisher
from supersoniq.broker.deduplication import Deduplication
from supersoniq.broker.exchanges.base import Exchange
from supersoniq.broker.message import Message
from supersoniq.broker.ports import QueueStore
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.routing import Router
from supersoniq.broker.store import Store
from supersoniq.broker.turn import Turn

# What `publish_by_rules` returns instead of a sequence.
REFUSED: Final = -1


@final
class Publishing(Publisher):
    """Publishes in one virtual host, whose queues it shares, and remembers what those take only once."""

    def __init__(self, vhost: str, queues: dict[bytes, Queue], store: Store, turn: Turn) -> None:
        self.deduplication = Deduplication(vhost, self, queues, store, turn)
        self._store = store
        self._turn = turn

    def publish_by_rules(
        self, message: Message, queues: list[Queue], expiration_ms: i64, is_dead_letter: bool = False
    ) -> i64:
        """Enqueue a message in each of `queues` that does not refuse it.

        It expires after `expiration_ms`, -1 for never, or before, where a queue says so. Returns the store's
        sequence, or `REFUSED` if any queue has refused it.
        """
        accepted: list[Queue] = []
        is_refused = False
        for queue in queues:
            if queue.rules.deduplicates and self.deduplication.is_duplicate(queue, message):
                continue
            if queue.refuses(message, is_dead_letter):
                queue.refuse(message)
                is_refused = True
            else:
                accepted.append(queue)
        now_ms = self._turn.timers.clock.now_ms()
        durable: list[QueueStore] = []
        for queue in accepted:
            queue.kept.next_expires_at = queue.rules.expires_at(now_ms, expiration_ms)
            if message.persistent and queue.durable:
                durable.append(queue.kept)
        sequence = self._store.append(message, durable) if durable else i64(0)
        for queue in accepted:
            if not is_dead_letter:  # RabbitMQ counts what clients publish
                queue.counters.publish += 1
            expires_at = queue.kept.next_expires_at
            queue.kept.next_expires_at = 0
            queue.take_in(message, expires_at, now_ms)
        for queue in accepted:
            if queue.rules.deduplicates:
                self.deduplication.remember(queue, message)
        return REFUSED if is_refused else sequence


def publish_report(publisher: Publisher, router: Router, exchange: Exchange, message: Message) -> None:
    """Publish what the node reports; if nothing is bound for that it is dropped, whatever else is set."""
    queues = router.bound(exchange, [message.routing_key], message.header)
    for keeper in router.keepers:
        keeper.published(message)
    if queues:
        publisher.publish_by_rules(message, queues, -1)
