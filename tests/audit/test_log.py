"""The file has a line for each record, whatever the disk and the operator do meanwhile."""

import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.audit.schema import lines

from supersoniq.audit.log import AuditLog

NOW_MS = 1_700_000_000_123


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.log"


@pytest.fixture
def audit(path: Path) -> Iterator[AuditLog]:
    audit = AuditLog(path, 0, 1, lambda: NOW_MS)
    audit.start()
    yield audit
    audit.stop()


def emit(audit: AuditLog, *names: str) -> None:
    for name in names:
        audit.emit("user.created", {"name": name, "user_who_performed_action": "ann"})


def users(path: Path) -> list[str]:
    return [record["object"]["name"] for record in lines(path)]


def test_each_record_is_a_line(audit: AuditLog, path: Path) -> None:
    emit(audit, "a", "b\n", "ü", "\udcff")
    audit.emit("channel.created", {})
    audit.stop()
    assert users(path) == ["a", "b\n", "ü", "\udcff"]
    assert "ü" in path.read_text("utf-8")


def test_file_is_its_owners_only(audit: AuditLog, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_new_records_are_added_to_those_of_before(path: Path) -> None:
    for name in ("a", "b"):
        audit = AuditLog(path, 0, 1, lambda: NOW_MS)
        audit.start()
        emit(audit, name)
        audit.stop()
    assert users(path) == ["a", "b"]


def test_file_that_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        AuditLog(tmp_path / "missing" / "audit.log", 0, 1, lambda: NOW_MS)


def test_files_are_turned_over_by_size_and_the_oldest_goes(path: Path) -> None:
    audit = AuditLog(path, 1_000, 3, lambda: NOW_MS)
    audit.start()
    names = [str(number) for number in range(100)]
    emit(audit, *names)
    audit.stop()
    files = [path.with_name("audit.log" + suffix) for suffix in (".2", ".1", "")]
    assert all([0 < file.stat().st_size <= 1_000 for file in files])
    assert not path.with_name("audit.log.3").exists()
    kept = [name for file in files for name in users(file)]
    assert kept == names[-len(kept) :]


def test_file_that_was_moved_away_is_made_anew(audit: AuditLog, path: Path) -> None:
    emit(audit, "a")
    wait_for(lambda: users(path) == ["a"])
    path.rename(path.with_name("old.log"))
    audit.reopen()
    emit(audit, "b")
    audit.stop()
    assert (users(path.with_name("old.log")), users(path)) == (["a"], ["b"])


def test_nothing_is_heard_before_the_start_and_after_the_stop(path: Path) -> None:
    audit = AuditLog(path, 0, 1, lambda: NOW_MS)
    emit(audit, "early")
    assert not audit.is_heard()
    audit.start()
    assert audit.is_heard()
    audit.stop()
    emit(audit, "late")
    assert not audit.is_heard()
    assert users(path) == []


def test_what_is_too_much_is_counted(path: Path) -> None:
    audit = AuditLog(path, 0, 1, lambda: NOW_MS, waiting_max=5)
    audit.start()
    count = 0
    while audit.dropped < 3:  # faster than any disk, sooner or later
        emit(audit, str(count))
        count += 1
    dropped = audit.dropped
    wait_for(lambda: len(lines(path)) == count - dropped)
    emit(audit, "kept")
    audit.stop()
    *before, first, second = lines(path)
    assert len(before) == count - dropped
    assert (first["event"], first["detail"]) == ("audit.lost", {"count": dropped})
    assert second["object"]["name"] == "kept"


def test_disk_that_fails_is_logged_once_and_when_it_works_again(
    audit: AuditLog, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.unlink()
    path.mkdir()
    audit.reopen()
    emit(audit, "a", "b", "c")
    wait_for(lambda: audit.lost == 3)
    path.rmdir()
    emit(audit, "d")
    audit.stop()
    assert users(path) == ["d"]
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert "3 records are lost" in caplog.text


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until the thread has got there."""
    waiter = threading.Event()
    for _ in range(3_000):
        if condition():
            return
        waiter.wait(0.01)
    raise AssertionError("it did not come about")
