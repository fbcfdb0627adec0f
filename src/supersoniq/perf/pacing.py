"""The generator's use of time: a fixed rate, finer than event loops tick, and polling without sleep."""

import asyncio
import ctypes
import os
import struct
import sys
import time
from collections.abc import Callable, Sequence
from typing import Protocol

NS = 1_000_000_000
TICK_NS_MIN = 50_000
CLOCK_MONOTONIC = 1
TFD_NONBLOCK_CLOEXEC = 0o2004000


class Publisher(Protocol):
    """Whatever publishes one message when told to."""

    def publish_at(self, stamp: int) -> bool:
        """Publish a message due at `stamp`; false if it has to wait."""


class Pacer:
    """Publishes `rate` messages per second in all, the publishers taking turns.

    A message that the broker makes wait is published later with the time at which it was due: what the wait
    costs shows in its latency, and no message is left out. The others carry the time at which they are
    published: that this process wakes up late is no fault of the broker's.
    """

    def __init__(self, publishers: Sequence[Publisher], rate: float, stamped: bool) -> None:
        self._publishers = publishers
        self._interval_ns = NS / rate
        self._stamped = stamped
        self._began_ns = 0
        self._published = 0
        self._late = 0
        self._ticks = Ticks(self._tick)

    def start(self) -> None:
        """Publish the first message after one interval."""
        self._began_ns = time.monotonic_ns()
        self._ticks.start(max(TICK_NS_MIN, int(self._interval_ns)))

    def stop(self) -> None:
        """Publish no more."""
        self._ticks.stop()

    def _tick(self) -> None:
        due = int((time.monotonic_ns() - self._began_ns) / self._interval_ns)
        while self._published < due:
            publisher = self._publishers[self._published % len(self._publishers)]
            if not publisher.publish_at(self._stamp() if self._stamped else 0):
                self._late = due
                return
            self._published += 1

    def _stamp(self) -> int:
        if self._published < self._late:
            return self._began_ns + int((self._published + 1) * self._interval_ns)
        return time.monotonic_ns()


class BusyPoll:
    """Keeps the event loop from sleeping: a core that never idles is not slow to wake up.

    On virtual machines that takes longer than a broker needs for a message, and would count as the broker's.
    """

    def __init__(self) -> None:
        self._is_running = False

    def start(self) -> None:
        """Use a whole core from now on."""
        self._is_running = True
        self._again()

    def stop(self) -> None:
        """Let the event loop sleep."""
        self._is_running = False

    def _again(self) -> None:
        if self._is_running:
            asyncio.get_running_loop().call_soon(self._again)


class Ticks:
    """Calls `tick` every so many nanoseconds, once for several that were missed.

    Linux has timers that are files, exact to microseconds; elsewhere the event loop's milliseconds must do.
    """

    def __init__(self, tick: Callable[[], None]) -> None:
        self._tick = tick
        self._file = -1
        self._timer: asyncio.TimerHandle | None = None

    def start(self, interval_ns: int) -> None:
        """Tick from one interval from now on."""
        self._file = _timer_file(interval_ns)
        if self._file >= 0:
            asyncio.get_running_loop().add_reader(self._file, self._read)
        else:
            self._call_later(max(0.001, interval_ns / NS))

    def stop(self) -> None:
        """Tick no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._file >= 0:
            asyncio.get_running_loop().remove_reader(self._file)
            os.close(self._file)
            self._file = -1

    def _read(self) -> None:
        try:
            os.read(self._file, 8)
        except BlockingIOError:
            return
        self._tick()

    def _call_later(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._call_later, seconds)
        self._tick()


def _timer_file(interval_ns: int) -> int:
    """Open a Linux timerfd that expires every `interval_ns`; -1 where there is none."""
    if not sys.platform.startswith("linux"):
        return -1
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        file: int = libc.timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK_CLOEXEC)
    except AttributeError:
        return -1
    if file < 0:
        return -1
    seconds, nanoseconds = divmod(interval_ns, NS)
    if (
        libc.timerfd_settime(file, 0, struct.pack("4l", seconds, nanoseconds, seconds, nanoseconds), None)
        != 0
    ):
        os.close(file)
        return -1
    return file
