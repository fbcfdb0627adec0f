"""The journal: what is in which batch and file, and how files come, go, and come again."""

import errno

import pytest
from tests.storage.batches import message_of
from tests.storage.simulated_disk import Fault, SimulatedDisk
from tests.storage.small_node import Pessimist
from tests.storage.stepped import SteppedWorker

from supersoniq.storage.commit import SYNC_ALWAYS, SYNC_INTERVAL, SYNC_NEVER
from supersoniq.storage.direct import Bystander
from supersoniq.storage.journal import DIRECT_BYTES_MAX, SPARE, Journal
from supersoniq.storage.journal_file import JOURNAL, JournalFile
from supersoniq.storage.records import (
    BATCH_HEAD_BYTES,
    CLOSED,
    MESSAGE,
    PERSISTENT,
    message_bytes,
    read_message,
)
from supersoniq.storage.scan import FileScan, records_of, scan_file

FILE_BYTES = 2_000


class Quiet(Bystander):
    """Sees nobody, ever."""

    def watch(self) -> None:
        pass


class Desk:
    """A journal on a disk, with threads that work when they are told to."""

    def __init__(
        self, sync: int = SYNC_ALWAYS, disk: SimulatedDisk | None = None, number: int = 1, file: int = 1
    ) -> None:
        self.disk = disk or SimulatedDisk()
        if disk is None:
            self.disk.make_directory(JOURNAL)
            self.disk.sync_directory("")
        self.committer = SteppedWorker()
        self.background = SteppedWorker()
        self.journal = Journal(self.disk, self.committer, self.background, FILE_BYTES, sync)
        self.journal.start(99, number, file)

    def message(self, size: int = 100) -> None:
        """Put a message in the batch."""
        journal = self.journal
        message = message_of(b"x" * size)
        journal.records.message(message, 1, 1, 0, 0, PERSISTENT)
        journal.urgent_count += 1
        journal.file.keep(1, message_bytes(message))

    def cut(self, size: int = 100) -> None:
        """Cut a batch with one message."""
        self.message(size)
        self.journal.cut()

    def fill(self) -> JournalFile:
        """Fill the current file, so that the next one is begun; returns the one that is full."""
        file = self.journal.file
        while self.journal.file is file:
            self.cut()
        self.work()
        return file

    def work(self) -> bool:
        """Have the threads do all there is; true if that moved anything."""
        moved = False
        while not (self.committer.is_idle and self.background.is_idle):
            self.committer.step()
            self.background.step()
            self.committer.finish()
            self.background.finish()
            moved |= self.journal.look()
        return moved

    def empty(self, file: JournalFile) -> None:
        """Nothing lives in a file any more."""
        self.journal.release(file.number, file.live, 0)
        self.retire(file)

    def retire(self, *files: JournalFile) -> None:
        """Retire files, and let them go when the journal says so."""
        for file in files:
            self.journal.retire(file)
        self.journal.cut()
        self.work()
        self.journal.let_retired_go()
        self.work()

    def names(self) -> list[str]:
        return [path.removeprefix("journal/").lstrip("0") for path in self.disk.files()]


def scanned(disk: SimulatedDisk, number: int) -> FileScan:
    path = JournalFile(number).name
    return scan_file(disk.files()[path], path, number, None)


def test_batch_is_safe_when_the_thread_has_synced_it() -> None:
    desk = Desk()
    desk.cut()
    desk.cut()
    assert (desk.journal.number, desk.journal.durable) == (3, 0)
    assert desk.work()
    assert (desk.journal.durable, desk.journal.final) == (2, 2)
    assert not desk.journal.look()
    found = scanned(desk.disk.copy().crash(Pessimist()), 1)
    assert [batch.head.number for batch in found.batches] == [1, 2]


def test_head_says_what_was_safe_when_the_batch_was_cut() -> None:
    desk = Desk()
    for _ in range(3):
        desk.cut()
    desk.work()
    desk.cut()
    desk.work()
    heads = [batch.head for batch in scanned(desk.disk, 1).batches]
    assert [head.synced for head in heads] == [0, 0, 0, 3]
    assert {(head.epoch, head.file) for head in heads} == {(99, 1)}


@pytest.mark.parametrize("sync", [SYNC_INTERVAL, SYNC_NEVER])
def test_head_does_not_say_that_anything_is_synced_that_is_only_written(sync: int) -> None:
    desk = Desk(sync)
    for _ in range(3):
        desk.cut()
        assert desk.work()
    assert desk.journal.durable == 3
    assert [batch.head.synced for batch in scanned(desk.disk, 1).batches] == [0, 0, 0]


def test_with_an_interval_nothing_is_replaced_before_it_is_over() -> None:
    desk = Desk(SYNC_INTERVAL)
    desk.cut()
    desk.work()
    assert (desk.journal.durable, desk.journal.final) == (1, 0)
    desk.journal.tick(True)
    desk.work()
    assert desk.journal.final == 1


def test_nothing_collected_is_no_batch() -> None:
    desk = Desk()
    desk.journal.cut()
    assert (desk.journal.number, desk.committer.is_idle) == (1, True)


def test_new_batches_go_to_the_thread_that_was_asked_already() -> None:
    desk = Desk()
    desk.cut()
    desk.cut()
    desk.committer.step()
    desk.committer.finish()
    assert desk.committer.is_idle
    assert desk.journal.look()
    assert desk.journal.durable == 2


def test_file_that_is_full_is_followed_by_the_next() -> None:
    desk = Desk()
    first = desk.fill()
    assert (first.number, desk.journal.file.number, list(desk.journal.files)) == (1, 2, [1, 2])
    assert desk.journal.has_rotated
    assert first.size >= FILE_BYTES
    assert desk.journal.oldest() is first
    before = scanned(desk.disk, 1)
    desk.cut()
    desk.work()
    after = scanned(desk.disk, 2)
    assert after.batches[0].head.number == before.batches[-1].head.number + 1
    assert desk.names() == ["1", "2", "3"]


def test_batch_larger_than_a_file_is_in_one_file_nevertheless() -> None:
    desk = Desk()
    desk.cut(10 * FILE_BYTES)
    desk.cut()
    desk.work()
    assert [batch.head.number for batch in scanned(desk.disk, 1).batches] == [1]
    assert [batch.head.number for batch in scanned(desk.disk, 2).batches] == [2]
    assert desk.journal.total_bytes > 11 * FILE_BYTES


def test_file_that_the_background_had_no_time_to_prepare_is_made_when_it_is_written() -> None:
    desk = Desk()
    for _ in range(3 * FILE_BYTES // 100):
        desk.cut()
    while not desk.committer.is_idle:
        desk.committer.step()
        desk.committer.finish()
    desk.journal.look()
    assert desk.journal.durable == desk.journal.number - 1
    survivor = desk.disk.copy().crash(Pessimist())
    numbers = [head.head.number for file in desk.journal.files for head in scanned(survivor, file).batches]
    assert numbers == list(range(1, int(desk.journal.number)))


def test_oldest_file_is_none_while_it_is_written() -> None:
    desk = Desk()
    assert desk.journal.oldest() is None


def test_live_bytes_are_those_of_the_records_that_live() -> None:
    desk = Desk()
    desk.cut(5)
    first = desk.fill()
    large = message_bytes(message_of(b"x" * 100))
    small = message_bytes(message_of(b"x" * 5))
    assert desk.journal.live_bytes == (first.live - 1) * large + small
    assert first.size == desk.journal.live_bytes + first.live * BATCH_HEAD_BYTES
    desk.journal.release(1, first.live - 1, (first.live - 1) * large)
    assert desk.journal.live_bytes == small
    desk.journal.settle(1, small, 1)
    assert desk.journal.live_bytes == 0
    desk.journal.release(77, 1, 10)
    assert desk.journal.total_bytes == first.size + FILE_BYTES


def test_file_is_needed_until_what_settles_its_entries_is_safe() -> None:
    desk = Desk()
    first = desk.fill()
    live = first.live
    desk.journal.settle(1, 10, 7)
    desk.journal.settle(1, 10, 5)
    desk.journal.settle(1_000, 10, 9)
    assert (first.live, first.safe_after) == (live - 2, 7)


def test_retired_file_becomes_the_spare_one_and_then_a_later_one() -> None:
    desk = Desk()
    desk.empty(desk.fill())
    assert desk.names() == ["2", "3", "spare"]
    old = desk.disk.files()[SPARE]
    desk.fill()
    assert desk.names() == ["2", "3", "4"]
    assert desk.disk.files()[JournalFile(4).name] == old
    assert scanned(desk.disk, 4).batches == []


def test_one_spare_file_is_enough() -> None:
    desk = Desk()
    files = [desk.fill() for _ in range(4)]
    for file in files:
        desk.empty(file)
    assert desk.names() == ["5", "6", "spare"]


def test_spare_file_is_found_again_by_the_next_process() -> None:
    desk = Desk()
    desk.empty(desk.fill())
    other = Desk(disk=desk.disk.kill(), number=50, file=3)
    other.work()
    assert other.names() == ["2", "3", "4"]


def test_file_that_has_grown_large_is_shortened_once_it_has_another_name() -> None:
    desk = Desk()
    desk.cut(FILE_BYTES * 3)
    file = desk.journal.oldest()
    assert file is not None
    desk.work()
    desk.disk.log = []
    desk.empty(file)
    assert len(desk.disk.files()[SPARE]) == FILE_BYTES
    assert file.name not in desk.disk.files()
    words = [line.partition(" ")[2] for line in desk.disk.log]
    assert words[-1] == f"truncate {SPARE}"
    assert words[-2] == "sync directory journal"


def test_files_are_gone_for_good_from_the_oldest_on() -> None:
    desk = Desk()
    files = [desk.fill() for _ in range(4)]
    desk.disk.log = []
    for file in files:
        desk.journal.release(file.number, file.live, 0)
    desk.retire(*files)
    words = [line.partition(" ")[2] for line in desk.disk.log]
    gone = [
        word
        for word in words
        if not word.startswith(("create", "allocate", "write", "sync journal", "trunc"))
    ]
    assert gone == [
        f"rename journal/0000000001 {SPARE}",
        "sync directory journal",
        "remove journal/0000000002",
        "sync directory journal",
        "remove journal/0000000003",
        "sync directory journal",
        "remove journal/0000000004",
        "sync directory journal",
    ]


@pytest.mark.parametrize("kind", ["rename", "sync directory", "remove"])
@pytest.mark.parametrize("skip", [0, 1])
def test_removal_that_fails_is_tried_again_with_the_next_tick(kind: str, skip: int) -> None:
    desk = Desk()
    files = [desk.fill() for _ in range(3)]
    desk.disk.faults.append(Fault(errno.EIO, kind, skip=skip))
    for file in files:
        desk.empty(file)
    for _ in range(2):
        desk.journal.tick(False)
        desk.work()
        desk.fill()
    assert desk.journal.retired == []
    assert not {"1", "2", "3"} & set(desk.names())


def test_file_is_there_until_the_journal_says_that_it_is_retired() -> None:
    desk = Desk()
    file = desk.fill()
    desk.journal.release(file.number, file.live, 0)
    desk.journal.retire(file)
    desk.journal.let_retired_go()
    desk.work()
    assert file.name in desk.disk.files()
    desk.retire()
    assert file.name not in desk.disk.files()


def test_nothing_is_removed_while_somebody_copies() -> None:
    desk = Desk()
    files = [desk.fill() for _ in range(2)]
    desk.disk.is_copied = True
    for file in files:
        desk.empty(file)
    desk.journal.tick(False)
    desk.work()
    assert desk.names() == ["1", "2", "3", "4"]
    desk.disk.is_copied = False
    desk.journal.tick(False)
    desk.work()
    assert desk.names() == ["3", "4", "spare"]


@pytest.mark.parametrize("kind", ["open", "rename", "sync directory"])
def test_spare_file_that_cannot_be_used_stops_nothing(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk()
    desk.empty(desk.fill())
    desk.disk.faults.append(Fault(errno.EMFILE, kind))
    for _ in range(4):
        desk.fill()
    assert desk.journal.durable == desk.journal.number - 1
    assert len(caplog.messages) == 1
    survivor = desk.disk.copy().crash(Pessimist())
    numbers = [head.head.number for file in desk.journal.files for head in scanned(survivor, file).batches]
    assert numbers == sorted(numbers)
    assert numbers[-1] == desk.journal.durable


def test_all_parts_of_a_file_go_with_it() -> None:
    desk = Desk()
    desk.disk.faults.append(Fault(errno.EIO, "sync", path="journal/0000000001"))
    desk.empty(desk.fill())
    assert desk.names() == ["2", "3", "spare"]


def test_transaction_is_one_record() -> None:
    desk = Desk()
    journal = desk.journal
    journal.begin_transaction()
    assert journal.end_transaction() == 0
    desk.message()
    journal.begin_transaction()
    for _ in range(3):
        desk.message()
    assert journal.end_transaction() == 1
    journal.begin(CLOSED)
    assert journal.end() == 1
    journal.cut()
    desk.work()
    data = desk.disk.files()[JournalFile(1).name]
    scan = scan_file(data, "", 1, None)
    assert scan.broken == []
    spans = records_of(data, scan.batches[0])
    assert [data[span.at + 8] for span in spans] == [MESSAGE] * 4 + [CLOSED]
    assert read_message(data, spans[3].at, spans[3].end).body == b"x" * 100


def test_what_waits_is_counted_until_it_is_safe() -> None:
    desk = Desk()
    assert (desk.journal.pending_bytes, desk.journal.waiting_bytes) == (0, 0)
    desk.message()
    waiting = desk.journal.waiting_bytes
    assert 0 < waiting == desk.journal.pending_bytes
    desk.journal.cut()
    assert (desk.journal.waiting_bytes, desk.journal.pending_bytes) == (0, waiting + 48)
    desk.work()
    assert desk.journal.pending_bytes == 0


def test_trouble_is_named_all_that_was_cut_is_refused_and_tried_again_with_the_tick() -> None:
    desk = Desk()
    desk.disk.faults.append(Fault(errno.ENOSPC, "write", count=2))
    desk.cut()
    desk.cut()
    assert desk.work()
    assert (desk.journal.trouble, desk.journal.refused) == ("no space left on device", 2)
    assert not desk.journal.look()
    desk.cut()
    assert desk.work()
    assert desk.journal.refused == 3
    desk.journal.tick(False)
    assert desk.work()
    assert (desk.journal.trouble, desk.journal.durable, desk.journal.refused) == ("", 3, 3)


def test_batch_that_is_alone_is_committed_at_once() -> None:
    desk = Desk()
    desk.journal.direct.bystander = Quiet()
    desk.cut()
    assert desk.committer.is_idle
    assert desk.journal.look()
    assert desk.journal.durable == 1


@pytest.mark.parametrize("case", ["two wait", "large", "nobody waits", "thread is at work", "no bystander"])
def test_other_batches_go_to_the_thread(case: str) -> None:
    desk = Desk()
    if case == "thread is at work":
        desk.cut()
    if case != "no bystander":
        desk.journal.direct.bystander = Quiet()
    desk.message(DIRECT_BYTES_MAX if case == "large" else 10)
    if case == "two wait":
        desk.message()
    if case == "nobody waits":
        desk.journal.urgent_count = 0
    desk.journal.cut()
    assert not desk.committer.is_idle
    assert not desk.journal.look()
    desk.work()
    assert desk.journal.durable == desk.journal.number - 1


def test_commit_on_the_loop_that_fails_goes_to_the_thread() -> None:
    desk = Desk()
    desk.journal.direct.bystander = Quiet()
    desk.disk.faults.append(Fault(errno.ENOSPC, "write"))
    desk.cut()
    assert desk.journal.look()
    assert desk.journal.trouble
    desk.work()
    assert (desk.journal.durable, desk.journal.trouble) == (1, "")


def test_commit_on_the_loop_that_succeeds_ends_the_trouble() -> None:
    desk = Desk()
    desk.disk.faults.append(Fault(errno.ENOSPC, "write"))
    desk.cut()
    desk.work()
    assert desk.journal.trouble
    desk.journal.direct.bystander = Quiet()
    desk.cut()
    desk.journal.look()
    assert (desk.journal.durable, desk.journal.trouble) == (2, "")
