"""What becomes of messages by the rules of their queues, as the oracle sees it before it happens."""

from __future__ import annotations

from tests.fakes import FakeClock
from tests.storage.live_queue import LiveQueue, Spot
from tests.storage.oracle import Change, Ledger, Publish, Return, Settle
from tests.storage.plans import REJECT_DLX
from tests.storage.spoken import Messages

from supersoniq.broker.publishing import REFUSED
from supersoniq.broker.queues.queue import Queue
from supersoniq.storage.store import DiskStore


class Expectations:
    """The queues of the running node as they must be, and the ledger of what they do.

    Where a method takes a `group`, changes belong to that record; without one each is a record of its own.
    """

    def __init__(self, store: DiskStore, clock: FakeClock, ledger: Ledger, messages: Messages) -> None:
        self.queues: dict[bytes, LiveQueue] = {}
        self._store = store
        self._clock = clock
        self._ledger = ledger
        self._messages = messages

    @property
    def sequence(self) -> int:
        """The sequence of what is done now."""
        return int(self._store.journal.number)

    def note(self, *changes: Change) -> None:
        """Note changes that are one record."""
        self._ledger.note(self.sequence, *changes)

    def new_spot(self, live: LiveQueue, number: int, persistent: bool, expires_at: int) -> Spot:
        """Return what is to be in a queue."""
        level = live.level_of(self._messages[number].priority)
        return Spot(number, persistent, 0, expires_at, level, self._messages.body_bytes(number))

    def settled(self, live: LiveQueue, position: int, group: list[Change] | None = None) -> None:
        """Take note that a message is settled."""
        if live.is_kept(position) and not live.queue.deleted:
            change = Settle(live.number, position)
            if group is None:
                self.note(change)
            else:
                group.append(change)
        del live.spots[position]

    def drop(self, live: LiveQueue, position: int, reason: bytes, group: list[Change] | None = None) -> None:
        """Expect a message that is not ready any more to be dropped."""
        if live.plan.has_dead_letters:
            live.dying.append((position, reason))
        else:
            self.settled(live, position, group)

    def shorten(self, live: LiveQueue, group: list[Change] | None = None) -> None:
        """Expect what is beyond the limits to be dropped."""
        while live.is_over:
            position = live.first
            live.remove(position)
            self.drop(live, position, b"maxlen", group)

    def drop_late(self, live: LiveQueue) -> None:
        """Expect what comes first and has expired to be dropped."""
        while live.count and live.is_late(live.first):
            position = live.first
            live.remove(position)
            self.drop(live, position, b"expired")

    def catch_up(self) -> None:
        """Take note of what has expired unheard, and check that nothing else is missing."""
        for live in self.queues.values():
            while live.count > live.queue.ready_count:
                position = live.first
                is_unheard = live.is_late(position) and not live.plan.has_dead_letters
                assert is_unheard, f"{live.queue.name!r} has lost position {position}"
                live.remove(position)
                self.settled(live, position)
            live.check()

    def expect(
        self,
        number: int,
        persistent: bool,
        queues: list[Queue],
        expiration_ms: int | None,
        group: list[Change] | None,
    ) -> int:
        """Expect a message to be published, with all changes in `group` if there is one.

        Returns the sequence that covers it, or `REFUSED` if a queue refuses it.
        """
        publishes: list[Change] = []
        accepted: list[tuple[LiveQueue, int]] = []
        for queue in queues:
            live = self.queues[queue.name]
            assert live.queue is queue
            if live.refuses(self._messages.body_bytes(number)):
                if live.plan.overflow == REJECT_DLX:
                    live.dying.append((0, b"maxlen"))
                continue
            times = [self._clock.now + ms for ms in (live.plan.ttl, expiration_ms) if ms is not None]
            position = live.next_position
            live.next_position += 1
            spot = live.spots[position] = self.new_spot(live, number, persistent, min(times, default=0))
            if live.is_kept(position):
                publishes.append(Publish(live.number, position, number, spot.expires_at))
            accepted.append((live, position))
        if group is None:
            self.note(*publishes)
        else:
            group.extend(publishes)
        for live, position in accepted:
            self._expect_in(live, position, group)
        if len(accepted) < len(queues):
            return REFUSED
        return self.sequence if publishes else 0

    def _expect_in(self, live: LiveQueue, position: int, group: list[Change] | None) -> None:
        if live.count == 0 and live.has_room:
            live.promised.append((position, group))
        elif live.is_late(position):
            self.drop(live, position, b"expired", group)
        else:
            live.add(position)
            self.shorten(live, group)

    def back(self, live: LiveQueue, position: int) -> None:
        """Expect a message to be requeued, or dropped if that was too often."""
        if live.queue.deleted:
            del live.spots[position]
            return
        spot = live.spots[position]
        spot.times += 1
        if live.plan.delivery_limit is not None and spot.times > live.plan.delivery_limit:
            self.drop(live, position, b"delivery_limit")
            return
        live.add(position)
        if live.is_kept(position):
            self.note(Return(live.number, position, spot.times))
        self.shorten(live)

    def all_late_gone(self) -> None:
        """Take note that what has expired is gone: all timers have fired."""
        for live in self.queues.values():
            for position in live.late():
                assert not live.plan.has_dead_letters, f"position {position} has expired and is still there"
                live.remove(position)
                self.settled(live, position)
        self.catch_up()
