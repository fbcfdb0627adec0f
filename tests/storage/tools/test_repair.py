"""After a repair nothing is damaged any more, a node starts, and all is there that was whole."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from tests.storage.simulated_disk import SimulatedDisk
from tests.storage.tools.stores import (
    SMALL,
    changed,
    flipped,
    on_disk,
    restarted,
    small_store,
    store_with_levels,
)

from supersoniq.storage.contents import read_contents
from supersoniq.storage.directory import FORMAT, DataError, format_line
from supersoniq.storage.lock import DirectoryLock, LockError
from supersoniq.storage.records import PAGE_HEAD_BYTES
from supersoniq.storage.survey import find_pages, queue_of
from supersoniq.storage.tools.repair import Repair, repair_directory
from supersoniq.storage.tools.snapshot import Hold
from supersoniq.storage.tools.verify import verify

SEGMENT = "segments/0000000001-0000000001"
Bodies = dict[bytes, list[bytes]]


def bodies(disk: SimulatedDisk) -> Bodies:
    """What a node finds there; it finds no damage."""
    node = restarted(disk)
    assert node.report.damages == []
    return {name: node.bodies(name) for name in node.vhost.queues}


def repaired(disk: SimulatedDisk) -> tuple[SimulatedDisk, list[str]]:
    """A repaired copy, and what was done."""
    copy = disk.copy()
    repair = Repair(copy)
    assert repair.run() == []
    assert verify(copy) == []
    return copy, repair.done


def test_whole_directory_is_left_alone() -> None:
    disk = small_store()
    copy, done = repaired(disk)
    assert done == []
    assert copy.files() == disk.files()


@pytest.mark.parametrize("seed", range(20))
def test_one_wrong_bit_costs_nothing(seed: int) -> None:
    random = Random(seed)
    disk = small_store()
    scans = {scan.path: scan.end for scan in read_contents(disk).scans}
    sizes = {path: scans.get(path, len(data)) for path, data in disk.files().items()}
    path = random.choice([path for path in sizes if path in scans or not path.startswith("journal/")])
    copy, done = repaired(flipped(disk, path, random.randrange(8 * sizes[path])))
    assert done
    assert bodies(copy) == bodies(disk)


@pytest.mark.parametrize("seed", range(30))
def test_pages_with_levels_are_repaired_and_others_keep_the_positions_between(seed: int) -> None:
    random = Random(seed)
    disk = store_with_levels()
    wanted = bodies(disk)[b"levels"]
    path = random.choice([path for path in disk.files() if path.startswith("segments")])
    stretches = _pages(disk, path)
    at, head_bytes = random.choice(stretches), PAGE_HEAD_BYTES + 40  # the head, the positions, a message
    size = random.randrange(1, 30)
    first = at + random.randrange(head_bytes)
    data = disk.files()[path]
    damage = random.randbytes(size)
    copy, done = repaired(changed(disk, path, data[:first] + damage + data[first + size :]))
    assert done
    found = bodies(copy)[b"levels"]
    assert [body for body in wanted if body in found] == found
    assert len(found) >= len(wanted) - 1


def _pages(disk: SimulatedDisk, path: str) -> list[int]:
    file = disk.open(path, writable=False)
    return [stretch.at for stretch in find_pages(file, queue_of(path), file.size())]


@pytest.mark.parametrize("seed", range(40))
def test_what_was_whole_is_there_after_random_damage(seed: int) -> None:
    random = Random(seed)
    disk = small_store()
    damaged = disk
    for _ in range(random.randint(1, 3)):
        path = random.choice([path for path in disk.files() if path[:7] in ("journal", "segment")])
        data = bytearray(damaged.files().get(path, b""))
        at, size = random.randrange(len(data) + 1), random.choice([1, 3, 30, 300])
        hole = bytes(size) if random.random() < 0.5 else random.randbytes(size)
        data[at : at + size] = hole[: max(0, len(data) - at)]
        if random.random() < 0.2:
            del data[at:]
        damaged = changed(damaged, path, bytes(data))
    copy, _ = repaired(damaged)
    found = [body for queue in bodies(copy).values() for body in queue]
    names = {
        queue.record.name for queue in read_contents(damaged).queues.values() if queue.record is not None
    }
    before = restarted(damaged)
    readable = {body for name in names for body in before.readable(name)}
    # A repair may mend what says that a message is settled.
    lived = {body for queue in bodies(disk).values() for body in queue}
    assert readable & lived <= set(found)


def test_damaged_message_is_set_aside_and_the_others_stay() -> None:
    disk = small_store()
    data = disk.files()["journal/0000000001"]
    at = data.index(b"both 2")
    copy, done = repaired(changed(disk, "journal/0000000001", data[:at] + b"BOTH" + data[at + 4 :]))
    assert done == [
        "journal/0000000001: 71 damaged bytes at offset 427: a message of batch 3, "
        "queue 'long' in vhost '/', queue 'short' in vhost '/'; set aside in damaged/journal-0000000001-427"
    ]
    assert b"BOTH 2" in copy.files()["damaged/journal-0000000001-427"]
    expected = {name: [body for body in found if body != b"both 2"] for name, found in bodies(disk).items()}
    assert bodies(copy) == expected


def test_what_is_set_aside_twice_has_two_names() -> None:
    disk = small_store()
    at = disk.files()["journal/0000000001"].index(b"both 2")
    once, _ = repaired(flipped(disk, "journal/0000000001", 8 * at))
    twice, _ = repaired(flipped(once, "journal/0000000001", 8 * at))
    names = [path for path in twice.files() if path.startswith("damaged/")]
    assert names == ["damaged/journal-0000000001-427", "damaged/journal-0000000001-427.2"]


def test_queue_without_definition_is_declared_under_another_name() -> None:
    disk = small_store()
    data = disk.files()["journal/0000000001"]
    at = data.index(b"\4long")
    copy, done = repaired(changed(disk, "journal/0000000001", data[:at] + b"\4LOST" + data[at + 5 :]))
    assert done[-1] == (
        "journal: queue 1, which was not declared, is 'lost-queue-1' in vhost '/', messages: 33"
    )
    found = bodies(copy)
    assert found[b"lost-queue-1"] == bodies(disk)[b"long"]


def test_damaged_message_in_a_page_costs_that_message() -> None:
    disk = small_store()
    copy, done = repaired(changed(disk, SEGMENT, disk.files()[SEGMENT].replace(b"paged 18", b"PAGED 18")))
    assert done == [
        f"{SEGMENT}: 57 damaged bytes at offset 186: a message of queue 'long' in vhost '/'; "
        "set aside in damaged/segments-0000000001-0000000001-186"
    ]
    assert bodies(copy)[b"long"] == [body for body in bodies(disk)[b"long"] if body != b"paged 18"]


@pytest.mark.parametrize("number", [0, 1])
def test_lost_page_costs_its_messages(number: int) -> None:
    disk = small_store()
    data = bytearray(disk.files()[SEGMENT])
    data[number * 357 : number * 357 + 357] = bytes(357)
    copy, _ = repaired(changed(disk, SEGMENT, bytes(data)))
    lost = [b"paged %d" % position for position in range(16 + number * 5, 21 + number * 5)]
    assert bodies(copy)[b"long"] == [body for body in bodies(disk)[b"long"] if body not in lost]


@pytest.mark.parametrize("size", [0, 1, 71, 72, 80, 300, 356, 357, 358, 430, 500, 713])
def test_cut_segment_costs_what_was_cut_off(size: int) -> None:
    disk = small_store()
    data = disk.files()[SEGMENT]
    copy, _ = repaired(changed(disk, SEGMENT, data[:size]))
    assert len(copy.files()[SEGMENT]) == len(data)
    whole = [position for position in range(16, 26) if data.find(b"paged %d" % position) + 8 <= size]
    found = bodies(copy)[b"long"]
    assert [body for body in found if body.startswith(b"paged ")][: len(whole)] == [
        b"paged %d" % position for position in whole
    ]
    assert found[-10:] == bodies(disk)[b"long"][-10:]


def test_missing_segment_is_forgotten() -> None:
    disk = small_store()
    disk.remove(SEGMENT)
    copy, done = repaired(disk)
    assert done == [
        f"{SEGMENT}: the segment is missing, and forgotten: messages of queue 'long' in vhost '/'"
    ]
    assert len(bodies(copy)[b"long"]) == 23


@pytest.mark.parametrize("number", [1, 2])
def test_missing_file_of_the_journal_costs_what_was_in_it(number: int) -> None:
    disk = small_store()
    path = f"journal/{number:010d}"
    gone = disk.files()[path]
    disk.remove(path)
    copy, _ = repaired(disk)
    found = {body for queue in bodies(copy).values() for body in queue}
    kept = {body for queue in bodies(small_store()).values() for body in queue if body not in gone}
    assert {body for body in kept if not body.startswith(b"paged ")} <= found


def test_gap_at_the_end_of_a_file_is_closed_and_set_aside() -> None:
    disk = small_store()
    data = disk.files()["journal/0000000001"]
    copy, done = repaired(changed(disk, "journal/0000000001", data[:1368] + b"\1" * (len(data) - 1368)))
    assert done == [
        "journal/0000000002: batches 10 to 11, due before it, are missing; "
        "what follows the last batch before them was set aside in damaged/journal-0000000001-1368"
    ]
    assert len(bodies(copy)[b"long"]) == 31


def test_torn_tail_means_nothing_afterwards() -> None:
    disk = small_store(is_stopped=False)
    (end,) = [scan.end for scan in read_contents(disk).scans if scan.path == "journal/0000000003"]
    data = disk.files()["journal/0000000003"]
    torn = changed(disk, "journal/0000000003", data[: end - 5] + bytes(len(data) - end + 5))
    _, done = repaired(torn)
    assert len(done) == 1
    assert "torn tail" in done[0]


def test_damaged_mark_has_everything_redelivered() -> None:
    disk = small_store()
    copy, done = repaired(flipped(disk, "marks", 8 * 24 + 100))
    assert done == [
        "marks: written anew, all messages of 1 queues are redelivered; set aside in damaged/marks-0"
    ]
    assert bodies(copy) == bodies(disk)


def test_format_is_written_anew() -> None:
    disk = small_store()
    copy, done = repaired(changed(disk, "format", b"supersoniq date format 1\n"))
    assert done == ["format: written anew; set aside in damaged/format-0"]
    assert copy.files()["format"] == disk.files()["format"]


# --- directories ---------------------------------------------------------------------------------


def test_directory_of_a_running_node_is_refused(tmp_path: Path) -> None:
    on_disk(small_store(), tmp_path)
    with DirectoryLock(tmp_path), pytest.raises(LockError, match="in use by process"):
        repair_directory(tmp_path)


def test_directory_that_is_being_copied_is_refused(tmp_path: Path) -> None:
    on_disk(small_store(), tmp_path)
    with Hold(tmp_path), pytest.raises(DataError, match="is being copied"):
        repair_directory(tmp_path)


def test_newer_format_is_refused(tmp_path: Path) -> None:
    on_disk(changed(small_store(), "format", format_line(FORMAT + 1).encode()), tmp_path)
    with pytest.raises(DataError, match="written by a newer"):
        repair_directory(tmp_path)


def test_directory_without_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no data directory"):
        repair_directory(tmp_path)


def test_directory_with_a_broken_format_is_repaired(tmp_path: Path) -> None:
    on_disk(changed(small_store(), "format", b"?"), tmp_path)
    done, left = repair_directory(tmp_path)
    assert (len(done), left) == (1, [])
    assert (tmp_path / "damaged" / "format-0").read_bytes() == b"?"


def test_small_store_has_what_the_tests_rely_on() -> None:
    files = small_store().files()
    assert sum([len(data) for data in files.values()]) < 10_000
    assert SMALL.segment_bytes > len(files[SEGMENT]) == 2 * 357
