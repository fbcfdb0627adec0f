"""An inventory counts what a node would recover."""

from __future__ import annotations

from tests.storage.simulated_disk import SimulatedDisk
from tests.storage.small_node import SmallNode
from tests.storage.tools.stores import SMALL, finished, flipped, restarted, small_store

from supersoniq.broker.definitions import Setting
from supersoniq.storage.tools.inventory import take_inventory

SEGMENT = "segments/0000000001-0000000001"


def test_queues_have_what_is_recovered() -> None:
    disk = small_store()
    node = restarted(disk)
    inventory = take_inventory(disk)
    assert [(queue.vhost, queue.name, queue.messages) for queue in inventory.queues] == [
        ("/", "long", node.vhost.queues[b"long"].ready_count),
        ("/", "short", node.vhost.queues[b"short"].ready_count),
    ]
    bodies = [len(body) for name in (b"long", b"short") for body in node.bodies(name)]
    assert inventory.totals["message_bytes"] == sum(bodies)
    assert inventory.totals["messages"] == len(bodies)


def test_messages_are_counted_where_they_are() -> None:
    long, short = take_inventory(small_store()).queues
    assert (long.journal_messages, long.segment_messages) == (13, 20)
    assert (short.journal_messages, short.segment_messages) == (6, 0)


def test_files_have_live_and_dead_bytes() -> None:
    disk = small_store()
    inventory = take_inventory(disk)
    assert [file.path for file in inventory.journal] == [
        path for path in disk.files() if path.startswith("journal/")
    ]
    for file in inventory.journal:
        assert file.bytes == len(disk.files()[file.path])
        assert 0 <= file.live_bytes <= file.used_bytes == file.live_bytes + file.dead_bytes
    segment = inventory.segments[0]
    assert (segment.path, segment.pages, segment.messages, segment.live_messages) == (SEGMENT, 2, 10, 10)
    assert (segment.live_bytes, segment.dead_bytes) == (714, 0)


def test_message_of_two_queues_lives_once_in_the_journal() -> None:
    node = SmallNode(options=SMALL)
    node.publish(b"x" * 100, node.queue(b"a"), node.queue(b"b"))
    node.rest()
    node.store.stop()
    inventory = take_inventory(finished(node.disk))
    assert [queue.messages for queue in inventory.queues] == [1, 1]
    assert 100 < inventory.totals["live_bytes"] < 200


def test_settled_messages_in_a_segment_are_dead() -> None:
    node = restarted(small_store())
    long = node.vhost.queues[b"long"]
    node.settle(node.take(16, long))
    node.tick()
    segment = take_inventory(node.disk.kill()).segments[0]
    assert (segment.messages, segment.live_messages) == (10, 7)
    assert 0 < segment.live_bytes < segment.bytes


def test_it_says_how_the_last_stop_was() -> None:
    assert take_inventory(small_store()).was_stopped
    assert not take_inventory(small_store(is_stopped=False)).was_stopped


def test_it_counts_starts_exchanges_and_bindings() -> None:
    inventory = take_inventory(small_store())
    assert (inventory.starts, inventory.exchanges, inventory.bindings) == (2, 1, 1)
    assert inventory.settings == 0


def test_it_counts_settings() -> None:
    node = restarted(small_store())
    node.store.declared(Setting("user", "", "guest", b"{}"))
    node.tick()
    assert take_inventory(node.disk.kill()).settings == 1


def test_missing_segment_is_shown_without_bytes() -> None:
    disk = small_store()
    disk.remove(SEGMENT)
    segment = take_inventory(disk).segments[0]
    assert (segment.path, segment.bytes, segment.live_messages) == (SEGMENT, 0, 0)


def test_damage_is_counted() -> None:
    disk = small_store()
    at = disk.files()["journal/0000000001"].index(b"both 2")
    assert take_inventory(flipped(disk, "journal/0000000001", 8 * at)).damages == 1


def test_json_has_sums_and_dead_bytes() -> None:
    shown = take_inventory(small_store()).as_json()
    assert shown["starts"] == 2
    assert shown["totals"] == take_inventory(small_store()).totals
    assert isinstance(shown["journal"], list)
    assert shown["journal"][0].keys() == {"path", "bytes", "used_bytes", "live_bytes", "dead_bytes"}


def test_new_directory_is_empty() -> None:
    inventory = take_inventory(SimulatedDisk())
    assert (inventory.queues, inventory.journal, inventory.segments, inventory.starts) == ([], [], [], 0)
