"""Gaps: the positions between those that live, which are settled.

The pages of a queue with priorities have runs of one position each. To mark a million of them in an array of
octets takes a quarter of the time that it takes to sort them; so they are marked where they are near.
"""

from typing import Final

from mypy_extensions import i64

from supersoniq.broker.ports import Page
from supersoniq.broker.queues.runs import runs_of

# So many positions are marked for each octet of packed runs; where they are farther apart, few are sorted.
POSITIONS_PER_OCTET: Final = 8
MARK: Final = b"\x01"


def gaps(first: i64, last: i64, runs: list[tuple[int, int]], pages: list[Page]) -> list[tuple[int, int]]:
    """Return the ranges from `first` to `last` that are neither in `runs`, in any order, nor in a page."""
    packed_bytes: i64 = 0
    for page in pages:
        packed_bytes += len(page.runs)
    if last - first < packed_bytes * POSITIONS_PER_OCTET:
        return _unmarked(first, last, runs, pages)
    return _between(first, last, runs, pages)


def _unmarked(first: i64, last: i64, runs: list[tuple[int, int]], pages: list[Page]) -> list[tuple[int, int]]:
    """Find them in an array of all positions."""
    marks = bytearray(int(last - first + 1))
    _mark(marks, first, runs)
    for page in pages:
        _mark(marks, first, runs_of(page))
    found: list[tuple[int, int]] = []
    at = marks.find(0)
    while at >= 0:
        end = marks.find(1, at)
        if end < 0:
            end = len(marks)
        found.append((int(first) + at, int(first) + end - 1))
        at = marks.find(0, end)
    return found


def _mark(marks: bytearray, first: i64, runs: list[tuple[int, int]]) -> None:
    size = len(marks)
    base = int(first)
    for low, high in runs:
        at, end = max(low - base, 0), min(high - base + 1, size)
        if end - at == 1:
            marks[at] = 1
        elif end > at:
            marks[at:end] = MARK * (end - at)


def _between(first: i64, last: i64, runs: list[tuple[int, int]], pages: list[Page]) -> list[tuple[int, int]]:
    """Find them between all runs in order."""
    alive = list(runs)
    for page in pages:
        alive.extend(runs_of(page))
    alive.sort()
    found: list[tuple[int, int]] = []
    at = int(first)
    for low, high in alive:
        if low > last:
            break
        if low > at:
            found.append((at, low - 1))
        at = max(at, high + 1)
    if at <= last:
        found.append((at, int(last)))
    return found
