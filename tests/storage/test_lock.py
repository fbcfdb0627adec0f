"""The data directory's lock, against other holders in this process and in another one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from supersoniq.storage.lock import DirectoryLock, LockError

HOLD = """
import pathlib, sys
from supersoniq.storage.lock import DirectoryLock
lock = DirectoryLock(pathlib.Path(sys.argv[1]))
print('held', flush=True)
sys.stdin.read()
"""


def test_lock_file_names_the_owner(tmp_path: Path) -> None:
    with DirectoryLock(tmp_path) as lock:
        assert lock.path.read_text() == f"{os.getpid()}\n"


def test_second_lock_is_refused_with_the_owner(tmp_path: Path) -> None:
    with DirectoryLock(tmp_path), pytest.raises(LockError) as caught:
        DirectoryLock(tmp_path)
    assert str(caught.value) == f"data directory {tmp_path} is in use by process {os.getpid()}"


def test_refused_lock_leaves_the_owner_in_the_file(tmp_path: Path) -> None:
    with DirectoryLock(tmp_path) as lock:
        with pytest.raises(LockError):
            DirectoryLock(tmp_path)
        assert lock.path.read_text() == f"{os.getpid()}\n"


def test_released_directory_can_be_locked_again(tmp_path: Path) -> None:
    lock = DirectoryLock(tmp_path)
    lock.release()
    lock.release()
    DirectoryLock(tmp_path).release()


def test_lock_of_a_killed_process_is_gone(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(LockError, match=f"in use by process {holder.pid}$"):
            DirectoryLock(tmp_path)
        holder.kill()
    DirectoryLock(tmp_path).release()


def test_missing_directory_is_refused_and_not_created(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    with pytest.raises(LockError, match=f"^data directory {missing} does not exist: create it or "):
        DirectoryLock(missing)
    assert not missing.exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_directory_without_write_permission_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(LockError, match=f"^data directory {tmp_path} cannot be used: permission denied$"):
        DirectoryLock(tmp_path)


def test_lock_that_is_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(LockError, match=r"cannot be used: is a directory$"):
        DirectoryLock(tmp_path)
