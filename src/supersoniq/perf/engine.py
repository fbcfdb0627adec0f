"""The hot part of the load generator: producers and consumers that share one ledger."""

import asyncio
import time
from collections.abc import Callable
from typing import Final, final

from mypy_extensions import i64

from supersoniq.amqp.primitives import read_s64, write_s64
from supersoniq.client.channel import Channel
from supersoniq.client.errors import ClientError
from supersoniq.client.listener import Listener
from supersoniq.client.wire import Wire
from supersoniq.perf.batches import Batch
from supersoniq.perf.histogram import Histogram

# A producer writes at most this much before others get their turn.
TURN_BYTES: Final = 262144
# The same when each message is a system call of its own.
TURN_WRITES: Final = 64


@final
class Ledger:
    """What a whole run has published and delivered, and how far it may go.

    `backlog_max`: messages that may be published and not delivered yet, 0 without a limit (nobody consumes);
    `copies`: how many deliveries one publish leads to.
    """

    def __init__(self, backlog_max: int, copies: int) -> None:
        self.published: i64 = 0
        self.delivered: i64 = 0
        self.nacked: i64 = 0
        self.published_max: i64 = 0
        self.is_running = False
        self.latencies = Histogram()
        self._backlog_max: i64 = backlog_max
        self._copies: i64 = copies
        self._starving: list[Producer] = []
        self._delivered_goal: i64 = -1
        self._published_goal: i64 = -1
        self._at_goal: Callable[[], None] | None = None
        self._reached: asyncio.Future[None] | None = None
        self._error: ClientError | None = None

    def until(
        self, published: int = -1, delivered: int = -1, at_goal: Callable[[], None] | None = None
    ) -> "asyncio.Future[None]":
        """Make a future that is done when so many are published or delivered, or when the run has failed.

        Who waits for it goes on some turns later; `at_goal` is called at once when so many are.
        """
        self._at_goal = at_goal
        self._published_goal = published
        self._delivered_goal = delivered
        self._reached = asyncio.get_running_loop().create_future()
        if self._error is not None:
            self._reached.set_exception(self._error)
        else:
            self.check_goals()
        return self._reached

    def check_goals(self) -> None:
        """Complete the future of `until` if its time has come."""
        delivered = self._delivered_goal >= 0 and self.delivered >= self._delivered_goal
        published = self._published_goal >= 0 and self.published >= self._published_goal
        reached = self._reached
        if (delivered or published) and reached is not None and not reached.done():
            reached.set_result(None)
            if self._at_goal is not None:
                self._at_goal()

    def room(self) -> i64:
        """How many messages may be published now."""
        room = self.published_max - self.published
        if self._backlog_max > 0:
            room = min(room, (self._backlog_max + self.delivered) // self._copies - self.published)
        return room

    def starve(self, producer: "Producer") -> None:
        """Have `producer` pumped when there may be room again."""
        self._starving.append(producer)

    def feed_starving(self) -> None:
        """Pump the producers that found no room."""
        if self._starving:
            starving = self._starving
            self._starving = []
            for producer in starving:
                producer.feed()

    def fail(self, error: ClientError) -> None:
        """End the run with `error`."""
        self.is_running = False
        if self._error is None:
            self._error = error
        if self._reached is not None and not self._reached.done():
            self._reached.set_exception(error)


@final
class Producer(Listener):
    """Publishes a batch over and over, as far as the transport, the confirm window and the ledger allow.

    With `flush` each message is a write of its own. With `stamped` each message carries the time in its body,
    which takes one message in the batch for each routing key. With `until_confirm` the ledger's latencies are
    those of the confirms of stamped messages.
    """

    def __init__(
        self,
        ledger: Ledger,
        batch: Batch,
        confirm_window: int,
        flush: bool,
        stamped: bool,
        until_confirm: bool = False,
    ) -> None:
        self._ledger = ledger
        self._data = batch.data
        self._ends = batch.ends
        self._stamps = batch.stamps
        self._messages: i64 = len(batch.ends)
        self._next: i64 = 0
        self._window: i64 = confirm_window
        self._flush = flush
        self._stamped = stamped
        self._until_confirm = until_confirm
        self._sent_ns: dict[int, int] = {}
        self._wire = Wire()
        self._own_published: i64 = 0
        self._confirmed_upto: i64 = 0
        self._confirmed_beyond: set[int] = set()
        self._is_scheduled = False
        self._is_starving = False
        self._is_queued = False

    def start(self, wire: Wire) -> None:
        """Publish over `wire`."""
        self._wire = wire
        wire.hold_at(0 if self._flush or self._stamped else TURN_BYTES)

    def pump(self) -> None:
        """Publish what may be published, at most one turn of it, and come back for the rest."""
        self._is_scheduled = False
        self._is_starving = False
        if not self._ledger.is_running:
            return
        if self._flush or self._stamped:
            self._publish_singly()
        else:
            self._publish_batches()
        if self._wire.is_writable and not self._is_starving and self._ledger.is_running:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self.pump)

    def feed(self) -> None:
        """Go on: the ledger may have room."""
        self._is_queued = False
        self.pump()

    def _publish_batches(self) -> None:
        written: i64 = 0
        while written < TURN_BYTES and self._wire.is_writable:
            count = self._allowed(self._messages)
            if count == 0:
                return
            data = self._data if count == self._messages else self._data[: self._ends[count - 1]]
            self._wire.write(data)
            written += i64(len(data))
            self._count(count)

    def _publish_singly(self) -> None:
        writes: i64 = 0
        while writes < TURN_WRITES and self._wire.is_writable:
            if self._allowed(1) == 0:
                return
            self._publish_next(time.monotonic_ns() if self._stamped else 0)
            writes += 1

    def publish_at(self, stamp: int) -> bool:
        """Publish one message that says it was sent at `stamp`; false if it may not be published now."""
        if not self._wire.is_writable or self._ledger.room() <= 0 or self._window_room() <= 0:
            return False
        self._publish_next(stamp)
        return True

    def _publish_next(self, stamp: i64) -> None:
        number = self._next
        begin: i64 = self._ends[number - 1] if number > 0 else 0
        end: i64 = self._ends[number]
        self._next = number + 1 if number + 1 < self._messages else 0
        if stamp == 0:
            self._wire.write(self._data if self._messages == 1 else self._data[begin:end])
        else:
            at: i64 = self._stamps[number]
            out = self._wire.out
            out.write(self._data[begin:at])
            write_s64(out, stamp)
            out.write(self._data[at + 8 : end])
            self._wire.flush()
            if self._until_confirm:
                self._sent_ns[self._own_published + 1] = stamp
        self._count(1)

    def _count(self, messages: i64) -> None:
        self._own_published += messages
        self._ledger.published += messages
        if self._ledger.published >= self._ledger.published_max:
            self._ledger.check_goals()

    def _window_room(self) -> i64:
        if self._window == 0:
            return 1 << 40
        return self._window - self.unconfirmed()

    def unconfirmed(self) -> i64:
        """How many messages wait for their confirm; all that were published where nothing is confirmed."""
        return self._own_published - self._confirmed_upto - i64(len(self._confirmed_beyond))

    def _allowed(self, messages: i64) -> i64:
        """Of `messages`, how many to publish: all, the last ones of the run, or none, to wait for room."""
        room = self._ledger.room()
        if room >= messages and self._window_room() >= messages:
            return messages
        left = self._ledger.published_max - self._ledger.published
        if left <= 0:
            self._is_starving = True
            return 0
        if left < messages and room >= left and self._window_room() >= left:
            return left
        self._is_starving = True
        if room < messages and not self._is_queued:
            self._is_queued = True
            self._ledger.starve(self)
        return 0

    def confirmed(self, channel: i64, delivery_tag: i64, multiple: bool, accepted: bool) -> None:
        """Move the confirm window."""
        if not accepted:
            self._ledger.nacked += 1
        if self._until_confirm:
            self._record_confirm(delivery_tag, multiple)
        if multiple:
            self._confirmed_upto = max(self._confirmed_upto, delivery_tag)
            beyond = self._confirmed_beyond
            if beyond:
                self._confirmed_beyond = {tag for tag in beyond if tag > delivery_tag}
        elif delivery_tag == self._confirmed_upto + 1:
            self._confirmed_upto = delivery_tag
        else:
            self._confirmed_beyond.add(delivery_tag)
        if self._confirmed_beyond:
            self._close_gap()

    def _record_confirm(self, delivery_tag: i64, multiple: bool) -> None:
        now = time.monotonic_ns()
        tag = self._confirmed_upto + 1 if multiple else delivery_tag
        while tag <= delivery_tag:
            sent = self._sent_ns.pop(tag, 0)
            if sent != 0:
                self._ledger.latencies.record(now - sent)
            tag += 1

    def _close_gap(self) -> None:
        beyond = self._confirmed_beyond
        while self._confirmed_upto + 1 in beyond:
            self._confirmed_upto += 1
            beyond.discard(self._confirmed_upto)

    def turn_ended(self) -> None:
        """Go on: confirms have come."""
        if self._window > 0 and not self._is_scheduled and self._wire.is_writable:
            self.pump()

    def writable(self) -> None:
        """Go on: the transport has room."""
        if not self._is_scheduled and not self._is_starving:
            self.pump()

    def channel_closed(self, channel: i64, error: ClientError) -> None:
        """End the run."""
        self._ledger.fail(error)

    def lost(self, error: ClientError) -> None:
        """End the run."""
        self._ledger.fail(error)


@final
class Consumer(Listener):
    """Counts deliveries, acks every `ack_every` of them in one (0: auto-ack), reads time stamps."""

    def __init__(self, ledger: Ledger, ack_every: int, stamped: bool) -> None:
        self._ledger = ledger
        self._ack_every: i64 = ack_every
        self._stamped = stamped
        self._channel: Channel | None = None
        self._unacked: i64 = 0
        self._last_tag: i64 = 0

    def start(self, channel: Channel) -> None:
        """Ack on `channel`."""
        self._channel = channel

    def delivered(self, channel: i64, delivery_tag: i64, data: bytes, start: i64, end: i64) -> None:
        """Count, and ack if it is time."""
        self._ledger.delivered += 1
        if self._stamped and end - start >= 8:
            stamp = read_s64(data, start)
            if stamp != 0:
                self._ledger.latencies.record(time.monotonic_ns() - int(stamp))
        if self._ack_every > 0:
            self._last_tag = delivery_tag
            self._unacked += 1
            if self._unacked >= self._ack_every:
                self.ack()

    def ack(self) -> None:
        """Ack everything that was delivered."""
        target = self._channel
        if target is not None and self._unacked > 0:
            target.ack(self._last_tag, self._unacked > 1)
            self._unacked = 0

    def turn_ended(self) -> None:
        """Let producers that wait for room go on."""
        self._ledger.check_goals()
        self._ledger.feed_starving()

    def cancelled(self, channel: i64, consumer_tag: bytes) -> None:
        """End the run."""
        self._ledger.fail(ClientError("the server ended a consumer: its queue is gone"))

    def channel_closed(self, channel: i64, error: ClientError) -> None:
        """End the run."""
        self._ledger.fail(error)

    def lost(self, error: ClientError) -> None:
        """End the run."""
        self._ledger.fail(error)
