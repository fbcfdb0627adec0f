"""Pace: how fast a long piece of work goes, in slices and no more steps a second than wanted."""

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import Final

from supersoniq.server.slices import SLICE_SECONDS

# Who is late makes up for no more than this.
LAG_SECONDS: Final = 0.1


class Pace:
    """The pace of one piece of work: `rate` is in steps a second, 0 for as fast as it goes.

    `end_turn` has what was done in a slice take its way.
    """

    def __init__(self, end_turn: Callable[[], None], rate: int = 0) -> None:
        self._end_turn = end_turn
        self._step_seconds = 1 / rate if rate else 0.0
        self._due = perf_counter()
        self._end = self._due + SLICE_SECONDS

    async def breathe(self) -> None:
        """Let the loop go on, if this slice has taken long enough."""
        if perf_counter() >= self._end:
            await self._rest(0)

    async def moved(self) -> None:
        """Wait until the next step may be taken."""
        if self._step_seconds:
            now = perf_counter()
            self._due = max(self._due, now - LAG_SECONDS) + self._step_seconds
            if self._due > now:
                await self._rest(self._due - now)

    async def _rest(self, seconds: float) -> None:
        self._end_turn()
        await asyncio.sleep(seconds)
        self._end = perf_counter() + SLICE_SECONDS
