"""Timers fire once, in time, and are set and unset as often as anybody likes."""

from random import Random

from mypy_extensions import i64
from tests.fakes import FakeClock

from supersoniq.broker.timers import StoppedClock, Timer, Timers
from supersoniq.broker.turn import Turn


class Noted(Timer):
    """Notes when it fired, and wants to fire again as `again` says."""

    def __init__(self, *again: int) -> None:
        super().__init__()
        self.fired: list[int] = []
        self.again = list(again)

    def fire(self, now_ms: i64) -> i64:
        self.fired.append(int(now_ms))
        return self.again.pop(0) if self.again else 0


class Desk:
    """Timers with a clock that a test moves."""

    def __init__(self) -> None:
        self.clock = FakeClock(1_000)
        self.turn = Turn(self.clock)
        self.timers = self.turn.timers

    def move(self, milliseconds: int) -> None:
        self.clock.move(self.turn, milliseconds)


def test_timer_fires_once_in_time() -> None:
    desk, timer = Desk(), Noted()
    desk.timers.set(timer, 1_500)
    desk.move(499)
    assert timer.fired == []
    desk.move(1)
    assert (timer.fired, int(timer.due_ms), desk.clock.wanted) == ([1_500], 0, 0)
    desk.move(10_000)
    assert timer.fired == [1_500]


def test_timer_that_is_set_again_forgets_its_earlier_time() -> None:
    desk, timer = Desk(), Noted()
    for at in (1_500, 1_200, 1_900):
        desk.timers.set(timer, at)
    desk.move(5_000)
    assert timer.fired == [1_900]


def test_timer_that_is_unset_does_not_fire() -> None:
    desk, timer, other = Desk(), Noted(), Noted()
    desk.timers.set(timer, 1_500)
    desk.timers.set(other, 1_600)
    desk.timers.set(timer, 0)
    desk.move(5_000)
    assert (timer.fired, other.fired) == ([], [1_600])


def test_timer_says_when_it_wants_to_fire_again() -> None:
    desk, timer = Desk(), Noted(1_700, 1, 0)
    desk.timers.set(timer, 1_100)
    desk.move(650)
    assert timer.fired == [1_100]
    desk.move(1_000)
    assert timer.fired == [1_100, 1_700, 1_700]


def test_time_that_it_sets_itself_counts_if_it_is_the_earlier_one() -> None:
    class Restless(Noted):
        def fire(self, now_ms: i64) -> i64:
            super().fire(now_ms)
            if len(self.fired) == 1:
                desk.timers.set(self, now_ms + 10)
                return now_ms + 500
            return 0

    desk = Desk()
    timer = Restless()
    desk.timers.set(timer, 1_100)
    desk.move(5_000)
    assert timer.fired == [1_100, 1_110]


def test_clock_is_asked_for_the_next_time_only() -> None:
    desk = Desk()
    late, early = Noted(), Noted()
    desk.timers.set(late, 3_000)
    assert desk.clock.wanted == 3_000
    desk.timers.set(early, 2_000)
    assert desk.clock.wanted == 2_000
    desk.move(1_500)
    assert desk.clock.wanted == 3_000


def test_many_timers_fire_in_order() -> None:
    desk, random = Desk(), Random(3)
    timers = [Noted() for _ in range(200)]
    wanted: dict[int, int] = {}
    for _ in range(2_000):
        index, at = random.randrange(200), random.randrange(1_001, 5_000)
        desk.timers.set(timers[index], at)
        wanted[index] = at
    desk.move(10_000)
    assert {index: timer.fired for index, timer in enumerate(timers) if timer.fired} == {
        index: [at] for index, at in wanted.items()
    }


def test_stopped_clock_stands_still() -> None:
    clock = StoppedClock()
    timers, timer = Timers(clock), Noted()
    timers.set(timer, 2)
    clock.wake(5)
    timers.run()
    assert (int(clock.now_ms()), timer.fired) == (1, [])
