"""A data directory as it is at one moment, for those who only read it while a node may write.

The journal grows at its end only. The newest files are read first, and are kept in memory: whatever is in a
file was written after everything in the file before it, which is read later and so is complete. Segments are
read up to what the journal says is safe. That nothing is removed meanwhile is for `Hold` to see to.
"""

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from supersoniq.storage.directory import DataError, check_format
from supersoniq.storage.disk import Disk, File, SystemDisk
from supersoniq.storage.journal_file import JOURNAL

HOLD = "hold"
# The file that is written, the one that is prepared for what comes, and one that was just left.
CHANGING_FILES = 3


class Hold:
    """Keeps the node of a directory from removing files or using them again, until `release`.

    Waits while the node is removing some. Does nothing where the directory cannot be written and no node has
    ever removed anything. Raises OSError.
    """

    def __init__(self, directory: Path) -> None:
        self._fd = -1
        if sys.platform == "win32":
            return
        import fcntl  # noqa: PLC0415  (there is none on Windows)

        path = directory / HOLD
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            try:
                self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
                give_to_owner(directory, path)
            except OSError as error:
                if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
                    raise
                return
        fcntl.flock(self._fd, fcntl.LOCK_SH)

    def release(self) -> None:
        """Let the node go on; the second call does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> "Hold":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()


def give_to_owner(directory: Path, path: Path) -> None:
    """Have what root made in a directory belong to the directory's owner, as whom the node runs."""
    if sys.platform != "win32" and os.geteuid() == 0:
        owner = directory.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


@contextlib.contextmanager
def snapshot_of(directory: Path) -> Iterator["Snapshot"]:
    """Give a data directory as it is now, whether a node runs on it or not; raises DataError, OSError."""
    if not directory.is_dir():
        raise DataError(f"data directory {directory} does not exist")
    check_format(directory)
    with Hold(directory):
        yield Snapshot(SystemDisk(directory))


class Snapshot(Disk):
    """Another disk, frozen: it cannot be written, and its journal does not grow any more."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._names: list[str] = []
        self._frozen: dict[str, bytes] = {}
        self._freeze()

    def _freeze(self) -> None:
        """Read the newest files, again if a part was added to one that was read meanwhile."""
        is_complete = False
        while not is_complete:
            self._names = names = self._numbered()
            for name in reversed(names[-CHANGING_FILES:]):
                path = f"{JOURNAL}/{name}"
                self._frozen[path] = read_whole(self._disk, path)
            is_complete = not [name for name in self._numbered() if name not in names and name < names[-1]]

    def _numbered(self) -> list[str]:
        """Return the files that have something in them; the spare one may get a number any time."""
        return [name for name in self._disk.names(JOURNAL) if name.partition(".")[0].isdigit()]

    def open(self, path: str, create: bool = False, writable: bool = True) -> File:
        """Open a file for reading, whatever was asked for."""
        frozen = self._frozen.get(path)
        if frozen is not None:
            return FrozenFile(frozen)
        return self._disk.open(path, writable=False)

    def names(self, directory: str) -> list[str]:
        """List it; new files of the journal are not there."""
        return list(self._names) if directory == JOURNAL else self._disk.names(directory)

    def make_directory(self, path: str) -> None:
        """Refuse."""
        raise _read_only(path)

    def rename(self, old: str, new: str) -> None:
        """Refuse."""
        raise _read_only(new)

    def remove(self, path: str) -> None:
        """Refuse."""
        raise _read_only(path)

    def sync_directory(self, path: str) -> None:
        """Do nothing."""

    def try_hold(self) -> bool:
        """Say no: nothing is to be removed."""
        return False

    def end_hold(self) -> None:
        """Do nothing."""


class FrozenFile(File):
    """Octets that look like a file that was opened for reading."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, offset: int, size: int) -> bytes:
        """Return them."""
        return self._data[offset : offset + size]

    def write(self, offset: int, pieces: list[bytes]) -> None:
        """Refuse."""
        raise _read_only("")

    def sync(self) -> None:
        """Do nothing."""

    def allocate(self, size: int) -> None:
        """Refuse."""
        raise _read_only("")

    def truncate(self, size: int) -> None:
        """Refuse."""
        raise _read_only("")

    def size(self) -> int:
        """Return how many there are."""
        return len(self._data)

    def will_read(self, offset: int, size: int) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def read_whole(disk: Disk, path: str) -> bytes:
    """Return all octets of a file; raises OSError with its name."""
    try:
        file = disk.open(path, writable=False)
        try:
            return file.read(0, file.size())
        finally:
            file.close()
    except OSError as error:
        error.filename = path
        raise


def _read_only(path: str) -> OSError:
    return OSError(errno.EROFS, os.strerror(errno.EROFS), path)
