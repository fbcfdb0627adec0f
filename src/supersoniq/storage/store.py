"""The store on a disk: the port's side of journal and segments, and what it does at the end of each turn."""

import logging
from typing import final

from mypy_extensions import i64

from supersoniq.broker.definitions import Definition, Setting, SettingKey
from supersoniq.broker.message import Message
from supersoniq.broker.ports import QueueStore
from supersoniq.broker.store import Store
from supersoniq.broker.turn import Deferred, Turn
from supersoniq.broker.vhost import VHost
from supersoniq.storage.commit import SYNC_ALWAYS
from supersoniq.storage.definitions import kept_bytes, write_removed
from supersoniq.storage.disk import Disk
from supersoniq.storage.journal import Journal
from supersoniq.storage.journal_file import JOURNAL
from supersoniq.storage.marks import Marks
from supersoniq.storage.queue_store import NO_SLOT, DiskQueueStore, Release, Shared
from supersoniq.storage.records import CLOSED, PERSISTENT, Destination, message_bytes
from supersoniq.storage.retirement import Retirement
from supersoniq.storage.segments import SEGMENTS, SPOOL, Segment
from supersoniq.storage.share import UNKNOWN_BYTES, MemoryShare
from supersoniq.storage.worker import Job, Worker

logger = logging.getLogger(__name__)

# What nobody waits for leaves when there is so much of it, or at the next tick.
LAZY_BYTES_MAX = 64 * 1024


class StoreOptions:
    """How a store works; sizes in bytes."""

    def __init__(
        self,
        sync: int = SYNC_ALWAYS,
        journal_file_bytes: int = 16 * 1024 * 1024,
        segment_bytes: int = 8 * 1024 * 1024,
        queue_memory_bytes: int = 16 * 1024 * 1024,
        memory_bytes: int = 0,
    ) -> None:
        self.sync = sync
        self.journal_file_bytes = journal_file_bytes
        self.segment_bytes = segment_bytes
        self.queue_memory_bytes = queue_memory_bytes
        self.memory_bytes = memory_bytes


@final
class _RemoveSegments(Job):
    """Removes segments that nothing lives in."""

    def __init__(self, shared: Shared, segments: list[Segment]) -> None:
        self._shared = shared
        self._segments = segments
        self._is_held = False

    def run(self) -> None:
        """Remove them, unless somebody copies files now."""
        disk = self._shared.disk
        self._is_held = not disk.try_hold()
        if self._is_held:
            return
        try:
            for segment in self._segments:
                segment.close()
                disk.remove(segment.path)
        finally:
            disk.end_hold()

    def done(self, error: OSError | None) -> None:
        """Try again later what was not removed."""
        if error is not None or self._is_held:
            self._shared.not_dropped.extend(self._segments)


@final
class _Work(Deferred):
    """What the store does at the end of a turn."""

    def __init__(self, store: "DiskStore") -> None:
        super().__init__()
        self._store = store

    def run(self) -> bool:
        """Do it."""
        return self._store.end_turn()


@final
class _Carry(Deferred):
    """Writes again what keeps the oldest journal file, bit by bit."""

    def __init__(self, retirement: Retirement) -> None:
        super().__init__()
        self._retirement = retirement

    def run(self) -> bool:
        """Do some of it."""
        if self._retirement.is_carrying:
            self._retirement.press()
        return self._retirement.is_carrying


@final
class DiskStore(Store):
    """Keeps what is durable in a data directory.

    `recovery.recover` fills it before anything else is called, and `start` opens it. `look` is called on the
    loop when a worker has ended a job, `tick` now and then, `stop` at the end.
    """

    def __init__(
        self,
        disk: Disk,
        turn: Turn,
        committer: Worker,
        background: Worker,
        marks: Marks,
        options: StoreOptions,
    ) -> None:
        self.journal = Journal(disk, committer, background, options.journal_file_bytes, options.sync)
        self.shared = Shared(
            disk,
            self.journal,
            background,
            marks,
            turn,
            options.segment_bytes,
            MemoryShare(options.queue_memory_bytes, options.memory_bytes),
        )
        self.shared.work = _Work(self)
        self.next_queue: i64 = 1
        self._options = options
        self._committer = committer
        self._background = background
        self._waiters: list[Deferred] = []
        self._vhosts: dict[str, VHost] = {}
        self._settings: dict[SettingKey, Setting] = {}
        self._retirement = Retirement(self.shared)
        self._retirement.settings = self._settings
        self._carry = _Carry(self._retirement)
        self._last_transient: i64 = 0
        self._next_slot = 0

    def start(self, vhosts: dict[str, VHost], epoch: int, number: int, file_number: int) -> None:
        """Begin to write: what was there is recovered. Raises OSError."""
        disk = self.shared.disk
        for directory in (JOURNAL, SEGMENTS, SPOOL):
            disk.make_directory(directory)
        disk.sync_directory("")
        self.shared.epoch = epoch
        self.journal.start(epoch, number, file_number)
        self.shared.reader.keep_reserve(self.journal.file.name)
        self.shared.is_open = True
        self._vhosts = self._retirement.vhosts = vhosts

    def recovered(self) -> None:
        """Begin to give back space: all that lives is known."""
        self._retirement.is_ready = True
        self.look()

    # What virtual hosts and sessions ask

    def open_queue(self, durable: bool) -> QueueStore:
        """Give the queue a number of its own."""
        if not durable:
            self._last_transient += 1
            return DiskQueueStore(self.shared, self._last_transient, False, NO_SLOT)
        number = self.next_queue
        self.next_queue = number + 1
        return DiskQueueStore(self.shared, number, True, self.take_slot())

    def take_slot(self) -> int:
        """Return a place for the mark of a durable queue."""
        if self.shared.free_slots:
            return self.shared.free_slots.pop()
        self._next_slot += 1
        return self._next_slot - 1

    def append(self, message: Message, queues: list[QueueStore]) -> i64:
        """Add it to the batch of this turn."""
        journal = self.journal
        file = journal.file
        if len(queues) == 1:
            kept = queues[0]
            assert isinstance(kept, DiskQueueStore)
            journal.records.message(
                message, kept.number, kept.next_position, 0, kept.next_expires_at, PERSISTENT
            )
        else:
            destinations: list[Destination] = []
            for each in queues:
                assert isinstance(each, DiskQueueStore)
                destinations.append(Destination(each.number, each.next_position, 0, each.next_expires_at))
            journal.records.shared_message(message, destinations, PERSISTENT)
        message.stored = file.number
        count = i64(len(queues))
        file.keep(count, count * message_bytes(message))
        if journal.urgent_count == 0:
            self.shared.schedule()
        journal.urgent_count += 1
        return journal.number

    def begin(self) -> None:
        """Collect what follows in one record."""
        self._flush()
        self.journal.begin_transaction()

    def commit(self) -> i64:
        """Add the record to the batch of this turn."""
        self._flush()
        sequence = self.journal.end_transaction()
        self.shared.schedule()
        return sequence

    def declared(self, definition: Definition) -> i64:
        """Add it to the batch of this turn."""
        if not self.shared.is_open:
            return 0
        before: Definition = definition
        if isinstance(definition, Setting):
            before = self._settings.get(definition.key, definition)
            self._settings[definition.key] = definition
        if before.stored > 0:
            self.journal.settle(before.stored, kept_bytes(before), self.journal.number)
        self._retirement.declare(definition)
        return self._urgent()

    def removed(self, definition: Definition) -> i64:
        """Add it to the batch of this turn; a setting that is not kept is fine."""
        if not self.shared.is_open:
            return 0
        if isinstance(definition, Setting):
            known = self._settings.pop(definition.key, None)
            if known is None:
                return 0
            definition = known
        write_removed(self.journal.records, definition)
        self.journal.settle(definition.stored, kept_bytes(definition), self.journal.number)
        return self._urgent()

    def settings(self) -> list[Setting]:
        """Return them, those of before the start first."""
        return list(self._settings.values())

    def adopt(self, setting: Setting) -> None:
        """Know of a setting that was recovered."""
        self._settings[setting.key] = setting

    def _urgent(self) -> i64:
        self.journal.urgent_count += 1
        self.shared.schedule()
        return self.journal.number

    def durable(self) -> i64:
        """Return what the loop knows of the commit thread."""
        return self.journal.durable

    def refused(self) -> i64:
        """Return what the commit thread could not write so far."""
        return self.journal.refused

    def wait(self, waiter: Deferred) -> None:
        """Remember it until then."""
        self._waiters.append(waiter)

    # Turns

    def end_turn(self) -> bool:
        """Set marks, then send the batch to the disk if anybody waits for it; never leaves work behind."""
        shared = self.shared
        if shared.unmarked:
            for kept in shared.unmarked:
                kept.mark()
            shared.unmarked.clear()
        if self.journal.urgent_count > 0 or self.journal.waiting_bytes > LAZY_BYTES_MAX:
            self._flush()
            self.journal.cut()
            self._tell()
            if self.journal.has_rotated:
                self.journal.has_rotated = False
                self._retirement.press()
        self._let_go()
        if self._retirement.is_carrying:
            shared.turn.dispatch(self._carry)
        return False

    def _tell(self) -> None:
        """Tell those who wait if more is safe."""
        if self.journal.look() and self._waiters:
            waiters, self._waiters = self._waiters, []
            for waiter in waiters:
                waiter.durable_moved()

    def _flush(self) -> None:
        dirty = self.shared.dirty
        if dirty:
            for kept in dirty:
                kept.flush()
            dirty.clear()

    def _let_go(self) -> None:
        """Give back the space that is not needed any more."""
        shared = self.shared
        final = self.journal.final
        if shared.releases:
            waiting: list[Release] = []
            for release in shared.releases:
                if release.sequence <= final:
                    release.kept.release(release.refs)
                else:
                    waiting.append(release)
            shared.releases = waiting
        while shared.freed_slots and shared.freed_slots[0][0] <= final:
            shared.free_slots.append(shared.freed_slots.pop(0)[1])
        if shared.drops:
            gone = [segment for sequence, segment in shared.drops if sequence <= final]
            if gone:
                shared.drops = [drop for drop in shared.drops if drop[0] > final]
                shared.background.submit(_RemoveSegments(shared, gone))
        self._retirement.retire()
        self.journal.let_retired_go()

    def look(self) -> None:
        """Take note of what the workers have done; the turn is to be ended after it."""
        self._committer.finish()
        self._background.finish()
        self._tell()
        self._let_go()

    def tick(self, process_bytes: i64 = UNKNOWN_BYTES) -> None:
        """Write what waits, try again what failed, and tidy up; the process occupies so much memory."""
        shared = self.shared
        if not shared.is_open:
            return
        self.look()
        self._flush()
        self.journal.cut()
        self.journal.tick(False)
        shared.unwritten.try_again(shared.background)
        shared.drops.extend([(0, segment) for segment in shared.not_dropped])
        shared.not_dropped.clear()
        shared.share.adapt(self._vhosts, process_bytes)
        self._retirement.tidy()
        self.end_turn()

    def sync(self) -> None:
        """Sync what was written: the interval is over."""
        if self.shared.is_open:
            self.journal.tick(True)

    def trouble(self) -> str:
        """Return what keeps the store from writing, empty if nothing does."""
        return self.journal.trouble or self.shared.unwritten.trouble

    def backlog_bytes(self) -> int:
        """Return what is on its way to the disk."""
        return self.journal.pending_bytes + int(self.shared.unwritten.bytes)

    def stop(self) -> None:
        """Write and sync everything, say that this was the end, and close the files."""
        shared = self.shared
        if not shared.is_open:
            self._background.stop()
            self._committer.stop()
            return
        self._flush()
        self.journal.cut()
        self._background.drain()
        for kept in list(shared.paged):
            if kept.durable:
                for segment in list(kept.segments.values()):
                    if segment.synced_size < segment.size:
                        kept.seal(segment)
        self._background.stop()
        self.journal.begin(CLOSED)
        self.journal.end()
        self.journal.cut()
        self.journal.tick(self._options.sync != SYNC_ALWAYS)
        self._committer.stop()
        if self.journal.look() and self.journal.trouble:
            logger.error("the store could not write all it had: %s", self.journal.trouble)
        shared.is_open = False
        shared.reader.close()
        shared.marks.close()
        for kept in shared.paged:
            for segment in kept.segments.values():
                segment.close()
        self.journal.stop()
