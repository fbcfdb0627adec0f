"""The memory alarm is on while messages fill the memory, off when they do not, and says so once each."""

import logging

import pytest

from supersoniq.server.memory_watch import Memory, MemoryWatch

LIMIT = 100 << 20


class FakeMemory(Memory):
    """Uses as much as it is told to, of which `free` comes back when it is released."""

    def __init__(self) -> None:
        self.used = 0
        self.messages = 0
        self.free = 0
        self.times_asked = 0
        self.times_released = 0

    def fill(self, used: int, messages: int | None = None, free: int = 0) -> None:
        self.used, self.free = used, free
        self.messages = used if messages is None else messages

    def used_bytes(self) -> int:
        self.times_asked += 1
        return self.used

    def message_bytes(self) -> int:
        return self.messages

    def release(self) -> None:
        self.times_released += 1
        self.used -= self.free
        self.free = 0


@pytest.fixture
def memory() -> FakeMemory:
    return FakeMemory()


@pytest.fixture
def watch(memory: FakeMemory) -> MemoryWatch:
    return MemoryWatch(LIMIT, memory)


def test_limit_that_an_operator_sets_counts_without_messages(memory: FakeMemory, watch: MemoryWatch) -> None:
    memory.fill(LIMIT * 2, messages=0)
    assert not watch.check()
    watch.set_limit(LIMIT)
    assert watch.check()
    watch.set_limit(LIMIT * 3)
    assert not watch.check()


def test_limit_that_is_taken_away_ends_the_alarm(memory: FakeMemory, watch: MemoryWatch) -> None:
    memory.fill(LIMIT * 2)
    assert watch.check()
    watch.set_limit(0)
    assert not watch.check()


def test_alarm_is_on_above_the_limit_only(memory: FakeMemory, watch: MemoryWatch) -> None:
    assert watch.resource == b"memory"
    for used, is_on in ((0, False), (LIMIT, False), (LIMIT + 1, True), (LIMIT, False)):
        memory.fill(used)
        assert watch.check() == is_on


def test_zero_is_no_limit(memory: FakeMemory) -> None:
    memory.fill(LIMIT)
    assert not MemoryWatch(0, memory).check()
    assert memory.times_asked == 0


@pytest.mark.parametrize(
    ("messages", "free", "is_on"),
    [
        (LIMIT // 2 + 1, LIMIT, True),
        (LIMIT // 2, LIMIT, False),
        (LIMIT // 2, 0, True),
        (LIMIT // 4 + 1, 0, True),
        (LIMIT // 4, 0, False),
        (0, 0, False),
    ],
)
def test_over_the_limit_it_depends_on_what_messages_take(
    memory: FakeMemory, watch: MemoryWatch, messages: int, free: int, is_on: bool
) -> None:
    memory.fill(2 * LIMIT, messages, free)
    assert watch.check() == is_on


def test_free_memory_is_given_back_when_it_may_help_only(memory: FakeMemory, watch: MemoryWatch) -> None:
    memory.fill(LIMIT)
    watch.check()
    memory.fill(LIMIT + 1, LIMIT)
    watch.check()
    assert memory.times_released == 0
    memory.fill(LIMIT + 1, 0)
    watch.check()
    assert memory.times_released == 1


def test_operator_is_told_once_of_each_change(
    memory: FakeMemory, watch: MemoryWatch, caplog: pytest.LogCaptureFixture
) -> None:
    for used in (LIMIT << 1, LIMIT << 1, 0, 0):
        memory.fill(used)
        watch.check()
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING]
    assert "memory alarm: 200 MiB used, limit 100 MiB" in caplog.messages[0]
    assert caplog.messages[1] == "memory alarm cleared: 0 MiB used"
