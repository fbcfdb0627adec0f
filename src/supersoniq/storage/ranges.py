"""A set of positions, kept as ranges."""

from bisect import bisect_left, bisect_right
from typing import final

from mypy_extensions import i64


@final
class Ranges:
    """Positions; cheap while they lie close to each other, whatever the order in which they come."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []

    def __len__(self) -> int:
        return len(self._firsts)

    def add(self, first: i64, last: i64) -> None:
        """Add all from `first` to `last`."""
        low, high = int(first), int(last)
        firsts, lasts = self._firsts, self._lasts
        if not lasts or low > lasts[-1] + 1:
            firsts.append(low)
            lasts.append(high)
            return
        if low >= firsts[-1]:
            lasts[-1] = max(lasts[-1], high)
            return
        # The ranges from `at` up to `end` touch the new one.
        at = bisect_left(lasts, low - 1)
        end = bisect_right(firsts, high + 1)
        if at < end:
            low = min(low, firsts[at])
            high = max(high, lasts[end - 1])
        firsts[at:end] = [low]
        lasts[at:end] = [high]

    def covers(self, position: i64) -> bool:
        """Whether a position is in it."""
        at = bisect_right(self._firsts, int(position))
        return at > 0 and self._lasts[at - 1] >= int(position)

    def covers_all(self, first: i64, last: i64) -> bool:
        """Whether all positions from `first` to `last` are in it."""
        at = bisect_right(self._firsts, int(first))
        return at > 0 and self._lasts[at - 1] >= int(last)

    def meets(self, first: i64, last: i64) -> bool:
        """Whether any position from `first` to `last` is in it."""
        at = bisect_left(self._lasts, int(first))
        return at < len(self._firsts) and self._firsts[at] <= int(last)

    def without(self, first: i64, last: i64) -> list[tuple[int, int]]:
        """Return the positions from `first` to `last` that are not in it."""
        missing: list[tuple[int, int]] = []
        low, high = int(first), int(last)
        at = bisect_left(self._lasts, low)
        while at < len(self._firsts) and self._firsts[at] <= high:
            if self._firsts[at] > low:
                missing.append((low, self._firsts[at] - 1))
            low = self._lasts[at] + 1
            at += 1
        if low <= high:
            missing.append((low, high))
        return missing

    @property
    def count(self) -> int:
        """How many positions are in it."""
        return sum(self._lasts) - sum(self._firsts) + len(self._firsts)

    def pairs(self) -> list[tuple[int, int]]:
        """Return all ranges, in order."""
        return list(zip(self._firsts, self._lasts, strict=True))

    @property
    def highest(self) -> int:
        """The highest position, 0 if there is none."""
        return self._lasts[-1] if self._lasts else 0


def ranges_of(pairs: list[tuple[int, int]]) -> Ranges:
    """Return what all pairs of a first and a last position are together."""
    ranges = Ranges()
    for first, last in sorted(pairs):
        ranges.add(first, last)
    return ranges
