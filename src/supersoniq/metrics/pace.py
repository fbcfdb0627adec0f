"""The pace of sampling: when samples are taken, and how much of them in one go."""

import asyncio

from supersoniq.metrics.details import PERIOD_MS
from supersoniq.metrics.sampling import Sampling
from supersoniq.metrics.sources import Sources
from supersoniq.server.slices import SLICE_SECONDS

# One step, and the pause after it, in which the loop belongs to the clients.
STEP_SECONDS = SLICE_SECONDS
PAUSE_SECONDS = 0.004


class Pace:
    """Has samples taken at full multiples of the period, on the running event loop."""

    def __init__(self, sampling: Sampling, sources: Sources) -> None:
        self._sampling = sampling
        self._sources = sources
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin; the first samples are taken now."""
        self._begin()

    def stop(self) -> None:
        """Take no more samples."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _begin(self) -> None:
        self._sampling.begin()
        self._step()

    def _step(self) -> None:
        if self._sampling.step(STEP_SECONDS):
            self._handle = self._loop.call_later(PAUSE_SECONDS, self._step)
        else:
            left_ms = PERIOD_MS - self._sources.now_ms() % PERIOD_MS
            self._handle = self._loop.call_later(left_ms / 1000, self._begin)
