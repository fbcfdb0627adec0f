"""Whose a data directory is, and in which format: one clear line for whatever is wrong with it."""

import os
from pathlib import Path

import pytest

from supersoniq.storage.directory import (
    FORMAT,
    FORMAT_FILE,
    DataError,
    check_format,
    format_line,
    open_directory,
)


def refusal(directory: Path) -> str:
    """The one line with which a directory is refused; it can be locked afterwards."""
    with pytest.raises(DataError) as caught:
        open_directory(directory)
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_empty_directory_is_given_the_format_of_this_version(tmp_path: Path) -> None:
    open_directory(tmp_path).release()
    assert (tmp_path / FORMAT_FILE).read_text() == format_line(FORMAT) == f"supersoniq data format {FORMAT}\n"
    assert sorted(os.listdir(tmp_path)) == [FORMAT_FILE, "lock"]
    open_directory(tmp_path).release()


def test_directory_is_locked_until_it_is_released(tmp_path: Path) -> None:
    lock = open_directory(tmp_path)
    assert refusal(tmp_path).endswith(f"is in use by process {os.getpid()}")
    lock.release()
    open_directory(tmp_path).release()


def test_missing_directory_is_refused_and_not_made(tmp_path: Path) -> None:
    assert "does not exist" in refusal(tmp_path / "missing")
    assert not (tmp_path / "missing").exists()


@pytest.mark.parametrize("number", [FORMAT + 1, 99, 10**30])
def test_newer_format_is_refused_and_left_alone(tmp_path: Path, number: int) -> None:
    (tmp_path / FORMAT_FILE).write_text(format_line(number))
    line = refusal(tmp_path)
    assert f"has format {number}, written by a newer supersoniq; this one reads up to {FORMAT}" in line
    assert (tmp_path / FORMAT_FILE).read_text() == format_line(number)


WORDS = b"supersoniq data format"
OTHERS = [b"", b" x\n", b" -1", b" 0\n", b" 1.5", b" \xb2"]
NO_FORMATS = [b"", b"\n", b"1\n", *[WORDS + rest for rest in OTHERS]]


@pytest.mark.parametrize("content", [*NO_FORMATS, b"\xff\xfe\x00"])
def test_file_that_says_no_format_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FORMAT_FILE).write_bytes(content)
    assert refusal(tmp_path) == (
        f"{tmp_path / FORMAT_FILE} does not say a format: expected 'supersoniq data format {FORMAT}'"
    )


def test_journal_without_a_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    assert refusal(tmp_path) == f"data directory {tmp_path} has a journal but no file {FORMAT_FILE}"
    assert not (tmp_path / FORMAT_FILE).exists()


def test_format_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / FORMAT_FILE).mkdir()
    assert refusal(tmp_path) == f"data directory {tmp_path} cannot be read: is a directory"


def test_format_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / f"{FORMAT_FILE}.new").mkdir()
    assert refusal(tmp_path) == f"data directory {tmp_path} cannot be written: is a directory"


def test_directory_that_is_refused_is_not_locked(tmp_path: Path) -> None:
    (tmp_path / FORMAT_FILE).write_text(format_line(FORMAT + 1))
    refusal(tmp_path)
    (tmp_path / FORMAT_FILE).write_text(format_line(FORMAT))
    open_directory(tmp_path).release()


def test_tools_do_not_make_a_data_directory_of_any(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"is no data directory: it has no file {FORMAT_FILE}"):
        check_format(tmp_path)
    assert os.listdir(tmp_path) == []
    (tmp_path / FORMAT_FILE).write_text(format_line(FORMAT))
    check_format(tmp_path)
