"""Slices: long work on the event loop that lets the others have their turns in between.

While clients have turns there are real pauses in between: a process that computes on and on keeps a processor
from others, and among those are its own clients.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from time import perf_counter
from typing import Any, Final, TypeVar

# So long the data plane may wait for a slice of a listing.
SLICE_SECONDS: Final = 0.0002
PAUSE_SECONDS: Final = 0.001
SORTED_ITEMS: Final = 1_000
# As often `each` asks the clock.
ITEMS: Final = 16

Item = TypeVar("Item")


def _none() -> int:
    return 0


class Slices:
    """The slices of one piece of work; `turn_count` is how many turns clients have had."""

    def __init__(self, turn_count: Callable[[], int] = _none, seconds: float = SLICE_SECONDS) -> None:
        self._turn_count = turn_count
        self._turns_then = turn_count()
        self._seconds = seconds
        self._end = perf_counter() + seconds

    async def breathe(self) -> None:
        """Let the loop go on, if this slice has taken long enough."""
        if perf_counter() >= self._end:
            await self.rest()

    async def rest(self) -> None:
        """Let the loop go on, and begin another slice."""
        turns = self._turn_count()
        is_busy = turns != self._turns_then
        self._turns_then = turns
        await asyncio.sleep(PAUSE_SECONDS if is_busy else 0)
        self._end = perf_counter() + self._seconds

    async def each(self, items: Iterable[Item]) -> AsyncIterator[Item]:
        """Iterate in slices; `items` must not change meanwhile."""
        for number, item in enumerate(items):
            if number % ITEMS == 0:
                await self.breathe()
            yield item


async def in_order(items: list[Item], slices: Slices, key: Callable[[Item], Any] | None = None) -> list[Item]:
    """Sort in slices: runs are sorted, then merged two by two; without a key by the items themselves."""
    compared: Any = key  # sorted() wants to see that items without a key can be compared
    runs: list[list[Item]] = []
    for start in range(0, len(items), SORTED_ITEMS):
        runs.append(sorted(items[start : start + SORTED_ITEMS], key=compared))
        await slices.breathe()
    while len(runs) > 1:
        merged: list[list[Item]] = []
        for index in range(0, len(runs), 2):
            merged.append(sorted([each for run in runs[index : index + 2] for each in run], key=compared))
            await slices.breathe()
        runs = merged
    return runs[0] if runs else []
