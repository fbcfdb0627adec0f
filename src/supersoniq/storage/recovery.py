"""Recovery: from the files of a data directory to virtual hosts with their queues and messages.

The journal is read twice. First all that says something of messages is collected: what is declared, settled,
delivered, kept in segments. Then the messages that still live are put into their queues in order of position,
beside the pages of the segments, so that no more of them is in memory at any time than when the node runs.
"""

import logging
import secrets
import time
from abc import ABC, abstractmethod
from typing import final

from librt.strings import read_i64_be
from mypy_extensions import i64, mypyc_attr

from supersoniq.amqp.errors import AMQPError
from supersoniq.amqp.primitives import read_u16, read_u32, text
from supersoniq.broker.message import Entry, Message
from supersoniq.broker.ports import Page
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.queues.rebuilding import END
from supersoniq.broker.queues.runs import pack, runs_of
from supersoniq.broker.restoring import restore_binding, restore_exchange
from supersoniq.broker.vhost import VHost
from supersoniq.storage.contents import Contents, Origin, QueueContents, read_contents
from supersoniq.storage.definitions import QueueRecord, kept_bytes
from supersoniq.storage.disk import Disk
from supersoniq.storage.journal_file import JournalFile
from supersoniq.storage.places import note_places
from supersoniq.storage.queue_store import NO_SLOT, DiskQueueStore
from supersoniq.storage.ranges import Ranges, ranges_of
from supersoniq.storage.records import (
    CARRIED,
    DEFINITION_BYTES,
    DESTINATIONS_AT,
    MESSAGE,
    PAGE_HEAD_BYTES,
    destination_bytes,
    expiry_of,
    message_bytes,
    read_message,
)
from supersoniq.storage.scan import records_of
from supersoniq.storage.segments import DAMAGED, SEGMENTS, SPOOL, Segment
from supersoniq.storage.store import DiskStore
from supersoniq.storage.survey import survey_segment

logger = logging.getLogger(__name__)

PROGRESS_SECONDS = 1.0
# An epoch is a count, and as many bits of chance.
EPOCH_CHANCE_BITS = 31


@mypyc_attr(allow_interpreted_subclasses=True)
class NewVHost(ABC):
    """Makes a virtual host by its name."""

    @abstractmethod
    def make(self, name: str) -> VHost:
        """Return one with its predeclared exchanges."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Mender(ABC):
    """Repairs a directory before anything of it is used."""

    @abstractmethod
    def mend(self) -> None:
        """Set aside what is damaged, and mend what can be; raises OSError."""


@final
class Report:
    """What was recovered."""

    def __init__(self) -> None:
        self.messages = 0
        self.queues = 0
        self.exchanges = 0
        self.bindings = 0
        self.torn_bytes = 0
        self.damages: list[str] = []
        self.was_stopped = True  # the node had been stopped in an orderly way
        self.seconds = 0.0

    def __str__(self) -> str:
        text = f"recovered {self.messages} messages in {self.queues} queues in {self.seconds:.2f} s"
        if self.torn_bytes:
            text += f", dropped {self.torn_bytes} bytes of torn tail"
        if self.damages:
            text += f", found {len(self.damages)} damaged places"
        return text


@final
class _QueueLoad:
    """A queue that is being filled: what its journal messages have to be merged with."""

    def __init__(self, queue: Queue, kept: DiskQueueStore, contents: QueueContents) -> None:
        self.queue = queue
        self.kept = kept
        self.contents = contents
        self.refill = queue.refill()
        self.pages: list[Page] = []
        self.covered: list[tuple[int, int]] = []  # positions that are in pages, some of them twice
        self.next_page = 0
        self.carried: list[Origin] = []
        self.next_carried = 0
        self.last: i64 = 0  # position from a record that was not carried; another one repeats it


@final
class Recovery:
    """Fills the virtual hosts of one node. Raises OSError where the directory cannot be read."""

    def __init__(
        self, disk: Disk, store: DiskStore, vhosts: dict[str, VHost], mender: Mender | None = None
    ) -> None:
        self._mender = mender
        self.report = Report()
        self._disk = disk
        self._store = store
        self._vhosts = vhosts
        self._loads: dict[int, _QueueLoad] = {}
        self._files: dict[int, JournalFile] = {}
        self._contents = Contents()
        self._told_at = 0.0

    def run(self, new_vhost: NewVHost) -> Report:
        """Do it; `new_vhost` makes virtual hosts that were there and are not configured."""
        began = self._told_at = time.monotonic()
        disk, store = self._disk, self._store
        for name in disk.names(SPOOL):
            disk.remove(f"{SPOOL}/{name}")
        contents = self._contents = self._read()
        self.report.torn_bytes = contents.torn_bytes
        self.report.damages = contents.damages
        self.report.was_stopped = contents.was_stopped
        if not contents.scans and disk.names(SEGMENTS):
            contents.damages.append("the journal is missing or empty, though there are segments")
        contents.cut_torn(disk)
        self._remove_unused(contents)
        for scan in contents.scans:
            file = self._files.get(scan.number)
            if file is None:
                file = JournalFile(scan.number)
                self._files[scan.number] = file
                store.journal.files[scan.number] = file
            file.parts.append(scan.path)
            file.size += scan.end
            if scan.batches:
                file.last_batch = scan.batches[-1].head.number
            file.settles_pages = scan.number in contents.settling_files
        store.next_queue = contents.last_queue + 1
        store.start(self._vhosts, next_epoch(contents.epoch), contents.last_batch + 1, contents.last_file + 1)
        self._restore_definitions(new_vhost)
        self._load_segments()
        self._load_messages()
        self._finish()
        self._remove_orphans()
        self.report.seconds = time.monotonic() - began
        return self.report

    def _read(self) -> Contents:
        """Read the journal; a damaged one is mended first, or what depends on the damaged part is lost."""
        contents = read_contents(self._disk)
        if contents.damaged and self._mender is not None:
            self._mender.mend()
            mended = read_contents(self._disk)
            mended.damages = contents.damages + mended.damages
            return mended
        return contents

    def _remove_unused(self, contents: Contents) -> None:
        """Remove the files that a power loss left empty, but for the one that is written next."""
        if not contents.damages:
            for number, path in contents.unused.items():
                if number != contents.last_file + 1:
                    self._disk.remove(path)

    def _restore_definitions(self, new_vhost: NewVHost) -> None:
        contents = self._contents
        store = self._store
        marks = store.shared.marks.load()
        store.shared.marks.reset(len(contents.queues))
        for name in contents.vhost_names():
            if name not in self._vhosts:
                self._vhosts[name] = new_vhost.make(name)
        self._restore_settings()
        for exchange in contents.exchanges.values():
            restore_exchange(self._vhosts[exchange.vhost], exchange)
            self._count_live(exchange.stored)
        latest = _latest(contents.queues)
        # A broken mark may not even say whose it is.
        unknown = -1 if any([mark < 0 and number not in latest for number, mark in marks.items()]) else 0
        for number, queue in contents.queues.items():
            if number in latest:
                self._restore_queue(number, queue, marks.get(number, unknown))
            elif queue.record is not None and not queue.is_deleted:
                self._forget_queue(number, queue, queue.record)
        store.shared.marks.replace()
        for binding in contents.bindings.values():
            self._count_live(binding.stored)
            if restore_binding(self._vhosts[binding.vhost], binding):
                self.report.bindings += 1
            elif not self.report.damages:
                # The end that is missing was deleted, and a power loss took the record of its unbinding.
                # A queue that has the same name one day does not have this binding.
                store.removed(binding)
        self.report.exchanges = len(contents.exchanges)
        self.report.queues = len(self._loads)

    def _restore_settings(self) -> None:
        for setting in self._contents.settings.values():
            self._store.adopt(setting)
            self._files[int(setting.stored)].keep(1, kept_bytes(setting))

    def _forget_queue(self, number: int, contents: QueueContents, record: QueueRecord) -> None:
        """Say again that a queue is deleted: a power loss took the record of that."""
        definition = record.definition(DiskQueueStore(self._store.shared, number, True, NO_SLOT))
        definition.stored = contents.stored
        self._count_live(definition.stored)
        self._store.removed(definition)

    def _restore_queue(self, number: int, contents: QueueContents, mark: int) -> None:
        record = contents.record
        assert record is not None
        slot = self._store.take_slot()
        kept = DiskQueueStore(self._store.shared, number, True, slot)
        definition = record.definition(kept)
        definition.stored = contents.stored
        try:
            queue = self._vhosts[record.vhost].restore_queue(definition)
        except AMQPError as error:
            self.report.damages.append(
                f"queue '{text(record.name)}' in vhost '{record.vhost}' is left out: {error}"
            )
            return
        self._count_live(definition.stored)
        if mark < 0:
            # Nobody knows what was delivered: all of it may have been.
            logger.warning("the mark of queue '%s' cannot be read: all is redelivered", text(record.name))
            mark = contents.highest
        delivered = max(mark, contents.delivered)
        kept.delivered_last = kept.before.delivered = delivered
        kept.next_position = max(
            kept.next_position, record.next_position, contents.highest + 1, delivered + 1
        )
        kept.before.counts = contents.returned
        kept.before.settled = contents.settled
        kept.recovered(contents.delivered)
        self._loads[number] = _QueueLoad(queue, kept, contents)

    def _count_live(self, number: i64) -> None:
        self._files[int(number)].keep(1, DEFINITION_BYTES)

    # Segments

    def _load_segments(self) -> None:
        """Find the pages of the queues, in order of position."""
        for number, load in self._loads.items():
            for segment_number, place in sorted(load.contents.segments.items()):
                self._load_segment(number, load, segment_number, place.size, place.file)
            load.contents.covered = ranges_of(load.covered)
            if sum([last - first + 1 for first, last in load.covered]) > load.contents.covered.count:
                load.pages = _latest_pages(load)
                load.kept.has_left = True
            load.pages.sort(key=_first)
            load.covered = []

    def _load_segment(
        self, number: int, load: _QueueLoad, segment_number: int, size: int, recorded_in: int
    ) -> None:
        segment = Segment(number, segment_number, True)
        survey = survey_segment(self._disk, segment.path, size, load.contents.settled, self.report.damages)
        segment.size = segment.synced_size = size
        segment.is_sealed = segment.is_recovered = True
        segment.recorded_in = recorded_in
        self._count_live(recorded_in)
        for found in survey:
            head = found.head
            segment.count += head.count
            load.covered.extend(found.pairs)
            if segment.first == 0 or head.first < segment.first:
                segment.first = head.first
            segment.last = max(segment.last, head.last)
            load.kept.next_position = max(load.kept.next_position, head.last + 1)
            self._store.shared.last_page = max(self._store.shared.last_page, head.number)
            if found.live:
                segment.live += found.live
                page = Page(found.live, found.body_bytes, head.first, head.last)
                note_places(page, found.places)
                page.segment, page.offset = segment.number, found.at
                page.expires_at = found.expires_at
                page.size = head.payload_bytes + PAGE_HEAD_BYTES
                load.pages.append(page)
        load.kept.adopt(segment)

    # Messages

    def _load_messages(self) -> None:
        """Put what lives in the journal into the queues."""
        contents = self._contents
        for (number, position), origin in contents.carried.items():
            load = self._loads.get(number)
            if load is not None and not self._is_gone(load, position):
                load.carried.append(origin)
        for load in self._loads.values():
            load.carried.sort(key=_position)
        total = len(contents.scans)
        for index, scan in enumerate(contents.scans):
            data = contents.data_of(self._disk, scan)
            file = self._files[scan.number]
            for batch in scan.batches:
                for span in records_of(data, batch):
                    if data[span.at + 8] == MESSAGE and not data[span.at + 9] & CARRIED:
                        self._load_message(data, span.at, span.end, file)
            self._store.look()
            if time.monotonic() - self._told_at > PROGRESS_SECONDS:
                self._told_at = time.monotonic()
                logger.info("recovering: %d%% of the journal", 100 * (index + 1) // total)

    def _is_gone(self, load: _QueueLoad, position: i64) -> bool:
        return load.contents.settled.covers(position) or load.contents.covered.covers(position)

    def _load_message(self, data: bytes, at: i64, end: i64, file: JournalFile) -> None:
        message: Message | None = None
        place = at + DESTINATIONS_AT
        step = destination_bytes(data, at)
        for _ in range(read_u16(data, at + 10)):
            load = self._loads.get(int(read_u32(data, place)))
            position = read_i64_be(data, place + 4)
            if load is not None and position > load.last and not self._is_gone(load, position):
                load.last = position
                if message is None:
                    message = read_message(data, at, end)
                    message.stored = file.number
                self._merge(load, position)
                entry = Entry(message, position)
                entry.delivery_count = read_u32(data, place + 12)
                entry.expires_at = expiry_of(data, at, place)
                self._add(load, entry, file)
            place += step

    def _add(self, load: _QueueLoad, entry: Entry, file: JournalFile) -> None:
        file.keep(1, message_bytes(entry.message))
        load.kept.before.count(entry)
        load.refill.add(entry)

    def _merge(self, load: _QueueLoad, position: i64) -> None:
        """Add what comes before the journal's message at `position`; a copy of that itself is not needed."""
        while True:
            page = load.pages[load.next_page] if load.next_page < len(load.pages) else None
            origin = load.carried[load.next_carried] if load.next_carried < len(load.carried) else None
            if origin is not None and origin.position == position:
                load.next_carried += 1
            elif (
                page is not None
                and page.first < position
                and (origin is None or page.first < origin.position)
            ):
                load.next_page += 1
                load.refill.add_page(page)
            elif origin is not None and origin.position < position:
                load.next_carried += 1
                self._add_carried(load, origin)
            else:
                return

    def _add_carried(self, load: _QueueLoad, origin: Origin) -> None:
        scan = self._contents.scans[origin.scan]
        data = self._contents.piece_of(self._disk, scan, origin.at, origin.end)
        file = self._files[scan.number]
        key = (origin.scan, origin.at)
        message = self._contents.shared.get(key)
        if message is None:
            message = read_message(data, 0, origin.end - origin.at)
            message.stored = file.number
            if read_u16(data, 10) > 1:
                self._contents.shared[key] = message
        entry = Entry(message, origin.position)
        entry.delivery_count = origin.delivery_count
        entry.expires_at = origin.expires_at
        self._add(load, entry, file)

    def _finish(self) -> None:
        for load in self._loads.values():
            self._merge(load, END)
            load.refill.finish()
            load.queue.refilled()
            self.report.messages += load.queue.ready_count
        self._contents.forget()
        self._store.recovered()

    def _remove_orphans(self) -> None:
        """Remove the segments that no queue has.

        After damage they are set aside, as their owner may be lost.
        """
        known = {segment.path for load in self._loads.values() for segment in load.kept.segments.values()}
        for name in self._disk.names(SEGMENTS):
            path = f"{SEGMENTS}/{name}"
            if path in known:
                continue
            if self.report.damages:
                self._disk.make_directory(DAMAGED)
                self._disk.rename(path, f"{DAMAGED}/{name}")
            else:
                self._disk.remove(path)


def _latest(queues: dict[int, QueueContents]) -> set[int]:
    """Return the numbers of the queues that are there, the latest one of each name.

    A power loss may leave the record of a queue, and not the one before it that deletes its namesake.
    """
    numbers: dict[tuple[str, bytes], int] = {}
    for number, queue in sorted(queues.items()):
        if queue.record is not None and not queue.is_deleted:
            numbers[(queue.record.vhost, queue.record.name)] = number
    return set(numbers.values())


def next_epoch(epoch: int) -> int:
    """Return the epoch of a new owner: above all before it, and not to be guessed by those who publish."""
    return (((epoch >> EPOCH_CHANCE_BITS) + 1) << EPOCH_CHANCE_BITS) | secrets.randbits(EPOCH_CHANCE_BITS)


def _latest_pages(load: _QueueLoad) -> list[Page]:
    """Return the pages without what was written again elsewhere.

    What leaves its page goes to a later one; until the old segment is dropped there are two of it. A page
    that only a part has left keeps the rest.
    """
    known = Ranges()
    pages: list[Page] = []
    for page in reversed(load.pages):
        runs = runs_of(page)
        own = [pair for first, last in runs for pair in known.without(first, last)]
        if own and own != runs:
            _reduce(page, own, load.kept)
        elif not own:
            load.kept.segments[int(page.segment)].live -= page.count
        if own and page.count > 0:
            pages.append(page)
        for first, last in own:
            known.add(first, last)
    return pages


def _reduce(page: Page, own: list[tuple[int, int]], kept: DiskQueueStore) -> None:
    """Have a page be less than what is written there; the store counts down what it does not read."""
    page.first, page.last = own[0][0], own[-1][1]
    page.runs = pack(own)
    page.is_reduced = True
    entries = kept.read_page(page)
    page.count = len(entries)
    page.body_bytes = sum([len(entry.message.body) for entry in entries if entry is not None])


def _first(page: Page) -> int:
    return int(page.first)


def _position(origin: Origin) -> int:
    return int(origin.position)
