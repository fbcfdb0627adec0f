"""The consumer timeout: a delivery that is not settled in time goes back to its queue.

Only that message: consumer and channel go on, and an ack that comes late is accepted in silence, where
RabbitMQ closes the channel.
"""

import collections
from abc import ABC, abstractmethod
from typing import final

from mypy_extensions import i64, mypyc_attr

from supersoniq.broker.timers import Timer, Timers


@mypyc_attr(allow_interpreted_subclasses=True)
class Returner(ABC):
    """Has deliveries."""

    @abstractmethod
    def give_back(self, tag: i64) -> bool:
        """Requeue a delivery; false if it is not outstanding any more."""


@final
class Overdue(Timer):
    """The deliveries of one channel that have to be settled in time."""

    def __init__(self, returner: Returner, timers: Timers) -> None:
        super().__init__()
        self._returner = returner
        self._timers = timers
        # By timeout: those of one consumer are due in the order in which they came.
        self._watched: dict[int, collections.deque[tuple[int, int]]] = {}
        self._late: set[int] = set()

    def watch(self, tag: i64, timeout_ms: i64) -> None:
        """Have a delivery go back if it is not settled in so long."""
        due_ms = self._timers.clock.now_ms() + timeout_ms
        watched = self._watched.get(int(timeout_ms))
        if watched is None:
            watched = self._watched[int(timeout_ms)] = collections.deque()
        watched.append((int(due_ms), int(tag)))
        if self.due_ms == 0 or due_ms < self.due_ms:
            self._timers.set(self, due_ms)

    def fire(self, now_ms: i64) -> i64:
        """Give back what is overdue."""
        next_ms: i64 = 0
        for watched in self._watched.values():
            while watched and i64(watched[0][0]) <= now_ms:
                tag = watched.popleft()[1]
                if self._returner.give_back(tag):
                    self._late.add(tag)
            if watched and (next_ms == 0 or i64(watched[0][0]) < next_ms):
                next_ms = watched[0][0]
        return next_ms

    def is_late(self, tag: i64) -> bool:
        """Whether a delivery has gone back; its tag may be settled once more, in silence."""
        return int(tag) in self._late

    def forgive(self, tag: i64) -> None:
        """Forget that a delivery was late: its consumer has settled it now."""
        self._late.discard(int(tag))

    def stop(self) -> None:
        """Watch nothing any more: the channel closes."""
        self._watched.clear()
        self._timers.set(self, 0)
