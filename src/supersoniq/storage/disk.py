"""The file port: everything that storage asks of a file system, so that tests can put another one below it.

Paths are relative to the data directory. What was written is safe after `File.sync`; what was created,
renamed or removed is safe after `Disk.sync_directory`. Everything raises OSError.
"""

import contextlib
import os
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from mypy_extensions import mypyc_attr

from supersoniq.broker.counters import IOCounters

if sys.platform != "win32":
    import fcntl

# More pieces than this are joined before they are written: the system takes no more at once.
PIECES_MAX = min(1024, os.sysconf("SC_IOV_MAX")) if hasattr(os, "sysconf") else 16


@mypyc_attr(allow_interpreted_subclasses=True)
class File(ABC):
    """One open file."""

    @abstractmethod
    def read(self, offset: int, size: int) -> bytes:
        """Return up to `size` bytes from `offset`; fewer where the file ends."""

    @abstractmethod
    def write(self, offset: int, pieces: list[bytes]) -> None:
        """Write all pieces, one after the other, from `offset`; raises OSError if not all could be."""

    @abstractmethod
    def sync(self) -> None:
        """Return when everything that was written is safe. After an error nothing is known of it."""

    @abstractmethod
    def allocate(self, size: int) -> None:
        """Give the file its space up to `size` in advance, where the system can."""

    @abstractmethod
    def truncate(self, size: int) -> None:
        """Cut the file off at `size`."""

    @abstractmethod
    def size(self) -> int:
        """Return the size in bytes."""

    @abstractmethod
    def will_read(self, offset: int, size: int) -> None:
        """Have the system read ahead what will be read soon."""

    @abstractmethod
    def close(self) -> None:
        """Close it; the second call does nothing."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Disk(ABC):
    """The data directory."""

    @abstractmethod
    def open(self, path: str, create: bool = False, writable: bool = True) -> File:
        """Open a file; raises FileNotFoundError for one that is missing unless it is to be created."""

    @abstractmethod
    def names(self, directory: str) -> list[str]:
        """Return the names in a directory, sorted; none if there is no directory."""

    @abstractmethod
    def make_directory(self, path: str) -> None:
        """Make a directory; one that exists is fine."""

    @abstractmethod
    def rename(self, old: str, new: str) -> None:
        """Rename a file; one that has the new name is replaced."""

    @abstractmethod
    def remove(self, path: str) -> None:
        """Remove a file; one that is missing is fine."""

    @abstractmethod
    def sync_directory(self, path: str) -> None:
        """Return when what was created, renamed and removed in a directory is safe."""

    @abstractmethod
    def try_hold(self) -> bool:
        """Whether nobody copies the files now; until `end_hold` nobody begins to."""

    @abstractmethod
    def end_hold(self) -> None:
        """Let others copy files again."""


class SystemFile(File):
    """A file of the operating system."""

    def __init__(self, fd: int, counters: IOCounters) -> None:
        self._fd = fd
        self._counters = counters
        # A confirm waits for these: they are not looked up each time.
        self._pwritev: Callable[[int, list[bytes], int], int] = getattr(os, "pwritev", _write_none)
        self._fdatasync = _sync_call()
        self._now = time.monotonic

    def read(self, offset: int, size: int) -> bytes:
        """Read, again after a short read."""
        data = os.pread(self._fd, size, offset)
        self._counters.read_count += 1
        self._counters.read_bytes += len(data)
        if len(data) == size or not data:
            return data
        pieces = [data]
        while data:
            offset += len(data)
            size -= len(data)
            data = os.pread(self._fd, size, offset)
            pieces.append(data)
        return b"".join(pieces)

    def write(self, offset: int, pieces: list[bytes]) -> None:
        """Write, and go on after a short write: the next call says why it was short."""
        if len(pieces) > PIECES_MAX:
            pieces = [b"".join(pieces)]
        done = self._pwritev(self._fd, pieces, offset)
        total = 0
        for piece in pieces:
            total += len(piece)
        self._counters.write_count += 1
        self._counters.written_bytes += total
        if done == total:
            return
        rest = memoryview(b"".join(pieces))
        while done < total:
            done += os.pwrite(self._fd, rest[done:], offset + done)

    def sync(self) -> None:
        """Ask the drive itself where a plain fsync does not (macOS)."""
        begun = self._now()
        self._fdatasync(self._fd)
        self._counters.sync_count += 1
        self._counters.sync_seconds += self._now() - begun

    def allocate(self, size: int) -> None:
        """Write zeros to the end: overwriting blocks that exist needs no change of metadata when synced."""
        had = self.size()
        if had < size and hasattr(os, "posix_fallocate"):
            os.posix_fallocate(self._fd, had, size - had)

    def truncate(self, size: int) -> None:
        """Cut it off."""
        os.ftruncate(self._fd, size)

    def size(self) -> int:
        """Ask the system."""
        return os.fstat(self._fd).st_size

    def will_read(self, offset: int, size: int) -> None:
        """Start the reading in the background, where the system can."""
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self._fd, offset, size, os.POSIX_FADV_WILLNEED)

    def close(self) -> None:
        """Close the descriptor."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _sync_call() -> Callable[[int], object]:
    """Return the call that has the drive itself keep what a file has."""
    if sys.platform == "darwin":
        return _full_fsync
    call: Callable[[int], object] = getattr(os, "fdatasync", os.fsync)
    return call


def _full_fsync(fd: int) -> None:
    if sys.platform == "darwin":
        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)


def _write_none(fd: int, pieces: list[bytes], offset: int) -> int:
    """Stand in for pwritev where there is none: a short write, as far as others can see."""
    return 0


class SystemDisk(Disk):
    """A directory of the operating system."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.counters = IOCounters()
        self._hold_fd = -1

    def open(self, path: str, create: bool = False, writable: bool = True) -> File:
        """Open it."""
        flags = (os.O_RDWR if writable else os.O_RDONLY) | getattr(os, "O_CLOEXEC", 0)
        fd = os.open(self.root / path, flags | (os.O_CREAT if create else 0), 0o640)
        return SystemFile(fd, self.counters)

    def names(self, directory: str) -> list[str]:
        """List it."""
        try:
            return sorted(os.listdir(self.root / directory))
        except FileNotFoundError:
            return []

    def make_directory(self, path: str) -> None:
        """Make it, with its parents."""
        os.makedirs(self.root / path, exist_ok=True)

    def rename(self, old: str, new: str) -> None:
        """Rename it."""
        os.replace(self.root / old, self.root / new)

    def remove(self, path: str) -> None:
        """Remove it."""
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.root / path)

    def sync_directory(self, path: str) -> None:
        """Sync the directory; Windows has nothing to ask for."""
        if sys.platform == "win32":
            return
        fd = os.open(self.root / path, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def try_hold(self) -> bool:
        """Lock the file `hold`, which a backup locks for sharing."""
        if sys.platform == "win32":
            return True
        if self._hold_fd < 0:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            self._hold_fd = os.open(self.root / "hold", flags, 0o640)
        try:
            fcntl.flock(self._hold_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def end_hold(self) -> None:
        """Unlock it."""
        if sys.platform != "win32" and self._hold_fd >= 0:
            fcntl.flock(self._hold_fd, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close what is open."""
        if self._hold_fd >= 0:
            os.close(self._hold_fd)
            self._hold_fd = -1
