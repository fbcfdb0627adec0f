"""What is listed of a queue is what a node recovers of it, in the same order."""

from __future__ import annotations

import pytest
from tests.storage.simulated_disk import SimulatedDisk
from tests.storage.simulation import Node, Simulation
from tests.storage.small_node import SmallNode
from tests.storage.stepped import SimulatedMarks
from tests.storage.tools.stores import (
    SMALL,
    finished,
    flipped,
    restarted,
    small_store,
    store_with_levels,
    write_page,
)

from supersoniq.amqp.properties import Properties
from supersoniq.amqp.spec import FLAG_CONTENT_TYPE, FLAG_MESSAGE_ID
from supersoniq.amqp.tables import table_of
from supersoniq.broker.message import Entry, Message, address_of
from supersoniq.storage.contents import read_contents
from supersoniq.storage.tools.listing import (
    Listed,
    as_json,
    kept_pages,
    live_records,
    messages_of,
    queue_numbers,
)

Shown = tuple[int, bytes, int]


def listed(disk: SimulatedDisk, name: bytes) -> list[Shown]:
    contents = read_contents(disk)
    number = queue_numbers(contents)[("/", name)]
    return [
        (int(each.entry.position), each.entry.message.body, int(each.entry.delivery_count))
        for each in messages_of(disk, contents, number)
    ]


def recovered(node: SmallNode, name: bytes) -> list[Shown]:
    return [(seen.position, seen.body, seen.times) for seen in node.seen(name)]


@pytest.mark.parametrize("name", [b"long", b"short"])
def test_list_is_what_is_recovered(name: bytes) -> None:
    disk = small_store()
    disk.remove("marks")
    assert listed(disk, name) == recovered(restarted(disk), name)


@pytest.mark.parametrize("seed", range(12))
def test_list_after_a_crash_is_what_is_recovered(seed: int) -> None:
    simulation = Simulation(seed)
    for _ in range(3):
        simulation.live()
    disk = simulation.disk.kill()
    node = Node(disk.copy(), SimulatedMarks(), simulation.options)
    contents = read_contents(disk)
    for (_, name), number in queue_numbers(contents).items():
        queue = node.vhost.queues[name]
        found: list[Shown] = []
        while (entry := queue.take(True)) is not None:
            found.append((int(entry.position), entry.message.body, int(entry.delivery_count)))
        shown = [
            (int(each.entry.position), each.entry.message.body, int(each.entry.delivery_count))
            for each in messages_of(disk, contents, number)
        ]
        assert shown == found, name


def test_messages_with_priorities_are_listed_in_the_order_in_which_they_came() -> None:
    disk = store_with_levels()
    shown = listed(disk, b"levels")
    assert [position for position, _, _ in shown] == sorted({position for position, _, _ in shown})
    assert len(shown) == 250 - 15
    assert shown == sorted(recovered(restarted(disk), b"levels"))
    contents = read_contents(disk)
    pages = kept_pages(disk, 1, contents.queues[1])
    in_journal = list(live_records(disk, contents))
    assert sum([page.live for page in pages]) + len(in_journal) == len(shown)
    assert sum([page.live for page in pages]) > 150


def test_message_that_was_delivered_is_listed_as_redelivered() -> None:
    times = [count for _, _, count in listed(small_store(), b"short")]
    assert times == [1, 0, 0, 0, 0, 0]


def test_mark_that_cannot_be_read_has_all_listed_as_redelivered() -> None:
    times = [count for _, _, count in listed(flipped(small_store(), "marks", 8 * 48 + 100), b"short")]
    assert times == [1] * 6


def test_page_that_was_being_moved_is_listed_once() -> None:
    node = SmallNode(options=SMALL)
    kept = node.queue().kept
    write_page(kept, 5)
    kept.next_position -= 5
    write_page(kept, 5)
    node.rest()
    node.store.stop()
    assert [position for position, _, _ in listed(finished(node.disk), b"q")] == [1, 2, 3, 4, 5]


def test_messages_of_a_deleted_queue_do_not_live() -> None:
    node = SmallNode(options=SMALL)
    queue = node.queue()
    node.publish_all([b"x"] * 3)
    node.vhost.delete_queue(queue, False, False)
    node.rest()
    disk = finished(node.disk)
    contents = read_contents(disk)
    assert (queue_numbers(contents), list(live_records(disk, contents))) == ({}, [])


def test_transient_messages_in_pages_are_not_kept() -> None:
    disk = small_store()
    contents = read_contents(disk)
    pages = kept_pages(disk, 1, contents.queues[1])
    assert [page.live for page in pages] == [5, 5, 5, 5]
    assert contents.queues[1].covered.pairs() == [(16, 35)]


def shown(body: bytes, header: bytes, times: int = 0) -> dict[str, object]:
    entry = Entry(Message(address_of(b"ex", b"key \xff"), header, body, True), 7)
    entry.delivery_count = times
    return as_json(Listed(entry, "journal/0000000001", 48))


def test_message_is_shown_with_all_it_has() -> None:
    properties = Properties()
    properties.values = {FLAG_CONTENT_TYPE: b"text/plain", FLAG_MESSAGE_ID: b"m"}
    properties.delivery_mode, properties.priority, properties.timestamp = 2, 3, 1 << 40
    properties.change_headers(table_of({"a": [1, None, {"b": "c"}]}))
    assert shown("Grüße".encode(), properties.content_header(7), 2) == {
        "position": 7,
        "exchange": "ex",
        "routing_key": "key \udcff",
        "persistent": True,
        "redelivered": True,
        "delivery_count": 2,
        "properties": {
            "content_type": "text/plain",
            "message_id": "m",
            "headers": {"a": [1, None, {"b": "c"}]},
            "delivery_mode": 2,
            "priority": 3,
            "timestamp": 1 << 40,
        },
        "body": "Grüße",
        "file": "journal/0000000001",
        "offset": 48,
    }


def test_body_that_is_no_text_is_base64() -> None:
    message = shown(b"\xff\0", Properties().content_header(2))
    assert message["body_base64"] == "/wA="
    assert "body" not in message
