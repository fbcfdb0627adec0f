"""The entries of one queue that are ready, in order of position.

New ones come at the back. One that was delivered and comes back goes to its original place: it is older than
all that was never taken, so the returned ones are kept apart, in order, and are taken first.
"""

from typing import Final, final

from mypy_extensions import i64

from supersoniq.broker.message import Entry

# The front of the list is given back when this many places are empty and they are half of it: amortised
# constant time.
COMPACT_PLACES: Final = 512


@final
class Backlog:
    """A queue of entries that takes entries back at their place."""

    def __init__(self) -> None:
        self.count: i64 = 0
        self.body_bytes: i64 = 0
        self._waiting: list[Entry | None] = []
        self._head: i64 = 0
        self._returned: list[Entry] = []  # latest position first, so that the next to go is at the cheap end

    def append(self, entry: Entry) -> None:
        """Add an entry whose position is above all others."""
        self._waiting.append(entry)
        self.count += 1
        self.body_bytes += len(entry.message.body)

    def put_back(self, entry: Entry) -> None:
        """Return an entry that `pop` gave to its place; cheapest when the latest position comes first."""
        returned = self._returned
        low, high = 0, len(returned)
        if high > 0 and returned[high - 1].position > entry.position:
            low = high
        while low < high:
            middle = (low + high) // 2
            if returned[middle].position > entry.position:
                low = middle + 1
            else:
                high = middle
        returned.insert(low, entry)
        self.count += 1
        self.body_bytes += len(entry.message.body)

    def pop(self) -> Entry:
        """Take the entry with the lowest position; `count` must not be 0."""
        self.count -= 1
        entry: Entry | None
        if self._returned:
            entry = self._returned.pop()
        else:
            head = self._head
            entry = self._waiting[head]
            self._waiting[head] = None
            self._head = head + 1
            if self._head >= COMPACT_PLACES and self._head * 2 >= len(self._waiting):
                del self._waiting[: self._head]
                self._head = 0
        assert entry is not None
        self.body_bytes -= len(entry.message.body)
        return entry

    def drain(self) -> list[Entry]:
        """Take all entries, in order."""
        self._returned.reverse()
        entries: list[Entry] = self._returned
        for entry in self._waiting:
            if entry is not None:
                entries.append(entry)
        self._waiting = []
        self._returned = []
        self._head = 0
        self.count = 0
        self.body_bytes = 0
        return entries
