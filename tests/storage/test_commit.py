"""Group commit: what is written and synced together, and what happens to it when that fails."""

import errno
from collections import deque
from collections.abc import Iterator

import pytest
from tests.storage.simulated_disk import Fault, SimulatedDisk
from tests.storage.small_node import Pessimist

from supersoniq.storage.commit import (
    GROUP_BYTES_MAX,
    GROUP_PIECES_MAX,
    SYNC_ALWAYS,
    SYNC_INTERVAL,
    SYNC_NEVER,
    Batch,
    Commit,
)
from supersoniq.storage.journal_file import JOURNAL, JournalFile


class Desk:
    """A commit with a disk, and files to write to."""

    def __init__(self, sync: int = SYNC_ALWAYS) -> None:
        self.disk = SimulatedDisk()
        self.disk.make_directory(JOURNAL)
        self.disk.sync_directory("")
        self.commit = Commit(self.disk, sync)
        self.count = 0
        self.files = [JournalFile(number) for number in (1, 2, 3)]
        for file in self.files:
            file.prepare(self.disk, 0, "")
        self.disk.log = []

    def add(self, *pieces: bytes, file: int = 1) -> None:
        self.count += 1
        size = sum([len(piece) for piece in pieces])
        self.commit.pending.append(Batch(self.files[file - 1], self.count, list(pieces), size))

    def run(self) -> OSError | None:
        """What the worker does; returns what went wrong."""
        self.commit.outstanding += 1
        error: OSError | None = None
        try:
            self.commit.run()
        except OSError as failure:
            error = failure
        self.commit.done(error)
        assert self.commit.error is error
        return error

    def done(self) -> list[str]:
        """What was done on the disk since the last call: `write 1`, `sync 2` and so on."""
        assert self.disk.log is not None
        words = [line.split(" ")[1:] for line in self.disk.log]
        self.disk.log.clear()
        return [f"{kind[0]} {kind[-1].removeprefix('journal/').lstrip('0')}" for kind in words]

    def safe_content(self, number: int = 1) -> bytes:
        """What a power loss leaves of a file."""
        return self.disk.copy().crash(Pessimist()).files()[f"journal/{number:010d}"]

    @property
    def numbers(self) -> tuple[int, int]:
        """What is safe, and what is synced."""
        return int(self.commit.safe), int(self.commit.synced)


def test_all_batches_that_came_meanwhile_share_one_write_and_one_sync() -> None:
    desk = Desk()
    for body in (b"a", b"b", b"c"):
        desk.add(body)
    assert desk.run() is None
    assert desk.done() == ["write 1", "sync 1"]
    assert (desk.safe_content(), desk.numbers) == (b"abc", (3, 3))
    assert (desk.commit.written_bytes, len(desk.commit.pending)) == (3, 0)


def test_nothing_pending_is_nothing_to_do() -> None:
    desk = Desk()
    desk.commit.is_asked = True
    assert desk.run() is None
    assert (desk.done(), desk.commit.is_asked, desk.commit.outstanding) == ([], False, 0)


def test_batches_of_two_files_are_two_groups() -> None:
    desk = Desk()
    for file in (1, 1, 2, 2, 3):
        desk.add(b"x", file=file)
    desk.run()
    assert desk.done() == ["write 1", "sync 1", "write 2", "sync 2", "write 3", "sync 3"]


def test_group_is_bounded_in_bytes_and_in_pieces() -> None:
    desk = Desk()
    for _ in range(3):
        desk.add(bytes(GROUP_BYTES_MAX // 2))
    desk.run()
    assert desk.done() == ["write 1", "sync 1"] * 2
    for _ in range(3):
        desk.add(*[b"x"] * (GROUP_PIECES_MAX // 2))
    desk.run()
    assert desk.done() == ["write 1", "sync 1"] * 2


def test_batch_above_all_bounds_goes_alone() -> None:
    desk = Desk()
    desk.add(b"a")
    desk.add(bytes(GROUP_BYTES_MAX + 1))
    desk.add(b"b")
    desk.run()
    assert desk.done() == ["write 1", "sync 1"] * 3
    assert desk.commit.safe == 3


def test_batch_that_could_not_be_written_stays_and_is_written_in_its_place_later() -> None:
    desk = Desk()
    desk.add(b"ab")
    desk.run()
    desk.add(b"cdef")
    desk.disk.faults.append(Fault(errno.ENOSPC, "write", count=2))
    for _ in range(2):
        error = desk.run()
        assert error is not None
        assert error.errno == errno.ENOSPC
        assert (desk.numbers, len(desk.commit.pending), desk.commit.written_bytes) == ((1, 1), 1, 2)
    desk.add(b"gh")
    assert desk.run() is None
    assert (desk.safe_content(), desk.numbers) == (b"abcdefgh", (3, 3))


def test_group_that_was_written_and_not_synced_is_not_written_twice() -> None:
    desk = Desk()
    desk.add(b"ab")
    desk.disk.faults += [Fault(errno.EIO, "sync"), Fault(errno.ENOSPC, "create")]
    assert desk.run() is not None
    assert desk.numbers == (0, 0)
    desk.add(b"cd")
    desk.done()
    assert desk.run() is None
    repeated = [
        "create moving",
        "truncate moving",
        "write moving",
        "sync moving",
        "rename 1.1",
        "sync journal",
    ]
    assert desk.done() == [*repeated, "write moving", "sync moving"]
    survivor = desk.disk.copy().crash(Pessimist())
    assert survivor.files()["journal/0000000001.1"] == b"abcd"
    assert desk.numbers == (2, 2)


def test_batch_is_safe_only_after_a_sync_that_succeeded() -> None:
    desk = Desk()
    desk.add(b"ab")
    desk.disk.faults += [Fault(errno.EIO, "sync", count=4)]
    for _ in range(3):
        assert desk.run() is not None
        assert desk.numbers == (0, 0)
    assert desk.run() is None
    assert desk.numbers == (1, 1)


def test_with_an_interval_what_is_written_is_safe_and_synced_when_it_is_over() -> None:
    desk = Desk(SYNC_INTERVAL)
    desk.add(b"a")
    desk.add(b"b")
    desk.run()
    assert (desk.done(), desk.numbers) == (["write 1"], (2, 0))
    desk.commit.wants_sync = True
    desk.run()
    assert (desk.done(), desk.numbers, desk.safe_content()) == (["sync 1"], (2, 2), b"ab")
    desk.commit.wants_sync = True
    desk.run()
    assert desk.done() == []


def test_with_an_interval_a_file_is_synced_before_the_next_one_is_begun() -> None:
    desk = Desk(SYNC_INTERVAL)
    desk.add(b"a")
    desk.add(b"b", file=2)
    desk.run()
    assert (desk.done(), desk.numbers) == (["write 1", "sync 1", "write 2"], (2, 1))


def test_with_an_interval_a_failed_sync_is_made_up_for() -> None:
    desk = Desk(SYNC_INTERVAL)
    desk.add(b"a")
    desk.disk.faults += [Fault(errno.EIO, "sync"), Fault(errno.ENOSPC, "create")]
    desk.commit.wants_sync = True
    assert desk.run() is not None
    assert desk.numbers == (1, 0)
    desk.commit.wants_sync = True
    assert desk.run() is None
    assert desk.numbers == (1, 1)
    assert desk.disk.copy().crash(Pessimist()).files()["journal/0000000001.1"] == b"a"


def test_with_never_nothing_is_synced_or_kept_in_memory() -> None:
    desk = Desk(SYNC_NEVER)
    for file in (1, 1, 2):
        desk.add(b"x" * 10, file=file)
        desk.run()
    assert (desk.done(), desk.numbers) == (["write 1", "write 1", "write 2"], (3, 0))
    assert all(file.is_synced for file in desk.files)


@pytest.mark.parametrize("sync", [SYNC_ALWAYS, SYNC_INTERVAL])
def test_file_that_cannot_be_left_keeps_what_comes_after_it_waiting(sync: int) -> None:
    desk = Desk(sync)
    desk.add(b"a")
    desk.disk.faults += [
        Fault(errno.EIO, "sync", path="journal/0000000001"),
        Fault(errno.EIO, "sync", path="journal/moving"),
    ]
    desk.add(b"b", file=2)
    assert desk.run() is not None
    assert desk.commit.synced == 0
    assert len(desk.disk.files()["journal/0000000002"]) == 0
    assert desk.run() is None
    assert desk.commit.safe == 2
    assert desk.disk.copy().crash(Pessimist()).files()["journal/0000000001.1"] == b"a"


class Growing(deque[Batch]):
    """Batches of a loop that adds another one as soon as somebody has begun to go through them."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk

    def __iter__(self) -> Iterator[Batch]:
        begun = super().__iter__()
        self._desk.add(b"late")
        return begun


def test_loop_may_add_batches_while_the_thread_looks_for_the_next_ones() -> None:
    desk = Desk()
    desk.commit.pending = Growing(desk)
    desk.add(b"a")
    desk.add(b"b")
    assert desk.run() is None
    assert desk.safe_content().startswith(b"ab")
