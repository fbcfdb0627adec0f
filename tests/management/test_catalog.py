"""The catalog: queues by name, made anew when some have come or gone."""

from tests.session.script import Node

from supersoniq.management.catalog import Catalog


def names(node: Node, catalog: Catalog) -> list[bytes]:
    return [queue.name for _, queue in catalog.queues(node.vhost)]


def test_queues_come_in_order_and_the_list_is_kept() -> None:
    node, catalog = Node(), Catalog()
    for name in (b"b", b"a"):
        node.vhost.declare_queue(name, False, False, False, {}, 0)
    assert names(node, catalog) == [b"a", b"b"]
    assert catalog.queues(node.vhost) is catalog.queues(node.vhost)


def test_what_comes_and_goes_is_noticed() -> None:
    node, catalog = Node(), Catalog()
    queue = node.vhost.declare_queue(b"b", False, False, False, {}, 0)
    assert names(node, catalog) == [b"b"]
    node.vhost.delete_queue(queue, False, False)
    node.vhost.declare_queue(b"a", False, False, False, {}, 0)
    assert names(node, catalog) == [b"a"]


def test_hidden_queues_are_left_out_and_other_virtual_hosts_forgotten() -> None:
    node, catalog = Node(), Catalog()
    node.vhost.open_reply_queue()
    assert names(node, catalog) == []
    catalog.forget({})
    assert names(node, catalog) == []
