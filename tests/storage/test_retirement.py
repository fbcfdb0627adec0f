"""Space comes back: what is carried out of old files and sparse segments, and nothing is lost by that."""

from collections.abc import Callable
from random import Random

import pytest
from tests.storage.small_node import KIB, Pessimist, Seen, SmallNode

from supersoniq.amqp.tables import table_of
from supersoniq.broker.definitions import Setting
from supersoniq.broker.queues.queue import Queue
from supersoniq.storage.commit import SYNC_INTERVAL
from supersoniq.storage.queue_store import DiskQueueStore
from supersoniq.storage.store import StoreOptions

FILE = 4 * KIB
TINY = StoreOptions(journal_file_bytes=FILE, segment_bytes=64 * KIB, queue_memory_bytes=0)
PAGED = StoreOptions(journal_file_bytes=16 * KIB, segment_bytes=512 * KIB, queue_memory_bytes=1)


def body(number: int) -> bytes:
    return b"%05d" % number + b"x" * 3_000


def churn(node: SmallNode, count: int = 40, size: int = 900) -> None:
    """Publish and consume until all files are others than before."""
    queue = node.queue(b"churn")
    for _ in range(count):
        node.publish(b"c" * size, queue)
        node.rest()
        node.consume(1, queue)
        node.tick()


def files_of(node: SmallNode) -> set[int]:
    return set(node.store.journal.files)


def ways_to_die(node: SmallNode) -> list[SmallNode]:
    """Nodes that start after a kill, and after power losses, of copies of this one."""
    return [
        SmallNode(node.disk.copy().kill(), node.options, node.marks.copy()),
        SmallNode(node.disk.copy().crash(Pessimist()), node.options),
        *[SmallNode(node.disk.copy().crash(Random(seed)), node.options) for seed in range(3)],
    ]


def step_by_step(node: SmallNode, check: Callable[[SmallNode], None], ticks: int = 3) -> None:
    """Let time go by, and have what another node would find checked at every step of the threads."""
    for _ in range(ticks):
        node.store.tick()
        for _ in range(2_000):
            node.end_turn()
            if node.committer.is_idle and node.background.is_idle:
                break
            node.committer.step()
            check(SmallNode(node.disk.copy(), node.options, node.marks.copy()))
            node.background.step()
            check(SmallNode(node.disk.copy(), node.options, node.marks.copy()))
            node.store.look()


def test_definitions_are_written_again_before_their_file_goes() -> None:
    node = SmallNode(options=TINY)
    node.vhost.declare_exchange(
        b"e", "topic", True, True, False, table_of({"alternate-exchange": "amq.fanout"})
    )
    node.vhost.declare_exchange(b"f", "headers", True, False, True, {})
    queue = node.queue(b"q", arguments=table_of({"x-max-priority": 5}), auto_delete=True)
    node.vhost.bind(b"e", queue, b"a.#", table_of({"n": 1}))
    node.vhost.bind(b"amq.fanout", node.vhost.exchanges[b"e"], b"", {})
    node.rest()
    before = files_of(node)
    churn(node)
    assert not before & files_of(node)
    for other in ways_to_die(node):
        assert (other.report.exchanges, other.report.queues, other.report.bindings) == (2, 2, 2)
        found = other.vhost.queues[b"q"]
        assert found.auto_delete
        assert found.options.arguments[b"x-max-priority"].value == 5
        assert other.vhost.exchanges[b"e"].kind == "topic"
        assert [binding.binding_key for binding in found.inbound] == [b"a.#"]


def test_settings_are_written_again_before_their_file_goes_and_only_as_they_are_now() -> None:
    node = SmallNode(options=TINY)
    for value in (b"old", b"x" * 3_000):
        node.store.declared(Setting("policy", "/", "p", value))
    node.store.declared(Setting("user", "", "gone", b"{}"))
    node.store.removed(Setting("user", "", "gone", b"{}"))
    node.rest()
    before = files_of(node)
    churn(node)
    assert not before & files_of(node)
    for other in ways_to_die(node):
        assert [(setting.key, setting.value) for setting in other.store.settings()] == [
            (("policy", "/", "p"), b"x" * 3_000)
        ]


def test_setting_larger_than_a_file_is_not_written_over_and_over() -> None:
    node = SmallNode(options=TINY)
    node.store.declared(Setting("global_parameter", "", "large", b"x" * 50_000))
    node.tick(20)
    number = node.store.journal.number
    written = sum([len(data) for data in node.disk.files().values()])
    node.tick(20)
    assert sum([len(data) for data in node.disk.files().values()]) <= written
    assert node.store.journal.number <= number + 1


def test_message_is_carried_with_its_place_and_count_as_often_as_need_be() -> None:
    node = SmallNode(options=TINY)
    queue = node.queue()
    node.publish_all([b"one", b"two", b"three"])
    for _ in range(3):
        node.put_back(node.take(2))
    node.rest()
    for _ in range(3):
        before = files_of(node)
        churn(node)
        assert not before & files_of(node)
        for other in ways_to_die(node):
            assert repr(other.seen()) == "[1: b'one' x3, 2: b'two' x3, 3: b'three' x0]"
    assert queue.ready_count == 3


def test_message_of_several_queues_is_carried_as_one_record() -> None:
    node = SmallNode(options=TINY)
    queues = [node.queue(b"q%d" % number) for number in range(20)]
    node.publish(b"shared" * 100, *queues)
    churn(node)
    live = sum(data.count(b"shared" * 100) for data in node.disk.files().values())
    assert live <= 3
    for other in ways_to_die(node):
        assert [other.bodies(queue.name) for queue in queues] == [[b"shared" * 100]] * 20
        messages = {id(entry.message) for _, entry in other.in_hand}
        assert len(messages) == 1


def test_unacked_messages_are_carried_too_and_come_back_redelivered() -> None:
    node = SmallNode(options=TINY)
    node.queue()
    node.publish_all([b"one", b"two"])
    node.take(1)
    before = files_of(node)
    churn(node)
    assert not before & files_of(node)
    for other in ways_to_die(node):
        assert [(seen.body, seen.times > 0) for seen in other.seen()] == [(b"one", True), (b"two", False)]


def test_unacked_messages_of_deleted_queues_do_not_keep_files() -> None:
    node = SmallNode(options=TINY)
    queue = node.queue()
    node.publish_all([b"x" * 500] * 20)
    entries = node.take(20)
    node.vhost.delete_queue(queue, False, False)
    before = files_of(node)
    churn(node)
    assert not before & files_of(node)
    node.settle(entries[:10])
    node.put_back(entries[10:])
    churn(node)
    assert node.killed().report.damages == []


def test_file_is_not_removed_before_what_replaces_it_is_safe() -> None:
    node = SmallNode(options=TINY)
    node.queue()
    node.publish_all([b"keep"])
    node.rest()
    queue = node.queue(b"churn")
    for _ in range(20):
        node.publish(b"c" * 900, queue)
        node.rest()
        node.consume(1, queue)
        step_by_step(node, _has_keep, 1)


def _has_keep(node: SmallNode) -> None:
    assert node.report.damages == []
    assert node.bodies() == [b"keep"]


@pytest.mark.parametrize("seed", range(6))
def test_with_an_interval_what_was_synced_is_never_lost_by_being_carried(seed: int) -> None:
    options = StoreOptions(sync=SYNC_INTERVAL, journal_file_bytes=FILE, queue_memory_bytes=0)
    node = SmallNode(options=options)
    node.queue()
    node.publish_all([b"keep"])
    node.rest()
    node.store.sync()
    node.rest()
    queue = node.queue(b"churn")
    for number in range(40):
        node.publish(b"c" * 700, queue)
        node.rest()
        node.consume(1, queue)
        node.tick()
        random = Pessimist() if seed == 0 else Random(100 * seed + number)
        other = SmallNode(node.disk.copy().crash(random), options)
        assert other.report.damages == []
        assert other.bodies() == [b"keep"]


def test_acked_messages_do_not_come_back_whatever_file_went_first() -> None:
    node = SmallNode(options=TINY)
    node.queue()
    for number in range(30):
        node.publish(b"%d" % number + b"x" * 500)
        node.rest()
    node.consume(30)
    node.tick()

    def check(other: SmallNode) -> None:
        assert other.report.damages == []
        assert other.bodies() == []

    step_by_step(node, check, 8)


def test_a_transaction_that_was_lost_has_not_cost_what_it_settled() -> None:
    """What it acks is needed until it is safe: the file of that may be the oldest, and empty by the ack."""
    node = SmallNode(options=TINY)
    old, new = node.queue(b"old"), node.queue(b"new")
    node.publish(b"x" * 900, old)
    node.rest()
    for _ in range(60):
        churn(node, 1, 300)
        oldest = node.store.journal.oldest()
        if oldest is not None and old.in_memory()[0].message.stored == oldest.number:
            break
    entries = node.take(1, old)
    node.rest()
    node.store.begin()
    node.settle(entries)
    node.publish(b"new", new)
    node.store.commit()
    node.end_turn()
    for _ in range(5):
        node.background.step()
        node.background.finish()
        node.store.look()
        other = SmallNode(node.disk.copy().crash(Pessimist()), node.options)
        assert (len(other.bodies(b"old")), len(other.bodies(b"new"))) == (1, 0)
    node.rest()
    other = node.without_power()
    assert (other.bodies(b"old"), other.bodies(b"new")) == ([], [b"new"])


# Segments


def paged_node(count: int = 700) -> SmallNode:
    node = SmallNode(options=PAGED)
    node.queue()
    node.publish_all([body(number) for number in range(count)])
    node.rest()
    node.tick(3)
    return node


def test_settlements_in_pages_are_carried() -> None:
    node = paged_node()
    node.consume(300)
    node.tick()
    held = node.take(3)
    node.settle(held[1:2])
    node.tick()
    before = files_of(node)
    churn(node, 200, 6_000)
    assert not before & files_of(node)
    for other in ways_to_die(node):
        bodies = other.bodies()
        assert bodies == [body(number) for number in range(300, 700) if number != 301]


def test_delivery_counts_in_pages_are_carried() -> None:
    node = paged_node()
    node.consume(300)
    for _ in range(3):
        node.put_back(node.take(50))
    node.tick(3)
    churn(node, 60)
    for other in ways_to_die(node):
        seen = other.seen()
        assert [each.body for each in seen] == [body(number) for number in range(300, 700)]
        assert [each.times for each in seen[:50]] == [3] * 50


def test_delivery_counts_in_pages_that_the_next_process_has_not_read_are_carried() -> None:
    node = paged_node()
    node.consume(300)
    for _ in range(3):
        node.put_back(node.take(50))
    node.tick(3)
    for _ in range(3):
        node = node.killed()
        churn(node, 60)
        node.queue(b"churn")
    node = node.killed()
    seen = node.seen()
    assert [each.body for each in seen] == [body(number) for number in range(300, 700)]
    assert [each.times for each in seen[:50]] == [3] * 50


def test_sparse_segments_are_left_and_nothing_is_there_twice() -> None:
    node = paged_node()
    node.consume(330)
    node.rest()
    wanted = [body(number) for number in range(330, 700)]

    def check(other: SmallNode) -> None:
        assert other.report.damages == []
        assert other.bodies() == wanted

    step_by_step(node, check, 5)
    assert node.bodies() == wanted


def test_left_segment_goes() -> None:
    node = paged_node()
    queue = node.queue()
    node.consume(170)
    held = node.take(2)
    node.consume(100)
    node.tick(8)
    kept = queue.kept
    assert isinstance(kept, DiskQueueStore)
    segments = sum(len(data) for path, data in node.disk.files().items() if path.startswith("segments"))
    live = (queue.ready_count + 2) * len(body(1))
    assert segments <= 2 * live + 2 * 600 * KIB
    node.put_back(held)
    expected = [Seen(entry) for entry in held]
    assert node.seen()[:2] == expected


def test_damaged_page_in_a_segment_that_is_left_costs_its_message_only(
    caplog: pytest.LogCaptureFixture,
) -> None:
    node = paged_node()
    for path, data in node.disk.files().items():
        at = data.find(body(170))
        if path.startswith("segments") and at > 0:
            node.disk.put(path, data[: at + 9] + b"!" + data[at + 10 :])
    node.consume(160)
    node.tick(6)
    queue = node.queue()
    bodies = node.bodies()
    assert bodies == [body(number) for number in range(160, 700) if number != 170]
    assert queue.ready_count == 0
    assert "damaged" in caplog.text


# The bound


def used_bytes(node: SmallNode) -> int:
    return sum([len(data) for path, data in node.disk.files().items() if path != "marks"])


@pytest.mark.parametrize("backlog", [0, 1, 20, 100])
def test_journal_stays_below_twice_what_lives_and_four_files(backlog: int) -> None:
    node = SmallNode(options=TINY)
    queue: Queue = node.queue()
    size = 700
    for _ in range(backlog):
        node.publish(b"b" * size, queue)
        node.rest()
    worst = 0
    for number in range(300):
        node.publish(b"n" * size, queue)
        node.rest()
        node.consume(1, queue)
        if number % 5 == 0:
            node.tick()
        if number > 50:
            worst = max(worst, used_bytes(node))
    live = (backlog + 1) * (size + 150)
    assert worst <= 2 * live + 4 * (FILE + size)


def test_small_messages_do_not_keep_the_space_of_large_ones() -> None:
    node = SmallNode(options=TINY)
    small, large = node.queue(b"small"), node.queue(b"large")
    for _ in range(40):
        node.publish(b"s", small)
        node.publish(b"l" * 3_000, large)
        node.rest()
    node.consume(40, large)
    node.tick(40)
    live = 42 * 150
    assert used_bytes(node) <= 2 * live + 4 * (FILE + 3_000)
    assert node.bodies(b"small") == [b"s"] * 40


def test_sparse_segment_that_is_still_written_is_left_too() -> None:
    node = SmallNode(
        options=StoreOptions(journal_file_bytes=FILE, segment_bytes=512 * KIB, queue_memory_bytes=1)
    )
    queue = node.queue()
    node.publish_all([body(number) for number in range(150)])
    node.rest()
    node.tick(3)
    node.consume(140)
    node.tick(12)
    assert used_bytes(node) <= 2 * 10 * 3_150 + 4 * (FILE + 3_000)
    assert queue.ready_count == 10
    for other in ways_to_die(node):
        assert other.bodies() == [body(number) for number in range(140, 150)]


def test_space_comes_back_when_a_paged_queue_is_drained() -> None:
    node = paged_node(900)
    node.consume(900)
    node.tick(12)
    assert used_bytes(node) <= 4 * 16 * KIB


def test_idle_node_writes_nothing() -> None:
    node = paged_node(300)
    node.consume(100)
    node.tick(20)
    operations = node.disk.operations
    node.tick(10)
    assert node.disk.operations == operations
