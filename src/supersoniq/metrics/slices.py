"""Slices: long work on the event loop, with pauses in which the loop belongs to the clients."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

Item = TypeVar("Item")

SLICE_SECONDS = 0.002
# As often the clock is asked.
ITEMS = 16


class Slices:
    """The slices of one piece of work."""

    def __init__(self, seconds: float = SLICE_SECONDS) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    async def pause(self) -> None:
        """Let the loop do what waits, if this slice is over."""
        if time.monotonic() >= self._end:
            await asyncio.sleep(0)
            self._end = time.monotonic() + self._seconds

    async def each(self, items: Iterable[Item]) -> AsyncIterator[Item]:
        """Iterate, with pauses; `items` must not change meanwhile."""
        for number, item in enumerate(items):
            if number % ITEMS == 0:
                await self.pause()
            yield item
