"""Replay: what an exchange has kept is delivered to what is newly bound to it (rabbitmq: recent history)."""

from mypy_extensions import i64

from supersoniq.amqp.properties import shortstr_property
from supersoniq.amqp.spec import FLAG_EXPIRATION
from supersoniq.broker.dead_letters import Publisher
from supersoniq.broker.exchanges.base import Destination, Exchange
from supersoniq.broker.message import Message
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.routing import Router


def replay(exchange: Exchange, destination: Destination, router: Router, publisher: Publisher) -> i64:
    """Enqueue what `exchange` keeps in the queue `destination`, or where that exchange routes it.

    The oldest message comes first. Each begins to expire anew. Returns the store's sequence that covers all,
    0 if all is safe now.
    """
    sequence: i64 = 0
    for kept in exchange.kept():
        # Another message to the store, which may have forgotten the first one.
        message = Message(kept.address, kept.header, kept.body, kept.persistent)
        queues: list[Queue] = []
        if isinstance(destination, Queue):
            queues.append(destination)
        elif isinstance(destination, Exchange):
            queues = router.resolve(destination, [kept.routing_key], kept.header)
            for keeper in router.keepers:
                if keeper is not exchange:
                    keeper.published(message)
        if queues:
            sequence = max(sequence, publisher.publish_by_rules(message, queues, _expiration_ms(message)))
    return sequence


def _expiration_ms(message: Message) -> i64:
    expiration = shortstr_property(message.header, FLAG_EXPIRATION)
    return -1 if expiration is None else i64(int(expiration))
