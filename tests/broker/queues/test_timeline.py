"""A timeline knows about when each number was given, from few marks."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.definitions import thorough
from tests.fakes import FakeClock

from supersoniq.broker.queues.timeline import MARK_BYTES, MARKS_MAX, NEVER, PAUSE_MS, Marks, Timeline

START = 1_000_000


class Row:
    """Numbers that are given as time goes by, and whose times are remembered here."""

    def __init__(self) -> None:
        self.clock = FakeClock(START)
        self.marks = Marks(self.clock)
        self.timeline = Timeline(self.marks)
        self.times: list[int] = []  # of numbers from 1 on
        self.mark_count = 0

    def give(self, oldest: int = 0) -> None:
        self.times.append(self.clock.now)
        number = len(self.times)
        if number >= self.timeline.next_mark:
            self.mark_count += 1
            self.timeline.mark(number, oldest)

    def wait(self, milliseconds: int) -> None:
        """Let time go by, with a renewal at each full second."""
        end = self.clock.now + milliseconds
        while (second := (self.clock.now // 1000 + 1) * 1000) <= end:
            self.clock.now = second
            self.marks.renew()
        self.clock.now = end

    def error_ms(self, number: int) -> int:
        return abs(int(self.timeline.time_of(number)) - self.times[number - 1])


def test_first_number_is_marked_and_the_next_ones_after_a_pause() -> None:
    row = Row()
    for _ in range(5):
        row.give()
    assert row.mark_count == 1
    assert row.timeline.next_mark == NEVER
    row.wait(1_000)
    row.give()
    row.give()
    assert row.mark_count == 2
    assert [row.error_ms(number) for number in (1, 6)] == [0, 0]


def test_number_that_was_given_before_the_first_mark_is_as_old_as_the_node() -> None:
    row = Row()
    row.wait(5_000)
    row.timeline.mark(100, 0)
    assert row.timeline.time_of(99) == START
    assert row.timeline.time_of(100) == START + 5_000
    assert row.timeline.time_of(101) == START + 5_000


def test_what_comes_after_a_pause_is_marked_so_what_came_before_is_not_thought_younger() -> None:
    row = Row()
    for _ in range(100):
        row.give()
    row.wait(3_600_000)
    row.give()
    assert row.error_ms(100) <= 2 * PAUSE_MS
    assert row.error_ms(101) == 0


@thorough
@given(st.lists(st.integers(0, 3_000), min_size=1, max_size=200))
def test_times_are_known_to_the_second(pauses: list[int]) -> None:
    row = Row()
    for pause in pauses:
        row.wait(pause)
        row.give()
    if len(row.timeline._octets) < MARKS_MAX * MARK_BYTES * 3 // 4:
        assert max(row.error_ms(number) for number in range(1, len(pauses) + 1)) <= 2 * PAUSE_MS


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_of_a_long_time_few_marks_say_enough(seed: int) -> None:
    row, chance = Row(), random.Random(seed)
    for _ in range(4_000):
        row.wait(chance.choice([0, 0, 10, 700, 5_000, 60_000]))
        row.give()
    assert len(row.timeline._octets) <= MARKS_MAX * MARK_BYTES
    span = row.clock.now - START
    for number in range(1, 4_001, 13):
        assert row.error_ms(number) <= max(span // 20, 2 * PAUSE_MS)


def test_marks_that_nobody_will_ask_for_are_dropped() -> None:
    row = Row()
    for _ in range(20):
        row.give(oldest=len(row.times))
        row.wait(1_000)
    assert len(row.timeline._octets) == 2 * MARK_BYTES
    assert row.error_ms(20) == 0
    assert row.error_ms(19) <= PAUSE_MS


def test_pauses_are_short_again_when_the_old_marks_are_gone() -> None:
    row = Row()
    for _ in range(1_000):
        row.give()
        row.wait(1_000)
    slow = row.mark_count
    assert slow < 500
    for _ in range(200):
        row.give(oldest=len(row.times) + 1)
        row.wait(1_000)
    before = row.mark_count
    for _ in range(10):
        row.give(oldest=len(row.times) + 1)
        row.wait(1_000)
    assert row.mark_count == before + 10


def test_clock_that_is_set_back_stops_no_marks() -> None:
    row = Row()
    row.give()
    row.clock.now -= 100_000
    row.marks.renew()
    row.give()
    assert row.mark_count == 2


def test_number_is_marked_or_not() -> None:
    row = Row()
    for _ in range(3):
        row.give()
        row.give()
        row.wait(1_000)
    assert [row.timeline.is_marked(number) for number in range(7)] == [
        False, True, False, True, False, True, False,
    ]  # fmt: skip
    assert [row.timeline.marked_after(number) for number in (0, 1, 2, 4, 5)] == [1, 3, 3, 5, NEVER]
