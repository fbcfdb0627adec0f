"""The watch over the event loop: how often it stood still, for how long, and what ran meanwhile.

The loop beats every ten milliseconds while there is work, and a thread looks at it when a beat is late:
nobody else can, as the loop itself is busy. So a stall of thirty milliseconds is always seen, one of twenty
often. Both cost some thousandths of a processor.
"""

import asyncio
import gc
import logging
import sys
import threading
import time
import traceback
from pathlib import Path
from types import FrameType

from supersoniq.broker.counters import SessionCounters
from supersoniq.broker.turn import Turn
from supersoniq.session.connection import Connection

logger = logging.getLogger(__name__)

BEAT_SECONDS = 0.01
# The end of a node's start is not watched: what is loaded then, in a thread too, holds up nobody yet.
START_SECONDS = 1.0
# When so many beats have found no work, they become rare.
IDLE_BEATS = 50
IDLE_SECONDS = 0.1
# After a warning, stalls are only counted for so long.
SILENT_SECONDS = 5.0
FRAMES_SHOWN = 4
PACKAGE = Path(__file__).parent.parent


class StallWatch:
    """Counts stalls of the running loop, from `start` to `stop`, and logs them."""

    def __init__(self, turn: Turn, counters: SessionCounters, stall_seconds: float) -> None:
        self._turn = turn
        self._counters = counters
        self._stall_seconds = stall_seconds
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._thread: threading.Thread | None = None
        self._handle: asyncio.TimerHandle | None = None
        self._end = threading.Event()
        self._beat_count = 0
        self._due = 0.0  # when the next beat is
        self._cpu = 0.0  # the loop's processor time at the last beat
        self._found = (0, "")  # what ran when a beat was late, and the number of that
        self._collecting = -1  # the generation that the garbage collector is at
        self._idle_beats = 0
        self._turns_then = 0
        self._silent_until = 0.0
        self._silent_count = 0

    def start(self) -> None:
        """Begin to watch."""
        gc.callbacks.append(self._on_collection)
        self._next(START_SECONDS)
        self._thread = threading.Thread(target=self._look, name="supersoniq-stalls", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Watch no more."""
        self._end.set()
        if self._handle is not None:
            self._handle.cancel()
        if self._thread is not None:
            gc.callbacks.remove(self._on_collection)
            self._thread.join()
            self._thread = None

    # On the loop

    def _next(self, seconds: float) -> None:
        self._cpu = time.thread_time()
        self._due = time.monotonic() + seconds
        self._handle = self._loop.call_later(seconds, self._beat)

    def _beat(self) -> None:
        late = time.monotonic() - self._due
        if late >= self._stall_seconds:
            self._stalled(late, time.thread_time() - self._cpu)
        self._beat_count += 1
        self._idle_beats = 0 if self._turn.count != self._turns_then else self._idle_beats + 1
        self._turns_then = self._turn.count
        self._next(BEAT_SECONDS if self._idle_beats < IDLE_BEATS else IDLE_SECONDS)

    def _stalled(self, seconds: float, cpu_seconds: float) -> None:
        self._counters.stall_count += 1
        self._counters.stall_seconds += seconds
        now = time.monotonic()
        if now < self._silent_until:
            self._silent_count += 1
            return
        number, found = self._found
        what = found if number == self._beat_count and found else "it was over before it could be looked at"
        more = f", and {self._silent_count} more times since the last warning" if self._silent_count else ""
        self._silent_until = now + SILENT_SECONDS
        self._silent_count = 0
        logger.warning(
            "the event loop stood still for %d ms, %d ms of them computing%s: %s",
            seconds * 1000,
            min(cpu_seconds, seconds) * 1000,
            more,
            what,
        )

    def _on_collection(self, phase: str, details: dict[str, int]) -> None:
        if threading.get_ident() == self._loop_thread:
            self._collecting = details["generation"] if phase == "start" else -1

    # In the thread

    def _look(self) -> None:
        """Look at what the loop does whenever a beat is late."""
        while True:
            late_at = self._due + self._stall_seconds
            if self._end.wait(max(late_at - time.monotonic(), BEAT_SECONDS)):
                return
            number = self._beat_count
            if time.monotonic() > self._due + self._stall_seconds and self._found[0] != number:
                self._found = (number, self._running())

    def _running(self) -> str:
        """Return what the loop is doing in one line."""
        found: list[str] = []
        if self._collecting >= 0:
            found.append(f"collection of garbage, generation {self._collecting}")
        cause = self._turn.cause
        if isinstance(cause, Connection):
            found.append(f"connection {cause.client.name}")
        frame = sys._current_frames().get(self._loop_thread)
        if frame is not None:
            found.append(described(frame))
        return ", ".join(found)


def described(frame: FrameType) -> str:
    """Return the innermost calls of a stack; compiled functions are not among them."""
    calls = traceback.extract_stack(frame)[-FRAMES_SHOWN:]
    return " > ".join(f"{call.name} ({_short(call.filename)}:{call.lineno})" for call in calls)


def _short(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(PACKAGE)) if path.is_relative_to(PACKAGE) else path.name
