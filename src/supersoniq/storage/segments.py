"""Segments: files of pages, which are what a queue keeps out of memory. Each belongs to one queue."""

import errno
import logging
from typing import Final, final

from librt.strings import read_i64_be, write_i64_be
from mypy_extensions import i64

from supersoniq.amqp.primitives import read_u32
from supersoniq.broker.message import Entry
from supersoniq.broker.ports import Page
from supersoniq.storage.disk import Disk, File
from supersoniq.storage.places import Places, write_places
from supersoniq.storage.records import (
    DESTINATIONS_AT,
    EXPIRES_FIRST,
    MESSAGE,
    PAGE_HEAD_BYTES,
    PERSISTENT,
    PageHead,
    RecordWriter,
    expiry_of,
    next_record,
    read_message,
    read_page_head,
    record_end,
    record_seed,
)
from supersoniq.storage.worker import Job, Worker

logger = logging.getLogger(__name__)

SEGMENTS: Final = "segments"
SPOOL: Final = "spool"  # of queues that do not last
DAMAGED: Final = "damaged"  # what was set aside


def segment_path(durable: bool, queue: i64, number: i64) -> str:
    """Return where a segment is."""
    return f"{SEGMENTS if durable else SPOOL}/{int(queue):010d}-{int(number):010d}"


@final
class Segment:
    """One segment: what the loop counts of it, and the file that the background thread writes."""

    def __init__(self, queue: i64, number: i64, durable: bool) -> None:
        self.queue: i64 = queue
        self.number: i64 = number
        self.path = segment_path(durable, queue, number)
        self.size: i64 = 0  # pages, written or about to be
        self.synced_size: i64 = 0  # what the journal says is safe
        self.count: i64 = 0  # entries that ever were in it
        self.live: i64 = 0  # those that are not settled
        self.first: i64 = 0  # positions
        self.last: i64 = 0
        self.is_sealed = False
        self.is_syncing = False
        self.is_broken = False  # it could not be synced, and is to be left
        self.is_left = False  # what lives in it is being written elsewhere
        self.is_gone = False  # nobody needs it any more, it is about to be removed
        self.is_recovered = False  # written by an earlier process: its transient messages mean nothing
        self.unwritten: i64 = 0  # pages
        self.failed_offsets: set[int] = set()  # of pages; the background thread's
        # By journal file, or negative number of a segment: what is safe only there until this is synced.
        self.refs: dict[int, int] = {}
        self.recorded_in: i64 = 0  # the journal file that says how much of it is safe, 0 for none
        self._file: File | None = None
        self._is_named = False

    @property
    def live_bytes(self) -> i64:
        """About what lives of its octets."""
        return self.size * self.live // self.count if self.count > 0 else 0

    def write(self, disk: Disk, offset: int, data: bytes) -> None:
        """Write a page; in the background thread."""
        self.failed_offsets.add(offset)
        if self.is_gone:
            return
        if self._file is None:
            self._file = disk.open(self.path, create=True)
        self._file.write(offset, [data])
        self.failed_offsets.remove(offset)

    def sync(self, disk: Disk) -> None:
        """Make all that was written safe; in the background thread."""
        if self._file is None:
            self._file = disk.open(self.path)
        self._file.sync()
        if not self._is_named:
            disk.sync_directory(SEGMENTS)
            self._is_named = True

    def close(self) -> None:
        """Close the file; in the background thread, or when that has stopped."""
        if self._file is not None:
            self._file.close()
            self._file = None


@final
class CloseSegment(Job):
    """Closes a segment that is written no more."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment

    def run(self) -> None:
        """Close it."""
        self._segment.close()

    def done(self, error: OSError | None) -> None:
        """Do nothing."""


@final
class Unwritten:
    """The pages that are on their way to the disk."""

    def __init__(self) -> None:
        self.bytes: i64 = 0
        self.failed: list[WritePage] = []
        self.trouble = ""

    def try_again(self, background: Worker) -> None:
        """Have written what could not be, where anybody still needs it."""
        failed, self.failed = self.failed, []
        is_needed = False
        for write in failed:
            if write.segment.is_gone:
                self.bytes -= write.size
            else:
                is_needed = True
                background.submit(write)
        if not is_needed:
            self.trouble = ""


@final
class WritePage(Job):
    """Writes a page; it stays in memory until that has worked."""

    def __init__(self, disk: Disk, segment: Segment, page: Page, unwritten: Unwritten) -> None:
        self.segment = segment
        self.page = page
        self._offset = int(page.offset)
        self._data = page.data or b""
        self._disk = disk
        self._unwritten = unwritten
        self.size: i64 = i64(len(self._data))
        unwritten.bytes += self.size

    def run(self) -> None:
        """Write it."""
        self.segment.write(self._disk, self._offset, self._data)

    def done(self, error: OSError | None) -> None:
        """Let the memory go, or have it tried again."""
        unwritten = self._unwritten
        if error is not None:
            unwritten.failed.append(self)
            unwritten.trouble = (error.strerror or str(error)).lower()
            return
        if not unwritten.failed:
            unwritten.trouble = ""
        unwritten.bytes -= self.size
        self.segment.unwritten -= 1
        if self.page.segment == self.segment.number and self.page.offset == self._offset:
            self.page.data = None


def first_expiry(entries: list[Entry | None]) -> i64:
    """Return when the first of some entries expires, 0 for never."""
    first: i64 = 0
    for entry in entries:
        assert entry is not None
        if entry.expires_at > 0 and (first == 0 or entry.expires_at < first):
            first = entry.expires_at
    return first


def encode_page(
    entries: list[Entry | None], queue: i64, number: i64, epoch: i64, places: Places | None
) -> tuple[bytes, PageHead]:
    """Return a page of entries, in order of position; `places` is what `places_of` says of them."""
    writer = RecordWriter()
    writer.seed = record_seed(number, epoch)
    expires_at = first_expiry(entries)
    if expires_at > 0:
        write_i64_be(writer.begin(EXPIRES_FIRST), expires_at)
        writer.end()
    if places is not None:
        write_places(writer, places)
    persistent_count: i64 = 0
    body_bytes: i64 = 0
    first: i64 = 0
    last: i64 = 0
    for entry in entries:
        assert entry is not None
        message = entry.message
        flags: i64 = 0
        if message.persistent:
            flags = PERSISTENT
            persistent_count += 1
        body_bytes += len(message.body)
        if first == 0:
            first = entry.position
        last = entry.position
        writer.message(message, queue, entry.position, entry.delivery_count, entry.expires_at, flags)
    head = PageHead(
        writer.size, number, epoch, queue, i64(len(entries)), persistent_count, first, last, body_bytes
    )
    return head.octets() + b"".join(writer.take()), head


def decode_page(data: bytes, path: str, offset: i64) -> list[Entry]:
    """Return the entries of a page, in order; says in the log what is damaged, and leaves that out.

    The messages' `stored` is for the caller to set.
    """
    head = read_page_head(data, 0)
    if head is None:
        logger.error("%s: the page at offset %d is damaged: its messages are left out", path, offset)
        return []
    seed = record_seed(head.number, head.epoch)
    entries: list[Entry] = []
    view = memoryview(data)
    at: i64 = PAGE_HEAD_BYTES
    end = min(i64(len(data)), at + head.payload_bytes)
    while at < end:
        stop = record_end(data, view, at, end, seed)
        if stop < 0:
            stop = next_record(data, view, at + 1, end, seed)
            logger.error(
                "%s: %d damaged bytes at offset %d: lost a message of queue %d between positions %d and %d",
                path,
                stop - at,
                offset + at,
                head.queue,
                head.first,
                head.last,
            )
        elif data[at + 8] == MESSAGE:
            entry = Entry(read_message(data, at, stop), read_i64_be(data, at + DESTINATIONS_AT + 4))
            entry.delivery_count = read_u32(data, at + DESTINATIONS_AT + 12)
            entry.expires_at = expiry_of(data, at, at + DESTINATIONS_AT)
            entries.append(entry)
        at = stop
    return entries


@final
class SegmentReader:
    """Reads pages.

    One descriptor is kept in reserve, so that reading goes on when the process has no more.
    """

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._reserve: File | None = None

    def keep_reserve(self, path: str) -> None:
        """Keep a descriptor of a file that exists."""
        if self._reserve is None:
            self._reserve = self._disk.open(path, writable=False)

    def read(self, path: str, offset: i64, size: i64) -> bytes:
        """Return a page's octets, and have the system read what follows; raises OSError."""
        try:
            file = self._disk.open(path, writable=False)
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE) or self._reserve is None:
                raise
            self._reserve.close()
            self._reserve = None
            file = self._disk.open(path, writable=False)
        try:
            data = file.read(int(offset), int(size))
            file.will_read(int(offset + size), int(size) * 2)
        finally:
            if self._reserve is None:
                self._reserve = file
            else:
                file.close()
        return data

    def close(self) -> None:
        """Let the reserve go."""
        if self._reserve is not None:
            self._reserve.close()
            self._reserve = None
