"""Every changed bit is noticed, and the line that says so tells where it is and what it was."""

from __future__ import annotations

import pytest
from tests.storage.simulated_disk import Fault, SimulatedDisk
from tests.storage.small_node import SmallNode
from tests.storage.tools.stores import changed, flipped, small_store

from supersoniq.storage.contents import read_contents
from supersoniq.storage.tools.verify import verify

SEGMENT = "segments/0000000001-0000000001"


def meaningful_bytes(disk: SimulatedDisk) -> dict[str, int]:
    """How much of each file means anything: journal files up to the end of their last batch."""
    sizes = {path: len(data) for path, data in disk.files().items() if not path.startswith("journal/")}
    return sizes | {scan.path: scan.end for scan in read_contents(disk).scans}


def unnoticed(disk: SimulatedDisk, bits_of_octet: list[int]) -> list[str]:
    return [
        f"{path}: bit {bit}"
        for path, size in meaningful_bytes(disk).items()
        for octet in range(size)
        for bit in [8 * octet + (octet + each) % 8 for each in bits_of_octet]
        if not verify(flipped(disk, path, bit))
    ]


def lines(disk: SimulatedDisk) -> list[str]:
    return [str(problem) for problem in verify(disk)]


def test_directory_that_was_stopped_is_clean() -> None:
    assert lines(small_store()) == []


def test_directory_of_a_killed_node_is_clean() -> None:
    assert lines(small_store(is_stopped=False)) == []


def test_new_directory_is_clean() -> None:
    disk = SimulatedDisk()
    disk.put("format", b"supersoniq data format 1\n")
    assert lines(disk) == []


def test_one_changed_bit_in_any_octet_is_noticed() -> None:
    assert unnoticed(small_store(), [0]) == []


def test_no_changed_bit_makes_another_format_of_this_one() -> None:
    disk = small_store()
    bits = range(8 * len(disk.files()["format"]))
    assert [bit for bit in bits if not verify(flipped(disk, "format", bit))] == []


@pytest.mark.soak
def test_every_changed_bit_is_noticed() -> None:
    assert unnoticed(small_store(), list(range(8))) == []


def test_damaged_message_is_named_with_its_queues() -> None:
    disk = small_store()
    at = disk.files()["journal/0000000001"].index(b"both 2")
    (line,) = lines(flipped(disk, "journal/0000000001", 8 * at))
    assert line == (
        "journal/0000000001: 71 damaged bytes at offset 427: a message of batch 3, "
        "queue 'long' in vhost '/', queue 'short' in vhost '/'"
    )


def test_queue_that_lost_its_definition_is_named_with_its_messages() -> None:
    disk = small_store()
    at = disk.files()["journal/0000000001"].index(b"long")
    problems = lines(flipped(disk, "journal/0000000001", 8 * at))
    assert problems[0].endswith(": a queue of batch 1")
    assert problems[1] == "journal: queue 1 is not declared: its 33 messages are in no queue"


def test_damaged_message_in_a_page_is_named_with_its_position() -> None:
    disk = small_store()
    at = disk.files()[SEGMENT].index(b"paged 18")
    (line,) = lines(flipped(disk, SEGMENT, 8 * at))
    assert (
        line
        == f"{SEGMENT}: 57 damaged bytes at offset 186: a message of queue 'long' in vhost '/', position 18"
    )


def test_damaged_head_of_a_page_is_named() -> None:
    (line,) = lines(flipped(small_store(), SEGMENT, 8 * 20))
    assert line == (
        f"{SEGMENT}: 72 damaged bytes at offset 0: "
        "the head of a page of messages of queue 'long' in vhost '/'; they are read nevertheless"
    )


def test_lost_page_is_named() -> None:
    disk = small_store()
    data = disk.files()[SEGMENT]
    (line,) = lines(changed(disk, SEGMENT, bytes(357) + data[357:]))
    assert (
        line == f"{SEGMENT}: 357 damaged bytes at offset 0: a page of messages of queue 'long' in vhost '/'"
    )


def test_missing_segment_is_named() -> None:
    disk = small_store()
    disk.remove(SEGMENT)
    assert lines(disk) == [f"{SEGMENT}: the segment is missing: messages of queue 'long' in vhost '/'"]


def test_cut_segment_is_named() -> None:
    disk = small_store()
    (first, *_) = lines(changed(disk, SEGMENT, disk.files()[SEGMENT][:700]))
    assert first == f"{SEGMENT}: 14 bytes are missing at its end: messages of queue 'long' in vhost '/'"


def test_missing_file_of_the_journal_is_named() -> None:
    disk = small_store()
    disk.remove("journal/0000000002")
    (first, *_) = lines(disk)
    assert first == "journal/0000000003: batches 12 to 21, due before it, are missing"


def test_missing_journal_is_named_where_there_are_segments() -> None:
    disk = small_store()
    for path in [path for path in disk.files() if path.startswith("journal/")]:
        disk.remove(path)
    assert lines(disk) == ["journal: is empty, though there are files in segments"]


def test_torn_tail_is_named_and_no_damage() -> None:
    disk = small_store(is_stopped=False)
    end = meaningful_bytes(disk)["journal/0000000003"]
    data = disk.files()["journal/0000000003"]
    (problem,) = verify(changed(disk, "journal/0000000003", data[: end - 5] + bytes(len(data) - end + 5)))
    assert not problem.is_damage
    assert "bytes of torn tail at offset" in problem.what


@pytest.mark.parametrize("data", [b"", b"supersoniq data format 0\n", b"supersoniq data format 1", b"x" * 99])
def test_wrong_format_is_named(data: bytes) -> None:
    (line,) = lines(changed(small_store(), "format", data))
    assert line.startswith(f"format: says {data[:40]!r} instead of ")


def test_missing_format_is_named() -> None:
    disk = small_store()
    disk.remove("format")
    assert lines(disk) == ["format: the file is missing"]


def test_damaged_mark_is_named_with_its_queue() -> None:
    (line,) = lines(flipped(small_store(), "marks", 8 * 24 + 100))
    assert line == "marks: 24 damaged bytes at offset 24: what was delivered of queue 'long' in vhost '/'"


@pytest.mark.parametrize("path", ["format", "journal/0000000002", SEGMENT, "marks"])
def test_file_that_cannot_be_read_is_named(path: str) -> None:
    disk = small_store()
    disk.faults.append(Fault(5, "read", path=path, count=1 << 30))
    (first, *_) = verify(disk)
    assert first.path == path
    assert first.what.startswith("cannot be read: input/output error")


def test_settled_damage_in_a_page_is_said_to_be() -> None:
    disk = small_store()
    at = disk.files()[SEGMENT].index(b"paged 16")
    node = SmallNode(disk)
    long = node.vhost.queues[b"long"]
    node.settle(node.take(14, long))
    node.tick()
    problems = lines(flipped(node.disk.kill(), SEGMENT, 8 * at))
    assert problems == [
        f"{SEGMENT}: 57 damaged bytes at offset 72: "
        "a message of queue 'long' in vhost '/', position 16, settled"
    ]
