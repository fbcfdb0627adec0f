"""Withdrawing: one message of what waits in a queue is taken out; the rest stays as it is."""

from mypy_extensions import i64

from supersoniq.broker.message import Message
from supersoniq.broker.queues.backlog import Backlog
from supersoniq.broker.queues.runs import holds


def withdraw(backlog: Backlog, position: i64) -> Message | None:
    """Take out the entry at a position, whose page is read into memory.

    Returns its message, None if there is none.
    """
    for page in backlog.pages():
        if holds(page, position):
            backlog.load(page)
    # Not a look at all that is in memory: who moves a long backlog away does this for each message.
    for entry in backlog.browse(position - 1, 1):
        if entry.position == position:
            if entry.expires_at > 0 and backlog.deadlines is not None:
                backlog.deadlines.leave(entry)
            return backlog.remove(entry)
    return None
