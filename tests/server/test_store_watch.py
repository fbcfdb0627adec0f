"""Publishers wait while the store cannot store or is far behind; the log says which, and not all the time."""

import logging

import pytest

from supersoniq.server.store_watch import (
    BACKLOG_BYTES_MAX,
    SILENT_CHECKS,
    BacklogWatch,
    Storage,
    TroubleWatch,
)

FULL = "no space left on device"


class FakeStorage(Storage):
    """Has the trouble and the backlog it is told to have."""

    def __init__(self) -> None:
        self.text = ""
        self.waiting = 0

    def trouble(self) -> str:
        return self.text

    def backlog_bytes(self) -> int:
        return self.waiting

    def tick(self) -> None:
        raise AssertionError("an alarm asks, it does not have the store work")


@pytest.fixture
def storage() -> FakeStorage:
    return FakeStorage()


def test_both_are_a_shortage_of_disk_to_clients(storage: FakeStorage) -> None:
    assert {TroubleWatch(storage).resource, BacklogWatch(storage).resource} == {b"disk"}


def test_alarm_is_on_while_there_is_trouble(storage: FakeStorage) -> None:
    watch = TroubleWatch(storage)
    outcomes = []
    for storage.text in ("", FULL, FULL, ""):
        outcomes.append(watch.check())
    assert outcomes == [False, True, True, False]


def test_operator_is_told_of_each_trouble_once_and_of_its_end(
    storage: FakeStorage, caplog: pytest.LogCaptureFixture
) -> None:
    watch = TroubleWatch(storage)
    for storage.text in ("", FULL, FULL, "input/output error", "", ""):
        watch.check()
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.ERROR, logging.WARNING]
    assert caplog.messages[0].startswith(f"store alarm: {FULL}; publishers wait")
    assert caplog.messages[1].startswith("store alarm: input/output error; ")
    assert caplog.messages[2] == "store alarm cleared: messages are stored again"


def test_backlog_is_too_much_above_its_bound_until_below_half_of_it(storage: FakeStorage) -> None:
    watch = BacklogWatch(storage, 100)
    outcomes = []
    for storage.waiting in (0, 100, 101, 100, 50, 49, 50, 100, 101):
        outcomes.append(watch.check())
    assert outcomes == [False, False, True, True, True, False, False, False, True]


def test_backlog_that_comes_and_goes_is_logged_seldom_and_not_as_an_error(
    storage: FakeStorage, caplog: pytest.LogCaptureFixture
) -> None:
    watch = BacklogWatch(storage)
    for _ in range(SILENT_CHECKS // 2):
        for storage.waiting in (BACKLOG_BYTES_MAX + 1, 0):
            watch.check()
    assert caplog.messages == [
        "journal alarm: 64 MiB wait to be written, limit 64 MiB; publishers wait for the disk"
    ]
    assert caplog.records[0].levelno == logging.WARNING
    storage.waiting = 2 * BACKLOG_BYTES_MAX
    assert watch.check()
    assert len(caplog.messages) == 2
