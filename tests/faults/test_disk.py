"""A full disk, and a process that may open no more files: publishers wait or are refused, nothing is lost."""

import resource
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.conformance.wire import Closed, Wire
from tests.faults.disks import Publisher, SmallDisk, consume, ready
from tests.faults.nodes import Node

DISK_BYTES = 64 << 20
ROOM_BYTES = 12 << 20
SPARE_FILES = 12
TIGHT = {"journal_file_bytes": "1MiB", "queue_memory": "256KiB"}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    made = SmallDisk(tmp_path / "disk", DISK_BYTES)
    yield made
    made.unmount()


@pytest.fixture
def full(disk: SmallDisk) -> Iterator[Node]:
    """A node on the small disk."""
    made = Node(disk.path, **TIGHT)
    yield made
    made.close()


def check_nothing_is_lost(node: Node, publisher: Publisher, taken: list[int]) -> None:
    """All that was confirmed and not taken comes, in order; what was refused may come or not."""
    with closing(node.wire()) as wire:
        numbers = consume(wire, ready(wire))
    assert numbers == sorted(set(numbers))
    assert publisher.confirmed - set(taken) <= set(numbers)


@pytest.mark.rule("connection.blocked", "disk")
def test_little_free_space_blocks_publishers_until_there_is_room(full: Node, disk: SmallDisk) -> None:
    full.start(disk_free_limit=str(ROOM_BYTES // 2))
    disk.leave(ROOM_BYTES)
    publisher = Publisher(full)
    publisher.publish_until_it_is_full(per_second=1_000)
    assert publisher.news == ["low on disk"]
    full.process.wait_for("disk alarm:")

    with closing(full.wire()) as wire:
        before = ready(wire)
        taken = consume(wire, 100)
        assert ready(wire) <= before - 100
        assert publisher.confirmed >= set(taken)

    disk.make_room()
    publisher.publish_until_it_is_stored()
    assert publisher.news == ["low on disk", ""]
    full.process.wait_for("disk alarm cleared")
    refused = set(publisher.refused)
    publisher.publish(100)
    assert publisher.refused == refused
    publisher.wire.close()
    full.restart(signal.SIGKILL)
    check_nothing_is_lost(full, publisher, taken)


def test_full_disk_refuses_messages_until_there_is_room(full: Node, disk: SmallDisk) -> None:
    full.start(disk_free_limit="0")
    disk.leave(ROOM_BYTES // 2)
    publisher = Publisher(full)
    publisher.publish_until_it_is_full()
    with closing(full.wire()) as wire:
        taken = consume(wire, 100)
    assert publisher.confirmed | publisher.refused >= set(taken)
    disk.make_room()
    publisher.publish_until_it_is_stored()
    refused = set(publisher.refused)
    publisher.publish(100)
    assert publisher.refused == refused
    publisher.wire.close()
    full.restart(signal.SIGKILL)
    check_nothing_is_lost(full, publisher, taken)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_nothing_is_lost_when_the_broker_ends_while_the_disk_is_full(
    full: Node, disk: SmallDisk, number: signal.Signals
) -> None:
    full.start(disk_free_limit="0")
    disk.leave(ROOM_BYTES // 2)
    publisher = Publisher(full)
    publisher.publish_until_it_is_full()
    with closing(full.wire()) as wire:
        taken = consume(wire, 10)
    full.stop(number)
    publisher.wire.drop()
    disk.make_room()
    full.start()
    check_nothing_is_lost(full, publisher, taken)


def test_killed_broker_starts_on_a_full_disk_with_the_alarm_on(full: Node, disk: SmallDisk) -> None:
    full.start(disk_free_limit=str(ROOM_BYTES // 2))
    publisher = Publisher(full)
    publisher.publish(1000)
    publisher.wire.drop()
    full.stop(signal.SIGKILL)
    disk.fill()
    full.start()
    full.process.wait_for("disk alarm:")
    with closing(full.wire()) as wire:
        taken = consume(wire, 100)
        assert ready(wire) == 900
    disk.make_room()
    full.process.wait_for("disk alarm cleared")
    later = Publisher(full)
    later.publish(100)
    later.wire.close()
    full.restart(signal.SIGKILL)
    with closing(full.wire()) as wire:
        count = ready(wire)
        numbers = consume(wire, count)
    assert publisher.confirmed - set(taken) <= set(numbers[:-100])
    assert numbers[-100:] == sorted(later.confirmed)


def test_new_broker_says_in_one_line_that_the_disk_is_full(full: Node, disk: SmallDisk) -> None:
    disk.fill()
    process = full.launch()
    assert process.wait() == 1
    (line,) = [line for line in process.lines if '"level": "warning"' not in line]
    assert line.startswith(f"supersoniq: data directory {full.directory} cannot be written: no space left")
    disk.make_room()
    full.start()
    with closing(Publisher(full).wire) as wire:
        assert ready(wire) == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="sets a limit of a process that runs")
def test_process_without_free_files_serves_its_clients_and_loses_nothing(node: Node) -> None:
    node.start(**TIGHT)
    publisher, consumer = Publisher(node), node.wire()
    publisher.publish(100)
    crowd = exhaust_files(node)
    publisher.publish(2000, waits=False)
    taken = consume(consumer, 50)
    publisher.publish(2000, waits=False)
    taken += consume(consumer, 50)
    for each in crowd:
        each.close()
    publisher.publish_until_it_is_stored()
    refused = set(publisher.refused)
    publisher.publish(100)
    assert publisher.refused == refused
    with closing(wire_in_time(node)) as newcomer:
        assert ready(newcomer) >= len(publisher.confirmed) - len(taken)
    publisher.wire.close()
    consumer.close()
    node.restart(signal.SIGKILL)
    check_nothing_is_lost(node, publisher, taken)


def exhaust_files(node: Node) -> list[socket.socket]:
    """Connect until the process has as many files open as it may."""
    pid = node.process.pid
    files = Path(f"/proc/{pid}/fd")
    limit = len(list(files.iterdir())) + SPARE_FILES
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, limit))
    address = ("127.0.0.1", node.process.port)
    crowd = [socket.create_connection(address, 5) for _ in range(3 * SPARE_FILES)]
    deadline = time.monotonic() + 5
    while len(list(files.iterdir())) < limit:
        assert time.monotonic() < deadline, "the process still has files to open"
        time.sleep(0.01)
    return crowd


def wire_in_time(node: Node) -> Wire:
    """A connection, as soon as the broker takes one again."""
    deadline = time.monotonic() + 10
    while True:
        try:
            return node.wire()
        except (OSError, Closed):
            assert time.monotonic() < deadline, "nobody can connect though there are files to open"
            time.sleep(0.05)
