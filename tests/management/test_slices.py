"""Slices: long work lets others go on."""

import asyncio
from time import perf_counter

from supersoniq.management.slices import SLICE_SECONDS, Slices

WORK_SECONDS = 0.1


async def work() -> None:
    slices = Slices()
    end = perf_counter() + WORK_SECONDS
    while perf_counter() < end:
        await slices.breathe()


async def turns_of_others() -> int:
    count = 0
    async with asyncio.TaskGroup() as group:
        busy = group.create_task(work())
        while not busy.done():
            count += 1
            await asyncio.sleep(0)
    return count


def test_others_have_their_turns_meanwhile() -> None:
    assert asyncio.run(turns_of_others()) > WORK_SECONDS / SLICE_SECONDS / 10
