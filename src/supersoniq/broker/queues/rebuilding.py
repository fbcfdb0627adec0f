"""Rebuilding: what waits in one backlog goes to another one, which keeps it in another order."""

from supersoniq.broker.message import Entry
from supersoniq.broker.queues.backlog import Backlog


def rebuild(old: Backlog, new: Backlog) -> None:
    """Have `new`, which is empty, take everything that is in `old`, which is to be forgotten."""
    entries = old.in_memory()
    entries.sort(key=_position)
    place = 0
    for page in old.pages():
        while place < len(entries) and entries[place].position < page.first:
            _add(new, entries[place])
            place += 1
        new.append_page(page)
    for entry in entries[place:]:
        _add(new, entry)


def _add(backlog: Backlog, entry: Entry) -> None:
    if entry.expires_at > 0:
        backlog.known_deadlines().add(entry)
    backlog.append(entry)


def _position(entry: Entry) -> int:
    return int(entry.position)
