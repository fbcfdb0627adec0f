"""A backlog with priorities: one for each level, and the highest that has anything goes first.

All levels share the memory of the queue. When that is used up, the lowest level that has chunks writes them
as pages, so that what is delivered last is out of memory first. Each page is of one level.
"""

from typing import Final, final

from mypy_extensions import i64

from supersoniq.amqp.properties import property_at, property_flags
from supersoniq.amqp.spec import FLAG_PRIORITY
from supersoniq.broker.message import Entry, Message
from supersoniq.broker.ports import Page, QueueStore
from supersoniq.broker.queues.backlog import CHUNK_BODY_BYTES, CHUNK_PLACES, Backlog
from supersoniq.broker.queues.deadlines import Deadlines

# What the chunks of all levels may be together, one of each: what is in no chunk yet cannot be paged. So
# chunks are shorter where there are many levels, down to the least that is worth a page; and what is written
# while it is in the cache of the processor costs half.
ALL_PLACES: Final = 1_024
ALL_BODY_BYTES: Final = 1024 * 1024
LEAST_PLACES: Final = 32
LEAST_BODY_BYTES: Final = 16 * 1024


@final
class PriorityBacklog(Backlog):
    """Takes the highest priority first, and in each the lowest position (rabbitmq: priority)."""

    def __init__(self, kept: QueueStore, max_priority: i64) -> None:
        super().__init__(kept)
        count = max_priority + 1
        places = min(CHUNK_PLACES, max(ALL_PLACES // count, LEAST_PLACES))
        body_bytes = min(CHUNK_BODY_BYTES, max(ALL_BODY_BYTES // count, LEAST_BODY_BYTES))
        self._max_priority: i64 = max_priority
        self._levels = [Backlog(kept, level, places, body_bytes) for level in range(int(count))]
        self._highest: i64 = -1  # no level above it has anything

    @property
    def memory_bytes(self) -> i64:
        """About what the entries of all levels occupy in memory."""
        memory_bytes: i64 = 0
        if self.count == 0:
            return 0
        for level in self._levels:
            memory_bytes += level.memory_bytes
        return memory_bytes

    @property
    def paged_count(self) -> i64:
        """How many entries of all levels are out of memory."""
        paged_count: i64 = 0
        for level in self._levels:
            paged_count += level.paged_count
        return paged_count

    @property
    def paged_body_bytes(self) -> i64:
        """The bodies of all levels that are out of memory, in bytes."""
        paged_body_bytes: i64 = 0
        for level in self._levels:
            paged_body_bytes += level.paged_body_bytes
        return paged_body_bytes

    def first_position(self) -> i64:
        """Return the lowest position of all levels; `count` must not be 0."""
        return min([level.first_position() for level in self._levels if level.count > 0])

    def level_of(self, message: Message) -> i64:
        """Return the level of a message."""
        return min(priority_of(message), self._max_priority)

    def level_of_page(self, page: Page) -> i64:
        """Return the level of all that is in a page, -1 if they are of several."""
        level = min(page.lowest, self._max_priority)
        return level if level == min(page.highest, self._max_priority) else -1

    def append(self, entry: Entry) -> None:
        """Add an entry at the end of its level."""
        number = self.level_of(entry.message)
        level = self._levels[number]
        count, body_bytes = level.count, level.body_bytes
        level.append(entry)
        self._recount(level, count, body_bytes)
        self._highest = max(self._highest, number)
        if level.has_closed:
            level.has_closed = False
            self.spill()

    def _recount(self, level: Backlog, count: i64, body_bytes: i64) -> None:
        """Take note of what has become of a level, which had so much before: some may have been damaged."""
        self.count += level.count - count
        self.body_bytes += level.body_bytes - body_bytes

    def append_page(self, page: Page) -> None:
        """Add a page, all of which is of one level, at the end of that."""
        number = self.level_of_page(page)
        level = self._levels[number]
        if page.expires_at > 0:
            self.known_deadlines()
        count, body_bytes = level.count, level.body_bytes
        level.append_page(page)
        self._recount(level, count, body_bytes)
        self._highest = max(self._highest, number)

    def put_back(self, entry: Entry) -> None:
        """Return an entry to its place in its level."""
        number = self.level_of(entry.message)
        self._levels[number].put_back(entry)
        self.count += 1
        self.body_bytes += len(entry.message.body)
        self._highest = max(self._highest, number)

    def pop(self) -> Entry:
        """Take the first entry of the highest level that has one."""
        while self._levels[self._highest].count == 0:
            self._highest -= 1
        level = self._levels[self._highest]
        count, body_bytes = level.count, level.body_bytes
        entry = level.pop()
        self._recount(level, count, body_bytes)
        return entry

    def remove(self, entry: Entry) -> Message:
        """Take out an entry."""
        level = self._levels[self.level_of(entry.message)]
        count, body_bytes = level.count, level.body_bytes
        message = level.remove(entry)
        self._recount(level, count, body_bytes)
        return message

    def known_deadlines(self) -> Deadlines:
        """Return the deadlines, which are those of all levels."""
        deadlines = self.deadlines
        if deadlines is None:
            deadlines = self.deadlines = Deadlines()
            for level in self._levels:
                level.deadlines = deadlines
        return deadlines

    # Pages

    def spill_from(self, limit: i64) -> None:
        """Make pages of chunks, of the lowest levels first, until no more is in memory."""
        excess = self.memory_bytes - limit
        for level in self._levels:
            if excess <= 0:
                return
            before = level.memory_bytes
            level.spill_from(max(before - excess, 0))
            excess -= before - level.memory_bytes

    def load(self, page: Page) -> None:
        """Read a page into memory before its turn."""
        level = self._levels[page.level]
        count, body_bytes = level.count, level.body_bytes
        level.load(page)
        self._recount(level, count, body_bytes)

    def load_early(self, page: Page, now_ms: i64) -> None:
        """Read a page of which something is due: what expires soon stays in memory, the rest where it is."""
        level = self._levels[page.level]
        count, body_bytes = level.count, level.body_bytes
        level.load_early(page, now_ms)
        self._recount(level, count, body_bytes)

    def peek(self, page: Page) -> list[Entry]:
        """Read a page that is out of memory and leave it there, unless something of it is missing."""
        level = self._levels[page.level]
        count, body_bytes = level.count, level.body_bytes
        entries = level.peek(page)
        self._recount(level, count, body_bytes)
        return entries

    def pages(self) -> list[Page]:
        """Return the pages that are out of memory, of all levels, in order of their first positions."""
        pages: list[Page] = []
        for level in self._levels:
            pages.extend(level.pages())
        pages.sort(key=_first)
        return pages

    def take_pages(self) -> list[Page]:
        """Take all pages that are out of memory, in order of their first positions."""
        pages: list[Page] = []
        for level in self._levels:
            count, body_bytes = level.count, level.body_bytes
            pages.extend(level.take_pages())
            self._recount(level, count, body_bytes)
        pages.sort(key=_first)
        return pages

    def in_memory(self) -> list[Entry]:
        """Return the entries that are in memory, level by level, the highest first."""
        entries: list[Entry] = []
        for level in reversed(self._levels):
            entries.extend(level.in_memory())
        return entries

    def browse(self, after: i64, count_max: int) -> list[Entry]:
        """Return the first entries above the position `after`, in order; those read from pages are copies."""
        entries: list[Entry] = []
        for level in self._levels:
            count, body_bytes = level.count, level.body_bytes
            entries.extend(level.browse(after, count_max))
            self._recount(level, count, body_bytes)
        entries.sort(key=_position)
        return entries[:count_max]

    def stored_in(self, number: i64) -> list[Entry]:
        """Return the entries in memory that the oldest journal file, `number`, has."""
        entries: list[Entry] = []
        for level in self._levels:
            entries.extend(level.stored_in(number))
        return entries

    def drain(self) -> list[Entry]:
        """Take all entries, in order of position; `take_pages` comes first."""
        entries: list[Entry] = []
        for level in self._levels:
            entries.extend(level.drain())
        entries.sort(key=_position)
        self.deadlines = None
        self.count = self.body_bytes = 0
        self._highest = -1
        return entries


def priority_of(message: Message) -> i64:
    """Return the priority a message was published with, 0 where it has none."""
    header = message.header
    flags = property_flags(header)
    if not flags & FLAG_PRIORITY:
        return 0
    return i64(header[property_at(header, flags, FLAG_PRIORITY)])


def _first(page: Page) -> int:
    return int(page.first)


def _position(entry: Entry) -> int:
    return int(entry.position)
