"""Space on the disk: what has to be written elsewhere before a journal file or a segment can go."""

from collections.abc import Sequence
from typing import Final, final

from mypy_extensions import i64

from supersoniq.broker.definitions import Definition, Setting, SettingKey
from supersoniq.broker.message import Entry, Message
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.queues.runs import runs_among
from supersoniq.broker.vhost import VHost
from supersoniq.storage.definitions import kept_bytes, write_declared
from supersoniq.storage.gaps import gaps
from supersoniq.storage.journal_file import JournalFile
from supersoniq.storage.queue_store import DiskQueueStore, Release, Shared
from supersoniq.storage.records import CARRIED, PERSISTENT, Destination, message_bytes
from supersoniq.storage.segments import Segment

# Files may occupy twice what lives in them, and this many journal files, before space is made. There are two
# more: the one that is prepared, and one that is kept to be used again.
FILES_AT_LEAST: Final = 2
# Messages that are carried in one turn.
CARRIED_MAX: Final = 2_000
# A batch of what is carried is cut when it has grown to this.
CARRIED_BYTES_MAX: Final = 2 * 1024 * 1024


@final
class Retirement:
    """Clears and retires journal files and segments of one store."""

    def __init__(self, shared: Shared) -> None:
        self.vhosts: dict[str, VHost] = {}
        self.settings: dict[SettingKey, Setting] = {}
        self.is_ready = False  # while the node recovers nobody knows what lives
        self._shared = shared
        self._journal = shared.journal
        self.is_carrying = False  # there is more to be written again of the file that is being cleared
        self._clearing: JournalFile | None = None
        self._settlement_bytes: i64 = 0  # what it took the last time to say what is settled in segments

    def declare(self, definition: Definition) -> None:
        """Write that something is declared."""
        journal = self._journal
        write_declared(journal.records, definition)
        file = journal.file
        definition.stored = file.number
        file.keep(1, kept_bytes(definition))

    def retire(self) -> None:
        """Retire the oldest files as long as nothing lives in them."""
        while self.is_ready:
            file = self._journal.oldest()
            if file is None or file.live > 0 or file.settles_pages:
                return
            if self._journal.final < max(file.safe_after, file.last_batch):
                return
            if file is self._clearing:
                self._clearing = None
                self.is_carrying = False
            self._journal.retire(file)

    def tidy(self) -> None:
        """Remove empty segments; make space if there is too much on the disk."""
        for kept in list(self._shared.paged):
            for segment in list(kept.segments.values()):
                if segment.live == 0 and segment.unwritten == 0 and not segment.is_syncing:
                    kept.drop(segment)
        self.press()
        self._leave_sparse()

    def press(self) -> None:
        """Clear the oldest file if the journal is too large."""
        journal = self._journal
        file = journal.oldest()
        if file is None or not self.is_ready:
            return
        if file is self._clearing:
            if self.is_carrying:
                self._carry_on(file)
            self._sync_what_keeps(file)
        elif self._excess() > 0:
            self._clear(file)

    def _excess(self) -> i64:
        """Return by how much the journal is larger than it may be."""
        journal = self._journal
        allowed = FILES_AT_LEAST * journal.file_bytes + 2 * (journal.live_bytes + self._settlement_bytes)
        return journal.total_bytes - allowed

    def _clear(self, file: JournalFile) -> None:
        """Write again what lives in a file: the messages bit by bit from the next turn on, the rest now."""
        self._clearing = file
        self.is_carrying = True
        replaced = self._replaced(file)
        self._carry_definitions(list(self.settings.values()), file.number)
        for vhost in self.vhosts.values():
            self._carry_definitions(_definitions_of(vhost), file.number)
        for kept in self._shared.paged:
            for segment in kept.segments.values():
                if segment.recorded_in == file.number:
                    kept.record(segment)
        if file.settles_pages:
            self._carry_all_settlements()
        last = self._last_batch()
        for each in replaced:
            each.settles_pages = False
            each.safe_after = max(each.safe_after, last)
        # The messages follow in the next turn: what is settled takes as long as many of them.
        self._shared.schedule()
        self._sync_what_keeps(file)

    def _last_batch(self) -> i64:
        """Return the batch that has what was written last; if nothing is, there may never be another one."""
        journal = self._journal
        return journal.number if journal.waiting_bytes > 0 else journal.number - 1

    def _carry_on(self, file: JournalFile) -> None:
        """Write again some of the messages that live in a file."""
        held = self._held(file.number)
        messages: dict[Message, list[Destination]] = {}
        self.is_carrying = False
        for vhost in self.vhosts.values():
            for queue in vhost.queues.values():
                if queue.durable:
                    self._find(queue, file, held.get(queue.kept, []), messages)
        for message, destinations in messages.items():
            self._carry(message, destinations)
        file.safe_after = max(file.safe_after, self._last_batch())
        self._journal.urgent_count += 1
        self._shared.schedule()

    def _replaced(self, file: JournalFile) -> list[JournalFile]:
        """Return the files that are not needed as far as they settle what is in segments.

        Of that all is written again, or nothing.
        """
        if not file.settles_pages:
            return [file]
        self._settlement_bytes = 0
        return [each for each in self._journal.files.values() if each is not self._journal.file]

    def _carry_definitions(self, definitions: Sequence[Definition], number: i64) -> None:
        for definition in definitions:
            if definition.stored == number:
                self._journal.release(number, 1, kept_bytes(definition))
                self.declare(definition)

    def _held(self, number: i64) -> dict[object, list[Entry]]:
        """Return what sessions hold, by queue; what is of queues that are gone does not live any more."""
        held: dict[object, list[Entry]] = {}
        for vhost in self.vhosts.values():
            for holder in vhost.holders:
                for kept, entry in holder.held():
                    assert isinstance(kept, DiskQueueStore)
                    if not kept.is_closed:
                        held.setdefault(kept, []).append(entry)
                    elif entry.message.stored == number and kept.durable:
                        self._journal.release(number, 1, message_bytes(entry.message))
                        entry.message = _unstored(entry.message)
        return held

    def _find(
        self,
        queue: Queue,
        file: JournalFile,
        held: list[Entry],
        messages: dict[Message, list[Destination]],
    ) -> None:
        """Add what a queue has in a file, up to so many messages; each with all its queues."""
        kept = queue.kept
        assert isinstance(kept, DiskQueueStore)
        number = file.number
        entries = queue.in_memory(number)
        entries.extend(held)
        for entry in entries:
            message = entry.message
            if message.stored != number:
                continue
            known = messages.get(message)
            if known is not None:
                known.append(_destination_of(kept, entry))
            elif len(messages) < CARRIED_MAX:
                messages[message] = [_destination_of(kept, entry)]
            else:
                self.is_carrying = True

    def _carry_all_settlements(self) -> None:
        """Write again what is settled in the segments of all queues."""
        held = self._held(0)
        for vhost in self.vhosts.values():
            for queue in vhost.queues.values():
                kept = queue.kept
                assert isinstance(kept, DiskQueueStore)
                if kept.durable and kept.segments:
                    entries = queue.in_memory()
                    entries.extend(held.get(kept, []))
                    kept.flush()
                    before = self._journal.records.size
                    self._carry_settlements(queue, kept, entries)
                    self._settlement_bytes += self._journal.records.size - before

    def _carry(self, message: Message, destinations: list[Destination]) -> None:
        journal = self._journal
        count = i64(len(destinations))
        size = count * message_bytes(message)
        journal.release(message.stored, count, size)
        journal.records.shared_message(message, destinations, PERSISTENT | CARRIED)
        file = journal.file
        message.stored = file.number
        file.keep(count, size)
        if journal.waiting_bytes > CARRIED_BYTES_MAX:
            journal.cut()

    def _carry_settlements(self, queue: Queue, kept: DiskQueueStore, entries: list[Entry]) -> None:
        """Write again which messages in the queue's segments are settled.

        All but those that are still here.
        """
        records = self._journal.records
        for first, last in kept.before.settled.pairs():
            records.settled(kept.number, first, last)
        pages = queue.pages()
        kept.write_counts_before([(int(page.first), int(page.last)) for page in pages])
        for entry in entries:
            if entry.message.stored < 0 and entry.delivery_count > 0 and entry.message.persistent:
                kept.write_returned(entry)
        at = min([int(segment.first) for segment in kept.segments.values()])
        end = max([int(segment.last) for segment in kept.segments.values()])
        for first, last in gaps(at, end, runs_among(list(entries)), pages):
            records.settled(kept.number, first, last)
        self._journal.file.settles_pages = True

    def _sync_what_keeps(self, file: JournalFile) -> None:
        """Sync the segments whose pages are safe only in a file."""
        number = int(file.number)
        for kept in self._shared.paged:
            for segment in kept.segments.values():
                if number in segment.refs and kept.durable:
                    kept.sync(segment)

    # Sparse segments

    def _leave_sparse(self) -> None:
        """Write what lives in mostly dead, or broken, segments elsewhere."""
        excess: i64 = 0
        for kept in self._shared.paged:
            for segment in kept.segments.values():
                excess += segment.size - 2 * segment.live_bytes
        # What the journal does not use of its share is left to the segments.
        is_much = excess > 0 and excess + self._excess() > 0
        sparse: list[tuple[DiskQueueStore, Segment]] = []
        for kept in self._shared.paged:
            for segment in kept.segments.values():
                is_sparse = segment.is_broken or (is_much and 0 < segment.live * 2 < segment.count)
                if not is_sparse or segment.is_left or segment.unwritten > 0:
                    continue
                if segment.is_sealed:
                    sparse.append((kept, segment))
                else:
                    kept.seal(segment)
        if not sparse:
            return
        held = self._held(0)
        for kept, segment in sparse:
            self._leave(kept, segment, held.get(kept, []))

    def _leave(self, kept: DiskQueueStore, segment: Segment, held: list[Entry]) -> None:
        queue = self._queue_of(kept)
        if queue is None:
            return
        segment.is_left = kept.has_left = True
        for page in queue.pages():
            if page.segment == segment.number:
                entries = kept.read_page(page)
                # Else it stays where it is: damaged, or not to be read now.
                if i64(len(entries)) == page.count:
                    kept.place(page, entries)
        journal = self._journal
        carried = 0
        alive = queue.in_memory()
        alive.extend(held)
        for entry in alive:
            message = entry.message
            if message.stored != -segment.number:
                continue
            if message.persistent and kept.durable:
                destination = _destination_of(kept, entry)
                journal.records.shared_message(message, [destination], PERSISTENT | CARRIED)
                message.stored = journal.file.number
                journal.file.keep(1, message_bytes(message))
                carried += 1
            else:
                message.stored = 0
                segment.live -= 1
        if carried:
            journal.urgent_count += 1
            self._shared.releases.append(Release(journal.number, kept, {-int(segment.number): carried}))
        self._shared.schedule()

    def _queue_of(self, kept: DiskQueueStore) -> Queue | None:
        for vhost in self.vhosts.values():
            for queue in vhost.queues.values():
                if queue.kept is kept:
                    return queue
        return None


def _definitions_of(vhost: VHost) -> list[Definition]:
    """Return all of a virtual host."""
    definitions: list[Definition] = []
    for exchange in vhost.exchanges.values():
        if exchange.definition is not None:
            definitions.append(exchange.definition)
        for binding in exchange.bindings.values():
            if binding.definition is not None:
                definitions.append(binding.definition)
    for queue in vhost.queues.values():
        if queue.definition is not None:
            definitions.append(queue.definition)
    return definitions


def _destination_of(kept: DiskQueueStore, entry: Entry) -> Destination:
    """Return where an entry is."""
    return Destination(kept.number, entry.position, entry.delivery_count, entry.expires_at)


def _unstored(message: Message) -> Message:
    """Return the same message, kept nowhere."""
    return Message(message.address, message.header, message.body, message.persistent)
