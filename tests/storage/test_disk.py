"""Both disks keep the port's contract; the operating system's is used as it should be."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.storage.simulated_disk import SimulatedDisk

from supersoniq.storage import disk as disks
from supersoniq.storage.disk import Disk, SystemDisk

pwritev_only = pytest.mark.skipif(not hasattr(os, "pwritev"), reason="needs pwritev")
unix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs flock")


@pytest.fixture(params=["system", "simulated"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Disk:
    return SystemDisk(tmp_path) if request.param == "system" else SimulatedDisk()


def content(disk: Disk, path: str) -> bytes:
    file = disk.open(path, writable=False)
    data = file.read(0, file.size() + 1)
    file.close()
    return data


def put(disk: Disk, path: str, data: bytes) -> None:
    file = disk.open(path, create=True)
    file.write(0, [data])
    file.close()


def test_pieces_are_written_one_after_the_other(disk: Disk) -> None:
    file = disk.open("f", create=True)
    file.write(0, [b"one ", b"", b"two"])
    file.write(4, [b"2", b"."])
    file.sync()
    assert (file.read(0, 7), file.read(4, 2), file.size()) == (b"one 2.o", b"2.", 7)


def test_nothing_to_write_is_fine(disk: Disk) -> None:
    file = disk.open("f", create=True)
    file.write(0, [])
    file.write(10, [b""])
    assert file.size() == 0


def test_more_pieces_than_the_system_takes_at_once_are_written(disk: Disk) -> None:
    pieces = [b"%d." % number for number in range(disks.PIECES_MAX + 1)]
    file = disk.open("f", create=True)
    file.write(0, pieces)
    file.write(file.size(), pieces[:-1])
    assert content(disk, "f") == b"".join(pieces + pieces[:-1])


def test_read_ends_where_the_file_does(disk: Disk) -> None:
    put(disk, "f", b"12345")
    file = disk.open("f")
    assert (file.read(3, 10), file.read(5, 1), file.read(9, 1), file.read(0, 0)) == (b"45", b"", b"", b"")


def test_gap_before_a_write_is_zeros(disk: Disk) -> None:
    file = disk.open("f", create=True)
    file.write(3, [b"x"])
    assert content(disk, "f") == b"\0\0\0x"


def test_allocation_grows_a_file_with_zeros_and_never_cuts_it(disk: Disk) -> None:
    file = disk.open("f", create=True)
    file.write(0, [b"x"])
    file.allocate(100_000)
    file.allocate(10)
    assert content(disk, "f") == b"x" + bytes(99_999)


def test_truncation_cuts_and_grows(disk: Disk) -> None:
    put(disk, "f", b"12345")
    file = disk.open("f")
    file.truncate(2)
    file.truncate(4)
    assert content(disk, "f") == b"12\0\0"


def test_reading_ahead_changes_nothing(disk: Disk) -> None:
    put(disk, "f", b"12345")
    file = disk.open("f")
    file.will_read(0, 1 << 20)
    assert file.read(0, 5) == b"12345"


def test_second_close_does_nothing(disk: Disk) -> None:
    file = disk.open("f", create=True)
    file.close()
    file.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        file.read(0, 1)


def test_missing_file_is_not_found_unless_it_is_to_be_created(disk: Disk) -> None:
    with pytest.raises(FileNotFoundError):
        disk.open("f")
    with pytest.raises(FileNotFoundError):
        disk.open("d/f", create=True)
    disk.open("f", create=True).close()
    assert content(disk, "f") == b""


def test_opening_to_create_keeps_what_is_there(disk: Disk) -> None:
    put(disk, "f", b"old")
    disk.open("f", create=True).close()
    assert content(disk, "f") == b"old"


def test_file_that_is_opened_for_reading_is_not_written(disk: Disk) -> None:
    put(disk, "f", b"old")
    file = disk.open("f", writable=False)
    with pytest.raises(OSError, match="Bad file descriptor"):
        file.write(0, [b"new"])
    assert content(disk, "f") == b"old"


def test_names_are_sorted_and_those_of_no_directory_are_none(disk: Disk) -> None:
    disk.make_directory("d/e")
    for name in ("d/b", "d/a", "d/e/x"):
        put(disk, name, b"")
    assert (disk.names("d"), disk.names("d/e"), disk.names("nowhere")) == (["a", "b", "e"], ["x"], [])
    assert disk.names("") == ["d"]


def test_directory_that_exists_may_be_made_again(disk: Disk) -> None:
    disk.make_directory("d/e")
    disk.make_directory("d/e")
    disk.make_directory("d")
    assert disk.names("d") == ["e"]


def test_rename_replaces_what_has_the_name(disk: Disk) -> None:
    disk.make_directory("d")
    put(disk, "a", b"1")
    put(disk, "d/b", b"2")
    disk.rename("a", "d/b")
    assert (disk.names(""), content(disk, "d/b")) == (["d"], b"1")


def test_missing_file_cannot_be_renamed(disk: Disk) -> None:
    with pytest.raises(FileNotFoundError):
        disk.rename("a", "b")


def test_file_that_is_open_stays_usable_under_its_new_name_and_none(disk: Disk) -> None:
    put(disk, "a", b"1")
    file = disk.open("a")
    disk.rename("a", "b")
    file.write(1, [b"2"])
    assert content(disk, "b") == b"12"
    disk.remove("b")
    file.write(2, [b"3"])
    assert file.read(0, 3) == b"123"
    assert disk.names("") == []


def test_missing_file_may_be_removed(disk: Disk) -> None:
    disk.remove("a")
    put(disk, "a", b"")
    disk.remove("a")
    assert disk.names("") == []


def test_directories_can_be_synced(disk: Disk) -> None:
    disk.make_directory("d")
    disk.sync_directory("")
    disk.sync_directory("d")
    with pytest.raises(FileNotFoundError):
        disk.sync_directory("e")


def test_hold_is_had_again_and_again(disk: Disk) -> None:
    for _ in range(3):
        assert disk.try_hold()
        disk.end_hold()


@unix_only
def test_hold_is_not_had_while_somebody_copies(tmp_path: Path) -> None:
    script = (
        "import fcntl, os, sys\n"
        "fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)\n"
        "fcntl.flock(fd, fcntl.LOCK_SH)\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    copier = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "hold")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    disk = SystemDisk(tmp_path)
    try:
        assert copier.stdout is not None
        assert copier.stdout.readline() == "held\n"
        assert not disk.try_hold()
    finally:
        copier.communicate()
    assert disk.try_hold()
    disk.close()
    disk.close()


@pwritev_only
def test_short_write_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writev, write = os.pwritev, os.pwrite
    monkeypatch.setattr(os, "pwritev", lambda fd, pieces, offset: writev(fd, [pieces[0][:1]], offset))
    monkeypatch.setattr(os, "pwrite", lambda fd, data, offset: write(fd, data[:2], offset))
    disk = SystemDisk(tmp_path)
    file = disk.open("f", create=True)
    file.write(1, [b"abc", b"defg"])
    assert content(disk, "f") == b"\0abcdefg"


@pwritev_only
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "f").symlink_to("/dev/full")
    file = SystemDisk(tmp_path).open("f")
    with pytest.raises(OSError, match="No space left"):
        file.write(0, [b"x"])


@unix_only
def test_short_read_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = os.pread
    monkeypatch.setattr(os, "pread", lambda fd, size, offset: read(fd, min(size, 2), offset))
    disk = SystemDisk(tmp_path)
    put(disk, "f", b"12345")
    file = disk.open("f")
    assert (file.read(0, 5), file.read(1, 9), file.read(4, 2), file.read(5, 2)) == (
        b"12345",
        b"2345",
        b"5",
        b"",
    )


@unix_only
def test_files_are_not_inherited_nor_readable_for_everybody(tmp_path: Path) -> None:
    SystemDisk(tmp_path).open("f", create=True)
    assert (tmp_path / "f").stat().st_mode & 0o007 == 0
