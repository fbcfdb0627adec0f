"""What the journal of a directory says: torn or damaged, missing, repeated; and that a torn tail is cut."""

import errno

import pytest
from tests.storage.batches import EPOCH, FileOfBatches, flipped, messages_in, zeroed
from tests.storage.simulated_disk import Fault, SimulatedDisk
from tests.storage.small_node import KIB, Pessimist, SmallNode

from supersoniq.broker.definitions import Setting
from supersoniq.storage.contents import Contents, read_contents
from supersoniq.storage.records import CARRIED, PERSISTENT
from supersoniq.storage.store import StoreOptions


def disk_of(*files: FileOfBatches) -> SimulatedDisk:
    disk = SimulatedDisk()
    for file in files:
        disk.put(path_of(file), file.data)
    return disk


def path_of(file: FileOfBatches) -> str:
    return f"journal/{file.number:010d}"


def test_empty_directory_has_nothing() -> None:
    contents = read_contents(SimulatedDisk())
    assert (contents.scans, contents.queues, contents.damages, contents.torn) == ([], {}, [], [])
    assert (contents.last_batch, contents.last_file, contents.last_queue, contents.was_stopped) == (
        0,
        0,
        0,
        True,
    )


def test_settlements_counts_and_deliveries_are_collected_by_queue() -> None:
    node = SmallNode()
    one, two = node.queue(b"one"), node.queue(b"two")
    node.publish_all([b"x"] * 6, one, two)
    node.settle(node.take(2, one))
    node.put_back(node.take(1, two))
    node.tick()
    contents = read_contents(node.disk)
    assert contents.queues[1].settled.pairs() == [(1, 2)]
    assert contents.queues[2].returned == {1: 1}
    assert [contents.queues[number].delivered for number in (1, 2)] == [2, 1]
    assert [contents.queues[number].highest for number in (1, 2)] == [6, 6]
    assert (messages_in(node.disk, contents), contents.last_queue) == (6, 2)
    assert contents.settling_files == {1}
    assert not contents.was_stopped


def test_what_was_deleted_is_known_as_that() -> None:
    node = SmallNode()
    queue = node.queue()
    node.vhost.declare_exchange(b"e", "fanout", True, False, False, {})
    node.vhost.bind(b"e", queue, b"", {})
    node.rest()
    contents = read_contents(node.disk)
    assert contents.vhost_names() == ["/"]
    assert (list(contents.exchanges), len(contents.bindings)) == ([("/", b"e")], 1)
    node.vhost.delete_queue(queue, False, False)
    node.vhost.delete_exchange(b"e", False)
    node.rest()
    contents = read_contents(node.disk)
    assert (contents.exchanges, contents.bindings, contents.vhost_names()) == ({}, {}, [])
    assert contents.queues[1].is_deleted


def test_setting_takes_the_place_of_its_namesake_and_goes() -> None:
    node = SmallNode()
    for vhost, value in [("/", b"1"), ("other", b"2"), ("/", b"3")]:
        node.store.declared(Setting("policy", vhost, "p", value))
    node.rest()
    contents = read_contents(node.disk)
    found = {vhost: setting.value for (_, vhost, _), setting in contents.settings.items()}
    assert found == {"/": b"3", "other": b"2"}
    assert contents.vhost_names() == []
    node.store.removed(Setting("policy", "/", "p", b""))
    node.rest()
    assert list(read_contents(node.disk).settings) == [("policy", "other", "p")]


def test_later_copy_of_a_message_is_the_one_that_counts() -> None:
    file = FileOfBatches()
    file.add(file.new_records().message(b"a", 1, 5, PERSISTENT | CARRIED))
    file.add(file.new_records().message(b"bb", 1, 5, PERSISTENT | CARRIED))
    contents = read_contents(disk_of(file))
    origin = contents.carried[(1, 5)]
    assert (origin.at, origin.end) == (file.records[1], len(file.data))


def test_hole_in_what_was_synced_is_damage_and_any_other_is_torn() -> None:
    file = FileOfBatches()
    for number in range(4):
        file.add_bodies(b"m%d" % number * 20, synced=min(number, 2))
    for index in range(4):
        at = file.records[index] + 20
        disk = disk_of(_with(file, zeroed(file.data, at, at + 5)))
        contents = read_contents(disk)
        assert bool(contents.damages) == (index < 2)
        assert bool(contents.torn_bytes) == (index >= 2)
        assert messages_in(disk, contents) == 3


def _with(file: FileOfBatches, data: bytes) -> FileOfBatches:
    other = FileOfBatches(file.number, epoch=file.epoch)
    other.data = data
    return other


def test_damage_is_told_with_file_offset_size_and_queue() -> None:
    node = SmallNode()
    node.publish(b"x" * 100, node.queue(b"orders"))
    node.rest()
    node.publish(b"y")
    node.rest()
    path = "journal/0000000001"
    data = node.disk.files()[path]
    at = data.index(b"x" * 100)
    node.disk.put(path, flipped(data, 8 * at))
    line = read_contents(node.disk).damages[0]
    assert line.startswith(f"{path}: ")
    assert "damaged bytes at offset" in line
    assert line.endswith("a message of batch 1, queue 'orders' in vhost '/'")


@pytest.mark.parametrize("missing", [1, 2])
def test_missing_file_between_others_is_damage(missing: int) -> None:
    files = [FileOfBatches(number=1)]
    for number in range(1, 4):
        files[-1].add_bodies(b"x").add_bodies(b"y")
        files.append(FileOfBatches(number=number + 1, first_batch=files[-1].next_batch))
    files.pop()
    kept = [file for index, file in enumerate(files) if index != missing]
    disk = disk_of(*kept)
    contents = read_contents(disk)
    if missing == 1:
        assert "batches 3 to 4" in contents.damages[0]
    assert messages_in(disk, contents) == 4


def test_files_that_are_no_journal_files_are_left_alone() -> None:
    file = FileOfBatches().add_bodies(b"x")
    disk = disk_of(file)
    disk.put("journal/spare", b"old")
    assert messages_in(disk, read_contents(disk)) == 1


def test_part_repeats_what_its_file_could_not_sync() -> None:
    """A file whose sync failed may hold any part of what was written; the next part has all of it."""
    node = SmallNode(options=StoreOptions(journal_file_bytes=64 * KIB))
    node.publish_all([b"one"])
    node.rest()
    node.disk.faults.append(Fault(errno.EIO, "sync", path="journal/0000000001"))
    for index in range(5):
        node.publish(b"%d" % index * 400)
        node.turn.finish()
    node.rest()
    node.publish(b"last")
    node.rest()
    assert "journal/0000000001.1" in node.disk.files()
    path = "journal/0000000001"
    data = node.disk.files()[path]
    wanted = [b"one", *[b"%d" % index * 400 for index in range(5)], b"last"]
    at = data.index(b"2" * 400)
    for broken in (
        data,
        zeroed(data, at - 100, at + 300),
        zeroed(data, at, len(data)),
        flipped(data, 8 * at),
    ):
        node.disk.put(path, broken)
        other = SmallNode(node.disk.copy(), node.options)
        assert other.report.damages == []
        assert other.bodies() == wanted
        again = SmallNode(other.disk.kill(), node.options)
        assert (again.report.damages, again.bodies()) == ([], wanted)


def test_torn_tail_is_cut_so_that_nobody_meets_it_again() -> None:
    node = SmallNode()
    node.queue()
    node.rest()
    size = int(node.store.journal.file.size)
    node.publish(b"a" * 50)
    node.publish(b"b" * 50)
    node.rest()
    path = node.store.journal.file.name
    data, end = node.disk.files()[path], int(node.store.journal.file.size)
    for cut in range(size + 1, end):
        for torn in (data[:cut], data[:cut] + bytes(len(data) - cut)):
            disk = node.disk.copy()
            disk.put(path, torn)
            first = SmallNode(disk, node.options)
            assert first.report.damages == [], cut
            first.publish(b"c")
            first.rest()
            second = SmallNode(first.disk.crash(Pessimist()), node.options)
            assert (second.report.damages, second.report.torn_bytes) == ([], 0), cut
            assert second.bodies()[-1:] == [b"c"]


def test_hole_of_any_place_and_size_in_the_tail_is_cut() -> None:
    node = SmallNode()
    node.queue()
    node.rest()
    size = int(node.store.journal.file.size)
    for body in (b"a" * 60, b"b" * 60):
        node.publish(body)
        node.publish(body)
        node.end_turn()
    node.rest()
    path = node.store.journal.file.name
    data, end = node.disk.files()[path], int(node.store.journal.file.size)
    for start in range(size, end, 13):
        for stop in range(start + 1, end + 13, 37):
            disk = node.disk.copy()
            disk.put(path, zeroed(data, start, min(stop, end)))
            first = SmallNode(disk, node.options)
            assert first.report.damages == []
            found = first.bodies()
            first.publish(b"c")
            first.rest()
            second = SmallNode(first.disk.kill(), node.options)
            assert (second.report.damages, second.report.torn_bytes) == ([], 0), (start, stop)
            assert second.bodies() == [*found, b"c"]


def test_octets_of_a_scanned_file_can_be_read_again() -> None:
    file = FileOfBatches().add_bodies(b"first", b"second")
    disk = disk_of(file)
    contents: Contents = read_contents(disk)
    scan = contents.scans[0]
    assert contents.data_of(disk, scan) == file.data
    assert (
        contents.piece_of(disk, scan, file.records[0], file.records[1])
        == file.data[file.records[0] : file.records[1]]
    )
    contents.forget()
    assert (contents.epoch, contents.last_batch, contents.last_file) == (EPOCH, 1, 1)


def test_parts_of_a_file_are_read_in_their_order_however_many_there_are() -> None:
    node = SmallNode()
    node.queue()
    node.rest()
    for index in range(12):
        path = "journal/moving" if index else "journal/0000000001"
        node.disk.faults.append(Fault(errno.EIO, "sync", path=path))
        node.publish(b"%d" % index)
        node.rest()
    assert "journal/0000000001.12" in node.disk.files()
    after = node.without_power()
    assert (after.report.damages, after.report.torn_bytes) == ([], 0)
    assert after.bodies() == [b"%d" % index for index in range(12)]


def test_missing_oldest_file_is_told() -> None:
    node = SmallNode()
    queue = node.queue()
    node.publish_all([b"%d" % number + b"." * 200 for number in range(400)], queue)
    node.rest()
    names = [name for name in node.disk.names("journal") if name.isdigit()]
    assert len(names) > 1
    node.disk.remove(f"journal/{names[0]}")
    assert any("missing" in damage for damage in read_contents(node.disk).damages)


def test_what_a_failed_sync_left_with_the_system_only_is_made_safe() -> None:
    node = SmallNode(SimulatedDisk(Pessimist()))
    node.publish(b"safe")
    node.commit()
    node.publish(b"not safe")
    node.disk.faults.append(Fault(errno.EIO, "sync", count=2))
    node.commit()
    assert [each.body for each in node.killed().without_power().seen()] == [b"safe", b"not safe"]
