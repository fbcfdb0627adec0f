"""What survives a power loss: of a file's content, and of the names of files.

Both are kept twice, as a reader sees them and as they are safe, with the changes that lie between.
"""

from __future__ import annotations

import os
from random import Random
from typing import NamedTuple

SECTOR_BYTES = 512
PAGE_BYTES = 4096


class Change(NamedTuple):
    """A change of a file's content: `data` written at `offset`, or a new size if there is no data."""

    offset: int
    data: bytes | None
    size: int  # of the file, once it is done


class Content:
    """What is in a file, whatever its name."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = bytearray(data)
        self.changes: list[Change] = []
        self._safe = bytearray(data)

    def copy(self) -> Content:
        """The same, not yet safe changes included."""
        other = Content()
        other.data, other._safe, other.changes = self.data[:], self._safe[:], self.changes[:]
        return other

    def has_unsafe_data(self) -> bool:
        """Whether anything that was written is not safe."""
        return any([change.data is not None for change in self.changes])

    def change(self, offset: int, data: bytes | None, size: int) -> None:
        """Make a change that is not safe yet."""
        self.changes.append(Change(offset, data, size))
        _apply(self.data, offset, data, size)

    def sync(self) -> None:
        """All changes are safe."""
        for offset, data, size in self.changes:
            _apply(self._safe, offset, data, size)
        self.changes.clear()

    def fail_sync(self, random: Random) -> None:
        """Some changes are safe and the others will never be, though a reader still sees them."""
        self._safe = self.found(random)
        self.changes.clear()

    def found(self, random: Random) -> bytearray:
        """What may be found after a power loss.

        Sizes change in order, so the first few changes of it hold. A sector holds the first few of its own
        changes, none of them later than a cut that was lost.
        """
        count = len(self.changes)
        image = self._safe[:]
        if not count:
            return image
        style = random.choice(["nothing", "all", "first changes", "first sectors", "any sectors"])
        sized = {"nothing": 0, "all": count}.get(style, random.randint(0, count))
        limits = _Limits(random, style, count, sized, len(self.data))
        latest = self._latest(sized)
        for index, (offset, data, size) in enumerate(self.changes):
            if data is None:
                if index < sized and size < len(image):
                    del image[size:]
                continue
            for start, end, limit in limits.parts(offset, offset + len(data)):
                if index < min(limit, latest):
                    _apply(image, start, data[start - offset : end - offset], len(image))
        _apply(image, 0, None, self.changes[sized - 1].size if sized else len(self._safe))
        return image

    def _latest(self, sized: int) -> int:
        """How many changes can be found if the sizes are those after the first `sized`."""
        size = self.changes[sized - 1].size if sized else len(self._safe)
        for index in range(sized, len(self.changes)):
            if self.changes[index].size < size:
                return index
            size = self.changes[index].size
        return len(self.changes)


class _Limits:
    """How many of the changes each sector has seen."""

    def __init__(self, random: Random, style: str, count: int, sized: int, size: int) -> None:
        self._random = random
        self._style = style
        self._count = count
        self._sized = sized
        self._bytes = random.choice([SECTOR_BYTES, PAGE_BYTES])
        self._first_lost = random.randint(0, size // self._bytes)
        self._probability = random.choice([0.1, 0.5, 0.9])
        self._limits: dict[int, int] = {}

    def parts(self, start: int, end: int) -> list[tuple[int, int, int]]:
        """What lies between, sector by sector: from where, to where, and how many changes it has seen."""
        parts: list[tuple[int, int, int]] = []
        while start < end:
            sector = start // self._bytes
            stop = min(end, (sector + 1) * self._bytes)
            if sector not in self._limits:
                self._limits[sector] = self._drawn(sector)
            parts.append((start, stop, self._limits[sector]))
            start = stop
        return parts

    def _drawn(self, sector: int) -> int:
        if self._style == "first sectors":
            return self._count if sector < self._first_lost else 0
        if self._style != "any sectors":
            return self._sized
        if self._random.random() < 0.1:
            return self._random.randint(0, self._count)
        return self._count if self._random.random() < self._probability else 0


def _apply(image: bytearray, offset: int, data: bytes | None, size: int) -> None:
    if data is not None:
        if len(image) < offset:
            image.extend(bytes(offset - len(image)))
        image[offset : offset + len(data)] = data
    elif size < len(image):
        del image[size:]
    if len(image) < size:
        image.extend(bytes(size - len(image)))


# A directory stands among the names as one of these.
DIRECTORY = None
Names = dict[str, Content | None]


class NameChange(NamedTuple):
    """`new` came to name `content`, and `old`, if there is one, ceased to name anything."""

    old: str
    new: str
    content: Content | None

    def paths(self) -> set[str]:
        """The names that it is about."""
        return {path for path in (self.old, self.new) if path}

    def is_in(self, directory: str) -> bool:
        """Whether a name in this directory changed."""
        return any([os.path.dirname(path) == directory for path in self.paths()])

    def apply(self, names: Names) -> None:
        """Change the names."""
        if self.old:
            names.pop(self.old, None)
        if self.new:
            names[self.new] = self.content


class Tree:
    """The names of all files and directories."""

    def __init__(self) -> None:
        self.names: Names = {}
        self.changes: list[NameChange] = []
        self._safe: Names = {}

    def put(self, path: str, content: Content | None) -> None:
        """Have a name, safely, and the directories above it."""
        parent = os.path.dirname(path)
        if parent and parent not in self.names:
            self.put(parent, DIRECTORY)
        self.names[path] = self._safe[path] = content

    def change(self, old: str, new: str, content: Content | None) -> None:
        """Make a change that is not safe yet."""
        change = NameChange(old, new, content)
        change.apply(self.names)
        self.changes.append(change)

    def sync(self, directory: str) -> None:
        """All changes in a directory are safe, with those that they build on."""
        needed: set[str] = set()
        safe: list[NameChange] = []
        rest: list[NameChange] = []
        for change in reversed(self.changes):
            if change.is_in(directory) or needed & change.paths():
                needed |= change.paths()
                safe.append(change)
            else:
                rest.append(change)
        for change in reversed(safe):
            change.apply(self._safe)
        self.changes = rest[::-1]

    def copy(self) -> Tree:
        """The same, with copies of all files."""
        copies: dict[int, Content] = {}

        def copied(content: Content | None) -> Content | None:
            if content is None:
                return None
            if id(content) not in copies:
                copies[id(content)] = content.copy()
            return copies[id(content)]

        other = Tree()
        other.names = {path: copied(content) for path, content in self.names.items()}
        other._safe = {path: copied(content) for path, content in self._safe.items()}
        other.changes = [change._replace(content=copied(change.content)) for change in self.changes]
        return other

    def found(self, random: Random) -> Tree:
        """What may be found after a power loss, all of it safe by that.

        The first few changes hold, or any so that each has those that it builds on.
        """
        found = dict(self._safe)
        for change in self._kept(random):
            change.apply(found)
        other = Tree()
        contents: dict[int, Content] = {}
        for path, content in found.items():
            if not is_reachable(found, path):
                continue
            if content is not None and id(content) not in contents:
                contents[id(content)] = Content(bytes(content.found(random)))
            other.names[path] = None if content is None else contents[id(content)]
        other._safe = dict(other.names)
        return other

    def _kept(self, random: Random) -> list[NameChange]:
        count = len(self.changes)
        if random.random() < 0.6:
            return self.changes[: random.choice([0, count, random.randint(0, count)])]
        lost: set[str] = set()
        kept: list[NameChange] = []
        probability = random.random()
        for change in self.changes:
            if lost & change.paths() or random.random() > probability:
                lost |= change.paths()
            else:
                kept.append(change)
        return kept


def is_reachable(names: Names, path: str) -> bool:
    """Whether the directory that a path is in exists."""
    parent = os.path.dirname(path)
    return not parent or (parent in names and names[parent] is None and is_reachable(names, parent))
