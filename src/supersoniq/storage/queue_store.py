"""What the disk store keeps of one queue: its settlements and deliveries for the journal, its pages."""

import logging
from typing import Final, final

from librt.strings import write_i64_be
from mypy_extensions import i64

from supersoniq.amqp.primitives import write_u32
from supersoniq.broker.message import Entry, Message
from supersoniq.broker.ports import Page, QueueStore
from supersoniq.broker.queues.runs import Runs, runs_of
from supersoniq.broker.turn import Deferred, Turn
from supersoniq.storage.before import Before
from supersoniq.storage.disk import Disk
from supersoniq.storage.journal import Journal
from supersoniq.storage.marks import Marks
from supersoniq.storage.places import note_places, places_of
from supersoniq.storage.ranges import ranges_of
from supersoniq.storage.records import (
    DEFINITION_BYTES,
    DELIVERED,
    RETURNED,
    SEGMENT_DROPPED,
    SEGMENT_SYNCED,
    message_bytes,
)
from supersoniq.storage.segments import (
    CloseSegment,
    Segment,
    SegmentReader,
    Unwritten,
    WritePage,
    decode_page,
    encode_page,
)
from supersoniq.storage.share import MemoryShare
from supersoniq.storage.worker import Job, Worker

logger = logging.getLogger(__name__)

NO_SLOT: Final = -1


@final
class Release:
    """Entries that need not be kept where they were, once `sequence` is durable.

    `refs` counts them by journal file, or by the negative number of a segment of `kept`.
    """

    def __init__(self, sequence: i64, kept: "DiskQueueStore", refs: dict[int, int]) -> None:
        self.sequence: i64 = sequence
        self.kept = kept
        self.refs = refs


class Shared:
    """What the queue stores of one node have in common."""

    def __init__(
        self,
        disk: Disk,
        journal: Journal,
        background: Worker,
        marks: Marks,
        turn: Turn,
        segment_bytes: int,
        share: MemoryShare,
    ) -> None:
        self.disk = disk
        self.journal = journal
        self.background = background
        self.marks = marks
        self.turn = turn
        self.segment_bytes: i64 = segment_bytes
        self.share = share
        self.reader = SegmentReader(disk)
        self.unwritten = Unwritten()
        self.epoch: i64 = 0
        self.is_open = False  # nothing is kept before recovery and after the end
        self.last_page: i64 = 0
        self.work: Deferred | None = None
        self.dirty: list[DiskQueueStore] = []  # something is to be told to the journal
        self.unmarked: list[DiskQueueStore] = []  # something was delivered in this turn
        self.paged: dict[DiskQueueStore, None] = {}  # those that have segments
        self.releases: list[Release] = []
        self.free_slots: list[int] = []  # of marks
        self.freed_slots: list[tuple[int, int]] = []  # those that will be, when a sequence is durable
        self.drops: list[tuple[int, Segment]] = []  # with the sequence that has to be durable
        self.not_dropped: list[Segment] = []  # those that could not be removed

    def schedule(self) -> None:
        """Have the store work at the end of this turn."""
        if self.work is not None:
            self.turn.store(self.work)


@final
class _SyncSegment(Job):
    """Makes a segment safe up to what was written when this was asked for."""

    def __init__(self, kept: "DiskQueueStore", segment: Segment) -> None:
        self._kept = kept
        self._segment = segment
        self._size: i64 = segment.size
        self._refs = segment.refs
        self._is_whole = True
        segment.refs = {}
        segment.is_syncing = True

    def run(self) -> None:
        """Sync it, unless a page is missing that is to be written again."""
        self._is_whole = not self._segment.failed_offsets
        if not self._is_whole:
            return
        self._segment.sync(self._kept.shared.disk)
        if self._segment.is_sealed:
            self._segment.close()

    def done(self, error: OSError | None) -> None:
        """Tell the journal."""
        segment = self._segment
        segment.is_syncing = False
        if segment.is_gone or (error is None and self._is_whole):
            self._kept.segment_synced(segment, self._size, self._refs)
            return
        for number, count in self._refs.items():
            segment.refs[number] = segment.refs.get(number, 0) + count
        if error is None:
            return
        segment.is_sealed = segment.is_broken = True
        logger.error(
            "%s cannot be synced (%s): its messages are written again elsewhere; check the disk",
            segment.path,
            error.strerror,
        )


@final
class DiskQueueStore(QueueStore):
    """One queue.

    `number` names a durable one in the journal and is never used again; others have one, too.
    """

    def __init__(self, shared: Shared, number: i64, durable: bool, slot: int) -> None:
        super().__init__()
        self.number: i64 = number
        self.durable = durable
        self.shared = shared
        self.memory_bytes_max = shared.share.bytes
        self.is_closed = False
        self.delivered_last: i64 = 0  # the highest position that was handed out
        self.segments: dict[int, Segment] = {}
        self.before = Before()
        self._journal = shared.journal
        self._slot = slot
        self._current: Segment | None = None
        self._last_segment: i64 = 0
        self._deleted_in: i64 = 0  # the sequence with which the queue is gone
        self._is_dirty = False
        self._is_unmarked = False
        self._delivered_told: i64 = 0
        self._settled_first: i64 = 0
        self._settled_last: i64 = 0
        self._settles_pages = False
        self._settled_runs: list[tuple[int, int]] = []  # of pages, whose levels together are few ranges
        self.has_left = False  # there may be segments whose messages were written elsewhere

    # Messages

    def delivered(self, position: i64) -> None:
        """Mark it at the end of this turn, before the delivery is sent."""
        if position > self.delivered_last and self.durable:
            self.delivered_last = position
            if not self._is_unmarked:
                self._is_unmarked = True
                self.shared.unmarked.append(self)
            self._touch()

    def recovered(self, told: i64) -> None:
        """Set the mark again; the journal has heard of deliveries up to `told`."""
        self._is_unmarked = True
        self.mark()
        self._delivered_told = told
        if self.delivered_last > told:
            self._touch()

    def mark(self) -> None:
        """Set the mark."""
        if self._is_unmarked:
            self._is_unmarked = False
            self.shared.marks.set(self._slot, int(self.number), int(self.delivered_last))

    def returned(self, entry: Entry) -> None:
        """Tell the journal how often it came back."""
        if self.durable and entry.message.persistent and self._takes():
            self.write_returned(entry)
            self.shared.schedule()

    def write_returned(self, entry: Entry) -> None:
        """Tell the journal how often an entry came back."""
        self._write_count(entry.position, entry.delivery_count)
        if entry.message.stored < 0:
            self._journal.file.settles_pages = True

    def _write_count(self, position: i64, count: i64) -> None:
        writer = self._journal.begin(RETURNED)
        write_u32(writer, self.number)
        write_i64_be(writer, position)
        write_u32(writer, count)
        self._journal.records.end()

    def write_counts_before(self, pages: list[tuple[int, int]]) -> None:
        """Tell the journal again how often entries in recovered pages came back; `pages` are those unread."""
        self.before.forget_counts(pages)
        for position, count in self.before.counts.items():
            self._write_count(position, count)

    def settled(self, position: i64, message: Message) -> None:
        """Tell the journal at the end of the turn, together with its neighbours."""
        stored = message.stored
        if stored > 0:
            if not self.durable:
                return
            size = message_bytes(message)
            self._journal.settle(stored, size, self._deleted_in if self.is_closed else self._journal.number)
            if self.has_left:
                self._settles_pages = True  # the segment may still have it, too
        else:
            segment = self.segments.get(int(-stored))
            if segment is not None:
                segment.live -= 1
            if not self.durable or not message.persistent:
                return
            self._settles_pages = True
        if position == self._settled_last + 1 and self._settled_first > 0:
            self._settled_last = position
        elif self._takes():
            self._write_settled()
            self._settled_first = self._settled_last = position
            self._touch()

    def _takes(self) -> bool:
        return not self.is_closed and self.shared.is_open

    def _touch(self) -> None:
        if not self._is_dirty:
            self._is_dirty = True
            self.shared.dirty.append(self)
        self.shared.schedule()

    def _write_settled(self) -> None:
        if self._settled_first > 0:
            self._journal.records.settled(self.number, self._settled_first, self._settled_last)
            self._settled_first = self._settled_last = 0
            if self._settles_pages:
                self._settles_pages = False
                self._journal.file.settles_pages = True

    def flush(self) -> None:
        """Tell the journal all it has not heard."""
        self._is_dirty = False
        if self.is_closed:
            return
        self._write_settled()
        if self._settled_runs:
            for first, last in ranges_of(self._settled_runs).pairs():
                self._journal.records.settled(self.number, first, last)
            self._settled_runs = []
            self._journal.file.settles_pages = True
        if self.delivered_last > self._delivered_told:
            self._delivered_told = self.delivered_last
            writer = self._journal.begin(DELIVERED)
            write_u32(writer, self.number)
            write_i64_be(writer, self.delivered_last)
            self._journal.records.end()

    # Pages

    def write_page(self, entries: list[Entry | None]) -> Page:
        """Encode it now, and write it in the background."""
        page = Page(0, 0, 0, 0)
        self.place(page, entries)
        return page

    def place(self, page: Page, entries: list[Entry | None]) -> None:
        """Write entries to the current segment, and have `page` say where."""
        shared = self.shared
        shared.last_page += 1
        places = places_of(entries, self.has_levels)
        data, head = encode_page(entries, self.number, shared.last_page, shared.epoch, places)
        size = i64(len(data))
        segment = self._current
        if segment is None or segment.is_sealed or segment.size + size > shared.segment_bytes:
            segment = self._next_segment()
        page.count, page.body_bytes = head.count, head.body_bytes
        page.first, page.last = head.first, head.last
        note_places(page, places)
        page.segment, page.offset, page.size, page.data = segment.number, segment.size, size, data
        segment.size += size
        segment.count += head.count
        segment.live += head.count
        segment.unwritten += 1
        if segment.first == 0 or head.first < segment.first:
            segment.first = head.first
        segment.last = max(segment.last, head.last)
        self._count_refs(segment, entries)
        shared.background.submit(WritePage(shared.disk, segment, page, shared.unwritten))

    def _count_refs(self, segment: Segment, entries: list[Entry | None]) -> None:
        """Count where the entries are kept until the segment is safe."""
        stored: i64 = 0
        run: i64 = 0
        size: i64 = 0
        for entry in entries:
            assert entry is not None
            message = entry.message
            if message.stored != stored:
                self._count_run(segment, stored, run, size)
                stored = message.stored
                run = size = 0
            run += 1
            size += message_bytes(message)
        self._count_run(segment, stored, run, size)

    def _count_run(self, segment: Segment, stored: i64, count: i64, size: i64) -> None:
        if stored > 0 and self.durable:
            self._journal.release(stored, 0, size)
        elif stored >= 0:
            return
        else:
            self.has_left = True
            if not self.durable or stored == -segment.number:
                # What is not promised needs no sync; and one segment goes as a whole, with all that is in it.
                self.release({int(stored): int(count)})
                return
        segment.refs[int(stored)] = segment.refs.get(int(stored), 0) + int(count)

    def _next_segment(self) -> Segment:
        if self._current is not None:
            self.seal(self._current)
        self._last_segment += 1
        segment = Segment(self.number, self._last_segment, self.durable)
        self.segments[int(segment.number)] = segment
        self._current = segment
        self.shared.paged[self] = None
        return segment

    def adopt(self, segment: Segment) -> None:
        """Have a segment that was recovered."""
        self.segments[int(segment.number)] = segment
        self._last_segment = max(self._last_segment, segment.number)
        self.shared.paged[self] = None

    def seal(self, segment: Segment) -> None:
        """Write no more pages to a segment; a durable one is made safe."""
        segment.is_sealed = True
        if self._current is segment:
            self._current = None
        if self.durable:
            self.sync(segment)
        else:
            self.shared.background.submit(CloseSegment(segment))

    def sync(self, segment: Segment) -> None:
        """Make a segment safe, once all its pages are written."""
        shared = self.shared
        if segment.is_syncing or segment.is_broken or segment.synced_size == segment.size:
            return
        for failed in shared.unwritten.failed:
            if failed.segment is segment:
                return
        shared.background.submit(_SyncSegment(self, segment))

    def segment_synced(self, segment: Segment, size: i64, refs: dict[int, int]) -> None:
        """Let go what the segment holds now, once the journal says that it does."""
        shared = self.shared
        if self.is_closed or int(segment.number) not in self.segments or not shared.is_open:
            shared.releases.append(Release(self._deleted_in, self, refs))
            return
        segment.synced_size = size
        self.record(segment)
        shared.releases.append(Release(self._journal.number, self, refs))
        shared.schedule()

    def record(self, segment: Segment) -> None:
        """Tell the journal how much of a segment is safe."""
        journal = self._journal
        writer = journal.begin(SEGMENT_SYNCED)
        write_u32(writer, self.number)
        write_u32(writer, segment.number)
        write_i64_be(writer, segment.synced_size)
        journal.end()
        if segment.recorded_in > 0:
            journal.release(segment.recorded_in, 1, DEFINITION_BYTES)
        file = journal.file
        segment.recorded_in = file.number
        file.keep(1, DEFINITION_BYTES)

    def release(self, refs: dict[int, int]) -> None:
        """Count down where entries were kept."""
        for number, count in refs.items():
            if number > 0:
                self._journal.release(number, count, 0)
            else:
                segment = self.segments.get(-number)
                if segment is not None:
                    segment.live -= count

    def read_page(self, page: Page) -> list[Entry | None]:
        """Return what is not settled of it; what cannot be read is told in the log."""
        shared = self.shared
        segment = self.segments[int(page.segment)]
        data = page.data
        if data is None:
            try:
                data = shared.reader.read(segment.path, page.offset, page.size)
            except OSError as error:
                logger.error(
                    "%s: %d messages at offset %d cannot be read: %s",
                    segment.path,
                    page.count,
                    page.offset,
                    error.strerror,
                )
                return []  # they count as alive, so that they are still there after a restart
        runs = Runs(page) if page.is_reduced else None
        entries: list[Entry | None] = []
        for entry in decode_page(data, segment.path, page.offset):
            if runs is not None and not runs.has(entry.position):
                continue
            if segment.is_recovered:
                if not self.before.lives(entry):
                    continue
                self.before.count(entry)
            entry.message.stored = -page.segment
            entries.append(entry)
        segment.live -= page.count - i64(len(entries))
        return entries

    def settled_page(self, page: Page) -> None:
        """Settle all of it."""
        segment = self.segments.get(int(page.segment))
        if segment is not None:
            segment.live -= page.count
        if self.durable and self._takes():
            self._settled_runs.extend(runs_of(page))
            self._touch()

    def drop(self, segment: Segment) -> None:
        """Remove a segment that nothing lives in, once the journal says so."""
        journal = self._journal
        del self.segments[int(segment.number)]
        self.has_left = self.has_left and bool(self.segments)
        segment.is_gone = True
        if self._current is segment:
            self._current = None
        if not self.segments:
            self.shared.paged.pop(self, None)
        # What settled its messages must be safe. Of other queues the journal has nothing to say, now or ever.
        sequence = journal.number - 1 if self.durable else 0
        if segment.recorded_in > 0:
            sequence = journal.number
            writer = journal.begin(SEGMENT_DROPPED)
            write_u32(writer, self.number)
            write_u32(writer, segment.number)
            write_i64_be(writer, 0)
            journal.records.end()
            journal.release(segment.recorded_in, 1, DEFINITION_BYTES)
        self._let_go(segment, sequence)
        self.shared.schedule()

    def _let_go(self, segment: Segment, sequence: i64) -> None:
        """Give back the space of a segment, and what is kept elsewhere for it, once `sequence` is durable."""
        if segment.refs:
            self.shared.releases.append(Release(sequence, self, segment.refs))
            segment.refs = {}
        self.shared.drops.append((int(sequence), segment))

    def deleted(self) -> None:
        """Forget the queue; its segments go when the journal says that it is gone."""
        if not self.shared.is_open:
            return
        self.is_closed = True
        self._deleted_in = self._journal.number if self.durable else 0
        if self._slot != NO_SLOT:
            self.mark()  # the queue may come back, if the process ends before its deletion is durable
            self.shared.freed_slots.append((int(self._deleted_in), self._slot))
        for segment in list(self.segments.values()):
            segment.is_gone = True
            if segment.recorded_in > 0:
                self._journal.settle(segment.recorded_in, DEFINITION_BYTES, self._deleted_in)
            self._let_go(segment, self._deleted_in)
        self.segments.clear()
        self.shared.paged.pop(self, None)
        self._current = None
        self.shared.schedule()
