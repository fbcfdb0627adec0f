"""The data directory: whose it is, and in which format its files are."""

import os
from pathlib import Path

from supersoniq.storage.lock import DirectoryLock, LockError

# 1: journal, segments and marks as `records.py`, `definitions.py` and `marks.py` draw them.
# 2: messages may say when they expire, and pages when the first of theirs does.
# 3: the journal has settings: users, permissions, policies, and what else operators set.
# 4: as 3, which one wrong bit makes 1 or 2. This one it makes nothing that was ever a format.
# To change a layout, count this up, to what no wrong bit makes an older one (the next is 8), write the new
# number when a directory is opened, and go on reading the old layout; tests/storage/data has a directory of
# each format.
FORMAT = 4
FORMAT_FILE = "format"
_WORDS = "supersoniq data format "


class DataError(Exception):
    """The data directory cannot be used; the text is one line for the operator."""


class NewerFormatError(DataError):
    """A later version wrote the data directory."""


def open_directory(directory: Path) -> DirectoryLock:
    """Lock a data directory and check its format, which an empty one is given; raises DataError."""
    try:
        lock = DirectoryLock(directory)
    except LockError as error:
        raise DataError(str(error)) from None
    try:
        check_format(directory, is_new_allowed=True)
    except BaseException:
        lock.release()
        raise
    return lock


def check_format(directory: Path, is_new_allowed: bool = False) -> None:
    """Raise DataError unless the directory has a format that this version reads."""
    path = directory / FORMAT_FILE
    try:
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        if (directory / "journal").exists():
            raise DataError(f"data directory {directory} has a journal but no file {FORMAT_FILE}") from None
        if not is_new_allowed:
            raise DataError(f"{directory} is no data directory: it has no file {FORMAT_FILE}") from None
        _write_format(directory)
        return
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataError(f"data directory {directory} cannot be read: {reason}") from None
    number = text.removeprefix(_WORDS)
    if not text.startswith(_WORDS) or not number.isdigit() or int(number) < 1:
        raise DataError(f"{path} does not say a format: expected '{_WORDS}{FORMAT}'")
    if int(number) > FORMAT:
        raise NewerFormatError(
            f"data directory {directory} has format {number}, written by a newer supersoniq; "
            f"this one reads up to {FORMAT}"
        )
    if int(number) < FORMAT and is_new_allowed:
        _write_format(directory)


def format_line(number: int) -> str:
    """Return what the file `format` has to say."""
    return f"{_WORDS}{number}\n"


def _write_format(directory: Path) -> None:
    try:
        temporary = directory / f"{FORMAT_FILE}.new"
        with temporary.open("w", encoding="ascii") as file:
            file.write(format_line(FORMAT))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(directory / FORMAT_FILE)
        fd = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataError(f"data directory {directory} cannot be written: {reason}") from None
