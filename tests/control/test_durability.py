"""Who waits for a change hears when it is safe, or that the disk did not take it."""

import asyncio

import pytest
from tests.control.site import ALICE, HASH, Site

from supersoniq.control.durability import Awaited
from supersoniq.control.errors import NotStored


async def settled(awaited: Awaited) -> bool:
    await asyncio.sleep(0)
    return awaited.safe.done()


def test_waiting_ends_when_the_sequence_is_safe(site: Site) -> None:
    async def wait() -> None:
        store = site.fake_store
        store.sequence, store.synced = 9, 3
        awaited = Awaited(store, 5)
        assert not await settled(awaited)
        for synced, is_safe in [(4, False), (7, True)]:
            store.synced = synced
            waiters, store.waiters = store.waiters, []
            for waiter in waiters:
                waiter.durable_moved()
            assert await settled(awaited) == is_safe
        awaited.safe.result()
        assert store.waiters == []

    asyncio.run(wait())


def test_what_is_safe_already_is_not_waited_for(site: Site) -> None:
    async def wait() -> None:
        site.fake_store.synced = 5
        await Awaited(site.fake_store, 5).safe
        assert site.fake_store.waiters == []

    asyncio.run(wait())


def test_disk_that_refuses_is_told(site: Site) -> None:
    async def wait() -> None:
        site.fake_store.given_up = 5
        with pytest.raises(NotStored):
            await Awaited(site.fake_store, 5).safe

    asyncio.run(wait())


def test_one_who_has_gone_is_not_told(site: Site) -> None:
    async def wait() -> None:
        awaited = Awaited(site.fake_store, 5)
        awaited.safe.cancel()
        site.fake_store.synced = 9
        awaited.durable_moved()
        assert awaited.safe.cancelled()

    asyncio.run(wait())


def test_administration_ends_the_turn_and_waits(site: Site) -> None:
    async def wait() -> None:
        administration = site.furnish()
        sequence = administration.put_user("ann", HASH, frozenset(), ALICE)
        waiting = asyncio.ensure_future(administration.durable(sequence))
        await asyncio.sleep(0)
        assert site.node.log == ["end of turn"]
        assert not waiting.done()
        site.fake_store.synced = sequence
        site.fake_store.waiters.pop().durable_moved()
        await waiting

    asyncio.run(wait())
