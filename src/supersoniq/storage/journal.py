"""The journal: the one order of everything durable, as records in batches in numbered files.

Records are collected in memory and cut into one batch a turn; `commit.py` makes batches safe. A file counts
what still lives in it; when nothing does and all that speaks of it elsewhere is safe, its space is used again
under a later number, the oldest file first.
"""

import logging
import time
from typing import Final, final

from librt.strings import BytesWriter, write_i64_be
from mypy_extensions import i64

from supersoniq.storage.commit import SYNC_INTERVAL, Batch, Commit
from supersoniq.storage.direct import Direct
from supersoniq.storage.disk import Disk
from supersoniq.storage.journal_file import JOURNAL, JournalFile
from supersoniq.storage.records import (
    BATCH_HEAD_BYTES,
    RETIRED,
    TRANSACTION,
    RecordWriter,
    batch_head,
    nested_seed,
    record_seed,
)
from supersoniq.storage.worker import Job, Worker

logger = logging.getLogger(__name__)

# A retired file that is kept to be used again.
SPARE: Final = f"{JOURNAL}/spare"
# A larger batch is left to the thread.
DIRECT_BYTES_MAX: Final = 32 * 1024


@final
class _Prepare(Job):
    """Makes the next file ready, from the spare one if there is any."""

    def __init__(self, journal: "Journal", file: JournalFile) -> None:
        self._journal = journal
        self._file = file
        self._spare = SPARE if journal.has_spare else ""
        self._is_used = False
        journal.has_spare = False

    def run(self) -> None:
        """Prepare it; whatever goes wrong is met again when it is written."""
        journal = self._journal
        self._is_used = self._file.prepare(journal.disk, int(journal.file_bytes), self._spare)

    def done(self, error: OSError | None) -> None:
        """Say what went wrong."""
        if error is None:
            self._journal.has_spare |= bool(self._spare) and not self._is_used
        else:
            # Where the spare one is now nobody knows; the next takes its place.
            logger.warning("journal: no file could be prepared: %s", error.strerror)


@final
class _Retire(Job):
    """Removes files that nothing is in any more, or makes one the spare.

    They go strictly from the oldest on, and each is gone for good before the next: what a later file says of
    an earlier one must not be lost before that.
    """

    def __init__(self, journal: "Journal") -> None:
        self._journal = journal
        self._wants_spare = not journal.has_spare
        self._made_spare = False
        self._gone = 0

    def run(self) -> None:
        """Do it, unless somebody copies files now."""
        disk = self._journal.disk
        if not disk.try_hold():
            return
        try:
            for file in list(self._journal.retired):
                self._retire(disk, file)
                self._gone += 1
        finally:
            disk.end_hold()

    def _retire(self, disk: Disk, file: JournalFile) -> None:
        is_spare = False
        for path in list(file.parts):
            if path != file.name:
                # The part before must not come back without it, as if batches were missing.
                disk.sync_directory(JOURNAL)
            if self._wants_spare and not self._made_spare and path == file.name:
                disk.rename(path, SPARE)
                self._made_spare = is_spare = True
            else:
                disk.remove(path)
            # If what follows fails, this is not done again.
            file.parts.remove(path)
        disk.sync_directory(JOURNAL)
        if is_spare:
            self._shorten_spare(disk)

    def _shorten_spare(self, disk: Disk) -> None:
        """Cut off what large batches have added, now that nobody can find it under its old name."""
        file = disk.open(SPARE)
        try:
            if file.size() > self._journal.file_bytes:
                file.truncate(int(self._journal.file_bytes))
        finally:
            file.close()

    def done(self, error: OSError | None) -> None:
        """Try again later what was not removed."""
        journal = self._journal
        del journal.retired[: self._gone]
        journal.is_retiring = False
        if self._made_spare:
            journal.has_spare = True


@final
class Journal:
    """Writes records. `number` is the batch that is being filled, `durable` the last one that is safe."""

    def __init__(
        self,
        disk: Disk,
        committer: Worker,
        background: Worker,
        file_bytes: int,
        sync: int,
    ) -> None:
        self.disk = disk
        self.files: dict[int, JournalFile] = {}
        self.number: i64 = 1
        self.durable: i64 = 0
        self.final: i64 = 0  # the last one that replaces what was before it: with an interval, a synced one
        self.refused: i64 = 0
        self.urgent_count: i64 = 0  # things in the batch that somebody waits for
        self.has_rotated = False
        self.has_spare = False
        self.retiring: list[tuple[int, JournalFile]] = []  # with the batch that says so
        self.retired: list[JournalFile] = []  # in order; nothing is in them any more
        self.is_retiring = False
        self.trouble = ""
        self._epoch: i64 = 0
        self._records = RecordWriter()
        self._outer = self._records  # the batch's, while a transaction has records of its own
        self._sync = sync
        self._commit = Commit(disk, sync)
        self._committer = committer
        self._background = background
        self.file_bytes: i64 = file_bytes
        self.direct = Direct()
        self._now = time.monotonic
        self._cut_bytes: i64 = 0
        self._file = JournalFile(0)
        self._next = JournalFile(0)

    def start(self, epoch: int, number: int, file_number: int) -> None:
        """Begin to write, with the first batch `number` in a new file."""
        self._epoch = epoch
        self.number = number
        self.durable = self.final = self._commit.safe = self._commit.synced = number - 1
        self._records.seed = record_seed(self.number, self._epoch)
        self._file = JournalFile(file_number)
        self.files[file_number] = self._file
        self._next = JournalFile(file_number + 1)
        self.has_spare = SPARE.rpartition("/")[2] in self.disk.names(JOURNAL)
        self._file.prepare(self.disk, int(self.file_bytes), "")
        self._background.submit(_Prepare(self, self._next))

    # Records

    @property
    def file(self) -> JournalFile:
        """The file that the next record will be in."""
        return self._file

    @property
    def records(self) -> RecordWriter:
        """What takes the next record."""
        return self._records

    def begin(self, kind: i64) -> BytesWriter:
        """Begin a record, as `RecordWriter.begin` does."""
        return self._records.begin(kind)

    def end(self) -> i64:
        """End a record that somebody waits for; returns its sequence."""
        self._records.end()
        self.urgent_count += 1
        return self.number

    def _numbered(self, number: i64) -> JournalFile | None:
        """Return a file, if it is still there."""
        return self._file if number == self._file.number else self.files.get(int(number))

    def release(self, file_number: i64, count: i64, size: i64) -> None:
        """Count `count` entries or definitions of `size` octets less in a file."""
        file = self._numbered(file_number)
        if file is not None:
            file.release(count, size)

    def settle(self, file_number: i64, size: i64, sequence: i64) -> None:
        """Count an entry or a definition less in a file, which is needed until `sequence` is safe.

        The record that settles it may get lost, and with it the transaction that puts something in its place.
        """
        file = self._numbered(file_number)
        if file is not None:
            file.release(1, size)
            file.safe_after = max(file.safe_after, sequence)

    def begin_transaction(self) -> None:
        """Collect what follows in one record, until `end_transaction`."""
        assert self._outer is self._records
        self._records = RecordWriter()
        self._records.seed = nested_seed(self._outer.seed)

    def end_transaction(self) -> i64:
        """Add the record; returns its sequence, 0 if there is nothing in it."""
        inner = self._records
        self._records = self._outer
        pieces = inner.take()
        if not pieces:
            return 0
        self._records.nested(TRANSACTION, pieces)
        self.urgent_count += 1
        return self.number

    # Batches

    @property
    def pending_bytes(self) -> int:
        """What is not safe yet."""
        return int(self._records.size + self._cut_bytes - self._commit.written_bytes)

    @property
    def waiting_bytes(self) -> int:
        """What is in the batch that is being filled."""
        return int(self._records.size)

    def cut(self) -> None:
        """Send what was collected to the disk as one batch."""
        size = self._records.size
        if size == 0:
            return
        file = self._file
        pieces = [batch_head(size, self.number, self._epoch, file.number, self._commit.synced)]
        pieces.extend(self._records.take())
        size += BATCH_HEAD_BYTES
        file.size += size
        file.last_batch = self.number
        self._cut_bytes += size
        self._commit.pending.append(Batch(file, self.number, pieces, size))
        self.number += 1
        self._records.seed = record_seed(self.number, self._epoch)
        is_alone = self.urgent_count == 1 and size <= DIRECT_BYTES_MAX
        self.urgent_count = 0
        if not (is_alone and self.direct.may_commit() and self._commit_here()):
            self._ask()
        if file.size >= self.file_bytes:
            self._rotate()

    def _ask(self) -> None:
        if not self._commit.is_asked:
            self._commit.is_asked = True
            self._commit.outstanding += 1
            self._committer.submit(self._commit)

    def _commit_here(self) -> bool:
        """Write and sync on the loop; false if the thread has or gets something to do instead."""
        commit = self._commit
        if commit.outstanding > 0:
            return False
        began = self._now()
        try:
            commit.run()
        except OSError as error:
            commit.error = error
            return False
        commit.error = None
        self.direct.committed(self._now() - began)
        return True

    def _rotate(self) -> None:
        self.has_rotated = True
        self._file = self._next
        self.files[int(self._file.number)] = self._file
        self._next = JournalFile(int(self._file.number) + 1)
        self._background.submit(_Prepare(self, self._next))

    def look(self) -> bool:
        """Take note of how far the commit thread is; true if that has changed anything for those who wait."""
        commit = self._commit
        moved = commit.safe > self.durable
        self.durable = commit.safe
        self.final = commit.synced if self._sync == SYNC_INTERVAL else commit.safe
        error = commit.error
        if error is None:
            self.trouble = ""
        else:
            self.trouble = (error.strerror or str(error)).lower()
            refused = self.number - 1
            moved = moved or refused > self.refused
            self.refused = refused
        return moved

    def tick(self, interval_is_over: bool) -> None:
        """Try again what failed, and sync what the interval wants."""
        if interval_is_over:
            self._commit.wants_sync = True
        if self._commit.pending or interval_is_over:
            self._ask()
        self._ask_retirement()

    # The oldest file

    @property
    def total_bytes(self) -> i64:
        """What all files occupy."""
        total: i64 = 0
        for file in self.files.values():
            total += max(file.size, self.file_bytes)
        return total

    @property
    def live_bytes(self) -> i64:
        """What still lives of that."""
        total: i64 = 0
        for file in self.files.values():
            total += file.live_bytes
        return total

    def oldest(self) -> JournalFile | None:
        """Return the oldest file that is not written any more."""
        if len(self.files) > 1:  # else only the one that is written: each turn asks
            for file in self.files.values():
                return file if file is not self._file else None
        return None

    def retire(self, file: JournalFile) -> None:
        """Use the space of a file again: nothing lives in it, and what replaces it is safe.

        The journal says so first, or a file that is missing would not be missed.
        """
        del self.files[int(file.number)]
        file.close()
        write_i64_be(self._records.begin(RETIRED), file.number)
        self._records.end()
        self.retiring.append((int(self.number), file))

    def let_retired_go(self) -> None:
        """Remove the files of which the journal says that they are retired."""
        if not self.retiring or self.retiring[0][0] > self.final:
            return
        while self.retiring and self.retiring[0][0] <= self.final:
            self.retired.append(self.retiring.pop(0)[1])
        self._ask_retirement()

    def _ask_retirement(self) -> None:
        if self.retired and not self.is_retiring:
            self.is_retiring = True
            self._background.submit(_Retire(self))

    def stop(self) -> None:
        """Close the files."""
        for file in self.files.values():
            file.close()
        self._next.close()
