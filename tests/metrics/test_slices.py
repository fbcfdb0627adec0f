"""Long work lets the loop do other things."""

import asyncio

from supersoniq.metrics.slices import ITEMS, Slices


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
