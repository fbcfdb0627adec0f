"""A data directory that cannot be used: one clear line, exit code 1, and nothing in it is touched."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.disks import SmallDisk
from tests.faults.nodes import Node
from tests.faults.restarts import Clients

from supersoniq.storage.directory import FORMAT, format_line

Damage = Callable[[Path], None]


def newer(directory: Path) -> None:
    (directory / "format").write_text(format_line(FORMAT + 1))


def much_newer(directory: Path) -> None:
    (directory / "format").write_text("supersoniq data format 10\nand more\n")


def foreign(directory: Path) -> None:
    (directory / "format").write_bytes(b"\x00\xffnothing of ours")


def unreadable(directory: Path) -> None:
    """As a user whose rights do not count cannot be shut out, what should be a file is none."""
    (directory / "format").unlink()
    (directory / "format").mkdir()


def without_journal(directory: Path) -> None:
    """There is something else in its place."""
    (directory / "journal").rename(directory / "elsewhere")
    (directory / "journal").write_bytes(b"")


def contents(directory: Path) -> dict[str, bytes]:
    """Every file but the lock, which holds the last process's id."""
    files = [path for path in sorted(directory.rglob("*")) if path.is_file() and path.name != "lock"]
    return {str(path.relative_to(directory)): path.read_bytes() for path in files}


def check_one_line(node: Node, *words: str) -> None:
    """A process is refused, and says why in one line for the operator."""
    process = node.launch()
    assert process.wait() == 1, process.log
    assert len(process.lines) == 1, process.log
    assert process.log.startswith("supersoniq: "), process.log
    for word in words:
        assert word in process.log


def filled(node: Node) -> None:
    """Start, publish, and stop."""
    clients = Clients(node.start(), "q")
    clients.publish(clients.durable_queue(), b"kept")
    clients.forget()
    node.stop()


@pytest.mark.parametrize("damage", [newer, much_newer, foreign, unreadable, without_journal])
def test_directory_that_is_not_understood_is_refused_and_left_alone(node: Node, damage: Damage) -> None:
    filled(node)
    assert (node.directory / "format").read_text() == format_line(FORMAT)
    damage(node.directory)
    before = contents(node.directory)
    check_one_line(node, str(node.directory))
    assert contents(node.directory) == before


def test_newer_format_is_named_and_the_data_is_good_for_who_understands_it(
    node: Node, clients: Clients
) -> None:
    filled(node)
    newer(node.directory)
    check_one_line(node, f"format {FORMAT + 1}")
    (node.directory / "format").write_text(format_line(FORMAT))
    node.start()
    assert clients.bodies("q") == [b"kept"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("name", ["format", "journal", "."])
def test_directory_without_the_right_to_read_is_refused(node: Node, name: str) -> None:
    filled(node)
    path = node.directory / name
    mode = path.stat().st_mode
    path.chmod(0)
    try:
        check_one_line(node, "permission denied")
    finally:
        path.chmod(mode)


def test_file_system_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    disk = SmallDisk(tmp_path / "disk", 64 << 20)
    node = Node(disk.path, journal_file_bytes="1MiB")
    try:
        filled(node)
        subprocess.run(["mount", "-o", "remount,ro", str(disk.path)], check=True)
        check_one_line(node, "read-only file system")
    finally:
        node.close()
        disk.unmount()


def test_second_broker_is_refused_and_the_first_goes_on(node: Node, clients: Clients) -> None:
    node.start()
    clients.publish(clients.durable_queue(), b"before")
    second = Node(node.directory.parent)
    check_one_line(second, "is in use by process")
    clients.publish("q", b"after")
    clients.forget()
    node.restart()
    assert clients.bodies("q") == [b"before", b"after"]
