"""The time, and the alarm clock of a node on its event loop."""

import asyncio
import time
from collections.abc import Callable
from typing import final

from mypy_extensions import i64

from supersoniq.broker.timers import Clock

# The loop is not asked to wait longer at a time, so that it notices when the system's clock was set.
WAIT_SECONDS_MAX = 60.0


@final
class LoopClock(Clock):
    """The system's time. `ring` is called on the loop, from `start` on, when a time has come."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ring: Callable[[], None] | None = None
        self._handle: asyncio.TimerHandle | None = None
        self._at_ms = 0

    def start(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        """Begin to ring."""
        self._loop = loop
        self._ring = ring
        self.wake(self._at_ms)

    def now_ms(self) -> i64:
        """Ask the system."""
        return time.time_ns() // 1_000_000

    def wake(self, at_ms: i64) -> None:
        """Set the alarm."""
        self._at_ms = int(at_ms)
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if self._loop is not None and at_ms > 0:
            seconds = max(0.0, int(at_ms - self.now_ms()) / 1000)
            self._handle = self._loop.call_later(min(seconds, WAIT_SECONDS_MAX), self._wake_up)

    def _wake_up(self) -> None:
        self._handle = None
        assert self._ring is not None
        self._ring()

    def stop(self) -> None:
        """Ring no more."""
        self._loop = None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
