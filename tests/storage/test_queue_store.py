"""What the store keeps of one queue: settlements, deliveries, pages and segments."""

import errno

import pytest
from tests.fakes import message
from tests.storage.simulated_disk import Fault
from tests.storage.small_node import KIB, SmallNode

from supersoniq.broker.message import Entry
from supersoniq.broker.queues.queue import Queue
from supersoniq.storage.journal_file import JournalFile
from supersoniq.storage.queue_store import DiskQueueStore
from supersoniq.storage.records import (
    DELIVERED,
    QUEUE_DELETED,
    RECORD_HEAD_BYTES,
    RETURNED,
    SEGMENT_DROPPED,
    SEGMENT_SYNCED,
    SETTLED,
)
from supersoniq.storage.scan import records_of, scan_file
from supersoniq.storage.store import StoreOptions

PAGED = StoreOptions(journal_file_bytes=64 * KIB, segment_bytes=64 * KIB, queue_memory_bytes=1)
BODY = b"x" * 3_000


def body(number: int) -> bytes:
    return b"%05d" % number + BODY


def records_on(node: SmallNode, *kinds: int) -> list[tuple[int, ...]]:
    """The records of some kinds in the whole journal: kind, queue, and the numbers behind it."""
    found: list[tuple[int, ...]] = []
    for number in node.store.journal.files:
        path = JournalFile(number).name
        data = node.disk.files()[path]
        for batch in scan_file(data, path, number, None).batches:
            for span in records_of(data, batch):
                if data[span.at + 8] in kinds:
                    found.append(_numbers(data[span.at : span.end]))
    return found


def _numbers(record: bytes) -> tuple[int, ...]:
    kind, at = record[8], RECORD_HEAD_BYTES
    sizes = {SETTLED: (4, 8, 8), RETURNED: (4, 8, 4), DELIVERED: (4, 8), QUEUE_DELETED: (4,)}
    numbers = [kind]
    for size in sizes.get(kind, (4, 4, 8)):
        numbers.append(int.from_bytes(record[at : at + size], "big"))
        at += size
    return tuple(numbers)


def kept_of(queue: Queue) -> DiskQueueStore:
    kept = queue.kept
    assert isinstance(kept, DiskQueueStore)
    return kept


def paged_node(count: int = 1_000, durable: bool = True, persistent: bool = True) -> tuple[SmallNode, Queue]:
    """A node with a queue of which most is in segments."""
    node = SmallNode(options=PAGED)
    queue = node.queue(durable=durable)
    node.publish_all([body(number) for number in range(count)], persistent=persistent)
    node.rest()
    node.tick(3)
    assert kept_of(queue).segments
    return node, queue


# Settlements


def test_settlements_of_neighbours_in_one_turn_are_one_record() -> None:
    node = SmallNode()
    node.publish_all([b"x"] * 10)
    node.rest()
    entries = node.take(10)
    node.settle(entries[:4])
    node.settle(entries[5:7])
    node.settle(entries[9:])
    node.tick()
    assert records_on(node, SETTLED) == [(SETTLED, 1, 1, 4), (SETTLED, 1, 6, 7), (SETTLED, 1, 10, 10)]


def test_settlements_wait_for_the_next_batch_or_the_tick() -> None:
    node = SmallNode()
    node.publish_all([b"x"] * 10)
    node.rest()
    node.consume(1)
    node.rest()
    assert records_on(node, SETTLED) == []
    node.publish(b"y")
    node.rest()
    assert records_on(node, SETTLED) == [(SETTLED, 1, 1, 1)]
    node.consume(1)
    node.tick()
    assert len(records_on(node, SETTLED)) == 2


def test_settlement_out_of_order_is_kept_too() -> None:
    node = SmallNode()
    node.publish_all([b"x"] * 5)
    for entry in reversed(node.take(5)):
        node.settle([entry])
    node.tick()
    settled = {
        position for _, _, first, last in records_on(node, SETTLED) for position in range(first, last + 1)
    }
    assert settled == {1, 2, 3, 4, 5}


@pytest.mark.parametrize(("durable", "persistent"), [(True, False), (False, True), (False, False)])
def test_nothing_is_told_of_what_does_not_last(durable: bool, persistent: bool) -> None:
    node = SmallNode()
    queue = node.queue(b"t", durable=durable)
    for _ in range(5):
        assert node.publish(b"x", queue, persistent=persistent) == 0
    node.put_back(node.take(2, queue))
    node.consume(5, queue)
    node.tick(2)
    assert records_on(node, SETTLED, RETURNED, DELIVERED) == []


def test_message_that_is_in_a_durable_and_in_another_queue_lives_for_the_durable_one() -> None:
    node = SmallNode()
    durable, other = node.queue(), node.queue(b"t", durable=False)
    node.publish(b"x", durable, other)
    node.rest()
    live = node.store.journal.file.live
    node.consume(1, other)
    assert node.store.journal.file.live == live
    node.consume(1, durable)
    assert node.store.journal.file.live == live - 1


# Deliveries


def test_mark_is_set_at_the_end_of_the_turn_in_which_a_message_was_delivered() -> None:
    node = SmallNode()
    node.publish_all([b"x"] * 5)
    node.take(3)
    assert node.marks.load().get(1, 0) == 0
    node.end_turn()
    assert node.marks.load()[1] == 3


def test_mark_never_falls_when_older_messages_are_delivered_again() -> None:
    node = SmallNode()
    node.publish_all([b"x"] * 5)
    node.put_back(node.take(4))
    node.take(1)
    node.end_turn()
    assert node.marks.load()[1] == 4


def test_transient_messages_leave_no_mark_though_they_come_from_segments() -> None:
    node, _ = paged_node(persistent=False)
    node.take(900)
    node.end_turn()
    assert node.marks.load().get(1, 0) == 0
    node.tick(3)
    assert records_on(node, DELIVERED) == []


def test_journal_hears_of_deliveries_once_and_with_the_next_batch() -> None:
    node = SmallNode()
    node.publish_all([b"x"] * 5)
    node.take(2)
    node.take(1)
    node.tick(3)
    assert records_on(node, DELIVERED) == [(DELIVERED, 1, 3)]


def test_journal_hears_how_often_a_message_came_back() -> None:
    node = SmallNode()
    node.publish_all([b"x"] * 2)
    for _ in range(3):
        node.put_back(node.take(1))
    node.tick()
    assert records_on(node, RETURNED) == [(RETURNED, 1, 1, 1), (RETURNED, 1, 1, 2), (RETURNED, 1, 1, 3)]


# Pages


@pytest.mark.parametrize("persistent", [True, False])
@pytest.mark.parametrize("durable", [True, False])
def test_long_queue_is_read_back_in_order(durable: bool, persistent: bool) -> None:
    node, queue = paged_node(durable=durable, persistent=persistent)
    assert queue.memory_bytes < 600_000
    directory = "segments" if durable else "spool"
    assert [path for path in node.disk.files() if path.startswith(directory)]
    assert node.bodies() == [body(number) for number in range(1_000)]


def test_pages_hold_transient_and_persistent_messages_together() -> None:
    node = SmallNode(options=PAGED)
    node.queue()
    for number in range(1_000):
        node.publish(body(number), persistent=number % 3 > 0)
    node.rest()
    assert node.bodies() == [body(number) for number in range(1_000)]
    node.in_hand.clear()
    again = node.killed()
    assert again.bodies() == [body(number) for number in range(1_000) if number % 3]


def test_page_that_is_not_written_yet_is_read_from_memory() -> None:
    node = SmallNode(options=PAGED)
    node.queue()
    for number in range(400):
        node.publish(body(number))
        node.turn.finish()
    assert not node.background.is_idle
    assert node.bodies() == [body(number) for number in range(400)]


def test_segments_are_as_large_as_they_may_be_and_one_page_at_least() -> None:
    _, queue = paged_node()
    sizes = [int(segment.size) for segment in kept_of(queue).segments.values()]
    assert max(sizes) < 64 * KIB + 300_000
    assert len(sizes) == len(queue.pages())


def test_synced_segment_lets_go_what_was_kept_in_the_journal() -> None:
    node, queue = paged_node()
    synced = records_on(node, SEGMENT_SYNCED)
    assert {number for _, _, number, _ in synced} <= set(kept_of(queue).segments)
    assert sum(int(file.live) for file in node.store.journal.files.values()) < 400


def test_journal_is_not_let_go_before_the_segment_is_safe_and_the_journal_says_so() -> None:
    node = SmallNode(options=PAGED)
    node.queue()
    for number in range(400):
        node.publish(body(number))
        node.commit()
    journal = node.store.journal
    before = sum(int(file.live) for file in journal.files.values())
    assert before == 401
    while not node.background.is_idle:
        node.background.step()
        node.background.finish()
    node.turn.finish()
    assert journal.durable < journal.number - 1
    assert sum(int(file.live) for file in journal.files.values()) >= before
    node.rest()
    assert sum(int(file.live) for file in journal.files.values()) < before


def test_segment_with_a_page_that_could_not_be_written_is_not_called_safe() -> None:
    node = SmallNode(options=PAGED)
    queue = node.queue()
    for number in range(600):
        node.publish(body(number))
        node.commit()
    node.disk.faults.append(Fault(errno.ENOSPC, "write", path="segments", skip=1))
    while not node.background.is_idle:
        node.background.step()
        node.store.look()
        node.commit()
    assert node.store.trouble() == "no space left on device"
    recorded = {number for _, _, number, _ in records_on(node, SEGMENT_SYNCED)}
    assert 2 not in recorded
    assert 1 in recorded
    assert kept_of(queue).segments[2].refs
    survivor = SmallNode(node.disk.copy(), node.options)
    assert survivor.report.damages == []
    assert survivor.bodies() == [body(number) for number in range(600)]
    node.tick(10)
    assert (node.store.trouble(), node.store.backlog_bytes()) == ("", 0)
    assert node.bodies() == [body(number) for number in range(600)]


def test_segment_that_cannot_be_synced_is_never_synced_again_but_written_elsewhere(
    caplog: pytest.LogCaptureFixture,
) -> None:
    node = SmallNode(options=PAGED)
    node.queue()
    node.disk.faults.append(Fault(errno.EIO, "sync", path="segments"))
    node.disk.log = []
    for number in range(600):
        node.publish(body(number))
        node.commit()
    node.rest()
    node.tick(4)
    synced = [line.partition(" ")[2] for line in node.disk.log if " sync segments/" in line]
    assert len(synced) == len(set(synced))
    assert "cannot be synced (Input/output error)" in caplog.text
    survivor = node.without_power()
    assert survivor.report.damages == []
    assert survivor.bodies() == [body(number) for number in range(600)]


def test_empty_segments_go() -> None:
    node, queue = paged_node()
    node.consume(1_000)
    node.tick(3)
    assert kept_of(queue).segments == {}
    assert [path for path in node.disk.files() if path.startswith("segments")] == []
    assert records_on(node, SEGMENT_DROPPED)


def test_segments_of_queues_that_do_not_last_go_without_a_word_of_the_journal() -> None:
    node, queue = paged_node(durable=False, persistent=False)
    number = node.store.journal.number
    node.consume(1_000, queue)
    node.tick(3)
    assert [path for path in node.disk.files() if path.startswith("spool")] == []
    assert node.store.journal.number == number


def test_segment_is_not_removed_while_somebody_copies() -> None:
    node, _ = paged_node()
    node.disk.is_copied = True
    before = [path for path in node.disk.files() if path.startswith("segments")]
    node.consume(1_000)
    node.tick(3)
    assert [path for path in node.disk.files() if path.startswith("segments")] == before
    node.disk.is_copied = False
    node.tick(3)
    assert [path for path in node.disk.files() if path.startswith("segments")] == []


def test_unacked_message_outlives_its_segment() -> None:
    node, queue = paged_node()
    node.consume(300)
    held = node.take(1)
    assert held[0].message.stored < 0
    node.consume(699)
    node.tick(4)
    assert sum(len(data) for path, data in node.disk.files().items() if path.startswith("segments")) < 300_000
    survivor = SmallNode(node.disk.copy(), node.options)
    assert [(seen.position, seen.body) for seen in survivor.seen()] == [(301, body(300))]
    node.settle(held)
    node.tick(4)
    assert kept_of(queue).segments == {}


def test_settlements_count_for_segments_too_as_long_as_one_has_messages_that_were_written_elsewhere() -> None:
    node, queue = paged_node()
    kept = kept_of(queue)
    node.consume(1)
    node.tick()
    assert not node.store.journal.file.settles_pages
    page = queue.pages()[0]
    kept.place(page, kept.read_page(page))
    node.consume(1)
    node.tick()
    assert node.store.journal.file.settles_pages
    queue.purge()
    node.tick(4)
    assert not kept.has_left


def test_purge_settles_pages_without_reading_them() -> None:
    node, queue = paged_node()
    for path in node.disk.files():
        if path.startswith("segments"):
            node.disk.faults.append(Fault(errno.EIO, "read", path=path))
    assert queue.purge() == 1_000
    node.tick(3)
    assert kept_of(queue).segments == {}
    assert node.killed().bodies() == []


# The end


def test_deleted_queue_takes_its_segments_with_it() -> None:
    node, queue = paged_node()
    node.vhost.delete_queue(queue, False, False)
    node.rest()
    assert [path for path in node.disk.files() if path.startswith("segments")] == []
    assert kept_of(queue) not in node.store.shared.paged
    assert records_on(node, SETTLED) == []
    assert records_on(node, QUEUE_DELETED) == [(QUEUE_DELETED, 1)]
    assert [int(file.live) for file in node.store.journal.files.values() if file.live] == []


def test_segments_of_a_deleted_queue_stay_until_the_journal_says_that_it_is_gone() -> None:
    node, queue = paged_node()
    node.vhost.delete_queue(queue, False, False)
    node.end_turn()
    node.background.stop()
    assert [path for path in node.disk.files() if path.startswith("segments")]
    survivor = node.without_power()
    assert survivor.bodies() == [body(number) for number in range(1_000)]


def test_unacked_message_of_a_deleted_queue_can_be_settled_and_says_nothing() -> None:
    node = SmallNode()
    queue = node.queue()
    node.publish_all([b"x"] * 3)
    entries = node.take(3)
    node.vhost.delete_queue(queue, False, False)
    node.rest()
    assert node.store.journal.file.live == 3
    node.settle(entries[:2])
    node.put_back(entries[2:])
    node.tick()
    assert node.store.journal.file.live == 0
    assert records_on(node, SETTLED, RETURNED) == []


def test_queue_that_is_deleted_while_its_segments_are_made_safe_keeps_no_file() -> None:
    """A page of a queue that is gone is not written, so that its segment is not synced."""
    node = SmallNode(options=PAGED)
    queue = node.queue()
    node.publish_all([body(number) for number in range(600)])
    node.commit()
    assert not node.background.is_idle
    node.vhost.delete_queue(queue, False, False)
    node.rest()
    node.tick(3)
    assert [int(file.live) for file in node.store.journal.files.values() if file.live] == []


def test_page_of_a_deleted_queue_that_could_not_be_written_is_forgotten() -> None:
    node = SmallNode(options=PAGED)
    queue = node.queue()
    node.disk.faults.append(Fault(errno.ENOSPC, "write", path="segments", count=2))
    node.publish_all([body(number) for number in range(600)])
    node.rest()
    assert node.store.trouble()
    node.vhost.delete_queue(queue, False, False)
    node.rest()
    node.tick(3)
    assert (node.store.trouble(), node.store.backlog_bytes()) == ("", 0)
    assert [path for path in node.disk.files() if path.startswith("segments")] == []


def test_page_that_cannot_be_read_is_told_and_the_rest_is_delivered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    node, queue = paged_node()
    node.disk.faults.append(Fault(errno.EIO, "read", path="segments"))
    count = 0
    while queue.take(False) is not None:
        count += 1
    assert 800 < count < 1_000
    assert queue.ready_count == 0
    assert "cannot be read: Input/output error" in caplog.text


def test_numbers_of_queues_are_never_given_out_twice() -> None:
    node = SmallNode()
    numbers: list[int] = []
    for _ in range(5):
        queue = node.queue()
        numbers.append(int(kept_of(queue).number))
        node.vhost.delete_queue(queue, False, False)
        node.tick()
    node = node.killed()
    numbers.append(int(kept_of(node.queue()).number))
    assert numbers == [1, 2, 3, 4, 5, 6]


def test_position_and_count_of_an_entry_are_what_returned_says() -> None:
    node = SmallNode()
    kept = kept_of(node.queue())
    entry = Entry(message(b"x", persistent=True), 123)
    entry.delivery_count = 9
    kept.returned(entry)
    node.tick()
    assert records_on(node, RETURNED) == [(RETURNED, 1, 123, 9)]
