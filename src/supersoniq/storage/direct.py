"""When the loop commits by itself: one client that waits for each message is served faster without the
thread.

Handing a batch to a thread and hearing of its end costs two wake-ups, as much as the sync itself on a fast
disk. So a batch with one thing that somebody waits for is written and synced on the loop, as long as nothing
else is going on: the first sign of other clients, or the second slow sync in a row, sends the next batches to
the thread (docs/adr/0009-group-commit.md).
"""

from abc import ABC, abstractmethod
from typing import Final, final

from mypy_extensions import i64, mypyc_attr

# A sync that takes longer keeps everybody waiting: once is a hiccup, twice in a row a slow disk.
SECONDS_MAX: Final = 0.0005
# How many batches go to the thread before the loop tries again; it doubles each time.
BACKOFF_MAX: Final = 1_024
# After so many commits with nobody else around, it looks for others only once in so many more: looking keeps
# the confirm waiting.
ALONE_COUNT: Final = 8


@mypyc_attr(allow_interpreted_subclasses=True)
class Bystander(ABC):
    """Finds out whether anything else is going on."""

    @abstractmethod
    def watch(self) -> None:
        """Call `Direct.watched` when the loop has looked at all clients once."""


@final
class Direct:
    """Decides. Without a bystander nothing is committed on the loop."""

    def __init__(self) -> None:
        self.bystander: Bystander | None = None
        self._is_watching = False
        self._was_slow = False
        self._backoff: i64 = 1
        self._to_skip: i64 = 0
        self._alone: i64 = 0  # how often in a row nobody else was seen
        self._unwatched: i64 = 0  # commits since somebody has looked

    def may_commit(self) -> bool:
        """Whether the loop may commit the batch that was cut just now."""
        if self.bystander is None:
            return False
        if self._is_watching:
            self._met_others()
        if self._to_skip > 0:
            self._to_skip -= 1
            return False
        return True

    def committed(self, seconds: float) -> None:
        """Take note of a commit on the loop, and how long it took."""
        bystander = self.bystander
        assert bystander is not None
        is_slow = seconds > SECONDS_MAX
        if is_slow and self._was_slow:
            self._back_off()
        elif not is_slow and self._alone >= ALONE_COUNT and self._unwatched < ALONE_COUNT:
            self._unwatched += 1
        elif not self._is_watching:
            self._is_watching = True
            self._unwatched = 0
            bystander.watch()
        self._was_slow = is_slow

    def watched(self, is_busy: bool) -> None:
        """Take note of what the bystander has seen."""
        self._is_watching = False
        if is_busy:
            self._met_others()
            return
        self._alone += 1
        if self._to_skip == 0:
            self._backoff = 1

    def _met_others(self) -> None:
        self._alone = 0
        self._back_off()

    def _back_off(self) -> None:
        self._backoff = min(self._backoff * 2, BACKOFF_MAX)
        self._to_skip = self._backoff
