"""The store's side of the port: sequences, waiting, transactions, trouble, and an orderly end."""

import errno
from pathlib import Path

import pytest
from tests.fakes import FixedNames, message
from tests.storage.simulated_disk import Fault
from tests.storage.small_node import KIB, Pessimist, SmallNode, Waiter

from supersoniq.broker.turn import Turn
from supersoniq.broker.vhost import VHost
from supersoniq.storage.commit import SYNC_INTERVAL, SYNC_NEVER
from supersoniq.storage.disk import SystemDisk
from supersoniq.storage.marks import MappedMarks
from supersoniq.storage.recovery import NewVHost, Recovery
from supersoniq.storage.store import LAZY_BYTES_MAX, DiskStore, StoreOptions
from supersoniq.storage.worker import InlineWorker, ThreadWorker, Worker

PAGED = StoreOptions(journal_file_bytes=64 * KIB, segment_bytes=4_000 * KIB, queue_memory_bytes=1)


def test_sequence_is_that_of_the_batch_and_safe_after_its_sync() -> None:
    node = SmallNode()
    queue = node.queue()
    first = node.publish(b"a", queue)
    assert first == node.publish(b"b", queue) == node.store.journal.number
    node.end_turn()
    assert node.publish(b"c", queue) == first + 1
    assert node.store.durable() < first
    node.committer.step()
    assert node.store.durable() < first
    node.store.look()
    assert node.store.durable() == first
    assert node.without_power().bodies() == [b"a", b"b"]


def test_declarations_have_a_sequence_too() -> None:
    node = SmallNode()
    queue = node.queue()
    sequence = node.vhost.take_sequence()
    assert sequence == node.store.journal.number
    node.commit()
    assert node.store.durable() >= sequence
    node.vhost.delete_queue(queue, False, False)
    assert node.vhost.take_sequence() == sequence + 1


def test_who_waits_is_told_once_each_time_that_something_moves() -> None:
    node = SmallNode()
    waiter = Waiter(node.store)
    node.publish(b"a")
    node.end_turn()
    assert waiter.times == 0
    node.rest()
    told = waiter.times
    assert told == 1
    node.store.look()
    node.end_turn()
    assert waiter.times == told
    node.disk.faults.append(Fault(errno.ENOSPC, "write", path="journal"))
    node.publish(b"b")
    node.rest()
    assert waiter.times == told + 1
    node.tick()
    assert waiter.times == told + 2


def test_what_cannot_be_stored_is_refused_and_stored_when_there_is_space_again() -> None:
    node = SmallNode()
    node.publish(b"a")
    node.rest()
    node.disk.faults.append(Fault(errno.ENOSPC, "write", path="journal", count=3))
    sequence = node.publish(b"b")
    node.rest()
    assert node.store.refused() == sequence > node.store.durable()
    assert node.store.trouble() == "no space left on device"
    assert node.store.backlog_bytes() > 0
    node.tick(3)
    assert (node.store.trouble(), node.store.durable() >= sequence) == ("", True)
    assert node.store.backlog_bytes() == 0
    assert node.without_power().bodies() == [b"a", b"b"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EMFILE, errno.EDQUOT])
@pytest.mark.parametrize("kind", ["write", "sync", "create", "open", "allocate", "sync directory"])
def test_any_failure_of_the_journal_is_got_over(kind: str, number: int) -> None:
    node = SmallNode(options=StoreOptions(journal_file_bytes=4 * KIB))
    node.queue()
    node.rest()
    node.disk.faults.append(Fault(number, kind, path="journal", count=3))
    for index in range(60):
        node.publish(b"%03d" % index + b"x" * 300)
        node.end_turn()
        node.rest()
    node.tick(8)
    assert node.store.trouble() == ""
    assert node.store.durable() == node.store.journal.number - 1
    survivor = node.without_power()
    assert survivor.report.damages == []
    assert [body[:3] for body in survivor.bodies()] == [b"%03d" % index for index in range(60)]


def test_transaction_is_recovered_as_a_whole_or_not_at_all() -> None:
    node = SmallNode()
    one, two = node.queue(b"one"), node.queue(b"two")
    node.publish(b"old", one)
    node.rest()
    whole = node.disk.copy()
    start = int(node.store.journal.file.size)
    node.store.begin()
    node.settle(node.take(1, one))
    node.publish(b"a" * 100, one)
    node.publish(b"b" * 100, two)
    node.publish(b"c" * 100, one, two)
    sequence = node.store.commit()
    assert sequence == node.store.journal.number
    node.rest()
    path = node.store.journal.file.name
    data, end = node.disk.files()[path], int(node.store.journal.file.size)
    for cut in range(start, end + 1, 7):
        whole.put(path, data[:cut] + bytes(len(data) - cut))
        other = SmallNode(whole.copy(), node.options)
        assert other.report.damages == []
        assert (other.bodies(b"one"), other.bodies(b"two")) == ([b"old"], [])
    after = node.without_power()
    assert [body[:1] for body in after.bodies(b"one")] == [b"a", b"c"]
    assert [body[:1] for body in after.bodies(b"two")] == [b"b", b"c"]


def test_empty_transaction_needs_no_waiting() -> None:
    node = SmallNode()
    node.queue()
    node.rest()
    node.store.begin()
    assert node.store.commit() == 0
    node.store.begin()
    node.publish(b"t", persistent=False)
    assert node.store.commit() == 0


def test_what_was_settled_before_a_transaction_is_not_part_of_it() -> None:
    node = SmallNode()
    node.publish_all([b"a", b"b"])
    node.rest()
    node.settle(node.take(1))
    node.store.begin()
    node.settle(node.take(1))
    node.store.commit()
    node.rest()
    assert node.killed().bodies() == []


def test_settlements_leave_when_there_is_enough_of_them() -> None:
    node = SmallNode()
    count = 2 * LAZY_BYTES_MAX // 29
    for _ in range(count):
        node.publish(b"")
    node.rest()
    before = node.store.journal.number
    entries = node.take(count)
    node.settle(entries[::2])
    node.end_turn()
    node.end_turn()
    assert node.store.journal.number - before <= 2
    node.tick()
    assert node.killed().queue().ready_count == count // 2


def test_fanout_counts_as_live_in_each_durable_queue() -> None:
    node = SmallNode()
    queues = [node.queue(b"q%d" % number, durable=number != 1) for number in range(4)]
    node.rest()
    before = node.store.journal.file.live
    node.publish(b"x", *queues)
    assert node.store.journal.file.live == before + 3
    for queue in queues:
        node.consume(1, queue)
    assert node.store.journal.file.live == before


@pytest.mark.parametrize("sync", [SYNC_INTERVAL, SYNC_NEVER])
def test_weaker_policies_survive_the_end_of_the_process(sync: int) -> None:
    node = SmallNode(options=StoreOptions(sync=sync, journal_file_bytes=4 * KIB))
    for index in range(30):
        sequence = node.publish(b"%d" % index + b"x" * 300)
        node.commit()
        assert node.store.durable() == sequence
    node = node.killed()
    assert node.report.damages == []
    assert node.queue().ready_count == 30


def test_with_an_interval_all_is_safe_once_it_is_over() -> None:
    node = SmallNode(options=StoreOptions(sync=SYNC_INTERVAL))
    node.publish(b"a")
    node.rest()
    assert SmallNode(node.disk.copy().crash(Pessimist()), node.options).vhost.queues == {}
    node.store.sync()
    node.rest()
    assert node.without_power().bodies() == [b"a"]


@pytest.mark.parametrize("sync", [0, SYNC_INTERVAL, SYNC_NEVER])
def test_orderly_stop_loses_nothing_and_is_recognised(sync: int) -> None:
    node = SmallNode(options=StoreOptions(sync=sync, journal_file_bytes=64 * KIB, queue_memory_bytes=1))
    bodies = [b"%04d" % index + b"x" * 3_000 for index in range(300)]
    node.publish_all(bodies)
    node.consume(10)
    node = node.stopped()
    assert (node.report.was_stopped, node.report.damages) == (True, [])
    assert node.bodies() == bodies[10:]
    node.end_turn()
    node.tick()
    assert not node.killed().report.was_stopped


def test_orderly_stop_makes_everything_safe() -> None:
    node = SmallNode(options=PAGED)
    bodies = [b"%04d" % index + b"x" * 3_000 for index in range(700)]
    node.publish_all(bodies)
    node.end_turn()
    node.store.stop()
    assert [path for path in node.disk.unsynced() if not path.startswith("spool")] == []
    node.store.stop()
    assert node.without_power().bodies() == bodies


def test_stopped_store_takes_no_notice_of_anything() -> None:
    node = SmallNode()
    queue = node.queue()
    node.publish_all([b"a", b"b"])
    entries = node.take(1)
    node.end_turn()
    node.store.stop()
    node.put_back(entries)
    node.vhost.delete_queue(queue, False, False)
    node.end_turn()
    node.store.tick()
    node.store.sync()
    assert node.killed().bodies() == [b"a", b"b"]


class OneVHost(NewVHost):
    """Makes a virtual host of a store."""

    def __init__(self, store: DiskStore, turn: Turn) -> None:
        self.store, self.turn = store, turn

    def make(self, name: str) -> VHost:
        return VHost(name, self.turn, self.store, FixedNames())


def on_a_real_disk(directory: Path, committer: Worker, background: Worker) -> tuple[DiskStore, VHost, Turn]:
    turn = Turn()
    disk = SystemDisk(directory)
    store = DiskStore(disk, turn, committer, background, MappedMarks(directory / "marks"), PAGED)
    maker = OneVHost(store, turn)
    vhost = maker.make("/")
    report = Recovery(disk, store, {"/": vhost}).run(maker)
    assert report.damages == []
    return store, vhost, turn


def bodies_in(vhost: VHost) -> list[bytes]:
    found: list[bytes] = []
    while (entry := vhost.queues[b"q"].take(False)) is not None:
        found.append(entry.message.body)
    return found


@pytest.mark.parametrize("has_threads", [False, True])
def test_store_works_on_a_real_disk(tmp_path: Path, has_threads: bool) -> None:
    wanted = [b"%04d" % index + b"x" * 3_000 for index in range(500)]
    for round_number in range(3):
        workers: list[Worker] = [InlineWorker(), InlineWorker()]
        if has_threads:
            workers = [ThreadWorker(name, _nothing) for name in ("test-commit", "test-background")]
        store, vhost, turn = on_a_real_disk(tmp_path, workers[0], workers[1])
        if round_number == 0:
            queue = vhost.declare_queue(b"q", True, False, False, {}, 0)
            for body in wanted:
                vhost.publish(message(body, persistent=True), [queue])
                turn.finish()
        assert vhost.queues[b"q"].ready_count == 500
        if round_number == 2:
            assert bodies_in(vhost) == wanted
        turn.finish()
        store.stop()
        if round_number:
            assert all(file.is_file() for file in (tmp_path / "segments").iterdir())
    assert not list((tmp_path / "spool").iterdir())


def _nothing() -> None:
    """A loop that is not told; the store's stop waits for its threads."""
