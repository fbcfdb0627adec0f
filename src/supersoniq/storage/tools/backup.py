"""A backup: a copy of a data directory as it is at one moment, made while the node goes on."""

import os
import sys
from pathlib import Path
from typing import NamedTuple

from supersoniq.storage.contents import Contents, read_contents
from supersoniq.storage.directory import FORMAT_FILE, DataError, check_format
from supersoniq.storage.disk import Disk, File, SystemDisk
from supersoniq.storage.journal_file import JOURNAL
from supersoniq.storage.scan import FileScan
from supersoniq.storage.segments import SEGMENTS, segment_path
from supersoniq.storage.tools.listing import MARKS
from supersoniq.storage.tools.snapshot import Hold, Snapshot, read_whole
from supersoniq.storage.tools.verify import MARKS_READ_TIMES, Problem, broken_marks, verify

COPIED_AT_ONCE = 1 << 20


class DestinationError(Exception):
    """The copy cannot be made there; the text is one line for the operator."""


class Copied(NamedTuple):
    """What a backup has, and what is wrong with it."""

    files: int
    bytes: int
    problems: list[Problem]


def backup(directory: Path, destination: Path) -> Copied:
    """Copy a data directory to one that is empty or not there; raises DataError, DestinationError, OSError.

    A copy that was not finished has no file `format`, and no node starts on it.
    """
    if not directory.is_dir():
        raise DataError(f"data directory {directory} does not exist")
    check_format(directory)
    if destination.resolve().is_relative_to(directory.resolve()):
        raise DestinationError(f"{destination} is inside of the data directory {directory}")
    try:
        destination.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise DestinationError(f"{destination} is no directory") from None
    if any(destination.iterdir()):
        raise DestinationError(f"{destination} is not empty")
    target = SystemDisk(destination)
    with Hold(directory):
        files, size = copy_data(Snapshot(SystemDisk(directory)), target)
    sync_parent(destination)
    return Copied(files, size, verify(target))


def copy_data(source: Disk, target: Disk) -> tuple[int, int]:
    """Copy what the source's journal says is there; returns the number of files and bytes. Raises OSError."""
    contents = read_contents(source)
    copies: list[tuple[str, int]] = [(scan.path, whole_end(contents, scan)) for scan in contents.scans]
    for number, queue in sorted(contents.queues.items()):
        if not queue.is_deleted:
            for segment, place in sorted(queue.segments.items()):
                copies.append((segment_path(True, number, segment), place.size))
    for name in (JOURNAL, SEGMENTS):
        target.make_directory(name)
    size = 0
    for path, end in copies:
        size += _copy_file(source, target, path, end)
    for name in (JOURNAL, SEGMENTS):
        target.sync_directory(name)
    marks = _whole_marks(source)
    if marks:
        size += _write_file(target, MARKS, marks)
    size += _write_file(target, FORMAT_FILE, read_whole(source, FORMAT_FILE))
    target.sync_directory("")
    return len(copies) + (2 if marks else 1), size


def whole_end(contents: Contents, scan: FileScan) -> int:
    """Return where the last batch of a file ends that was written whole."""
    torn = {broken.batch for broken in contents.torn if broken.path == scan.path}
    end = scan.end
    for batch in reversed(scan.batches):
        if batch.head.number not in torn:
            break
        end = batch.head_at
    return end


def _copy_file(source: Disk, target: Disk, path: str, size: int) -> int:
    """Copy the first octets of a file; one that is missing is for `verify` to name."""
    try:
        old = source.open(path, writable=False)
    except FileNotFoundError:
        return 0
    try:
        new = target.open(path, create=True)
        try:
            return _copy(old, new, size)
        finally:
            new.close()
    finally:
        old.close()


def _copy(old: File, new: File, size: int) -> int:
    done = 0
    while done < size:
        data = old.read(done, min(COPIED_AT_ONCE, size - done))
        if not data:
            break
        new.write(done, [data])
        done += len(data)
    new.sync()
    return done


def _write_file(target: Disk, path: str, data: bytes) -> int:
    file = target.open(path, create=True)
    try:
        file.write(0, [data])
        file.sync()
    finally:
        file.close()
    return len(data)


def _whole_marks(source: Disk) -> bytes:
    """Return the marks, read again while one is just being changed."""
    data = b""
    for _ in range(MARKS_READ_TIMES):
        try:
            data = read_whole(source, MARKS)
        except FileNotFoundError:
            return b""
        if not broken_marks(data):
            break
    return data


def sync_parent(path: Path) -> None:
    """Make the name of a directory safe."""
    if sys.platform == "win32":
        return
    fd = os.open(path.resolve().parent, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
