"""Browsing: what waits in a queue is looked at, or one message of it taken out; the rest stays as it is."""

from mypy_extensions import i64

from supersoniq.broker.message import Entry, Message
from supersoniq.broker.queues.backlog import Backlog
from supersoniq.broker.queues.runs import holds


def browse(backlog: Backlog, after: i64, count_max: int) -> list[Entry]:
    """Return the first entries above the position `after`, in order.

    Those of a page that is out of memory are copies.
    """
    entries = [entry for entry in backlog.in_memory() if entry.position > after]
    for page in backlog.pages():
        if page.last <= after:
            continue
        if len([entry for entry in entries if entry.position < page.first]) >= count_max:
            break
        entries.extend([entry for entry in backlog.peek(page) if entry.position > after])
    entries.sort(key=_position)
    return entries[:count_max]


def withdraw(backlog: Backlog, position: i64) -> Message | None:
    """Take out the entry at a position, whose page is read into memory.

    Returns its message, None if there is none.
    """
    for page in backlog.pages():
        if holds(page, position):
            backlog.load(page)
    for entry in backlog.in_memory():
        if entry.position == position:
            if entry.expires_at > 0 and backlog.deadlines is not None:
                backlog.deadlines.leave(entry)
            return backlog.remove(entry)
    return None


def _position(entry: Entry) -> int:
    return int(entry.position)
