"""Taking messages from a queue for one request, and giving them back."""

from typing import Final, NamedTuple

from supersoniq.broker.message import Entry, Message
from supersoniq.broker.ports import Holder, QueueStore
from supersoniq.broker.queues.counting import shown
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.vhost import VHost
from supersoniq.server.slices import Slices

# What becomes of a message that was looked at.
ACK_REQUEUE_TRUE: Final = "ack_requeue_true"
ACK_REQUEUE_FALSE: Final = "ack_requeue_false"
REJECT_REQUEUE_TRUE: Final = "reject_requeue_true"
REJECT_REQUEUE_FALSE: Final = "reject_requeue_false"
ACK_MODES: Final = (ACK_REQUEUE_TRUE, ACK_REQUEUE_FALSE, REJECT_REQUEUE_TRUE, REJECT_REQUEUE_FALSE)
# More than that is too much for one answer.
BODY_BYTES_MAX: Final = 128 * 1024 * 1024


class Taken(NamedTuple):
    """A message that was taken, and how many were ready after it."""

    message: Message
    redelivered: bool
    left_count: int


class Taking(Holder):
    """Holds what was taken from one queue until it is settled."""

    def __init__(self, vhost: VHost, queue: Queue) -> None:
        self._vhost = vhost
        self._queue = queue
        self._entries: list[Entry] = []

    def held(self) -> list[tuple[QueueStore, Entry]]:
        """Return it, for the store."""
        return [(self._queue.kept, entry) for entry in self._entries]

    async def take(self, count: int, ack_mode: str, slices: Slices) -> list[Taken]:
        """Take so many messages, all if `count` is negative, and do with them what the mode says."""
        queue = self._queue
        taken: list[Taken] = []
        body_bytes = 0
        self._vhost.holders[self] = None
        self._vhost.disuses.used(queue)
        try:
            while len(taken) != count and body_bytes < BODY_BYTES_MAX and not queue.deleted:
                entry = queue.take(ack_mode == ACK_REQUEUE_FALSE)
                if entry is None:
                    break
                if ack_mode != ACK_REQUEUE_FALSE:
                    self._entries.append(entry)
                body_bytes += len(entry.message.body)
                taken.append(Taken(shown(queue.rules, entry), entry.redelivered, queue.ready_count))
                await slices.breathe()
        finally:
            self._settle(ack_mode)
            self._vhost.holders.pop(self, None)
        return taken

    def _settle(self, ack_mode: str) -> None:
        queue = self._queue
        while self._entries:
            entry = self._entries.pop()
            if ack_mode == REJECT_REQUEUE_FALSE:
                queue.reject(entry)
            else:
                queue.requeue(entry, ack_mode == REJECT_REQUEUE_TRUE)
