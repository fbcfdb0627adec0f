"""Basic.Ack, Nack, Reject and Recover of one channel: deliveries stop being outstanding."""

from typing import final

from librt.strings import read_i64_be
from mypy_extensions import i64

from supersoniq.amqp.errors import FrameError, PreconditionFailed
from supersoniq.broker.message import Entry
from supersoniq.broker.ports import Holder, QueueStore
from supersoniq.session.consuming import Consuming, Window
from supersoniq.session.transactions import ACKED, REJECTED, REQUEUED, RETURNED, Settlement, Transaction
from supersoniq.session.unacked import Delivery


@final
class Settling(Holder):
    """Settles or requeues deliveries, at once or when the channel's transaction is committed."""

    def __init__(self, window: Window, consuming: Consuming) -> None:
        self._window = window
        self._consuming = consuming
        self.transaction: Transaction | None = None

    def held(self) -> list[tuple[QueueStore, Entry]]:
        """Return what is outstanding, and what an open transaction has settled."""
        deliveries = self._window.unacked.everything()
        if self.transaction is not None:
            for settlement in self.transaction.settlements:
                deliveries.extend(settlement.deliveries)
        return [(delivery.queue.kept, delivery.entry) for delivery in deliveries]

    def ack(self, data: bytes, start: i64, end: i64) -> None:
        """Take Basic.Ack: tag, multiple."""
        if end - start < 13:
            raise FrameError("cannot decode Basic.Ack: cut short")
        tag = read_i64_be(data, start + 4)
        if data[start + 12] & 1:
            self.settle_up_to(tag, ACKED)
            return
        delivery = self._window.unacked.take(tag)
        if delivery is None:
            self._forgive(tag)
            return
        if self.transaction is not None:
            self.transaction.settlements.append(Settlement([delivery], ACKED))
            return
        self._window.counters.ack += 1
        delivery.queue.settle(delivery.entry)
        self._consuming.released(delivery)

    def settle_one(self, tag: i64, verdict: int) -> None:
        """Decide about one delivery; raises 406 for an unknown tag."""
        delivery = self._window.unacked.take(tag)
        if delivery is None:
            self._forgive(tag)
            return
        self._decide([delivery], verdict)

    def settle_up_to(self, tag: i64, verdict: int) -> None:
        """Decide about all deliveries up to `tag`, all there are if it is 0.

        Raises 406 for an unknown tag.
        """
        unacked = self._window.unacked
        if tag != 0 and not unacked.holds(tag):
            self._forgive(tag)
        self._decide(unacked.take_up_to(tag), verdict)

    def _forgive(self, tag: i64) -> None:
        """Take note that a delivery was settled that had gone back; raises 406 for any other tag."""
        overdue = self._window.overdue
        if overdue is None or not overdue.is_late(tag):
            raise _unknown(tag)
        overdue.forgive(tag)

    def stop(self) -> None:
        """Wait for nothing that is overdue any more."""
        if self._window.overdue is not None:
            self._window.overdue.stop()

    def recover(self) -> None:
        """Requeue everything outstanding on the channel."""
        self.apply(self._window.unacked.take_up_to(0), REQUEUED)

    def _decide(self, deliveries: list[Delivery], verdict: int) -> None:
        if self.transaction is None:
            self.apply(deliveries, verdict)
        elif deliveries:
            self.transaction.settlements.append(Settlement(deliveries, verdict))

    def apply(self, deliveries: list[Delivery], verdict: int) -> None:
        """Do with deliveries that were taken out of the unacked ones what was decided."""
        if verdict == REQUEUED or verdict == RETURNED:
            # The latest first, which is the order in which a queue takes them back at the least cost.
            deliveries.reverse()
        elif verdict == ACKED:
            self._window.counters.ack += len(deliveries)
        for delivery in deliveries:
            if verdict == ACKED:
                delivery.queue.settle(delivery.entry)
            elif verdict != REJECTED:
                delivery.queue.requeue(delivery.entry, verdict == REQUEUED)
            else:
                delivery.queue.reject(delivery.entry)
            self._consuming.released(delivery)

    def roll_back(self) -> None:
        """Make what the transaction has settled outstanding again."""
        if self.transaction is not None:
            for settlement in self.transaction.drain_settlements():
                self._window.unacked.put_back(settlement.deliveries)


def _unknown(tag: i64) -> PreconditionFailed:
    number = int(tag)
    if number < 0:
        number += 1 << 64
    return PreconditionFailed(f"unknown delivery tag {number}")
