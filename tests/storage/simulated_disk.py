"""A disk in memory that loses power, runs full and fails when a test wants it to.

What is written, cut off, created, renamed and removed is at once there for who reads, as in an operating
system's page cache. `crash` is a power loss: what no sync has covered may be gone, kept, or kept in part.
`kill` is the end of the process only.
"""

from __future__ import annotations

import errno
import os
from random import Random

from tests.storage.platter import DIRECTORY, Content, Tree, is_reachable

from supersoniq.storage.disk import Disk, File


class PowerLoss(BaseException):
    """The machine is off, for the code that was running: nothing that it does from here on has an effect."""


class Fault:
    """Makes operations of some kinds fail, below a path: the first `skip` succeed, the next `count` fail."""

    def __init__(self, number: int, *kinds: str, path: str = "", skip: int = 0, count: int = 1) -> None:
        self.number = number
        self.kinds = kinds
        self.path = path
        self.skip = skip
        self.count = count

    def strikes(self, kind: str, path: str) -> bool:
        """Whether this operation fails."""
        if kind not in self.kinds or not path.startswith(self.path) or self.count == 0:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.count -= 1
        return True


class SimulatedDisk(Disk):
    """The data directory on such a disk.

    `operations` counts what changes or syncs something. The power goes at operation `power_until`, counted
    from 1: before it has any effect, or with a part of its effect if `is_torn`. Writes that need more than
    `capacity_bytes` fail.
    """

    def __init__(self, random: Random | None = None) -> None:
        self.random = random or Random(0)
        self.operations = 0
        self.power_until = -1
        self.is_torn = False
        self.faults: list[Fault] = []
        self.capacity_bytes = -1
        self.is_copied = False  # somebody makes a backup
        self.log: list[str] | None = None  # a list takes a line for each operation
        self._is_off = False
        self._tree = Tree()

    @property
    def used_bytes(self) -> int:
        """The sizes of all files."""
        contents = self._tree.names.values()
        return sum([len(content.data) for content in contents if content is not None])

    @property
    def room_bytes(self) -> int:
        """How much files may grow; more than ever if there is no limit."""
        return 1 << 62 if self.capacity_bytes < 0 else max(0, self.capacity_bytes - self.used_bytes)

    def files(self) -> dict[str, bytes]:
        """All files."""
        names = sorted(self._tree.names.items())
        return {path: bytes(content.data) for path, content in names if content is not None}

    def put(self, path: str, data: bytes) -> None:
        """Have a file with this content, safely."""
        self._tree.put(path, Content(data))

    def unsynced(self) -> list[str]:
        """The files whose name, or anything written to them, is not safe."""
        names = self._tree.names.items()
        changed = {path for path, content in names if content is not None and content.has_unsafe_data()}
        named = {change.new for change in self._tree.changes} & self._tree.names.keys()
        return sorted(changed | named)

    def kill(self) -> SimulatedDisk:
        """Turn it off for who uses it; the next process finds everything, and nothing safer than before."""
        self._is_off = True
        other = SimulatedDisk(self.random)
        other._tree = self._tree.copy()
        return other

    def crash(self, random: Random) -> SimulatedDisk:
        """Turn it off; what comes back is as it may be found after a power loss."""
        self._is_off = True
        other = SimulatedDisk(random)
        other._tree = self._tree.found(random)
        return other

    def copy(self) -> SimulatedDisk:
        """Another disk that holds the same."""
        other = SimulatedDisk(self.random)
        other._tree = self._tree.copy()
        return other

    # Operations

    def check_power(self) -> None:
        """Raise PowerLoss if it is off."""
        if self._is_off:
            raise PowerLoss

    def fail(self, kind: str, path: str) -> None:
        """Raise the error that is planned, if one is."""
        for fault in self.faults:
            if fault.strikes(kind, path):
                raise OSError(fault.number, os.strerror(fault.number), path)

    def begin(self, kind: str, path: str) -> bool:
        """Count an operation; true if the power goes while it is under way."""
        self.check_power()
        self.operations += 1
        if self.log is not None:
            self.log.append(f"{self.operations} {kind} {path}")
        if self.operations == self.power_until:
            self._is_off = True
            if not self.is_torn:
                raise PowerLoss
        self.fail(kind, path)
        return self._is_off

    def open(self, path: str, create: bool = False, writable: bool = True) -> File:
        self.check_power()
        self.fail("open", path)
        content = self._tree.names.get(path)
        if content is None:
            if path in self._tree.names:
                raise _error(IsADirectoryError, errno.EISDIR, path)
            if not create or not is_reachable(self._tree.names, path):
                raise _error(FileNotFoundError, errno.ENOENT, path)
            content = Content()
            self._change("create", "", path, content)
        return SimulatedFile(self, path, content, writable)

    def _change(self, kind: str, old: str, new: str, content: Content | None) -> None:
        self.begin(kind, f"{old} {new}".strip())
        self._tree.change(old, new, content)
        self.check_power()

    def names(self, directory: str) -> list[str]:
        self.check_power()
        paths = [path for path in self._tree.names if os.path.dirname(path) == directory]
        return sorted([os.path.basename(path) for path in paths])

    def make_directory(self, path: str) -> None:
        parent = os.path.dirname(path)
        if parent:
            self.make_directory(parent)
        if path not in self._tree.names:
            self._change("make directory", "", path, DIRECTORY)

    def rename(self, old: str, new: str) -> None:
        content = self._tree.names.get(old)
        if content is None or not is_reachable(self._tree.names, new):
            raise _error(FileNotFoundError, errno.ENOENT, old)
        self._change("rename", old, new, content)

    def remove(self, path: str) -> None:
        if path in self._tree.names:
            if self._tree.names[path] is DIRECTORY:
                raise _error(IsADirectoryError, errno.EISDIR, path)
            self._change("remove", path, "", None)

    def sync_directory(self, path: str) -> None:
        if path and path not in self._tree.names:
            raise _error(FileNotFoundError, errno.ENOENT, path)
        self.begin("sync directory", path)
        self.check_power()
        self._tree.sync(path)

    def try_hold(self) -> bool:
        return not self.is_copied

    def end_hold(self) -> None:
        pass


def _error(kind: type[OSError], number: int, path: str) -> OSError:
    return kind(number, os.strerror(number), path)


class SimulatedFile(File):
    """One open file of a simulated disk."""

    def __init__(self, disk: SimulatedDisk, path: str, content: Content, writable: bool) -> None:
        self._disk = disk
        self._path = path
        self._content: Content | None = content
        self._writable = writable

    def _open(self, to_write: bool = False) -> Content:
        self._disk.check_power()
        if self._content is None or (to_write and not self._writable):
            raise _error(OSError, errno.EBADF, self._path)
        return self._content

    def read(self, offset: int, size: int) -> bytes:
        content = self._open()
        self._disk.fail("read", self._path)
        return bytes(content.data[offset : offset + size])

    def write(self, offset: int, pieces: list[bytes]) -> None:
        content = self._open(to_write=True)
        data = b"".join(pieces)
        part = data[: self._disk.random.randint(0, len(data))]
        try:
            is_last = self._disk.begin("write", self._path)
        except OSError:
            _put(content, offset, part)
            raise
        room = max(0, len(content.data) + self._disk.room_bytes - offset)
        _put(content, offset, part if is_last else data[:room])
        self._disk.check_power()
        if len(data) > room:
            raise _error(OSError, errno.ENOSPC, self._path)

    def sync(self) -> None:
        content = self._open()
        try:
            self._disk.begin("sync", self._path)
        except OSError:
            content.fail_sync(self._disk.random)
            raise
        self._disk.check_power()
        content.sync()

    def allocate(self, size: int) -> None:
        content = self._open(to_write=True)
        if size > len(content.data):
            self._disk.begin("allocate", self._path)
            if size - len(content.data) > self._disk.room_bytes:
                raise _error(OSError, errno.ENOSPC, self._path)
            content.change(0, None, size)
            self._disk.check_power()

    def truncate(self, size: int) -> None:
        content = self._open(to_write=True)
        self._disk.begin("truncate", self._path)
        content.change(0, None, size)
        self._disk.check_power()

    def size(self) -> int:
        return len(self._open().data)

    def will_read(self, offset: int, size: int) -> None:
        self._open()

    def close(self) -> None:
        self._content = None


def _put(content: Content, offset: int, data: bytes) -> None:
    if data:
        content.change(offset, data, max(len(content.data), offset + len(data)))
