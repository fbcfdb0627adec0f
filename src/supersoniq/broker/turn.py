"""The end of a turn: work that one event brings about many times over and that is done once when it ends.

A turn is whatever happens between two visits of the event loop to the node: one read of one socket, one
timer. At its end queues dispatch, then what is to be stored leaves for the disk, then confirms are written,
then each client's output is sent.

A dispatch that is too much for one turn goes on when the loop has looked at all sockets, not at the end of
every turn until then: a node with many busy clients ends many turns between two looks.
"""

from abc import ABC, abstractmethod

from mypy_extensions import mypyc_attr

from supersoniq.broker.queues.timeline import Marks
from supersoniq.broker.timers import Clock, StoppedClock, Timers


@mypyc_attr(allow_interpreted_subclasses=True)
class Deferred(ABC):
    """Work to be done at the end of the turn. `scheduled` keeps it from being listed twice."""

    def __init__(self) -> None:
        self.scheduled = False

    @abstractmethod
    def run(self) -> bool:
        """Do it; true if some is left for later."""

    def durable_moved(self) -> None:  # noqa: B027  (most never wait)
        """Take note that the store has made more safe; for those who wait for that."""


class Turn:
    """Collects deferred work; the owner of the event loop calls `finish` at the end of every turn.

    `timers` is work for later: the owner runs them when `clock` is asked to, in a turn of their own. It
    renews `marks`, the times of what comes and goes, every second.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.timers = Timers(StoppedClock() if clock is None else clock)
        self.marks = Marks(self.timers.clock)
        self.cause: object = None  # whose event the turn began with, for those who watch
        self.count = 0
        self._dispatches: list[Deferred] = []
        self._stores: list[Deferred] = []
        self._confirms: list[Deferred] = []
        self._outputs: list[Deferred] = []
        self._left: list[Deferred] = []  # dispatches that an earlier turn did not finish

    def dispatch(self, work: Deferred) -> None:
        """Schedule a queue's dispatch, or other work that may be too much for one turn."""
        if not work.scheduled:
            work.scheduled = True
            self._dispatches.append(work)

    def store(self, work: Deferred) -> None:
        """Schedule the store's work."""
        if not work.scheduled:
            work.scheduled = True
            self._stores.append(work)

    def confirm(self, work: Deferred) -> None:
        """Schedule what a channel writes after the answers to methods: confirms, cancellations."""
        if not work.scheduled:
            work.scheduled = True
            self._confirms.append(work)

    def send(self, work: Deferred) -> None:
        """Schedule the sending of a client's output."""
        if not work.scheduled:
            work.scheduled = True
            self._outputs.append(work)

    def finish(self, goes_on: bool = True) -> bool:
        """Do all that was scheduled, and with `goes_on` the dispatches that earlier turns left.

        True if it is to be called again soon with `goes_on`, though nothing may have come in.
        """
        self.count += 1
        if goes_on and self._left:
            self._dispatches, self._left = self._dispatches + self._left, []
        if self._dispatches:
            _run(self._dispatches, self._left)
        if self._stores:
            _run(self._stores, self._stores)
        if self._confirms:
            _run(self._confirms, self._confirms)
        if self._outputs:
            _run(self._outputs, self._outputs)
        return bool(self._left or self._dispatches or self._stores or self._confirms or self._outputs)


def _run(works: list[Deferred], left: list[Deferred]) -> None:
    """Run what is listed now; what is not finished goes to `left`, and what comes up meanwhile stays listed.

    Work that raises is dropped and ends the run; the rest stays listed.
    """
    count = len(works)
    done = 0
    try:
        while done < count:
            work = works[done]
            done += 1
            work.scheduled = False
            if work.run() and not work.scheduled:
                work.scheduled = True
                left.append(work)
    finally:
        if done == len(works):
            works.clear()
        else:
            del works[:done]
