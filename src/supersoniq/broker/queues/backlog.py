"""The entries of one queue that are ready, in order of position.

New ones come at the back. One that was delivered and comes back goes to its original place: it is older than
all that was never taken, so the returned ones are kept apart, in order, and are taken first.

A long backlog is kept in tuples of `CHUNK_PLACES` entries between a short list that is taken from and one
that is added to. The garbage collector does not track tuples of entries, as entries cannot be part of a
cycle: millions of waiting messages cost its passes nothing, where one list of them stalls the node for 16 ms
a million.
"""

from typing import Final, final

from mypy_extensions import i64

from supersoniq.broker.message import Entry

CHUNK_PLACES: Final = 1_024
# The front list is renewed when it is used up and has so many empty places, so that a short queue keeps its
# list.
RENEWED_PLACES: Final = 256


@final
class Backlog:
    """A queue of entries that takes entries back at their place."""

    def __init__(self) -> None:
        self.count: i64 = 0
        self.body_bytes: i64 = 0
        self._returned: list[Entry] = []  # latest position first, so that the next to go is at the cheap end
        self._front: list[Entry | None] = []
        self._head: i64 = 0  # the first place of the front list that is not empty
        self._is_short = True  # everything is in the front list
        self._chunks: list[tuple[Entry | None, ...]] = []
        self._chunk: i64 = 0  # the first of the chunks that is not used up
        self._back: list[Entry | None] = []

    def append(self, entry: Entry) -> None:
        """Add an entry whose position is above all others."""
        self.count += 1
        self.body_bytes += len(entry.message.body)
        if self._is_short and len(self._front) < CHUNK_PLACES:
            self._front.append(entry)
        else:
            self._is_short = False
            self._back.append(entry)
            if len(self._back) == CHUNK_PLACES:
                self._chunks.append(tuple(self._back))
                self._back = []

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
            front = self._front
            entry = front[head]
            front[head] = None
            self._head = head + 1
            if self._head == i64(len(front)):
                self._renew_front()
        assert entry is not None
        self.body_bytes -= len(entry.message.body)
        return entry

    def _renew_front(self) -> None:
        """Go on with what is behind the front list, which is used up."""
        if self._is_short:
            if self._head >= RENEWED_PLACES:
                self._front = []
                self._head = 0
            return
        self._head = 0
        if self._chunk < i64(len(self._chunks)):
            self._front = list(self._chunks[self._chunk])
            self._chunks[self._chunk] = ()
            self._chunk += 1
            if self._chunk * 2 >= i64(len(self._chunks)):
                del self._chunks[: self._chunk]
                self._chunk = 0
        else:
            self._front = self._back
            self._back = []
            self._is_short = True

    def drain(self) -> list[Entry]:
        """Take all entries, in order."""
        self._returned.reverse()
        entries: list[Entry] = self._returned
        for chunk in [tuple(self._front), *self._chunks, tuple(self._back)]:
            for entry in chunk:
                if entry is not None:
                    entries.append(entry)
        self._clear()
        return entries

    def _clear(self) -> None:
        self.count = 0
        self.body_bytes = 0
        self._returned = []
        self._front = []
        self._head = 0
        self._is_short = True
        self._chunks = []
        self._chunk = 0
        self._back = []
