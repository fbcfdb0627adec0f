"""Pace: so many steps a second, and others have their turns in between."""

import asyncio
from time import perf_counter

from supersoniq.management.pace import LAG_SECONDS, Pace

RATE = 200
STEPS = 60


async def steps(rate: int, turns: list[int]) -> float:
    pace = Pace(lambda: turns.append(1), rate)
    start = perf_counter()
    for _ in range(STEPS):
        await pace.moved()
    return perf_counter() - start


def test_steps_are_no_more_than_the_rate() -> None:
    turns: list[int] = []
    taken = asyncio.run(steps(RATE, turns))
    assert taken > STEPS / RATE - LAG_SECONDS
    assert turns


def test_without_a_rate_no_step_waits() -> None:
    turns: list[int] = []
    asyncio.run(steps(0, turns))
    assert turns == []


def test_turn_ends_with_each_slice() -> None:
    turns: list[int] = []

    async def work() -> None:
        pace = Pace(lambda: turns.append(1))
        while len(turns) < 3:
            await pace.breathe()

    asyncio.run(asyncio.wait_for(work(), 30))
    assert len(turns) == 3
