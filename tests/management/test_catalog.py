"""The catalog: queues by name, brought up to date when some have come or gone."""

import asyncio
import random

from tests.session.script import Node

from supersoniq.broker.totals import visible_queues
from supersoniq.management.catalog import INSERTED_MAX, Catalog
from supersoniq.server.slices import SORTED_ITEMS, Slices


def names(node: Node, catalog: Catalog) -> list[bytes]:
    return [queue.name for _, queue in asyncio.run(catalog.queues(node.vhost, Slices()))]


def declare(node: Node, *names: bytes) -> None:
    for name in names:
        node.vhost.declare_queue(name, False, False, False, {}, 0)


def test_queues_come_in_order_and_the_list_is_kept() -> None:
    async def run() -> None:
        node, catalog = Node(), Catalog()
        declare(node, b"b", b"a")
        items = await catalog.queues(node.vhost, Slices())
        assert [queue.name for _, queue in items] == [b"a", b"b"]
        assert await catalog.queues(node.vhost, Slices()) is items

    asyncio.run(run())


def test_what_comes_and_goes_is_noticed() -> None:
    node, catalog = Node(), Catalog()
    queue = node.vhost.declare_queue(b"b", False, False, False, {}, 0)
    assert names(node, catalog) == [b"b"]
    node.vhost.delete_queue(queue, False, False)
    declare(node, b"a")
    assert names(node, catalog) == [b"a"]


def test_queue_that_comes_back_under_its_name_is_the_new_one() -> None:
    node, catalog = Node(), Catalog()
    declare(node, b"a", b"b")
    assert names(node, catalog) == [b"a", b"b"]
    node.vhost.delete_queue(node.vhost.queues[b"a"], False, False)
    declare(node, b"a")
    items = asyncio.run(catalog.queues(node.vhost, Slices()))
    assert [queue for _, queue in items] == [node.vhost.queues[b"a"], node.vhost.queues[b"b"]]


def test_hidden_queues_are_left_out_and_other_virtual_hosts_forgotten() -> None:
    node, catalog = Node(), Catalog()
    node.vhost.open_reply_queue()
    assert names(node, catalog) == []
    declare(node, b"a")
    node.vhost.open_reply_queue()
    assert names(node, catalog) == [b"a"]
    catalog.forget({})
    assert names(node, catalog) == [b"a"]


def test_it_agrees_with_the_node_through_all_that_happens() -> None:
    chance, node, catalog = random.Random(7), Node(), Catalog()
    for number in range(60):
        for _ in range(chance.choice([0, 1, 3, INSERTED_MAX + 10])):
            declare(node, b"%d.%d" % (chance.randrange(10_000), number))
        for queue in chance.sample(visible_queues(node.vhost), min(len(node.vhost.queues), number % 7)):
            node.vhost.delete_queue(queue, False, False)
        assert names(node, catalog) == sorted(queue.name for queue in visible_queues(node.vhost))


def test_lists_that_are_made_at_once_are_all_whole() -> None:
    async def run() -> None:
        node, catalog = Node(), Catalog()
        count = 3 * SORTED_ITEMS
        declare(node, *[b"%d" % (number * 7919 % count) for number in range(count)])
        lists = await asyncio.gather(*[catalog.queues(node.vhost, Slices()) for _ in range(3)])
        assert [len(each) for each in lists] == [count] * 3

    asyncio.run(run())
