"""Repair: what is damaged is set aside, and what stands in its place means nothing, so that a node starts.

Nothing that is whole is changed. No format of its own is needed:

    a record with one bad bit   becomes what it was
    a damaged record            becomes PAD; in a page, the page's head counts what is left
    a damaged head of a batch   is written anew from the batch's records
    missing batches             an empty batch at the end of the file before has the last of their numbers
    a damaged page              its head is written anew from its records; without any, it is a page of PAD
    a missing segment           the records that speak of it become PAD: what the journal has of it is used
    a segment without a record  is recorded, at the end of the journal
    a queue without definition  is declared again under another name, at the end of the journal
"""

from pathlib import Path
from typing import final

from librt.strings import write_i64_be

from supersoniq.amqp.primitives import read_u32, write_u32
from supersoniq.broker.definitions import QueueDefinition
from supersoniq.storage.contents import Contents, SegmentPlace, neutralize, read_contents
from supersoniq.storage.definitions import write_queue
from supersoniq.storage.directory import (
    FORMAT,
    FORMAT_FILE,
    DataError,
    NewerFormatError,
    check_format,
    format_line,
)
from supersoniq.storage.disk import Disk, File, SystemDisk
from supersoniq.storage.journal_file import JOURNAL
from supersoniq.storage.lock import DirectoryLock
from supersoniq.storage.marks import MARK, packed_mark, read_marks
from supersoniq.storage.memory import MemoryQueueStore
from supersoniq.storage.mending import mended_record
from supersoniq.storage.records import (
    PAGE_HEAD_BYTES,
    RECORD_HEAD_BYTES,
    RETIRED,
    SEGMENT_DROPPED,
    SEGMENT_SYNCED,
    PageHead,
    RecordWriter,
    batch_head,
    pad,
    record_seed,
)
from supersoniq.storage.scan import Broken, FileScan, records_of
from supersoniq.storage.segments import DAMAGED, SEGMENTS, segment_path
from supersoniq.storage.survey import Stretch, find_pages, made_head, queue_of
from supersoniq.storage.tools.listing import MARKS, queue_numbers
from supersoniq.storage.tools.snapshot import give_to_owner, read_whole
from supersoniq.storage.tools.verify import (
    Problem,
    broken_marks,
    holes_of,
    lost_messages,
    page_octets,
    queue_name,
    verify,
)

COPIED_AT_ONCE = 1 << 20


def repair_directory(directory: Path) -> tuple[list[str], list[Problem]]:
    """Repair a directory; returns what was done and what is left. Raises DataError, LockError, OSError."""
    with DirectoryLock(directory):
        try:
            check_format(directory)
        except NewerFormatError:
            raise
        except DataError:
            if not (directory / JOURNAL).is_dir():
                raise
        disk = SystemDisk(directory)
        try:
            if not disk.try_hold():
                raise DataError(f"data directory {directory} is being copied")
            repair = Repair(disk)
            left = repair.run()
        finally:
            disk.close()
        for path in [directory / FORMAT_FILE, directory / DAMAGED, *(directory / DAMAGED).glob("*")]:
            if path.exists():
                give_to_owner(directory, path)
        return repair.done, left


@final
class Repair:
    """Repairs a directory that no node uses. Raises OSError."""

    def __init__(self, disk: Disk) -> None:
        self.done: list[str] = []  # what was done, a line for each
        self._disk = disk

    def run(self) -> list[Problem]:
        """Do it; returns the problems that are left."""
        problems = verify(self._disk)
        if not problems:
            return []
        self._repair_format()
        self._repair_journal(read_contents(self._disk))
        self._close_gaps(read_contents(self._disk))
        if any([problem.is_damage and problem.path.startswith(JOURNAL) for problem in problems]):
            self._append_lost(read_contents(self._disk))
        self._repair_segments(read_contents(self._disk))
        self._repair_marks(read_contents(self._disk))
        return verify(self._disk)

    def _say(self, path: str, what: str) -> None:
        self.done.append(f"{path}: {what}")

    # What is set aside

    def _set_aside(self, path: str, at: int, size: int) -> str:
        """Copy octets of a file; returns where they are now, for operators."""
        disk = self._disk
        disk.make_directory(DAMAGED)
        taken = disk.names(DAMAGED)
        name = base = f"{path.replace('/', '-')}-{at}"
        count = 1
        while name in taken:
            count += 1
            name = f"{base}.{count}"
        source = disk.open(path, writable=False)
        copy = disk.open(f"{DAMAGED}/{name}", create=True)
        try:
            _copy(source, at, copy, size)
            copy.sync()
        finally:
            source.close()
            copy.close()
        disk.sync_directory(DAMAGED)
        disk.sync_directory("")
        return f"set aside in {DAMAGED}/{name}"

    # Format and marks

    def _repair_format(self) -> None:
        disk = self._disk
        right = format_line(FORMAT).encode()
        try:
            data = read_whole(disk, FORMAT_FILE)
        except FileNotFoundError:
            data = b""
        if data == right:
            return
        kept = self._set_aside(FORMAT_FILE, 0, len(data)) if data else "it was missing"
        new = f"{FORMAT_FILE}.new"
        file = disk.open(new, create=True)
        try:
            file.truncate(0)
            file.write(0, [right])
            file.sync()
        finally:
            file.close()
        disk.rename(new, FORMAT_FILE)
        disk.sync_directory("")
        self._say(FORMAT_FILE, f"written anew; {kept}")

    def _repair_marks(self, contents: Contents) -> None:
        """Write all marks anew if one is broken: of whose mark nobody knows, all is redelivered."""
        try:
            data = read_whole(self._disk, MARKS)
        except FileNotFoundError:
            return
        broken = broken_marks(data)
        if not broken:
            return
        kept = self._set_aside(MARKS, 0, len(data))
        slots = [data[at : at + MARK.size] for at in range(0, len(data), MARK.size) if at not in broken]
        known = read_marks(b"".join(slots))
        unknown = 0
        for number, queue in contents.queues.items():
            if queue.record is not None and not queue.is_deleted and known.get(number, -1) < 0:
                slots.append(packed_mark(number, queue.highest))
                unknown += 1
        file = self._disk.open(MARKS)
        try:
            file.truncate(0)
            file.write(0, slots)
            file.sync()
        finally:
            file.close()
        self._say(MARKS, f"written anew, all messages of {unknown} queues are redelivered; {kept}")

    # Journal

    def _repair_journal(self, contents: Contents) -> None:
        for broken in contents.torn:
            neutralize(self._disk, contents, broken)
            self._say(broken.path, f"{broken.size} bytes of torn tail at offset {broken.at} mean nothing now")
        for broken, damage in zip(contents.damaged, contents.damages, strict=True):
            if broken.size == 0:
                continue
            kept = self._set_aside(broken.path, broken.at, broken.size)
            if self._mend(contents, broken):
                kept = f"mended, one bit was wrong; {kept}"
            else:
                neutralize(self._disk, contents, broken)
            self.done.append(f"{damage}; {kept}")

    def _mend(self, contents: Contents, broken: Broken) -> bool:
        """Whether a record could be made what it was."""
        if broken.is_head:
            return False
        file = self._disk.open(broken.path)
        try:
            data = file.read(broken.at, broken.size)
            for scan in contents.scans:
                for batch in scan.batches:
                    if scan.path == broken.path and batch.head.number == broken.batch:
                        mended = mended_record(data, int(batch.seed))
                        if mended is not None:
                            file.write(broken.at, [mended])
                            file.sync()
                            return True
        finally:
            file.close()
        return False

    def _close_gaps(self, contents: Contents) -> None:
        """Have no batches missing any more, once the ends of all files are right."""
        for broken, damage in zip(contents.damaged, contents.damages, strict=True):
            if broken.size == 0:
                self.done.append(f"{damage}; {self._close_gap(contents, broken)}")

    def _close_gap(self, contents: Contents, gap: Broken) -> str:
        """Have an empty batch with the last of the missing numbers at the end of the file before."""
        paths = [scan.path for scan in contents.scans]
        index = paths.index(gap.path)
        first = contents.scans[index].batches[0].head.number
        if index == 0:
            return "the journal says now that they are retired"  # `_append_lost` has it say so
        before = max(contents.scans[:index], key=lambda scan: scan.batches[-1].head.number)
        file = self._disk.open(before.path)
        try:
            rest = file.size() - before.end
            kept = self._set_aside(before.path, before.end, rest) if rest > 0 else "nothing is left of them"
            last = before.batches[-1].head
            file.write(before.end, [batch_head(0, first - 1, last.epoch, last.file, last.synced)])
            file.sync()
        finally:
            file.close()
        return f"what follows the last batch before them was {kept}" if rest > 0 else kept

    def _append_lost(self, contents: Contents) -> None:
        """Write what is known though its record is lost: segments and queues that are there."""
        last = max(contents.scans, key=_last_number, default=None)
        if last is None:
            return
        records = RecordWriter()
        number, epoch = contents.last_batch + 1, last.batches[0].head.epoch
        records.seed = record_seed(number, epoch)
        self._record_segments(contents, records)
        self._declare_queues(contents, records)
        if contents.scans[0].number > contents.last_retired + 1:
            write_i64_be(records.begin(RETIRED), contents.scans[0].number - 1)
            records.end()
        if records.size == 0:
            return
        file = self._disk.open(last.path)
        try:
            head = batch_head(records.size, number, epoch, last.number, contents.last_batch)
            file.write(last.end, [head, *records.take()])
            file.sync()
        finally:
            file.close()

    def _record_segments(self, contents: Contents, records: RecordWriter) -> None:
        """Say how much there is of segments that the journal does not speak of, not even to drop them."""
        dropped = _dropped_segments(self._disk, contents)
        for name in self._disk.names(SEGMENTS):
            queue, segment = [int(part) for part in name.split("-")]
            known = contents.queue_contents(queue)
            if known.is_deleted or segment in known.segments or (queue, segment) in dropped:
                continue
            size = self._whole_bytes(f"{SEGMENTS}/{name}", queue)
            if size == 0:
                continue
            known.segments[segment] = SegmentPlace(size, 0)
            writer = records.begin(SEGMENT_SYNCED)
            write_u32(writer, queue)
            write_u32(writer, segment)
            write_i64_be(writer, size)
            records.end()
            what = f"the journal knows of it again: {size} bytes, messages of {queue_name(contents, queue)}"
            self._say(f"{SEGMENTS}/{name}", what)

    def _whole_bytes(self, path: str, queue: int) -> int:
        """Return where the last page of a segment ends that is there whole."""
        file = self._disk.open(path, writable=False)
        try:
            end = 0
            for stretch in find_pages(file, queue, file.size()):
                if stretch.head is not None and stretch.size == PAGE_HEAD_BYTES + stretch.head.payload_bytes:
                    end = stretch.at + stretch.size
            return end
        finally:
            file.close()

    def _declare_queues(self, contents: Contents, records: RecordWriter) -> None:
        """Declare queues that have messages and no definition any more."""
        taken = {name for _, name in queue_numbers(contents)}
        for lost, count in lost_messages(self._disk, contents).items():
            queue = contents.queues[lost]
            name = _free_name(f"lost-queue-{lost}".encode(), taken)
            next_position = max(queue.highest, queue.covered.highest) + 1
            definition = QueueDefinition("/", name, False, {}, MemoryQueueStore())
            write_queue(records, definition, lost, next_position, queue.delivered)
            self._say(
                JOURNAL,
                f"queue {lost}, which was not declared, is '{name.decode()}' in vhost '/', messages: {count}",
            )

    # Segments

    def _repair_segments(self, contents: Contents) -> None:
        for number, queue in sorted(contents.queues.items()):
            for segment, place in sorted(queue.segments.items()):
                if not queue.is_deleted:
                    try:
                        self._repair_segment(contents, number, segment, place.size)
                    except FileNotFoundError:
                        self._forget_segment(contents, number, segment)

    def _forget_segment(self, contents: Contents, number: int, segment: int) -> None:
        """Have the journal know nothing of a segment that is missing."""
        disk = self._disk
        for scan in contents.scans:
            data = contents.data_of(disk, scan)
            file = disk.open(scan.path)
            try:
                for batch in scan.batches:
                    for span in records_of(data, batch):
                        at = int(span.at)
                        if data[at + 8] == SEGMENT_SYNCED and _names(data, at, number, segment):
                            file.write(at, [pad(span.end - span.at, batch.seed)])
                file.sync()
            finally:
                file.close()
        path = segment_path(True, number, segment)
        self._say(path, f"the segment is missing, and forgotten: messages of {queue_name(contents, number)}")

    def _repair_segment(self, contents: Contents, number: int, segment: int, size: int) -> None:
        path = segment_path(True, number, segment)
        file = self._disk.open(path)
        try:
            had = file.size()
            if had < size:
                name = queue_name(contents, number)
                self._say(path, f"{size - had} bytes are missing at its end: messages of {name}")
                file.truncate(size)
            for stretch in _joined(find_pages(file, number, size), number):
                self._repair_page(contents, file, path, stretch, had)
            file.sync()
        finally:
            file.close()

    def _repair_page(self, contents: Contents, file: File, path: str, stretch: Stretch, had: int) -> None:
        """Set aside what is broken in a page, and make the page's head count the rest."""
        head = stretch.head
        assert head is not None
        number = queue_of(path)
        holes = holes_of(file, stretch, head)
        is_short = stretch.size != PAGE_HEAD_BYTES + head.payload_bytes
        if not (holes or stretch.is_rebuilt or is_short):
            return
        name = queue_name(contents, number)
        if stretch.is_rebuilt and stretch.at < had:
            kept = self._set_aside(path, stretch.at, PAGE_HEAD_BYTES)
            self._say(
                path,
                f"the head of the page at offset {stretch.at} is written anew, messages of {name}; {kept}",
            )
        seed = record_seed(head.number, head.epoch)
        for hole in holes:
            mended = mended_record(file.read(hole.at, hole.size), int(seed))
            if hole.at < had:
                kept = self._set_aside(path, hole.at, hole.size)
                if mended is not None:
                    kept = f"mended, one bit was wrong; {kept}"
                self._say(path, f"{hole.size} damaged bytes at offset {hole.at}: a message of {name}; {kept}")
            assert hole.size >= RECORD_HEAD_BYTES
            file.write(hole.at, [mended or pad(hole.size, seed)])
        data = page_octets(file, stretch, head)
        file.write(stretch.at, [made_head(data, number, int(head.number), int(head.epoch)).octets()])


def _joined(stretches: list[Stretch], number: int) -> list[Stretch]:
    """Return pages only: what is none belongs to the page before it, or is a page without messages."""
    pages: list[Stretch] = []
    for stretch in stretches:
        if stretch.head is not None:
            pages.append(stretch)
        elif pages:
            last = pages[-1]
            pages[-1] = Stretch(last.at, stretch.at + stretch.size - last.at, last.head, last.is_rebuilt)
        else:
            following = [other.head.epoch for other in stretches if other.head is not None]
            epoch = following[0] if following else 0
            head = PageHead(stretch.size - PAGE_HEAD_BYTES, 0, epoch, number, 0, 0, 0, 0, 0)
            pages.append(Stretch(stretch.at, stretch.size, head, is_rebuilt=True))
    return pages


def _last_number(scan: FileScan) -> int:
    return scan.batches[-1].head.number


def _dropped_segments(disk: Disk, contents: Contents) -> set[tuple[int, int]]:
    """Return those that the journal says are gone: the files may be there a moment longer."""
    dropped: set[tuple[int, int]] = set()
    for scan in contents.scans:
        data = contents.data_of(disk, scan)
        for batch in scan.batches:
            for span in records_of(data, batch):
                place = int(span.at) + RECORD_HEAD_BYTES
                if data[span.at + 8] == SEGMENT_DROPPED:
                    dropped.add((int(read_u32(data, place)), int(read_u32(data, place + 4))))
    return dropped


def _names(data: bytes, at: int, queue: int, segment: int) -> bool:
    """Whether the record at `at` is of this segment."""
    place = at + RECORD_HEAD_BYTES
    return int(read_u32(data, place)) == queue and int(read_u32(data, place + 4)) == segment


def _copy(source: File, at: int, copy: File, size: int) -> None:
    done = 0
    while done < size:
        data = source.read(at + done, min(COPIED_AT_ONCE, size - done))
        if not data:
            return
        copy.write(done, [data])
        done += len(data)


def _free_name(wanted: bytes, taken: set[bytes]) -> bytes:
    """Return a name that no queue has."""
    name, count = wanted, 1
    while name in taken:
        count += 1
        name = wanted + b"-%d" % count
    taken.add(name)
    return name
