"""Slices: long work on the event loop that lets the others have their turns in between."""

import asyncio
from time import perf_counter
from typing import Final

# So long the data plane may wait for a slice of a listing.
SLICE_SECONDS: Final = 0.0003


class Slices:
    """The slices of one piece of work."""

    def __init__(self) -> None:
        self._end = perf_counter() + SLICE_SECONDS

    async def breathe(self) -> None:
        """Let the loop go on, if this slice has taken long enough."""
        if perf_counter() >= self._end:
            await asyncio.sleep(0)
            self._end = perf_counter() + SLICE_SECONDS
