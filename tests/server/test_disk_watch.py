"""The disk alarm is on while less than the limit is free, or nobody knows what is, and says so once each."""

import errno
import logging
import shutil
from pathlib import Path

import pytest

from supersoniq.server.disk_watch import DiskWatch, FreeSpace, SystemFreeSpace

LIMIT = 50 << 20
DIRECTORY = Path("/data")


class FakeFreeSpace(FreeSpace):
    """Has free what it is told to, or does not know."""

    def __init__(self) -> None:
        self.free: int | None = LIMIT
        self.asked: list[Path] = []

    def free_bytes(self, directory: Path) -> int:
        self.asked.append(directory)
        if self.free is None:
            raise OSError(errno.EIO, "Input/output error", str(directory))
        return self.free


@pytest.fixture
def space() -> FakeFreeSpace:
    return FakeFreeSpace()


@pytest.fixture
def watch(space: FakeFreeSpace) -> DiskWatch:
    return DiskWatch(LIMIT, DIRECTORY, space)


def test_alarm_is_on_below_the_limit_only(space: FakeFreeSpace, watch: DiskWatch) -> None:
    assert watch.resource == b"disk"
    for free, is_on in ((LIMIT, False), (LIMIT - 1, True), (0, True), (LIMIT, False)):
        space.free = free
        assert watch.check() == is_on
    assert set(space.asked) == {DIRECTORY}


def test_limit_may_change(space: FakeFreeSpace, watch: DiskWatch) -> None:
    assert not watch.check()
    watch.set_limit(LIMIT + 1)
    assert watch.check()
    for space.free in (0, None):
        watch.set_limit(0)
        assert not watch.check()


def test_zero_is_no_limit(space: FakeFreeSpace) -> None:
    space.free = 0
    assert not DiskWatch(0, DIRECTORY, space).check()
    assert not space.asked


def test_operator_is_told_once_of_each_change_and_what_to_do(
    space: FakeFreeSpace, watch: DiskWatch, caplog: pytest.LogCaptureFixture
) -> None:
    for space.free in (LIMIT, 7 << 20, 6 << 20, LIMIT << 1, LIMIT << 1):
        watch.check()
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING]
    assert caplog.messages[0].startswith(
        "disk alarm: 7 MiB free in /data, limit 50 MiB; publishers wait: make"
    )
    assert "disk_free_limit" in caplog.messages[0]
    assert caplog.messages[1] == "disk alarm cleared: 100 MiB free in /data"


def test_unknown_is_an_alarm_until_it_is_known_to_be_enough(
    space: FakeFreeSpace, watch: DiskWatch, caplog: pytest.LogCaptureFixture
) -> None:
    outcomes = []
    for space.free in (None, None, LIMIT - 1, LIMIT):
        outcomes.append(watch.check())
    assert outcomes == [True, True, True, False]
    assert len(caplog.messages) == 2
    assert caplog.messages[0].startswith("disk alarm: free space unknown (Input/output error) in /data")


def test_system_knows_what_is_free_and_says_so_if_not(tmp_path: Path) -> None:
    total, _, _ = shutil.disk_usage(tmp_path)
    assert 0 <= SystemFreeSpace().free_bytes(tmp_path) <= total
    with pytest.raises(OSError, match="No such file"):
        SystemFreeSpace().free_bytes(tmp_path / "nowhere")
