"""What a queue of the running node must have ready, by its rules, and what it has handed out."""

from __future__ import annotations

import bisect
import collections
from typing import Protocol

from tests.fakes import FakeClock
from tests.storage.oracle import Change
from tests.storage.plans import DROP_HEAD, Plan

from supersoniq.broker.message import Entry, Message
from supersoniq.broker.ports import Consumer
from supersoniq.broker.queues.queue import Queue


class Spot:
    """A message in a queue."""

    __slots__ = ("expires_at", "level", "number", "persistent", "size", "times")

    def __init__(
        self, number: int, persistent: bool, times: int, expires_at: int, level: int, size: int
    ) -> None:
        self.number = number
        self.persistent = persistent
        self.times = times
        self.expires_at = expires_at
        self.level = level
        self.size = size


class LiveQueue:
    """A queue of the running node.

    `promised` is what its consumers are to be given before anything that is ready, with the changes that
    come with it or none do; `dying` is what it must drop next, and why.
    """

    def __init__(self, number: int, queue: Queue, plan: Plan, clock: FakeClock) -> None:
        self.number = number
        self.queue = queue
        self.plan = plan
        self.next_position = int(queue.kept.next_position)
        self.spots: dict[int, Spot] = {}
        self.consumers: list[LiveConsumer] = []
        self.promised: collections.deque[tuple[int, list[Change] | None]] = collections.deque()
        self.dying: collections.deque[tuple[int, bytes]] = collections.deque()
        self._clock = clock
        self._ready: list[tuple[int, int]] = []  # how far the level is below 0, and the position
        self._size = 0

    @property
    def count(self) -> int:
        """How many messages are ready."""
        return len(self._ready)

    def positions(self) -> list[int]:
        """What is ready, in order."""
        return [position for _, position in self._ready]

    @property
    def first(self) -> int:
        """The position that is next."""
        return self._ready[0][1]

    @property
    def is_over(self) -> bool:
        """Whether its first messages are to be dropped, for it is too long."""
        return (
            bool(self._ready)
            and self.plan.overflow == DROP_HEAD
            and self.plan.overflows(len(self._ready), self._size)
        )

    @property
    def has_room(self) -> bool:
        """Whether a consumer is ready for one more message."""
        return sum([consumer.room for consumer in self.consumers]) > len(self.promised)

    def refuses(self, size: int) -> bool:
        """Whether it refuses a message with such a body."""
        plan = self.plan
        return plan.overflow != DROP_HEAD and plan.overflows(len(self._ready) + 1, self._size + size)

    def is_kept(self, position: int) -> bool:
        """Whether the message at a position is to survive."""
        return self.queue.durable and self.spots[position].persistent

    def is_late(self, position: int) -> bool:
        """Whether the message at a position has expired."""
        return 0 < self.spots[position].expires_at <= self._clock.now

    def late(self) -> list[int]:
        """What is ready and has expired."""
        return [position for position in self.positions() if self.is_late(position)]

    def level_of(self, priority: int) -> int:
        """Return the level of messages with a priority."""
        return min(priority, self.plan.max_priority)

    def add(self, position: int) -> None:
        """Have a message ready."""
        spot = self.spots[position]
        bisect.insort(self._ready, (-spot.level, position))
        self._size += spot.size

    def remove(self, position: int) -> None:
        """Have a message no longer ready."""
        spot = self.spots[position]
        place = bisect.bisect_left(self._ready, (-spot.level, position))
        assert self._ready[place : place + 1] == [(-spot.level, position)], (
            f"position {position} is not ready"
        )
        del self._ready[place]
        self._size -= spot.size

    def clear(self) -> None:
        """Have nothing ready."""
        self._ready.clear()
        self._size = 0

    def check(self) -> None:
        """Compare counts with those of the queue itself."""
        name = self.queue.name
        assert not self.promised, f"{name!r} has not delivered {list(self.promised)}"
        assert not self.dying, f"{name!r} has not dropped {list(self.dying)}"
        counts = (self.queue.ready_count, self.queue.ready_body_bytes, int(self.queue.kept.next_position))
        assert counts == (len(self._ready), self._size, self.next_position), (
            f"{name!r} has {counts}, not {(len(self._ready), self._size, self.next_position)}"
        )


class Client(Protocol):
    """Is given what consumers take."""

    def delivered(self, live: LiveQueue, entry: Entry) -> None:
        """Take an entry, to be settled later."""

    def delivered_settled(self, live: LiveQueue, message: Message, redelivered: bool) -> None:
        """Take a message that is settled by that."""


class LiveConsumer(Consumer):
    """Takes as many as it has room for."""

    def __init__(self, client: Client, live: LiveQueue, no_ack: bool, room: int) -> None:
        super().__init__(b"c", no_ack, False, 0)
        self.live = live
        self.room = room
        self._client = client

    def is_ready(self) -> bool:
        return self.room > 0

    def deliver(self, entry: Entry) -> None:
        self.room -= 1
        self._client.delivered(self.live, entry)

    def deliver_settled(self, message: Message, redelivered: bool) -> None:
        self.room -= 1
        self._client.delivered_settled(self.live, message, redelivered)

    def cancelled(self) -> None:
        self.live.consumers.remove(self)
