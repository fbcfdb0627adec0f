"""What a node knows again when it starts: everything that was safe, as it was, and no more."""

import contextlib
import errno
from random import Random

import pytest
from tests.storage.batches import flipped, zeroed
from tests.storage.simulated_disk import Fault, PowerLoss, SimulatedDisk
from tests.storage.small_node import KIB, SmallNode
from tests.storage.stepped import SimulatedMarks

from supersoniq.amqp.tables import plain, table_of
from supersoniq.broker.definitions import Setting
from supersoniq.broker.exchanges.base import Exchange
from supersoniq.broker.vhost import VHost
from supersoniq.storage.queue_store import DiskQueueStore
from supersoniq.storage.recovery import EPOCH_CHANCE_BITS, Report, next_epoch
from supersoniq.storage.store import StoreOptions

PAGED = StoreOptions(journal_file_bytes=16 * KIB, segment_bytes=512 * KIB, queue_memory_bytes=1)


def body(number: int) -> bytes:
    return b"%05d" % number + b"x" * 3_000


def picture(node: SmallNode) -> object:
    """All that a node knows; its messages are taken out for that."""
    found: list[object] = []
    for name, vhost in sorted(node.vhosts.items()):
        for exchange in vhost.exchanges.values():
            ends = sorted([repr(_described(binding)) for binding in exchange.bindings.values()])
            found.append((name, exchange.name, exchange.kind, exchange.auto_delete, exchange.internal, ends))
        for queue_name, queue in sorted(vhost.queues.items()):
            arguments = plain(queue.options.arguments)
            found.append((name, queue_name, queue.auto_delete, arguments, int(queue.kept.next_position)))
            while (entry := queue.take(False)) is not None:
                message = entry.message
                found.append((int(entry.position), int(entry.delivery_count), message.address, message.body))
    return found


def _described(binding: object) -> object:
    from supersoniq.broker.exchanges.base import Binding

    assert isinstance(binding, Binding)
    end = binding.destination
    return (end.name, isinstance(end, Exchange), binding.binding_key, plain(binding.arguments))


def furnished() -> SmallNode:
    """A node with a little of everything."""
    node = SmallNode(names=("/", "other"))
    vhost = node.vhost
    queue = node.queue(b"q", arguments=table_of({"x-max-priority": 3, "note": "kept"}), auto_delete=True)
    node.queue(b"transient", durable=False)
    vhost.declare_exchange(b"e", "topic", True, True, False, {})
    vhost.declare_exchange(b"f", "headers", True, False, True, table_of({"alternate-exchange": "e"}))
    vhost.declare_exchange(b"t", "fanout", False, False, False, {})
    vhost.bind(b"e", queue, b"a.*", table_of({"x": 1}))
    vhost.bind(b"e", queue, b"b.*", {})
    vhost.bind(b"f", vhost.exchanges[b"e"], b"", table_of({"x-match": "any", "h": 5}))
    vhost.bind(b"t", queue, b"", {})
    node.vhosts["other"].declare_queue(b"q", True, False, False, {}, 0)
    node.publish_all([b"one", b"two", b"three"], queue)
    node.put_back(node.take(2, queue))
    node.rest()
    return node


def test_everything_is_as_it_was() -> None:
    node = furnished()
    again = node.killed()
    assert (again.report.queues, again.report.exchanges, again.report.bindings) == (2, 2, 3)
    assert (again.report.messages, again.report.damages, again.report.torn_bytes) == (3, [], 0)
    assert not {b"t", b"transient"} & {*again.vhost.exchanges, *again.vhost.queues}
    assert repr(again.seen()) == "[1: b'one' x1, 2: b'two' x1, 3: b'three' x0]"
    queue = again.vhost.queues[b"q"]
    assert queue.auto_delete
    assert plain(queue.options.arguments) == {"x-max-priority": 3, "note": "kept"}
    assert queue.durable
    assert again.vhosts["other"].queues[b"q"].ready_count == 0


def test_settings_are_known_again() -> None:
    node = SmallNode()
    for name, value in [("a", b"1"), ("b", b"2"), ("a", b"3"), ("c", b"4")]:
        node.store.declared(Setting("user", "", name, value))
    node.store.removed(Setting("user", "", "c", b""))
    node.rest()
    for again in (node.killed(), node.without_power()):
        found = {setting.name: setting.value for setting in again.store.settings()}
        assert found == {"a": b"3", "b": b"2"}


def test_recovering_twice_is_the_same_as_once() -> None:
    node = furnished()
    first = node.killed()
    second = SmallNode(first.disk.copy(), first.options, first.marks.copy(), ("/", "other"))
    assert picture(first) == picture(second)


@pytest.mark.parametrize("at", range(1, 25))
def test_recovery_that_is_interrupted_anywhere_is_done_by_the_next_node(at: int) -> None:
    node = furnished()
    wanted = picture(SmallNode(node.disk.copy(), node.options, node.marks.copy(), ("/", "other")))
    disk = node.disk.copy()
    disk.power_until, disk.is_torn = at, at % 2 == 0
    with contextlib.suppress(PowerLoss):
        SmallNode(disk, node.options, node.marks.copy(), ("/", "other"))
    again = SmallNode(disk.crash(Random(at)), node.options, node.marks.copy(), ("/", "other"))
    assert again.report.damages == []
    assert picture(again) == wanted


def test_empty_directory_is_a_node_without_anything() -> None:
    node = SmallNode()
    assert str(node.report).startswith("recovered 0 messages in 0 queues in 0.0")
    assert node.report.was_stopped
    assert node.killed().report.messages == 0


def test_report_says_what_was_lost() -> None:
    report = Report()
    report.messages, report.queues, report.seconds = 5, 2, 1.234
    assert str(report) == "recovered 5 messages in 2 queues in 1.23 s"
    report.torn_bytes = 17
    report.damages = ["a", "b"]
    assert str(report) == (
        "recovered 5 messages in 2 queues in 1.23 s, dropped 17 bytes of torn tail, found 2 damaged places"
    )


def test_virtual_hosts_that_are_not_configured_are_made() -> None:
    node = furnished()
    again = SmallNode(node.disk.kill(), node.options, node.marks.kill())
    assert again.made == ["other"]
    assert set(again.vhosts) == {"/", "other"}
    assert b"q" in again.vhosts["other"].queues


def test_what_was_restored_can_be_used_and_deleted_like_anything_else() -> None:
    node = furnished().killed()
    vhost: VHost = node.vhost
    queue = vhost.queues[b"q"]
    queues = vhost.route(b"\x01e\x03a.b", b"").queues
    assert queues == [queue]
    node.publish(b"four", *queues)
    vhost.delete_exchange(b"e", False)
    node.rest()
    node = node.killed()
    assert b"e" not in node.vhost.exchanges
    assert not node.vhost.exchanges[b"f"].bindings
    assert node.bodies() == [b"one", b"two", b"three", b"four"]
    node.vhost.delete_queue(node.vhost.queues[b"q"], False, False)
    node.rest()
    node = node.killed()
    assert b"q" not in node.vhost.queues


# Order and positions


def test_positions_are_never_used_again() -> None:
    node = SmallNode()
    seen: set[int] = set()
    for index in range(6):
        node.publish_all([b"%d" % index] * 3)
        node.rest()
        positions = {int(entry.position) for entry in node.take(3)}
        assert not positions & seen
        seen |= positions
        node.settle([entry for _, entry in node.in_hand])
        node.tick()
        node = [node.killed, node.stopped, node.without_power][index % 3]()
        node.queue()


def test_messages_of_journal_and_pages_and_those_that_were_carried_are_in_order() -> None:
    node = SmallNode(options=PAGED)
    queue = node.queue()
    churned = node.queue(b"churn")
    wanted: list[bytes] = []
    for number in range(900):
        node.publish(body(number), queue)
        node.turn.finish()
        if number % 50 == 0:
            node.publish(b"c" * 5_000, churned)
            node.rest()
            node.consume(1, churned)
            node.tick()
        wanted.append(body(number))
    held = node.take(400, queue)
    node.settle(held[::2])
    node.put_back(held[1::2])
    node.rest()
    node.tick(4)
    wanted = wanted[1:400:2] + wanted[400:]
    for _ in range(3):
        node = node.killed()
        assert node.report.damages == []
        seen = node.seen()
        assert [each.body for each in seen] == wanted
        assert [each.position for each in seen] == sorted({each.position for each in seen})
        node.put_back([entry for _, entry in node.in_hand])
        node.tick(3)


def test_queue_that_does_not_fit_in_memory_is_paged_out_while_it_is_recovered() -> None:
    node = SmallNode(options=StoreOptions(journal_file_bytes=4_000 * KIB, queue_memory_bytes=0))
    node.queue()
    node.publish_all([body(number) for number in range(900)])
    node.rest()
    node = SmallNode(node.disk.kill(), PAGED, node.marks.kill())
    assert node.queue().memory_bytes < 600_000
    node.rest()
    assert SmallNode(node.disk.copy(), PAGED).bodies() == [body(number) for number in range(900)]
    assert node.bodies() == [body(number) for number in range(900)]


# Redelivered


def test_what_was_delivered_comes_back_as_redelivered_after_a_kill() -> None:
    node = SmallNode()
    node.publish_all([b"x"] * 4)
    node.rest()
    node.take(2)
    node.end_turn()
    assert [each.times for each in node.killed().seen()] == [1, 1, 0, 0]


def test_what_the_journal_knows_to_be_delivered_is_redelivered_after_a_power_loss() -> None:
    node = SmallNode()
    node.publish_all([b"x"] * 4)
    node.take(2)
    node.tick()
    node.take(1)
    node.end_turn()
    assert [each.times for each in node.without_power().seen()] == [1, 1, 0, 0]
    again = node.without_power()
    again.tick()
    assert [each.times for each in again.without_power().seen()] == [1, 1, 0, 0]


@pytest.mark.parametrize("mark", [(1, -1), (77, -1)])
def test_everything_is_redelivered_where_a_mark_cannot_be_read(
    mark: tuple[int, int], caplog: pytest.LogCaptureFixture
) -> None:
    """A broken mark may not even say whose it is."""
    node = SmallNode()
    node.publish_all([b"x"] * 3)
    node.rest()
    node = SmallNode(node.disk.kill(), node.options, SimulatedMarks({0: mark}))
    assert [each.times for each in node.seen()] == [1, 1, 1]
    assert "the mark of queue 'q' cannot be read: all is redelivered" in caplog.text


def test_mark_of_a_queue_that_is_gone_is_no_trouble() -> None:
    node = SmallNode()
    node.publish_all([b"x"])
    node.rest()
    node = SmallNode(node.disk.kill(), node.options, SimulatedMarks({0: (1, 0), 1: (99, 5)}))
    assert [each.times for each in node.seen()] == [0]


def test_counts_are_kept_over_several_restarts() -> None:
    node = SmallNode()
    node.publish_all([b"x", b"y"])
    for times in range(1, 5):
        node.put_back(node.take(1))
        node.tick()
        node = [node.killed, node.stopped, node.without_power][times % 3]()
        assert [int(entry.delivery_count) for entry in node.queue().in_memory()] == [times, 0]


# What a power loss leaves of a batch


def test_later_queue_of_a_name_is_the_one_that_is_there() -> None:
    """The record of the deletion is torn, that of the declaration behind it is not."""
    node = SmallNode()
    queue = node.queue()
    node.publish(b"old")
    node.rest()
    start = int(node.store.journal.file.size) + 48
    node.vhost.delete_queue(queue, False, False)
    node.publish(b"new")
    node.rest()
    path = node.store.journal.file.name
    disk = node.disk.kill()
    disk.put(path, zeroed(disk.files()[path], start, start + 13))
    again = SmallNode(disk, node.options)
    assert (again.report.queues, again.report.damages) == (1, [])
    assert again.bodies() == [b"new"]
    again.vhost.delete_queue(again.queue(), False, False)
    again.rest()
    assert again.killed().vhost.queues == {}


def test_binding_that_lost_an_end_does_not_come_back_with_the_next_queue_of_that_name() -> None:
    node = SmallNode()
    queue = node.queue()
    node.vhost.declare_exchange(b"e", "fanout", True, False, False, {})
    node.vhost.bind(b"e", queue, b"", {})
    node.rest()
    start = int(node.store.journal.file.size) + 48
    node.vhost.delete_queue(queue, False, False)
    node.rest()
    path = node.store.journal.file.name
    disk = node.disk.kill()
    disk.put(path, zeroed(disk.files()[path], start, start + 13))
    again = SmallNode(disk, node.options)
    assert again.report.damages == []
    assert again.vhost.queues == {}
    again.queue()
    again.rest()
    assert not again.killed().vhost.exchanges[b"e"].bindings


def test_epochs_are_never_the_same_even_if_nothing_of_one_was_safe() -> None:
    epochs = [next_epoch(0) for _ in range(100)]
    assert len(set(epochs)) == 100
    assert {epoch >> EPOCH_CHANCE_BITS for epoch in epochs} == {1}
    assert next_epoch(epochs[0]) >> EPOCH_CHANCE_BITS == 2
    assert next_epoch((1 << 62) - 1) < 1 << 63


# Damage


def test_every_bit_that_is_flipped_in_a_small_store_is_told() -> None:
    node = SmallNode()
    node.publish_all([b"one", b"two"])
    node.rest()
    node.settle(node.take(1))
    node.tick()
    node.publish_all([b"three"])
    node.rest()
    path, size = node.store.journal.file.name, int(node.store.journal.file.size)
    data = node.disk.files()[path]
    for bit in range(0, 8 * size, 3):
        disk = node.disk.copy()
        disk.put(path, flipped(data, bit))
        other = SmallNode(disk, node.options)
        assert other.report.damages or other.report.torn_bytes, bit
        lost = 3 - (other.report.messages if other.vhost.queues else 2)
        assert lost <= 2, bit


def test_segments_without_an_owner_are_removed_and_set_aside_after_damage() -> None:
    node = SmallNode(options=PAGED)
    node.queue()
    node.publish_all([body(number) for number in range(300)])
    node.rest()
    disk = node.disk.kill()
    disk.put("segments/0000000099-0000000001", b"orphan")
    assert "segments/0000000099-0000000001" not in SmallNode(disk.copy(), PAGED).disk.files()
    for path in disk.files():
        if path.startswith("journal"):
            disk.remove(path)
    disk.put("segments/0000000099-0000000001", b"orphan")
    before = {path for path in disk.files() if path.startswith("segments")}
    other = SmallNode(disk, PAGED)
    assert other.report.damages == ["the journal is missing or empty, though there are segments"]
    assert {path.replace("damaged/", "segments/") for path in disk.files() if "damaged" in path} == before


def test_journal_files_that_a_power_loss_left_empty_are_removed_unless_there_is_damage() -> None:
    node = SmallNode()
    node.publish_all([b"x"] * 3)
    node.rest()
    disk = node.disk.kill()
    empty = [f"journal/{number:010d}" for number in (7, 8, 1_000)]
    for path in empty:
        disk.put(path, bytes(2_000))
    other = SmallNode(disk.copy())
    assert other.bodies() == [b"x"] * 3
    assert not set(empty) & set(other.disk.files())
    disk.put("segments/0000000099-0000000001", b"orphan")
    disk.remove("journal/0000000001")
    assert set(empty) <= set(SmallNode(disk).disk.files())


def test_missing_segment_is_told_and_the_rest_is_there() -> None:
    node = SmallNode(options=PAGED)
    node.queue()
    node.publish_all([body(number) for number in range(700)])
    node.rest()
    node.tick(4)
    disk = node.disk.kill()
    path = next(path for path in disk.files() if path.startswith("segments"))
    disk.remove(path)
    other = SmallNode(disk, PAGED)
    assert other.report.damages == [f"{path}: the segment is missing"]
    bodies = other.bodies()
    assert len(bodies) > 300
    assert bodies == sorted(bodies)
    assert other.queue().ready_count == 0
    other.tick(4)


def test_pages_of_queues_that_do_not_last_are_gone() -> None:
    node = SmallNode(options=PAGED)
    queue = node.queue(durable=False)
    node.publish_all([body(number) for number in range(300)], queue)
    node.rest()
    assert [path for path in node.disk.files() if path.startswith("spool")]
    again = node.killed()
    assert again.vhost.queues == {}
    assert [path for path in again.disk.files() if path.startswith("spool")] == []


def test_directory_that_cannot_be_read_is_an_error() -> None:
    node = furnished()
    disk = node.disk.kill()
    disk.faults.append(Fault(errno.EIO, "read", path="journal"))
    with pytest.raises(OSError, match="Input/output error"):
        SmallNode(disk, node.options)


def test_nothing_is_given_back_before_everything_is_known() -> None:
    """While the journal is read, files seem to be empty whose messages have not been seen yet."""
    node = SmallNode(SimulatedDisk(), StoreOptions(journal_file_bytes=2 * KIB, queue_memory_bytes=0))
    one, two = node.queue(b"one"), node.queue(b"two")
    for name, count in ((two, 8), (one, 16)):
        for number in range(count):
            node.publish(b"%d" % number + b"x" * 400, name)
            node.rest()
    node.vhost.delete_queue(two, False, False)
    node.rest()
    node.tick(5)
    for _ in range(4):
        node = node.killed()
        assert node.report.damages == []
        node.tick(2)
        assert SmallNode(node.disk.copy(), node.options).vhost.queues[b"one"].ready_count == 16


def test_restored_queue_goes_on_with_its_number() -> None:
    node = furnished().killed()
    kept = node.vhost.queues[b"q"].kept
    assert isinstance(kept, DiskQueueStore)
    assert (kept.number, int(kept.next_position), int(kept.delivered_last)) == (1, 4, 2)
