"""Disuse: queues that nobody uses go after a while (rabbitmq: x-expires).

A consumer, a declaration and Basic.Get are uses.
"""

from abc import ABC, abstractmethod
from typing import final

from mypy_extensions import i64, mypyc_attr

from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.timers import Timer, Timers


@mypyc_attr(allow_interpreted_subclasses=True)
class Remover(ABC):
    """Deletes queues."""

    @abstractmethod
    def remove_unused(self, queue: Queue) -> None:
        """Delete a queue that nobody has used for as long as it says."""


@final
class _Disuse(Timer):
    """Since when nobody uses a queue."""

    def __init__(self, disuses: "Disuses", queue: Queue) -> None:
        super().__init__()
        self.since_ms: i64 = 0
        self.queue = queue
        self._disuses = disuses

    def fire(self, now_ms: i64) -> i64:
        """Look whether it is time."""
        return self._disuses.look(self, now_ms)


@final
class Disuses:
    """The queues of one virtual host that go when nobody uses them."""

    def __init__(self, remover: Remover, timers: Timers) -> None:
        self._remover = remover
        self._timers = timers
        self._by_queue: dict[Queue, _Disuse] = {}

    def used(self, queue: Queue) -> None:
        """Take note that somebody uses a queue now."""
        expires_ms = queue.rules.expires_ms
        if expires_ms <= 0:
            return
        disuse = self._by_queue.get(queue)
        if disuse is None:
            disuse = self._by_queue[queue] = _Disuse(self, queue)
        disuse.since_ms = self._timers.clock.now_ms()
        at_ms = disuse.since_ms + expires_ms
        if disuse.due_ms == 0 or disuse.due_ms > at_ms:
            self._timers.set(disuse, at_ms)

    def look(self, disuse: _Disuse, now_ms: i64) -> i64:
        """Have a queue removed that is unused for long enough; returns when to look again."""
        queue = disuse.queue
        expires_ms = queue.rules.expires_ms
        if queue.deleted or expires_ms <= 0:
            self.forget(queue)
            return 0
        if len(queue.consumers) > 0:
            return now_ms + expires_ms
        if disuse.since_ms + expires_ms > now_ms:
            return disuse.since_ms + expires_ms
        self._remover.remove_unused(queue)
        return 0

    def forget(self, queue: Queue) -> None:
        """Forget a queue that is gone."""
        self._by_queue.pop(queue, None)
