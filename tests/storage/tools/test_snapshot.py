"""A snapshot is a prefix of what was written, and nothing is removed while somebody holds the directory."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest
from tests.storage.batches import messages_in
from tests.storage.simulated_disk import SimulatedDisk
from tests.storage.small_node import SmallNode
from tests.storage.tools.stores import SMALL, on_disk, small_store

from supersoniq.storage.contents import read_contents
from supersoniq.storage.directory import DataError
from supersoniq.storage.disk import File, SystemDisk
from supersoniq.storage.tools.snapshot import Hold, Snapshot, give_to_owner, read_whole, snapshot_of


class BusyDisk(SimulatedDisk):
    """Publishes more with every journal file that is opened, once it has a node."""

    def __init__(self) -> None:
        super().__init__()
        self.node: SmallNode | None = None
        self._is_publishing = False

    def open(self, path: str, create: bool = False, writable: bool = True) -> File:
        if self.node is not None and not self._is_publishing and path.startswith("journal/"):
            self._is_publishing = True
            for _ in range(20):
                self.node.publish_all([b"x" * 100])
                self.node.rest()
            self._is_publishing = False
        return super().open(path, create, writable)


def test_journal_that_grows_meanwhile_has_no_gap() -> None:
    disk = BusyDisk()
    node = SmallNode(disk, SMALL)
    node.publish_all([b"before"] * 5)
    node.rest()
    disk.node = node
    snapshot = Snapshot(disk)
    contents = read_contents(snapshot)
    assert contents.damages == []
    assert messages_in(snapshot, contents) >= 5
    assert len(disk.names("journal")) > len(snapshot.names("journal"))


def test_part_that_is_added_meanwhile_is_read() -> None:
    disk = small_store()

    class Adding(SimulatedDisk):
        def names(self, directory: str) -> list[str]:
            names = super().names(directory)
            if directory == "journal" and "0000000003.1" not in names:
                self.put("journal/0000000003.1", b"")
            return names

    adding = Adding()
    for path, data in disk.files().items():
        adding.put(path, data)
    assert "0000000003.1" in Snapshot(adding).names("journal")


def test_snapshot_cannot_be_written() -> None:
    snapshot = Snapshot(small_store())
    file = snapshot.open("journal/0000000001")
    attempts = [
        lambda: file.write(0, [b"x"]),
        lambda: file.truncate(0),
        lambda: file.allocate(1),
        lambda: snapshot.remove("marks"),
        lambda: snapshot.rename("marks", "other"),
        lambda: snapshot.make_directory("other"),
        lambda: snapshot.open("marks").write(0, [b"x"]),
    ]
    for attempt in attempts:
        with pytest.raises(OSError, match=r"Read-only file system|Bad file descriptor"):
            attempt()
    assert not snapshot.try_hold()


def test_frozen_file_reads_like_any_other() -> None:
    disk = small_store()
    file = Snapshot(disk).open("journal/0000000003")
    data = disk.files()["journal/0000000003"]
    assert (file.size(), file.read(3, 5), file.read(len(data), 5)) == (len(data), data[3:8], b"")
    file.sync()
    file.will_read(0, 1)
    file.close()


def test_what_cannot_be_read_is_named() -> None:
    with pytest.raises(FileNotFoundError) as raised:
        read_whole(SimulatedDisk(), "marks")
    assert raised.value.filename == "marks"


# --- holding -------------------------------------------------------------------------------------


def test_nothing_is_removed_while_held(tmp_path: Path) -> None:
    disk = SystemDisk(tmp_path)
    with Hold(tmp_path), Hold(tmp_path):
        assert not disk.try_hold()
    assert disk.try_hold()
    disk.end_hold()
    disk.close()


def test_hold_waits_until_the_node_has_removed_what_it_removes(tmp_path: Path) -> None:
    disk = SystemDisk(tmp_path)
    assert disk.try_hold()
    held = threading.Event()

    def take() -> None:
        Hold(tmp_path).release()
        held.set()

    thread = threading.Thread(target=take)
    thread.start()
    assert not held.wait(0.05)
    disk.end_hold()
    assert held.wait(10)
    thread.join()
    disk.close()


def test_directory_that_nobody_can_write_is_read_without_a_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, flags: int, mode: int = 0o777) -> int:
        raise OSError(errno.EROFS if flags & os.O_CREAT else errno.ENOENT, "no", str(path))

    monkeypatch.setattr(os, "open", refuse)
    with Hold(tmp_path):
        pass


def test_second_release_does_nothing(tmp_path: Path) -> None:
    hold = Hold(tmp_path)
    hold.release()
    hold.release()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_makes_belongs_to_the_owner_of_the_directory(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 12345)
    Hold(tmp_path).release()
    give_to_owner(tmp_path, tmp_path / "hold")
    assert (tmp_path / "hold").stat().st_uid == 12345


def test_snapshot_of_a_directory(tmp_path: Path) -> None:
    on_disk(small_store(), tmp_path)
    with snapshot_of(tmp_path) as snapshot:
        assert read_contents(snapshot).was_stopped


def test_what_is_no_data_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no data directory"), snapshot_of(tmp_path):
        pass
    with pytest.raises(DataError, match="does not exist"), snapshot_of(tmp_path / "nowhere"):
        pass
