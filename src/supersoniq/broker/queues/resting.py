"""Messages that have come back and rest before they are delivered again (rabbitmq: delayed retry)."""

import heapq
from abc import ABC, abstractmethod
from typing import final

from mypy_extensions import i64, mypyc_attr

from supersoniq.broker.message import Entry
from supersoniq.broker.timers import Timer, Timers


@mypyc_attr(allow_interpreted_subclasses=True)
class Rested(ABC):
    """Takes messages that have rested."""

    @abstractmethod
    def rested(self, entry: Entry) -> None:
        """Take an entry back."""


@final
class Resting(Timer):
    """The resting messages of one queue; they are neither ready nor unacked."""

    def __init__(self, owner: Rested, timers: Timers) -> None:
        super().__init__()
        self.body_bytes: i64 = 0
        self._owner = owner
        self._timers = timers
        self._heap: list[tuple[int, int, int, Entry]] = []
        self._added_count = 0

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, entry: Entry, rest_ms: i64) -> None:
        """Let an entry rest from now on."""
        at_ms = self._timers.clock.now_ms() + rest_ms
        self._added_count += 1
        heapq.heappush(self._heap, (int(at_ms), int(entry.position), self._added_count, entry))
        self.body_bytes += len(entry.message.body)
        if self.due_ms == 0 or at_ms < self.due_ms:
            self._timers.set(self, at_ms)

    def fire(self, now_ms: i64) -> i64:
        """Give back those that have rested."""
        heap = self._heap
        while heap and i64(heap[0][0]) <= now_ms:
            entry = heapq.heappop(heap)[3]
            self.body_bytes -= len(entry.message.body)
            self._owner.rested(entry)
        return i64(heap[0][0]) if heap else 0

    def entries(self) -> list[Entry]:
        """Return them, in no order."""
        return [item[3] for item in self._heap]

    def drain(self) -> list[Entry]:
        """Take them all."""
        entries = self.entries()
        self._heap = []
        self.body_bytes = 0
        return entries
