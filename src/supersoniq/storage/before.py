"""What the process before has left of one queue: what of its pages is settled, and what was delivered."""

from typing import final

from mypy_extensions import i64

from supersoniq.broker.message import Entry
from supersoniq.storage.ranges import Ranges, ranges_of


@final
class Before:
    """Pages that were recovered say how their messages were when they were written; this says the rest."""

    def __init__(self) -> None:
        self.settled = Ranges()
        self.counts: dict[int, int] = {}  # of deliveries, by position
        self.delivered: i64 = 0  # the highest position that was handed out

    def lives(self, entry: Entry) -> bool:
        """Whether an entry of a recovered page is still there; a transient message is not."""
        return entry.message.persistent and not self.settled.covers(entry.position)

    def count(self, entry: Entry) -> None:
        """Have an entry that was recovered know how often it was delivered."""
        entry.delivery_count = max(entry.delivery_count, self.counts.get(int(entry.position), 0))
        if entry.delivery_count == 0 and entry.position <= self.delivered:
            entry.delivery_count = 1

    def forget_counts(self, unread: list[tuple[int, int]]) -> None:
        """Forget the counts but for those of pages that were not read: of others each entry knows it."""
        if self.counts:
            ranges = ranges_of(unread)
            self.counts = {
                position: count for position, count in self.counts.items() if ranges.covers(position)
            }
