"""The clock of a node is the system's, and rings once, when it was asked to last."""

import asyncio
import time
from collections.abc import Callable
from typing import cast

from supersoniq.server.clock import WAIT_SECONDS_MAX, LoopClock


class Handle:
    """A call that can be cancelled."""

    def __init__(self, delay: float, callback: Callable[[], object]) -> None:
        self.delay = delay
        self.callback = callback
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class Loop:
    """Notes what it is to call later."""

    def __init__(self) -> None:
        self.handles: list[Handle] = []

    def call_later(self, delay: float, callback: Callable[[], object]) -> Handle:
        self.handles.append(Handle(delay, callback))
        return self.handles[-1]

    @property
    def pending(self) -> list[Handle]:
        return [handle for handle in self.handles if not handle.is_cancelled]


class Bench:
    """A clock on a loop, and how often it rang."""

    def __init__(self, is_started: bool = True) -> None:
        self.loop = Loop()
        self.clock = LoopClock()
        self.rung = 0
        if is_started:
            self.start()

    def start(self) -> None:
        self.clock.start(cast(asyncio.AbstractEventLoop, self.loop), self._ring)

    def _ring(self) -> None:
        self.rung += 1

    def wake_in(self, milliseconds: int) -> None:
        self.clock.wake(self.clock.now_ms() + milliseconds)


def test_time_is_the_systems_in_milliseconds() -> None:
    before = time.time_ns() // 1_000_000
    now = int(LoopClock().now_ms())
    assert before <= now <= time.time_ns() // 1_000_000


def test_loop_is_asked_for_what_is_left_until_then() -> None:
    bench = Bench()
    bench.wake_in(10_000)
    (handle,) = bench.loop.pending
    assert 9.0 < handle.delay <= 10.0
    handle.callback()
    assert bench.rung == 1


def test_time_that_is_over_rings_at_once() -> None:
    bench = Bench()
    bench.wake_in(-5_000)
    assert [handle.delay for handle in bench.loop.pending] == [0.0]


def test_later_wish_takes_the_place_of_the_earlier_one() -> None:
    bench = Bench()
    for milliseconds in (10_000, 5_000, 20_000):
        bench.wake_in(milliseconds)
    (handle,) = bench.loop.pending
    assert 19.0 < handle.delay <= 20.0


def test_wish_for_never_is_the_end_of_it() -> None:
    bench = Bench()
    bench.wake_in(10_000)
    bench.clock.wake(0)
    assert bench.loop.pending == []


def test_long_wait_is_cut_so_that_a_clock_that_was_set_is_noticed() -> None:
    bench = Bench()
    bench.wake_in(1_000_000_000)
    (handle,) = bench.loop.pending
    assert handle.delay == WAIT_SECONDS_MAX
    handle.callback()
    assert bench.rung == 1


def test_wish_from_before_the_start_is_kept() -> None:
    bench = Bench(is_started=False)
    bench.wake_in(10_000)
    assert bench.loop.handles == []
    bench.start()
    assert len(bench.loop.pending) == 1


def test_clock_without_a_wish_asks_the_loop_for_nothing() -> None:
    assert Bench().loop.handles == []


def test_stopped_clock_rings_no_more() -> None:
    bench = Bench()
    bench.wake_in(10_000)
    bench.clock.stop()
    bench.wake_in(5_000)
    assert bench.loop.pending == []
    bench.clock.stop()


def test_clock_that_has_rung_can_be_asked_again() -> None:
    bench = Bench()
    bench.wake_in(1)
    bench.loop.pending[0].callback()
    bench.wake_in(1)
    assert not bench.loop.handles[1].is_cancelled


def test_it_rings_on_a_real_loop() -> None:
    async def wait() -> float:
        loop, rung = asyncio.get_running_loop(), asyncio.Event()
        clock = LoopClock()
        clock.wake(clock.now_ms() + 20)
        clock.start(loop, rung.set)
        began = time.monotonic()
        await asyncio.wait_for(rung.wait(), 5)
        return time.monotonic() - began

    assert 0.01 < asyncio.run(wait()) < 2
