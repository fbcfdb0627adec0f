"""What a transaction of one channel holds back until it is committed (class tx)."""

from typing import Final, final

from mypy_extensions import i64

from supersoniq.broker.counters import MessageCounters
from supersoniq.broker.exchanges.base import Exchange
from supersoniq.broker.message import Message
from supersoniq.broker.ports import Recollection
from supersoniq.broker.queues.queue import Queue
from supersoniq.session.context import Buffered
from supersoniq.session.unacked import Delivery

ACKED: Final = 0
REQUEUED: Final = 1
REJECTED: Final = 2
RETURNED: Final = 3  # requeued, as the consumer wishes


class Publish:
    """A publish whose queues are found and that is not enqueued yet; `expiration_ms` is -1 for none.

    `counters` are the exchange's. `keepers` are exchanges that keep it when it is. `delayed_by` is the
    exchange that delays it, by `expiration_ms`; `memory` makes it a duplicate if it has seen `value` by then.
    """

    def __init__(
        self,
        message: Message,
        queues: list[Queue],
        counters: MessageCounters,
        mandatory: bool,
        expiration_ms: i64,
    ) -> None:
        self.message = message
        self.queues = queues
        self.counters = counters
        self.mandatory = mandatory
        self.expiration_ms: i64 = expiration_ms
        self.keepers: list[Exchange] = []
        self.delayed_by: Exchange | None = None
        self.memory: Recollection | None = None
        self.value = b""


class Settlement:
    """Deliveries with one verdict."""

    def __init__(self, deliveries: list[Delivery], verdict: int) -> None:
        self.deliveries = deliveries
        self.verdict = verdict


@final
class Transaction:
    """Publishes and settlements since the last commit or rollback."""

    def __init__(self, buffered: Buffered) -> None:
        self.settlements: list[Settlement] = []
        self._publishes: list[Publish] = []
        self._buffered = buffered

    def publish(self, publish: Publish) -> None:
        """Hold back a publish."""
        message = publish.message
        self._publishes.append(publish)
        self._buffered.body_bytes += len(message.body)

    def deduplicate(self, memory: Recollection, value: bytes) -> None:
        """Have the publish that was held back last be a duplicate of others."""
        publish = self._publishes[-1]
        publish.memory = memory
        publish.value = value

    @property
    def publish_count(self) -> int:
        """How many publishes are held back."""
        return len(self._publishes)

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
