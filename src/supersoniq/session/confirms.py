"""Publisher confirms of one channel (rabbitmq: confirms).

A message is confirmed when the store says that it is safe; one without a store's sequence is safe once
enqueued, and is acked by itself if earlier ones are still waited for. Acks leave at the end of the turn, one
with `multiple` for all that are safe. What the store could not take, or a queue had no room for, is nacked.
"""

from typing import final

from librt.strings import write_i64_be
from mypy_extensions import i64, u8

from supersoniq.amqp.spec import BASIC_ACK, BASIC_NACK
from supersoniq.broker.counters import MessageCounters
from supersoniq.broker.publishing import REFUSED
from supersoniq.broker.store import Store
from supersoniq.broker.turn import Deferred, Turn
from supersoniq.session.output import Output


@final
class _Waiting:
    """Publishes from `first` to `last` that wait for one sequence; those between may have been acked."""

    __slots__ = ("first", "last", "sequence")

    def __init__(self, sequence: i64, publish: i64) -> None:
        self.sequence: i64 = sequence
        self.first: i64 = publish
        self.last: i64 = publish


@final
class Confirms(Deferred):
    """Counts publishes from 1 and acks them in order."""

    def __init__(
        self, channel: int, output: Output, turn: Turn, store: Store, counters: MessageCounters
    ) -> None:
        super().__init__()
        self._channel: i64 = channel
        self._output = output
        self._turn = turn
        self._store = store
        self._counters = counters
        self._nacked: i64 = 0
        self._published: i64 = 0
        self._answered: i64 = 0  # every publish up to here was acked or nacked
        self._waiting: list[_Waiting] = []
        self._early: list[i64] = []  # publishes that are safe, while earlier ones wait
        self._early_told: i64 = 0  # the last of them that was acked
        self._is_registered = False

    def published(self, sequence: i64) -> None:
        """Count a publish that the store's `sequence` covers: 0 if it is safe already, or `REFUSED`."""
        self._published += 1
        if sequence > 0 or sequence == REFUSED:
            self._wait_for(sequence)
        elif self._waiting:
            self._early.append(self._published)
        if not self.scheduled and (sequence <= 0 or not self._is_registered):
            self._turn.confirm(self)

    def _wait_for(self, sequence: i64) -> None:
        if self._waiting:
            last = self._waiting[-1]
            # Those that are refused are answered one by one: what is between them is safe.
            is_next = sequence != REFUSED or last.last == self._published - 1
            if last.sequence == sequence and is_next:
                last.last = self._published
                return
        self._waiting.append(_Waiting(sequence, self._published))

    def durable_moved(self) -> None:
        """Look again at what is safe, at the end of this turn."""
        self._is_registered = False
        self._turn.confirm(self)

    def close(self) -> None:
        """Write what may be answered, and nothing more from now on: the channel closes."""
        self.run()
        self._waiting.clear()
        self._early.clear()
        self._answered = self._published

    def run(self) -> bool:
        """Write one ack for all that are safe and not acked yet."""
        self._answer()
        self._counters.publish_confirm = self._published
        self._counters.confirm = self._answered - self._nacked
        return False

    @property
    def waiting_count(self) -> int:
        """How many publishes are not answered yet."""
        return int(self._published - self._answered)

    def _answer(self) -> None:
        if not self._waiting:
            self._ack_up_to(self._published)
            return
        durable, refused = self._store.durable(), self._store.refused()
        done = 0
        last = safe = self._waiting[0].first - 1
        for waiting in self._waiting:
            is_refused = waiting.sequence == REFUSED or durable < waiting.sequence <= refused
            if not is_refused and waiting.sequence <= durable:
                last = waiting.last
                safe = self._end_of(done)
            elif is_refused:
                self._ack_safe(last, safe)
                self._ack_early()
                self._nack_up_to(waiting.last)
                self._answered = last = safe = self._end_of(done)  # what follows it was acked early
            else:
                break
            done += 1
        self._ack_safe(last, safe)
        if done == len(self._waiting):
            self._waiting.clear()
        else:
            del self._waiting[:done]
        self._ack_early()
        if self._waiting and not self._is_registered:
            self._is_registered = True
            self._store.wait(self)

    def _end_of(self, place: int) -> i64:
        """Return the last publish before the next one that waits: those that follow this one are safe."""
        if place + 1 < len(self._waiting):
            return self._waiting[place + 1].first - 1
        return self._published

    def _ack_safe(self, last: i64, safe: i64) -> None:
        """Ack up to `last`, which waited, and what follows it up to `safe` unless that was acked early."""
        self._ack_up_to(safe if safe > self._early_told else last)
        self._answered = max(self._answered, safe)

    def _ack_up_to(self, publish: i64) -> None:
        count = publish - self._answered
        if count > 0:
            self._write(BASIC_ACK, publish, u8(1) if count > 1 else u8(0))
            self._answered = publish

    def _nack_up_to(self, publish: i64) -> None:
        """Nack all up to `publish` that were not answered; the client forgets those acked early itself."""
        count = publish - self._answered
        if count > 0:
            self._write(BASIC_NACK, publish, u8(1) if count > 1 else u8(0))
            self._answered = publish
            self._nacked += count

    def _ack_early(self) -> None:
        """Ack what is safe behind something that is not, one by one, once."""
        for publish in self._early:
            if publish > self._answered:
                self._write(BASIC_ACK, publish, u8(0))
                self._early_told = publish
        self._early.clear()

    def _write(self, method: i64, publish: i64, bits: u8) -> None:
        writer = self._output.begin(self._channel, method)
        write_i64_be(writer, publish)
        writer.append(bits)
        self._output.end()
