"""Timers: what is to happen at a time.

Times are milliseconds since the epoch, as they outlive the process.
"""

import heapq
from abc import ABC, abstractmethod
from typing import final

from mypy_extensions import i64, mypyc_attr


@mypyc_attr(allow_interpreted_subclasses=True)
class Clock(ABC):
    """Tells the time, and when a time has come."""

    @abstractmethod
    def now_ms(self) -> i64:
        """Return the time."""

    @abstractmethod
    def wake(self, at_ms: i64) -> None:
        """Have `Timers.run` called at that time instead of any that was wanted before; 0 is never."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Timer(ABC):
    """Has something to do at one time; `due_ms` belongs to the timers it is set in, 0 for not set."""

    def __init__(self) -> None:
        self.due_ms: i64 = 0

    @abstractmethod
    def fire(self, now_ms: i64) -> i64:
        """Do what is due; returns when it is to be called again: 0 for never, the past for soon."""


@final
class Timers:
    """All timers of one node."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._heap: list[tuple[int, int, Timer]] = []  # what was set again is in it more than once
        self._count = 0
        self._wake_ms: i64 = 0

    def set(self, timer: Timer, at_ms: i64) -> None:
        """Have a timer fire at a time, and not at the one it was set to before; 0 is never."""
        timer.due_ms = at_ms
        if at_ms == 0:
            return
        self._count += 1
        heapq.heappush(self._heap, (int(at_ms), self._count, timer))
        if self._wake_ms == 0 or at_ms < self._wake_ms:
            self._wake_ms = at_ms
            self.clock.wake(at_ms)

    def run(self) -> None:
        """Fire what is due, each timer once; the owner of the clock calls this."""
        now = self.clock.now_ms()
        due: list[Timer] = []
        heap = self._heap
        while heap and i64(heap[0][0]) <= now:
            at, _, timer = heapq.heappop(heap)
            if timer.due_ms == i64(at):
                timer.due_ms = 0
                due.append(timer)
        for timer in due:
            again = timer.fire(now)
            if again > 0 and (timer.due_ms == 0 or again < timer.due_ms):
                self.set(timer, again)
        while heap and heap[0][2].due_ms != i64(heap[0][0]):
            heapq.heappop(heap)
        self._wake_ms = i64(heap[0][0]) if heap else 0
        self.clock.wake(self._wake_ms)


@final
class StoppedClock(Clock):
    """Stands still; for what has no timers."""

    def now_ms(self) -> i64:
        """Return the first moment."""
        return 1

    def wake(self, at_ms: i64) -> None:
        """Do nothing."""
