"""Runs: the positions of entries, packed; those that follow each other are one run.

    runs   | (skipped | length) x runs |   `skipped` positions lie between a run and the one before it, or 0
    number | 7 bits in each octet, the lowest first; all but the last have the highest bit set |

They take two octets where positions are near to each other.
"""

from typing import final

from librt.strings import BytesWriter
from mypy_extensions import i64, u8

from supersoniq.broker.message import Entry
from supersoniq.broker.ports import Page


def runs_among(entries: list[Entry | None]) -> list[tuple[int, int]]:
    """Return the positions of entries as runs, in the order of the entries; none of the list is missing."""
    runs: list[tuple[int, int]] = []
    first: i64 = 0
    last: i64 = -1
    for entry in entries:
        assert entry is not None
        if entry.position != last + 1:
            if first > 0:
                runs.append((int(first), int(last)))
            first = entry.position
        last = entry.position
    if first > 0:
        runs.append((int(first), int(last)))
    return runs


def pack(runs: list[tuple[int, int]]) -> bytes:
    """Return runs as octets; they are in order and apart."""
    writer = BytesWriter()
    end: i64 = 0
    for first, last in runs:
        _write(writer, i64(first) - end)
        end = i64(last) + 1
        _write(writer, end - i64(first))
    return writer.getvalue()


def pack_positions(entries: list[Entry | None]) -> bytes:
    """Return the positions of entries as octets, without a list of their runs; they are in order."""
    writer = BytesWriter()
    end: i64 = 0  # of the run before
    first: i64 = 0
    next_one: i64 = 0
    for entry in entries:
        assert entry is not None
        position = entry.position
        if position != next_one:
            if next_one > 0:
                _write(writer, first - end)
                _write(writer, next_one - first)
                end = next_one
            first = position
        next_one = position + 1
    if next_one > 0:
        _write(writer, first - end)
        _write(writer, next_one - first)
    return writer.getvalue()


def _write(writer: BytesWriter, number: i64) -> None:
    while number > 0x7F:
        writer.append(u8((number & 0x7F) | 0x80))
        number >>= 7
    writer.append(u8(number))


def unpack(octets: bytes) -> list[tuple[int, int]]:
    """Return the runs that were packed."""
    runs: list[tuple[int, int]] = []
    numbers: i64 = 0
    number: i64 = 0
    shift: i64 = 0
    first: i64 = 0
    end: i64 = 0
    for at in range(len(octets)):
        octet = i64(octets[at])
        number |= (octet & 0x7F) << shift
        shift += 7
        if octet < 0x80:
            numbers += 1
            if numbers & 1 == 1:
                first = end + number
            else:
                end = first + number
                runs.append((int(first), int(end - 1)))
            number = shift = 0
    return runs


def runs_of(page: Page) -> list[tuple[int, int]]:
    """Return the positions of what is in a page."""
    return unpack(page.runs) if page.runs else [(int(page.first), int(page.last))]


@final
class Runs:
    """The positions of a page, asked for in ascending order."""

    def __init__(self, page: Page) -> None:
        self._runs = runs_of(page)
        self._at = 0

    def has(self, position: i64) -> bool:
        """Whether a position is one of them."""
        runs = self._runs
        while self._at < len(runs) and runs[self._at][1] < position:
            self._at += 1
        return self._at < len(runs) and runs[self._at][0] <= position


def holds(page: Page, position: i64) -> bool:
    """Whether a position is one of a page."""
    return page.first <= position <= page.last and Runs(page).has(position)
