"""The watch over the event loop: how often it stood still, for how long, and what ran meanwhile.

The loop beats every ten milliseconds while there is work. A timer of the system is wound up at each beat: if
the next one is late it interrupts the process, and what is interrupted is what holds up the loop. A thread
that looks would see as much, but each time it wants the interpreter of a loop that is busy, clients wait. A
stall of thirty milliseconds is always seen, one of twenty often.
"""

import asyncio
import gc
import logging
import signal
import threading
import time
from pathlib import Path
from types import FrameType

from supersoniq.broker.counters import SessionCounters
from supersoniq.broker.turn import Turn
from supersoniq.session.connection import Connection

logger = logging.getLogger(__name__)

BEAT_SECONDS = 0.01
# The end of a node's start is not watched: what is loaded then, in a thread too, holds up nobody yet.
START_SECONDS = 1.0
# When so many beats have found hardly a turn but those of the node's own ticks, they become rare.
IDLE_BEATS = 50
IDLE_TURNS = 5
IDLE_SECONDS = 0.1
# More turns between two rare beats are work: of the ticks there is one at most.
RARE_TURNS = 1
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
        self._handle: asyncio.TimerHandle | None = None
        self._looks = False  # whether the timer of the process is ours
        self._beat_count = 0
        self._due = 0.0  # when the next beat is
        self._cpu = 0.0  # the loop's processor time at the last beat
        self._found = (0, "")  # what ran when a beat was late, and the number of that
        self._collecting_since = 0.0
        self._collected = (0, "")  # the long collection of garbage before a beat, and the number of that
        self._is_idle = False
        self._window_beats = 0  # since the turns were counted last
        self._turns_then = 0
        self._silent_until = 0.0
        self._silent_count = 0

    def start(self) -> None:
        """Begin to watch."""
        gc.callbacks.append(self._on_collection)
        self._next(START_SECONDS)

    def look(self) -> None:
        """Have the process interrupted when the loop is late, to see what runs.

        For a process that is a broker, with the loop in its main thread: SIGALRM and its timer are ours then.
        """
        if hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGALRM, self._on_alarm)
            self._looks = True
            self._wind_up()

    def stop(self) -> None:
        """Watch no more."""
        if self._looks:
            self._looks = False
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
            gc.callbacks.remove(self._on_collection)

    def _next(self, seconds: float) -> None:
        self._cpu = time.thread_time()
        self._due = time.monotonic() + seconds
        self._handle = self._loop.call_later(seconds, self._beat)
        if self._looks:
            self._wind_up()

    def _wind_up(self) -> None:
        late_at = self._due + self._stall_seconds
        signal.setitimer(signal.ITIMER_REAL, max(late_at - time.monotonic(), self._stall_seconds))

    def _beat(self) -> None:
        late = time.monotonic() - self._due
        if late >= self._stall_seconds:
            self._stalled(late, time.thread_time() - self._cpu)
        self._beat_count += 1
        self._window_beats += 1
        if self._is_idle or self._window_beats == IDLE_BEATS:
            turns = self._turn.count - self._turns_then
            self._is_idle = turns <= (RARE_TURNS if self._is_idle else IDLE_TURNS)
            self._window_beats = 0
            self._turns_then = self._turn.count
        self._next(IDLE_SECONDS if self._is_idle else BEAT_SECONDS)

    def _stalled(self, seconds: float, cpu_seconds: float) -> None:
        self._counters.stall_count += 1
        self._counters.stall_seconds += seconds
        now = time.monotonic()
        if now < self._silent_until:
            self._silent_count += 1
            return
        seen = [
            what for number, what in (self._collected, self._found) if number == self._beat_count and what
        ]
        what = ", ".join(seen) or "it was over before it could be looked at"
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
        if threading.get_ident() != self._loop_thread:
            return
        if phase == "start":
            self._collecting_since = time.monotonic()
        elif time.monotonic() - self._collecting_since >= self._stall_seconds / 2:
            generation = details["generation"]
            self._collected = (self._beat_count, f"collection of garbage, generation {generation}")

    def _on_alarm(self, _: int, frame: FrameType | None) -> None:
        """Note what is interrupted, in one line."""
        found: list[str] = []
        cause = self._turn.cause
        if isinstance(cause, Connection):
            found.append(f"connection {cause.client.name}")
        if frame is not None:
            found.append(described(frame))
        self._found = (self._beat_count, ", ".join(found))


def described(frame: FrameType) -> str:
    """Return the innermost calls of a stack; compiled functions are not among them."""
    # Not by traceback: it reads the sources, and who reads files beside a busy thread waits at each.
    calls: list[str] = []
    outer: FrameType | None = frame
    while outer is not None and len(calls) < FRAMES_SHOWN:
        calls.append(f"{outer.f_code.co_name} ({_short(outer.f_code.co_filename)}:{outer.f_lineno})")
        outer = outer.f_back
    return " > ".join(reversed(calls))


def _short(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(PACKAGE)) if path.is_relative_to(PACKAGE) else path.name
