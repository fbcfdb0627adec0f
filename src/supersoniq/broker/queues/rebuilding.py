"""Rebuilding: what waits in one backlog goes to another one, or what a store has kept goes to a new one."""

import heapq
from typing import Final, final

from mypy_extensions import i64

from supersoniq.broker.message import Entry
from supersoniq.broker.ports import Page
from supersoniq.broker.queues.backlog import Backlog

END: Final = 1 << 62  # is above all positions


@final
class Refill:
    """Fills an empty backlog with entries in order of position and with pages in order of their first one.

    A page is added as it is if nothing else belongs between its entries, wherever they stand. So it waits
    until what comes next at its level is known. One that cannot be added is read.
    """

    def __init__(self, backlog: Backlog) -> None:
        self._backlog = backlog
        self._waiting: dict[int, Page] = {}  # by level: the last page
        self._read: list[tuple[int, int, Entry]] = []  # entries of pages that could not be added, a heap
        self._read_count = 0

    def add(self, entry: Entry) -> None:
        """Add an entry."""
        self._catch_up(entry.position)
        self._append(entry)

    def add_page(self, page: Page) -> None:
        """Add what is in a page."""
        self._catch_up(page.first)
        level = int(self._backlog.level_of_page(page))
        if level < 0:
            self._open(page)
            return
        self._pass(level, page.first)
        self._waiting[level] = page

    def finish(self) -> None:
        """Add what is left."""
        self._catch_up(END)
        for page in self._waiting.values():
            self._backlog.append_page(page)
        self._waiting.clear()

    def _catch_up(self, position: i64) -> None:
        """Add the entries that were read and come before a position."""
        read = self._read
        while read and i64(read[0][0]) < position:
            self._append(heapq.heappop(read)[2])

    def _append(self, entry: Entry) -> None:
        backlog = self._backlog
        self._pass(int(backlog.level_of(entry.message)), entry.position)
        if entry.expires_at > 0:
            backlog.known_deadlines().add(entry)
        backlog.append(entry)

    def _pass(self, level: int, position: i64) -> None:
        """Add the page that waits at a level, or what of it comes before a position."""
        page = self._waiting.pop(level, None)
        if page is None:
            return
        if page.last < position:
            self._backlog.append_page(page)
        else:
            self._open(page)
            self._catch_up(position)

    def _open(self, page: Page) -> None:
        for entry in self._backlog.kept.read_page(page):
            assert entry is not None
            self._read_count += 1
            heapq.heappush(self._read, (int(entry.position), self._read_count, entry))
        page.count = 0


def rebuild(old: Backlog, new: Backlog) -> None:
    """Have `new`, which is empty, take everything that is in `old`, which is to be forgotten."""
    refill = Refill(new)
    entries = old.in_memory()
    entries.sort(key=_position)
    place = 0
    for page in old.pages():
        while place < len(entries) and entries[place].position < page.first:
            refill.add(entries[place])
            place += 1
        refill.add_page(page)
    for entry in entries[place:]:
        refill.add(entry)
    refill.finish()


def _position(entry: Entry) -> int:
    return int(entry.position)
