"""Group commit: the thread's side of the journal. All batches that came meanwhile share one sync."""

import collections
from typing import Final, final

from mypy_extensions import i64

from supersoniq.storage.disk import Disk
from supersoniq.storage.journal_file import JournalFile
from supersoniq.storage.worker import Job

# Of one write; what comes after it is in the next.
GROUP_BYTES_MAX: Final = 4 * 1024 * 1024
GROUP_PIECES_MAX: Final = 1_000

SYNC_ALWAYS: Final = 0
SYNC_INTERVAL: Final = 1
SYNC_NEVER: Final = 2


@final
class Batch:
    """The records of one turn, for one file."""

    def __init__(self, file: JournalFile, number: i64, pieces: list[bytes], size: i64) -> None:
        self.file = file
        self.number: i64 = number
        self.pieces = pieces
        self.size: i64 = size


class Commit(Job):
    """Writes and syncs what is pending, again and again.

    The loop adds to `pending` and submits this when `is_asked` is false; the thread sets `safe`, `synced` and
    `written_bytes`. A batch that could not be written stays pending.
    """

    def __init__(self, disk: Disk, sync: int) -> None:
        self.pending: collections.deque[Batch] = collections.deque()
        self.is_asked = False
        self.outstanding = 0  # of the loop: submitted, and not told to be done
        self.wants_sync = False  # with an interval: it is over
        self.safe: i64 = 0
        self.synced: i64 = 0  # what a power loss cannot touch; below `safe` where the policy is weak
        self.written_bytes: i64 = 0
        self.error: OSError | None = None
        self._disk = disk
        self._sync = sync
        self._last: JournalFile | None = None
        self._group: list[Batch] = []  # written, and not synced as it should be

    def run(self) -> None:
        """Write all that is pending; what the sync policy wants is safe then."""
        self.is_asked = False
        while self.pending:
            self._write_group()
        if self.wants_sync:
            self.wants_sync = False
            if self._last is not None and not self._last.is_synced:
                self._last.sync(self._disk)
            self.synced = self.safe

    def _write_group(self) -> None:
        """Write the next batches of one file; those that were written before and not synced go first."""
        if not self._group:
            self._group = self._next_group()
            first = self._group[0]
            pieces = first.pieces
            if len(self._group) > 1:
                pieces = []
                for batch in self._group:
                    pieces.extend(batch.pieces)
            file = first.file
            try:
                self._leave(file, first.number)
                file.write(self._disk, pieces, self._sync != SYNC_NEVER)
            except OSError:
                self._group = []
                raise
        if self._sync == SYNC_ALWAYS:
            self._group[0].file.sync(self._disk)
        for batch in self._group:
            self.pending.popleft()
            self.written_bytes += batch.size
        self.safe = self._group[-1].number
        if self._sync == SYNC_ALWAYS:
            self.synced = self.safe
        self._group = []

    def _next_group(self) -> list[Batch]:
        if len(self.pending) == 1:
            return [self.pending[0]]
        group: list[Batch] = []
        size: i64 = 0
        count = 0
        # By index: the loop adds batches meanwhile, which breaks an iterator.
        for place in range(min(len(self.pending), GROUP_PIECES_MAX)):
            batch = self.pending[place]
            size += batch.size
            count += len(batch.pieces)
            if group and (
                batch.file is not group[0].file or size > GROUP_BYTES_MAX or count > GROUP_PIECES_MAX
            ):
                break
            group.append(batch)
        return group

    def _leave(self, file: JournalFile, number: i64) -> None:
        """Sync the file before `file`, which begins with batch `number`, if nobody did: it is finished."""
        last = self._last
        if last is not None and last is not file:
            if not last.is_synced:
                last.sync(self._disk)
            last.close()
            if self._sync != SYNC_NEVER:
                self.synced = number - 1
        self._last = file

    def done(self, error: OSError | None) -> None:
        """Keep what went wrong for the journal, which looks when it is told."""
        self.outstanding -= 1
        self.error = error
