"""A backlog with priorities: one for each level, and the highest that has anything goes first.

Everything is kept in memory: the positions of one level's pages would have those of others between them.
"""

from typing import final

from mypy_extensions import i64

from supersoniq.amqp.properties import property_at, property_flags
from supersoniq.amqp.spec import FLAG_PRIORITY
from supersoniq.broker.message import Entry, Message
from supersoniq.broker.ports import Page, QueueStore
from supersoniq.broker.queues.backlog import Backlog


@final
class PriorityBacklog(Backlog):
    """Takes the highest priority first, and in each the lowest position (rabbitmq: priority)."""

    def __init__(self, kept: QueueStore, max_priority: i64) -> None:
        super().__init__(kept, False)
        self._max_priority: i64 = max_priority
        self._levels = [Backlog(kept, False) for _ in range(int(max_priority) + 1)]
        self._highest: i64 = -1  # no level above it has anything

    def _level_of(self, message: Message) -> i64:
        return min(priority_of(message), self._max_priority)

    def append(self, entry: Entry) -> None:
        """Add an entry at the end of its level."""
        level = self._level_of(entry.message)
        self._levels[level].append(entry)
        self._count_in(entry, level)

    def put_back(self, entry: Entry) -> None:
        """Return an entry to its place in its level."""
        level = self._level_of(entry.message)
        self._levels[level].put_back(entry)
        self._count_in(entry, level)

    def _count_in(self, entry: Entry, level: i64) -> None:
        self.count += 1
        self.body_bytes += len(entry.message.body)
        self._highest = max(self._highest, level)

    def pop(self) -> Entry:
        """Take the first entry of the highest level that has one."""
        while self._levels[self._highest].count == 0:
            self._highest -= 1
        entry = self._levels[self._highest].pop()
        self.count -= 1
        self.body_bytes -= len(entry.message.body)
        return entry

    def remove(self, entry: Entry) -> Message:
        """Take out an entry."""
        message = self._levels[self._level_of(entry.message)].remove(entry)
        self.count -= 1
        self.body_bytes -= len(message.body)
        return message

    def append_page(self, page: Page) -> None:
        """Add what is in a page: the queue had no priorities when it was written."""
        for entry in self._kept.read_page(page):
            assert entry is not None
            if entry.expires_at > 0:
                self.known_deadlines().add(entry)
            self.append(entry)

    def in_memory(self) -> list[Entry]:
        """Return all entries, level by level."""
        entries: list[Entry] = []
        for level in reversed(self._levels):
            entries.extend(level.in_memory())
        return entries

    def drain(self) -> list[Entry]:
        """Take all entries."""
        entries: list[Entry] = []
        for level in reversed(self._levels):
            entries.extend(level.drain())
        self._forget_deadlines(entries)
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
