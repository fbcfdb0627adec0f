"""Publisher confirms of one channel (rabbitmq: confirms).

A message is confirmed when the store says that it is safe; those without a store's sequence are safe once
enqueued. Acks leave at the end of the turn, one with `multiple` for all that are safe.
"""

from typing import final

from librt.strings import write_i64_be
from mypy_extensions import i64, u8

from supersoniq.amqp.spec import BASIC_ACK
from supersoniq.broker.ports import Store
from supersoniq.broker.turn import Deferred, Turn
from supersoniq.session.output import Output


@final
class Confirms(Deferred):
    """Counts publishes from 1 and acks them in order."""

    def __init__(self, channel: int, output: Output, turn: Turn, store: Store) -> None:
        super().__init__()
        self._channel: i64 = channel
        self._output = output
        self._turn = turn
        self._store = store
        self._published: i64 = 0
        self._safe: i64 = 0  # everything up to here may be acked
        self._acked: i64 = 0
        self._waiting: list[tuple[int, int]] = []  # store's sequence, publish: in order

    def published(self, sequence: i64) -> None:
        """Count a publish that the store's `sequence` covers, 0 if it is safe already."""
        self._published += 1
        if sequence == 0 and not self._waiting:
            self._safe = self._published
            if not self.scheduled:
                self._turn.confirm(self)
        else:
            self._waiting.append((int(sequence), int(self._published)))
            self._turn.confirm(self)

    def durable_moved(self, sequence: i64) -> None:
        """Let go what waits for up to `sequence`."""
        settled = 0
        for waits_for, publish in self._waiting:
            if waits_for > sequence:
                break
            self._safe = publish
            settled += 1
        if settled:
            del self._waiting[:settled]
            self._turn.confirm(self)

    def close(self) -> None:
        """Write what may be acked, and nothing more from now on: the channel closes."""
        self.run()
        self._waiting.clear()
        self._acked = self._safe = self._published

    def run(self) -> bool:
        """Write one ack for all that are safe and not acked yet."""
        if self._waiting:
            self.durable_moved(self._store.durable())
        count = self._safe - self._acked
        if count > 0:
            writer = self._output.begin(self._channel, BASIC_ACK)
            write_i64_be(writer, self._safe)
            writer.append(u8(1) if count > 1 else u8(0))
            self._output.end()
            self._acked = self._safe
        return False
