"""What a transaction of one channel holds back until it is committed (class tx)."""

from typing import final

from supersoniq.broker.message import Message
from supersoniq.broker.queues.queue import Queue
from supersoniq.session.context import Buffered
from supersoniq.session.unacked import Delivery


class Publish:
    """A publish whose queues are found and that is not enqueued yet."""

    def __init__(self, message: Message, queues: list[Queue], mandatory: bool) -> None:
        self.message = message
        self.queues = queues
        self.mandatory = mandatory


class Settlement:
    """Deliveries with one verdict: requeued, or settled."""

    def __init__(self, deliveries: list[Delivery], requeue: bool) -> None:
        self.deliveries = deliveries
        self.requeue = requeue


@final
class Transaction:
    """Publishes and settlements since the last commit or rollback."""

    def __init__(self, buffered: Buffered) -> None:
        self.settlements: list[Settlement] = []
        self._publishes: list[Publish] = []
        self._buffered = buffered

    def publish(self, message: Message, queues: list[Queue], mandatory: bool) -> None:
        """Hold back a publish."""
        self._publishes.append(Publish(message, queues, mandatory))
        self._buffered.body_bytes += len(message.body)

    def drain_publishes(self) -> list[Publish]:
        """Take the publishes, in order."""
        publishes = self._publishes
        self._publishes = []
        for publish in publishes:
            self._buffered.body_bytes -= len(publish.message.body)
        return publishes

    def drain_settlements(self) -> list[Settlement]:
        """Take the settlements, in order."""
        settlements = self.settlements
        self.settlements = []
        return settlements
