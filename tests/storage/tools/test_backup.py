"""A copy has everything that was safe when it was begun, and a node starts on it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.storage.simulated_disk import SimulatedDisk
from tests.storage.small_node import SmallNode
from tests.storage.tools.stores import SMALL, changed, flipped, on_disk, restarted, small_store

from supersoniq.storage.contents import read_contents
from supersoniq.storage.directory import DataError
from supersoniq.storage.tools.backup import DestinationError, backup, copy_data, whole_end
from supersoniq.storage.tools.snapshot import Snapshot
from supersoniq.storage.tools.verify import verify

SEGMENT = "segments/0000000001-0000000001"


def copied(disk: SimulatedDisk) -> SimulatedDisk:
    target = SimulatedDisk()
    copy_data(Snapshot(disk), target)
    return target


def test_copy_recovers_to_the_same() -> None:
    disk = small_store()
    one, other = restarted(disk), restarted(copied(disk))
    for name in (b"long", b"short"):
        assert one.seen(name) == other.seen(name)
    assert other.report.damages == []
    assert other.vhost.exchanges.keys() == one.vhost.exchanges.keys()


def test_copy_has_no_more_than_it_needs() -> None:
    disk = small_store()
    disk.put("segments/0000000009-0000000001", b"of nobody")
    disk.put("journal/spare", b"old")
    files = copied(disk).files()
    assert files.keys() == disk.files().keys() - {
        "segments/0000000009-0000000001",
        "journal/spare",
        "journal/0000000004",
    }
    assert len(files["journal/0000000003"]) < len(disk.files()["journal/0000000003"])


def test_everything_that_is_copied_is_safe() -> None:
    target = copied(small_store())
    assert target.unsynced() == []
    assert verify(target) == []


def test_torn_tail_is_not_copied() -> None:
    disk = small_store(is_stopped=False)
    path = "journal/0000000003"
    (scan,) = [scan for scan in read_contents(disk).scans if scan.path == path]
    data = disk.files()[path]
    torn = changed(disk, path, data[: scan.end - 5] + bytes(len(data) - scan.end + 5))
    contents = read_contents(torn)
    assert whole_end(contents, contents.scans[-1]) == scan.batches[-1].head_at
    assert verify(copied(torn)) == []


def test_pages_that_are_not_safe_yet_are_not_copied() -> None:
    disk = small_store()
    grown = changed(disk, SEGMENT, disk.files()[SEGMENT] + b"half a page")
    assert copied(grown).files()[SEGMENT] == disk.files()[SEGMENT]


def test_damage_is_copied_for_verify_to_find() -> None:
    disk = small_store()
    damaged = flipped(disk, SEGMENT, 8 * 100)
    assert [str(problem) for problem in verify(copied(damaged))] == [
        str(problem) for problem in verify(damaged)
    ]


def test_missing_segment_stays_missing() -> None:
    disk = small_store()
    disk.remove(SEGMENT)
    assert [problem.path for problem in verify(copied(disk))] == [SEGMENT]


def test_directory_without_marks_is_copied() -> None:
    disk = small_store()
    disk.remove("marks")
    assert "marks" not in copied(disk).files()


# --- directories ---------------------------------------------------------------------------------


def test_stopped_directory_is_copied(tmp_path: Path) -> None:
    source, target = tmp_path / "data", tmp_path / "a" / "copy"
    source.mkdir()
    on_disk(small_store(), source)
    done = backup(source, target)
    assert done.problems == []
    assert done.files == 7
    assert done.bytes == sum([path.stat().st_size for path in target.rglob("*") if path.is_file()])


def test_destination_must_be_empty(tmp_path: Path) -> None:
    source = tmp_path / "data"
    source.mkdir()
    on_disk(small_store(), source)
    with pytest.raises(DestinationError, match="is not empty"):
        backup(source, tmp_path)
    with pytest.raises(DestinationError, match="is inside of"):
        backup(source, source / "copy")
    (tmp_path / "file").write_text("")
    with pytest.raises(DestinationError, match="is no directory"):
        backup(source, tmp_path / "file")


def test_what_is_no_data_directory_is_not_copied(tmp_path: Path) -> None:
    for source in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(DataError):
            backup(source, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_copy_that_is_not_finished_has_no_format() -> None:
    target = SimulatedDisk()
    target.capacity_bytes = 2_000
    with pytest.raises(OSError, match="No space left"):
        copy_data(Snapshot(small_store()), target)
    assert "format" not in target.files()


def test_small_node_of_a_copy_goes_on() -> None:
    node = SmallNode(copied(small_store()), SMALL)
    node.publish(b"more", node.vhost.queues[b"short"])
    node.rest()
    assert node.killed().bodies(b"short")[-1] == b"more"
