"""Publishing at a fixed rate."""

import asyncio
import sys
import time
from collections import deque

import pytest

from supersoniq.perf.pacing import BusyPoll, Pacer, Ticks


class Publishers:
    """Notes stamps; refuses while told to."""

    def __init__(self, wanted: int) -> None:
        self.stamps: list[int] = []
        self.is_refusing = False
        self.refused = asyncio.Event()
        self.done = asyncio.Event()
        self._wanted = wanted

    def publish_at(self, stamp: int) -> bool:
        if self.is_refusing:
            self.refused.set()
            return False
        self.stamps.append(stamp)
        if len(self.stamps) >= self._wanted:
            self.done.set()
        return True


def test_rate_is_never_exceeded_and_stamps_are_the_times_of_publishing() -> None:
    async def test() -> None:
        publishers = Publishers(50)
        pacer = Pacer([publishers], 5000, stamped=True)
        began_ns = time.monotonic_ns()
        pacer.start()
        await asyncio.wait_for(publishers.done.wait(), 5)
        pacer.stop()
        ended_ns = time.monotonic_ns()
        assert publishers.stamps == sorted(publishers.stamps)
        assert publishers.stamps[-1] <= ended_ns
        assert all(stamp - began_ns >= 200_000 * number for number, stamp in enumerate(publishers.stamps, 1))

    asyncio.run(test())


def test_publishers_take_turns() -> None:
    async def test() -> None:
        publishers = [Publishers(10), Publishers(10)]
        pacer = Pacer(publishers, 20_000, stamped=False)
        pacer.start()
        for publisher in publishers:
            await asyncio.wait_for(publisher.done.wait(), 5)
        pacer.stop()
        assert abs(len(publishers[0].stamps) - len(publishers[1].stamps)) <= 1
        assert set(publishers[0].stamps) == {0}

    asyncio.run(test())


def test_message_that_had_to_wait_says_when_it_was_due() -> None:
    async def test() -> None:
        publishers = Publishers(20)
        publishers.is_refusing = True
        pacer = Pacer([publishers], 2000, stamped=True)
        pacer.start()
        began_ns = time.monotonic_ns()
        await asyncio.wait_for(publishers.refused.wait(), 5)
        await asyncio.sleep(0.005)
        publishers.is_refusing = False
        await asyncio.wait_for(publishers.done.wait(), 5)
        pacer.stop()
        assert publishers.stamps[0] - began_ns < 1_000_000 + 500_000
        assert publishers.stamps == sorted(set(publishers.stamps))

    asyncio.run(test())


def test_event_loop_s_timer_serves_where_there_is_no_timer_file(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        ticked = asyncio.Event()
        ticks = Ticks(ticked.set)
        ticks.start(1_000_000)
        ticked.clear()
        await asyncio.wait_for(ticked.wait(), 5)
        ticks.stop()

    monkeypatch.setattr(sys, "platform", "elsewhere")
    asyncio.run(test())


def test_no_tick_comes_after_stop() -> None:
    async def test() -> None:
        count = 0

        def tick() -> None:
            nonlocal count
            count += 1
            ticks.stop()

        ticks = Ticks(tick)
        ticks.start(100_000)
        async with asyncio.timeout(5):
            while not count:
                await asyncio.sleep(0)
        ticks.stop()
        await asyncio.sleep(0.002)
        assert count == 1

    asyncio.run(test())


def test_busy_poll_runs_until_it_is_stopped() -> None:
    async def test() -> None:
        loop = asyncio.get_running_loop()
        busy_poll = BusyPoll()
        busy_poll.start()
        for _ in range(3):
            await asyncio.sleep(0)
            assert has_something_to_do(loop)
        busy_poll.stop()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not has_something_to_do(loop)

    asyncio.run(test())


def has_something_to_do(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether the loop would not sleep now."""
    ready: deque[object] = loop._ready  # type: ignore[attr-defined]
    return bool(ready)
