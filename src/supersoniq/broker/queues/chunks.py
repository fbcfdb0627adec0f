"""Chunks: entries of a backlog that stay together, and what is asked of many of them at once."""

from collections.abc import Sequence
from typing import Final, final

from mypy_extensions import i64, mypyc_attr

from supersoniq.broker.message import GONE, Entry

# No file of a journal has a number as high.
NO_FILE: Final = 1 << 62
# Of a page of which something is due, what expires within this time is read, and at least so much.
EARLY_MS: Final = 1_000
EARLY_COUNT: Final = 64


@final
@mypyc_attr(acyclic=True)
class Chunk:
    """Some entries in order, and below which number no journal file has any of them; 0 where nobody looked.

    A message may be moved to a later file, never to an earlier one.
    """

    __slots__ = ("entries", "oldest")

    def __init__(self, entries: tuple[Entry | None, ...]) -> None:
        self.entries = entries
        self.oldest: i64 = 0

    def stored_in(self, number: i64) -> list[Entry]:
        """Return what the journal file `number`, the oldest one, has of it."""
        found: list[Entry] = []
        oldest: i64 = NO_FILE
        for entry in self.entries:
            assert entry is not None
            stored = entry.message.stored
            if stored == number:
                found.append(entry)
            if stored < 0:
                stored = number + 1  # it may go from its segment to a file that is written later than now
            if 0 < stored < oldest:
                oldest = stored
        self.oldest = oldest
        return found


def early_until(entries: list[Entry | None], now_ms: i64) -> i64:
    """Return up to when what expires of a page is to be read, now that some of it is due."""
    times = [int(entry.expires_at) for entry in entries if entry is not None and entry.expires_at > 0]
    times.sort()
    until_ms = now_ms + EARLY_MS
    return max(until_ms, i64(times[min(EARLY_COUNT, len(times)) - 1])) if times else until_ms


def bytes_of(entries: list[Entry | None]) -> i64:
    """Return what the bodies of entries have in bytes; none of the list is missing."""
    body_bytes: i64 = 0
    for entry in entries:
        assert entry is not None
        body_bytes += len(entry.message.body)
    return body_bytes


def add_above(found: list[Entry], places: Sequence[Entry | None], after: i64, count_max: int) -> None:
    """Add entries that are above a position, of those that stand in order, until there are enough."""
    end = len(places)
    if len(found) >= count_max or end == 0:
        return
    last = places[end - 1]
    if last is not None and last.position <= after:
        return
    for entry in places:
        if entry is not None and entry.position > after and entry.message is not GONE:
            found.append(entry)
            if len(found) >= count_max:
                return


def add_returned(found: list[Entry], returned: list[Entry], after: i64, count_max: int) -> None:
    """Add the same of entries that stand in the opposite order, without a look at all of them."""
    low, high = 0, len(returned)
    while low < high:
        middle = (low + high) // 2
        if returned[middle].position > after:
            low = middle + 1
        else:
            high = middle
    while low > 0 and len(found) < count_max:
        low -= 1
        entry = returned[low]
        if entry.message is not GONE:
            found.append(entry)


def merged(some: list[Entry | None], others: list[Entry | None]) -> list[Entry | None]:
    """Return entries in order of position; none of the lists is missing."""
    entries = [*some, *others]
    entries.sort(key=_position)
    return entries


def _position(entry: Entry | None) -> int:
    assert entry is not None
    return int(entry.position)
