"""Places: which positions a page has, and which priorities, where its head does not say that.

A page of a queue without priorities whose positions follow each other says nothing: it is all from its first
position to its last one. Others have a POSITIONS record before their messages.
"""

from typing import Final, final

from librt.strings import read_i64_be
from mypy_extensions import i64, u8

from supersoniq.broker.message import Entry
from supersoniq.broker.ports import PRIORITY_MAX, Page
from supersoniq.broker.queues.levels import priority_of
from supersoniq.broker.queues.runs import pack_positions, unpack
from supersoniq.storage.records import (
    EXPIRES_FIRST,
    EXPIRES_FIRST_BYTES,
    MESSAGE,
    POSITIONS,
    RECORD_HEAD_BYTES,
    PageHead,
    RecordWriter,
    record_end,
    record_seed,
    record_size,
)

# Where the runs begin in the record.
RUNS_AT: Final = RECORD_HEAD_BYTES + 2
# What is read of a page at first; a record that is longer is read again.
FRONT_BYTES: Final = 4_096
UNKNOWN_EXPIRY: Final = 1  # long ago, so that the page is read and says it again


@final
class Places:
    """Positions and priorities of a page. `runs` is empty for all from its first position to its last one."""

    def __init__(self, lowest: i64, highest: i64, runs: bytes) -> None:
        self.lowest: i64 = lowest
        self.highest: i64 = highest
        self.runs = runs

    def pairs(self, first: i64, last: i64) -> list[tuple[int, int]]:
        """Return the positions; `first` and `last` are those of the page."""
        return unpack(self.runs) if self.runs else [(int(first), int(last))]


def places_of(entries: list[Entry | None], has_levels: bool) -> Places | None:
    """Return what a page of entries has to say of its places, None if nothing."""
    if not entries:
        return None
    first, last = entries[0], entries[-1]
    assert first is not None
    assert last is not None
    has_gaps = last.position - first.position + 1 != i64(len(entries))
    if not has_levels and not has_gaps:
        return None
    places = Places(0, PRIORITY_MAX, pack_positions(entries) if has_gaps else b"")
    if has_levels:
        lowest: i64 = PRIORITY_MAX
        highest: i64 = 0
        for entry in entries:
            assert entry is not None
            priority = priority_of(entry.message)
            lowest = min(lowest, priority)
            highest = max(highest, priority)
        places.lowest, places.highest = lowest, highest
    return places


def note_places(page: Page, places: Places | None) -> None:
    """Have a page know its places, None if it says nothing."""
    page.lowest, page.highest, page.runs = 0, PRIORITY_MAX, b""
    page.is_reduced = False
    if places is not None:
        page.lowest, page.highest, page.runs = places.lowest, places.highest, places.runs


def write_places(writer: RecordWriter, places: Places) -> None:
    """Add the record."""
    head = writer.begin(POSITIONS)
    head.append(u8(places.lowest))
    head.append(u8(places.highest))
    head.write(places.runs)
    writer.end()


@final
class Front:
    """What stands before the messages of a page, `data` being its first octets behind the head.

    `places` is None where they are to be found from the messages; `wanted` octets of the page would tell
    more, 0 if these tell all.
    """

    def __init__(self, data: bytes, head: PageHead) -> None:
        self.expires_at: i64 = 0
        self.places: Places | None = None
        self.wanted: i64 = 0
        seed = record_seed(head.number, head.epoch)
        view = memoryview(data)
        size = i64(len(data))
        at: i64 = 0
        kind = _kind_at(data, at)
        if kind == EXPIRES_FIRST:
            at = EXPIRES_FIRST_BYTES
            self.expires_at = UNKNOWN_EXPIRY
            if size >= at and record_end(data, view, 0, at, seed) == at:
                self.expires_at = read_i64_be(data, RECORD_HEAD_BYTES)
            kind = _kind_at(data, at)
        elif kind not in (MESSAGE, POSITIONS):
            self.expires_at = UNKNOWN_EXPIRY
        if kind == POSITIONS:
            end = record_end(data, view, at, size, seed)
            if end >= at + RUNS_AT:
                self.places = Places(
                    i64(data[at + RECORD_HEAD_BYTES]), i64(data[at + RUNS_AT - 1]), data[at + RUNS_AT : end]
                )
            elif end < 0 and size < head.payload_bytes:
                self.wanted = min(at + record_size(data, at), head.payload_bytes)
        elif head.last - head.first + 1 == head.count:
            self.places = Places(0, PRIORITY_MAX, b"")


def _kind_at(data: bytes, at: i64) -> int:
    """Return the kind of the record at `at`, 0 if there is none."""
    return int(data[at + 8]) if at + RECORD_HEAD_BYTES <= i64(len(data)) else 0
