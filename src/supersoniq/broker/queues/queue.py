"""A classic queue: takes messages, holds them in order, hands them to its consumers."""

from typing import Final, final

from mypy_extensions import i64

from supersoniq.broker.arguments import QueueOptions
from supersoniq.broker.definitions import QueueDefinition
from supersoniq.broker.exchanges.base import Destination
from supersoniq.broker.message import Entry, Message
from supersoniq.broker.ports import Consumer, Page, QueueStore
from supersoniq.broker.queues.backlog import MESSAGE_OVERHEAD_BYTES, Backlog
from supersoniq.broker.queues.consumers import Consumers
from supersoniq.broker.turn import Deferred, Turn

# Deliveries of one queue in one turn; the rest waits, so that a deep backlog holds up nobody else.
DISPATCH_MAX: Final = 2_000

NOBODY: Final = 0


@final
class _Dispatch(Deferred):
    """The dispatch of one queue at the end of a turn."""

    def __init__(self, queue: "Queue") -> None:
        super().__init__()
        self._queue = queue

    def run(self) -> bool:
        """Hand out what is ready."""
        return self._queue.dispatch()


@final
class Queue(Destination):
    """One queue of a virtual host.

    `owner` is the connection that an exclusive queue belongs to, `NOBODY` for others.
    """

    def __init__(
        self,
        name: bytes,
        durable: bool,
        auto_delete: bool,
        owner: int,
        options: QueueOptions,
        turn: Turn,
        kept: QueueStore,
    ) -> None:
        super().__init__(name, durable)
        self.kept = kept
        self.definition: QueueDefinition | None = None
        self.auto_delete = auto_delete
        self.owner = owner
        self.options = options
        self.deleted = False
        self.unacked_count: i64 = 0
        self.unacked_body_bytes: i64 = 0
        self.published_count: i64 = 0
        self.delivered_count: i64 = 0
        self.consumers = Consumers()
        self._backlog = Backlog(kept)
        self._turn = turn
        self._dispatch = _Dispatch(self)

    @property
    def ready_count(self) -> int:
        """Messages waiting to be delivered."""
        return int(self._backlog.count)

    @property
    def ready_body_bytes(self) -> int:
        """The bodies of the messages waiting to be delivered, in bytes."""
        return int(self._backlog.body_bytes)

    @property
    def memory_bytes(self) -> int:
        """About what its messages occupy in memory; one that is in many queues counts in each."""
        unacked_bytes = self.unacked_body_bytes + self.unacked_count * MESSAGE_OVERHEAD_BYTES
        return int(self._backlog.memory_bytes + unacked_bytes)

    def enqueue(self, message: Message) -> None:
        """Take a message: deliver it at once if it is the first in line and somebody is ready for it."""
        kept = self.kept
        position = kept.next_position
        kept.next_position = position + 1
        self.published_count += 1
        if self._backlog.count == 0:
            consumer = self.consumers.next_ready()
            if consumer is not None:
                self.delivered_count += 1
                if consumer.no_ack:
                    consumer.deliver_settled(message, False)
                    self._hand_over(position, message)
                else:
                    self._hold(position, message)
                    consumer.deliver(Entry(message, position))
                return
        self._backlog.append(Entry(message, position))

    def dispatch(self) -> bool:
        """Hand what is ready to whoever is ready, at most `DISPATCH_MAX` messages in one turn.

        True if it stopped there, with more to hand out.
        """
        backlog = self._backlog
        budget: i64 = DISPATCH_MAX
        while backlog.count > 0:
            if budget == 0:
                return True
            budget -= 1
            consumer = self.consumers.next_ready()
            if consumer is None:
                return False
            entry = backlog.pop()
            self.delivered_count += 1
            if consumer.no_ack:
                consumer.deliver_settled(entry.message, entry.delivery_count > 0)
                self._hand_over(entry.position, entry.message)
            else:
                self._hold(entry.position, entry.message)
                consumer.deliver(entry)
        return False

    def take(self, no_ack: bool) -> Entry | None:
        """Take the first ready entry for Basic.Get, None if there is none.

        With `no_ack` it is settled by that.
        """
        if self._backlog.count == 0:
            return None
        entry = self._backlog.pop()
        self.delivered_count += 1
        if no_ack:
            self._hand_over(entry.position, entry.message)
        else:
            self._hold(entry.position, entry.message)
        return entry

    def settle(self, entry: Entry) -> None:
        """Forget a delivered entry."""
        self._let_go(entry.message)
        self._forget(entry.position, entry.message)

    def requeue(self, entry: Entry) -> None:
        """Take a delivered entry back to its original position; a deleted queue drops it."""
        self._let_go(entry.message)
        if self.deleted:
            self._forget(entry.position, entry.message)
            return
        entry.delivery_count += 1
        if entry.message.stored != 0:
            self.kept.returned(entry)
        self._backlog.put_back(entry)
        self._turn.dispatch(self._dispatch)

    def subscribe(self, consumer: Consumer) -> None:
        """Add a consumer; what is ready goes to it from the end of this turn on."""
        self.consumers.add(consumer)
        if self._backlog.count > 0:
            self._turn.dispatch(self._dispatch)

    def unpark(self, consumer: Consumer) -> None:
        """Offer messages to a consumer again that was not ready; called whenever that may have changed."""
        if consumer.parked and not self.deleted:
            self.consumers.unpark(consumer)
            if self._backlog.count > 0:
                self._turn.dispatch(self._dispatch)

    def purge(self) -> int:
        """Drop all that is ready; returns how many."""
        count = self.ready_count
        for page in self._backlog.take_pages():
            self.kept.settled_page(page)
        for entry in self._backlog.drain():
            self._forget(entry.position, entry.message)
        return count

    def close(self) -> list[Consumer]:
        """Drop everything, for the queue is being deleted; returns the consumers that are to be told."""
        self.deleted = True
        self.kept.deleted()
        self.purge()
        everyone = self.consumers.everyone()
        self.consumers = Consumers()
        return everyone

    def spill(self) -> None:
        """Have the store keep what is beyond the queue's share of memory."""
        if self.kept.memory_bytes_max > 0:
            self._backlog.spill()

    def in_memory(self) -> list[Entry]:
        """Return what is ready and in memory, in order."""
        return self._backlog.in_memory()

    def pages(self) -> list[Page]:
        """Return what is ready and out of memory, in order."""
        return self._backlog.pages()

    def restore(self, entry: Entry) -> None:
        """Take an entry that was recovered, above all that were restored before."""
        self._backlog.append(entry)

    def restore_older(self, entry: Entry) -> None:
        """Take an entry that was recovered, at its place among the older ones."""
        self._backlog.put_back(entry)

    def restore_page(self, page: Page) -> None:
        """Take a page that was recovered, above all that was restored before."""
        self._backlog.append_page(page)

    def _hold(self, position: i64, message: Message) -> None:
        self.unacked_count += 1
        self.unacked_body_bytes += len(message.body)
        if message.stored != 0:
            self.kept.delivered(position)

    def _let_go(self, message: Message) -> None:
        self.unacked_count -= 1
        self.unacked_body_bytes -= len(message.body)

    def _hand_over(self, position: i64, message: Message) -> None:
        """Forget a message that is settled by being delivered."""
        if message.stored != 0:
            self.kept.delivered(position)
            self.kept.settled(position, message)

    def _forget(self, position: i64, message: Message) -> None:
        if message.stored != 0:
            self.kept.settled(position, message)
