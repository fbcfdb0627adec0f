"""What calls a queue back: at the end of the turn, when something expires, or when something has rested."""

from typing import final

from mypy_extensions import i64, trait

from supersoniq.broker.message import Entry
from supersoniq.broker.queues.resting import Rested
from supersoniq.broker.timers import Timer
from supersoniq.broker.turn import Deferred


@trait
class Wakes:
    """A queue, as it is called back."""

    def dispatch(self) -> bool:
        """Hand out what is ready; true if some is left."""
        raise AssertionError("a queue says what it does")

    def expire(self, now_ms: i64) -> i64:
        """Drop what has expired; returns when there is more to do, 0 for never."""
        raise AssertionError("a queue says what it does")

    def come_back(self, entry: Entry) -> None:
        """Put an entry back to its place."""
        raise AssertionError("a queue says what it does")


@final
class Dispatch(Deferred):
    """The dispatch of one queue at the end of a turn."""

    def __init__(self, queue: Wakes) -> None:
        super().__init__()
        self._queue = queue

    def run(self) -> bool:
        """Hand out what is ready."""
        return self._queue.dispatch()


@final
class Expiry(Timer):
    """The moment at which something in one queue expires."""

    def __init__(self, queue: Wakes) -> None:
        super().__init__()
        self._queue = queue

    def fire(self, now_ms: i64) -> i64:
        """Drop what has expired."""
        return self._queue.expire(now_ms)


@final
class Awake(Rested):
    """Takes back what has rested, for one queue."""

    def __init__(self, queue: Wakes) -> None:
        self._queue = queue

    def rested(self, entry: Entry) -> None:
        """Put it back."""
        self._queue.come_back(entry)
