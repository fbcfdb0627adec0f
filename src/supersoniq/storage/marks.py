"""Marks: up to which position each durable queue has handed out messages, kept where a crash cannot outrun
it.

A message that was delivered, and whose settlement is not in the journal, must come back with its redelivered
flag. The journal hears of deliveries too late for that when the process is killed: what was sent to a
consumer may not have been written yet. A mark is changed in a mapped file before the delivery is sent,
without a system call, and survives the process. After a power loss it may be older; the journal's own records
are what counts then.

    mark | queue 8 | position 8 | crc 4 | nothing 4 |     at 24 x slot
"""

import contextlib
import logging
import mmap
import os
import struct
from abc import ABC, abstractmethod
from pathlib import Path

from mypy_extensions import mypyc_attr

from supersoniq.storage.checksums import crc32

logger = logging.getLogger(__name__)

MARK = struct.Struct(">qqI4x")
PAIR = struct.Struct(">qq")
SLOTS_AT_ONCE = 4096


@mypyc_attr(allow_interpreted_subclasses=True)
class Marks(ABC):
    """The marks of a node. Slots are numbered from 0."""

    @abstractmethod
    def load(self) -> dict[int, int]:
        """Return the position of each queue that has a mark, -1 for one that cannot be read."""

    @abstractmethod
    def reset(self, slots: int) -> None:
        """Begin new marks, with room for `slots` of them; the old ones count until `replace`."""

    @abstractmethod
    def replace(self) -> None:
        """Have the new marks count instead of the old ones."""

    @abstractmethod
    def set(self, slot: int, queue: int, position: int) -> None:
        """Set a mark."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the file."""


class MappedMarks(Marks):
    """Marks in a mapped file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._current = path  # of the marks that are set
        self._slots = 0
        self._is_in_memory = False
        self._map: mmap.mmap | None = None

    def load(self) -> dict[int, int]:
        """Read the file, if there is one."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        return read_marks(data)

    def reset(self, slots: int) -> None:
        """Make a new file beside the old one."""
        self.close()
        self._slots = 0
        self._current = self._path.with_name(self._path.name + ".new")
        self._current.unlink(missing_ok=True)
        try:
            self._grow(slots)
        except OSError:
            # On a full disk the space of the old file has to do.
            self._current.unlink(missing_ok=True)
            if not self._path.exists() or self._path.stat().st_size < _places(slots) * MARK.size:
                raise
            self._current = self._path
            self._slots = _places(slots)
            self._map = mmap.mmap(-1, self._slots * MARK.size)
            self._is_in_memory = True

    def replace(self) -> None:
        """Give the new file the name of the old one, or write what is in memory over that."""
        if self._is_in_memory:
            self._is_in_memory = False
            assert self._map is not None
            data = self._map[:]
            fd = os.open(self._path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
            try:
                os.ftruncate(fd, len(data))
                os.write(fd, data)
                self.close()
                self._map = mmap.mmap(fd, len(data))
            finally:
                os.close(fd)
        elif self._current != self._path:
            os.replace(self._current, self._path)
            self._current = self._path

    def _grow(self, slots: int) -> None:
        slots = _places(slots)
        fd = os.open(self._current, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o640)
        try:
            # Space that is only promised would end the process when the disk is full (SIGBUS).
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(fd, 0, slots * MARK.size)
            else:
                os.ftruncate(fd, slots * MARK.size)
            self.close()
            self._map = mmap.mmap(fd, slots * MARK.size)
        finally:
            os.close(fd)
        self._slots = slots

    def set(self, slot: int, queue: int, position: int) -> None:
        """Write it; a mark that is torn by a crash reads as -1.

        On a full disk there may be no room for it.
        """
        if slot >= self._slots:
            with contextlib.suppress(OSError):
                self._grow(slot)
        if self._map is None or slot >= self._slots:
            return
        MARK.pack_into(self._map, slot * MARK.size, queue, position, crc32(PAIR.pack(queue, position), 0))

    def close(self) -> None:
        """Unmap it."""
        if self._map is not None:
            self._map.close()
            self._map = None


def _places(slots: int) -> int:
    """Return for how many slots a file has room that is to have `slots` of them."""
    return (slots // SLOTS_AT_ONCE + 1) * SLOTS_AT_ONCE


def is_whole_mark(data: bytes) -> bool:
    """Whether the octets are a mark, or a place for one that was never set."""
    if len(data) < MARK.size:
        return False
    queue, position, crc = MARK.unpack(data)
    if any(data[MARK.size - 4 :]):
        return False
    return not any(data) or crc == crc32(PAIR.pack(queue, position), 0)


def packed_mark(queue: int, position: int) -> bytes:
    """Return a mark as it stands in the file."""
    return MARK.pack(queue, position, crc32(PAIR.pack(queue, position), 0))


def read_marks(data: bytes) -> dict[int, int]:
    """Return the marks in the octets of the file."""
    marks: dict[int, int] = {}
    for at in range(0, len(data) - MARK.size + 1, MARK.size):
        queue, position, crc = MARK.unpack_from(data, at)
        if queue or position or crc:
            is_whole = crc == crc32(PAIR.pack(queue, position), 0)
            marks[queue] = position if is_whole else -1
    return marks
