"""Slices: long work lets others go on."""

import asyncio
from collections.abc import Iterator
from itertools import count, repeat
from time import perf_counter

from supersoniq.server.slices import ITEMS, PAUSE_SECONDS, SLICE_SECONDS, SORTED_ITEMS, Slices, in_order

WORK_SECONDS = 0.1


async def work() -> None:
    slices = Slices()
    end = perf_counter() + WORK_SECONDS
    while perf_counter() < end:
        await slices.breathe()


async def turns_of_others() -> int:
    turns = 0
    async with asyncio.TaskGroup() as group:
        busy = group.create_task(work())
        while not busy.done():
            turns += 1
            await asyncio.sleep(0)
    return turns


def test_others_have_their_turns_meanwhile() -> None:
    assert asyncio.run(turns_of_others()) > WORK_SECONDS / SLICE_SECONDS / 10


def test_there_are_real_pauses_while_clients_have_turns() -> None:
    async def rests(turns: Iterator[int]) -> float:
        slices = Slices(lambda: next(turns))
        began = perf_counter()
        for _ in range(20):
            await slices.rest()
        return perf_counter() - began

    assert asyncio.run(rests(count())) >= 19 * PAUSE_SECONDS
    assert asyncio.run(rests(repeat(7))) < 19 * PAUSE_SECONDS


def test_many_are_sorted_in_slices() -> None:
    numbers = [(number * 7919) % 10_007 for number in range(SORTED_ITEMS * 5 + 3)]
    ranked = [((0, number), index) for index, number in enumerate(numbers)]
    assert asyncio.run(in_order(ranked, Slices())) == sorted(ranked)


def test_items_are_sorted_by_a_key_and_equal_ones_stay_in_their_order() -> None:
    items = [(number % 7, number) for number in range(SORTED_ITEMS * 3 + 1)]
    assert asyncio.run(in_order(items, Slices(), lambda item: item[0])) == sorted(items)
    assert asyncio.run(in_order([], Slices())) == []


def test_each_item_comes_once_and_others_have_their_turns_meanwhile() -> None:
    async def run() -> tuple[list[int], int]:
        turns = 0

        def other() -> None:
            nonlocal turns
            turns += 1
            asyncio.get_running_loop().call_soon(other)

        other()
        found = [item async for item in Slices(seconds=0.0).each(range(10 * ITEMS))]
        return found, turns

    found, turns = asyncio.run(run())
    assert found == list(range(10 * ITEMS))
    assert turns >= 10


def test_short_work_is_not_interrupted() -> None:
    async def run() -> int:
        turns = 0

        def other() -> None:
            nonlocal turns
            turns += 1

        asyncio.get_running_loop().call_soon(other)
        async for _ in Slices(seconds=60.0).each(range(1000)):
            pass
        return turns

    assert asyncio.run(run()) == 0
