"""One file of the journal: what the loop counts of it, and how the commit thread writes it.

A file whose sync has failed is never synced again, as the system may have dropped what it could not write and
would report success the next time. What was not safe is written again to another part of it: the file
`0000000007` goes on in `0000000007.1`.
"""

import errno
import logging
import threading
from typing import Final, final

from mypy_extensions import i64

from supersoniq.storage.disk import Disk, File

logger = logging.getLogger(__name__)

JOURNAL: Final = "journal"
MOVING: Final = f"{JOURNAL}/moving"


@final
class JournalFile:
    """A file of the journal, by its number."""

    def __init__(self, number: int) -> None:
        self.number: i64 = number
        # What the loop counts.
        self.size: i64 = 0
        self.live: i64 = 0  # entries and definitions whose record is here and nowhere else
        self._live_bytes: i64 = 0  # of records, once for each queue, of what is not in a segment, too
        self.settles_pages = False  # says something of messages in segments that is said nowhere else
        self.safe_after: i64 = 0  # the sequence from which on nothing in here is needed, once nothing lives
        self.last_batch: i64 = 0
        # What the threads have; the loop only after the file's last batch is safe.
        self.parts: list[str] = []
        self._file: File | None = None
        self._at = 0
        self._unsynced: list[bytes] = []
        self._is_broken = False
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The path of its first part."""
        return f"{JOURNAL}/{self.number:010d}"

    @property
    def live_bytes(self) -> i64:
        """What lives of its octets and is nowhere else; a message counts once for each queue it is in."""
        return min(self.size, self._live_bytes)

    def keep(self, count: i64, size: i64) -> None:
        """Count entries or definitions that live here from now on."""
        self.live += count
        self._live_bytes += size

    def release(self, count: i64, size: i64) -> None:
        """Count entries or definitions that live here no more, or octets that are in a segment, too."""
        self.live -= count
        self._live_bytes -= size

    def prepare(self, disk: Disk, allocated_bytes: int, recycled: str) -> bool:
        """Make the file ready to be written: from another one, or with space of its own.

        False if it was ready before, so that the other one is still there; it may be full and closed by now.
        """
        with self._lock:
            if self.parts:
                return False
            if recycled:
                try:
                    disk.rename(recycled, self.name)
                except FileNotFoundError:
                    recycled = ""  # another file was faster
            file = disk.open(self.name, create=True)
            try:
                if not recycled:
                    _allocate(file, allocated_bytes)
                disk.sync_directory(JOURNAL)
            except OSError:
                file.close()
                raise
            self._file = file
            self.parts = [self.name]
            return True

    def write(self, disk: Disk, pieces: list[bytes], keeps: bool) -> None:
        """Write behind what was written; what was written is kept until it is synced if `keeps`.

        Nothing more goes to a part that cannot be synced: another one has all of it or counts for nothing.
        """
        if self._file is None:
            self.prepare(disk, 0, "")
        if self._is_broken:
            self._move(disk)
        assert self._file is not None
        self._file.write(self._at, pieces)
        for piece in pieces:
            self._at += len(piece)
        if keeps:
            self._unsynced.extend(pieces)

    @property
    def is_synced(self) -> bool:
        """Whether nothing that was to be kept is unsynced."""
        return not self._unsynced

    def sync(self, disk: Disk) -> None:
        """Return when all is safe; where this file fails, that is in another part."""
        assert self._file is not None
        if not self._is_broken:
            try:
                self._file.sync()
            except OSError as error:
                self._is_broken = True
                logger.error(
                    "%s cannot be synced (%s): what is not safe is written again elsewhere; check the disk",
                    self.parts[-1],
                    error.strerror,
                )
        if self._is_broken:
            self._move(disk)
        self._unsynced.clear()

    def _move(self, disk: Disk) -> None:
        """Go on in a new part, with what was not synced; raises OSError if that fails, too."""
        name = f"{self.name}.{len(self.parts)}"
        # Under another name until it is whole: a part is believed rather than the one before it.
        file = disk.open(MOVING, create=True)
        try:
            file.truncate(0)
            file.write(0, self._unsynced)
            file.sync()
            disk.rename(MOVING, name)
            disk.sync_directory(JOURNAL)
        except OSError:
            file.close()
            raise
        assert self._file is not None
        self._file.close()
        self._file = file
        self._at = sum([len(piece) for piece in self._unsynced])
        self.parts.append(name)
        self._unsynced.clear()
        self._is_broken = False

    def close(self) -> None:
        """Close it: all its batches are safe."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None


def _allocate(file: File, size: int) -> None:
    """Give a file its space; where there is no room for all of it, there may be for what will be written."""
    try:
        file.allocate(size)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EOPNOTSUPP, errno.EINVAL):
            raise
