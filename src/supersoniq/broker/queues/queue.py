"""A queue: takes messages, holds them in order, hands them to its consumers, and keeps its rules.

What no rule is about takes the shortest way: `enqueue`. Messages that expire, and those of queues with limits
or priorities, come in by `take_in`.
"""

from typing import Final, final

from mypy_extensions import i64

from supersoniq.broker.arguments import QueueOptions
from supersoniq.broker.counters import MessageCounters
from supersoniq.broker.deaths import DELIVERY_LIMIT, EXPIRED, MAXLEN, REJECTED
from supersoniq.broker.definitions import QueueDefinition
from supersoniq.broker.exchanges.base import Destination
from supersoniq.broker.message import Entry, Message
from supersoniq.broker.ports import Consumer, Page, QueueStore
from supersoniq.broker.queues.backlog import MESSAGE_OVERHEAD_BYTES, Backlog
from supersoniq.broker.queues.browsing import withdraw
from supersoniq.broker.queues.consumers import Consumers
from supersoniq.broker.queues.counting import shown
from supersoniq.broker.queues.graveyard import Graveyard
from supersoniq.broker.queues.levels import PriorityBacklog
from supersoniq.broker.queues.rebuilding import Refill, rebuild
from supersoniq.broker.queues.residence import Residence
from supersoniq.broker.queues.resting import Resting
from supersoniq.broker.queues.rules import DROP_HEAD, REJECT_PUBLISH_DLX, Rules
from supersoniq.broker.queues.waking import Awake, Dispatch, Expiry, Wakes
from supersoniq.broker.turn import Turn

# Deliveries of one queue in one turn; the rest waits, so that a deep backlog holds up nobody else.
DISPATCH_MAX: Final = 2_000

# Messages of one queue that expire in one turn, and those that a new limit drops.
DROPPED_MAX: Final = 250

NOBODY: Final = 0


@final
class Queue(Destination, Wakes):
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
        self.counters = MessageCounters()
        self.residence = Residence(turn.marks)
        self.dead_letter_count: i64 = 0  # of those that wait in the graveyard, which counts them
        self.dead_letter_body_bytes: i64 = 0
        self.consumers = Consumers(options.single_active_consumer)
        self.rules = options.rules
        self.graveyard: Graveyard | None = None
        self._backlog = self._new_backlog()
        self._turn = turn
        self._dispatch = Dispatch(self)
        self._expiry: Expiry | None = None
        self._resting: Resting | None = None

    def _new_backlog(self) -> Backlog:
        self.kept.has_levels = self.rules.max_priority > 0
        if self.kept.has_levels:
            return PriorityBacklog(self.kept, self.rules.max_priority)
        return Backlog(self.kept)

    @property
    def ready_count(self) -> int:
        """Messages waiting to be delivered."""
        return int(self._backlog.count)

    @property
    def ready_body_bytes(self) -> int:
        """The bodies of the messages waiting to be delivered, in bytes."""
        return int(self._backlog.body_bytes)

    @property
    def paged_count(self) -> int:
        """Messages waiting to be delivered that are out of memory."""
        return int(self._backlog.paged_count)

    @property
    def paged_body_bytes(self) -> int:
        """Their bodies, in bytes."""
        return int(self._backlog.paged_body_bytes)

    @property
    def memory_bytes(self) -> int:
        """About what its messages occupy in memory; one that is in many queues counts in each."""
        unacked_bytes = self.unacked_body_bytes + self.unacked_count * MESSAGE_OVERHEAD_BYTES
        return int(self._backlog.memory_bytes + unacked_bytes)

    @property
    def ready_since_ms(self) -> int:
        """About when the oldest of the messages came that wait to be delivered, 0 if there are none."""
        return int(self.residence.time_of(self._backlog.first_position())) if self._backlog.count > 0 else 0

    def _oldest(self, position: i64) -> i64:
        """Return the position below which nothing will be asked for: the next one is `position`."""
        if self.unacked_count > 0 or self._resting is not None:
            return 0  # what is there may come back
        return min(self._backlog.first_position(), position) if self._backlog.count > 0 else position

    def enqueue(self, message: Message) -> None:
        """Take a message: deliver it at once if it is the first in line and somebody is ready for it."""
        kept = self.kept
        position = kept.next_position
        kept.next_position = position + 1
        residence = self.residence
        if position >= residence.next_mark:
            residence.arrived(position, self._oldest(position))
        counters = self.counters
        counters.publish += 1
        if self._backlog.count == 0:
            consumer = self.consumers.next_ready()
            if consumer is not None:
                if position >= residence.next_sample:
                    residence.left(position)
                if consumer.no_ack:
                    counters.deliver_no_ack += 1
                    consumer.deliver_settled(message, False)
                    self._hand_over(position, message)
                else:
                    counters.deliver += 1
                    self._hold(position, message)
                    consumer.deliver(Entry(message, position))
                return
        self._backlog.append(Entry(message, position))

    def take_in(self, message: Message, expires_at: i64, now_ms: i64) -> None:
        """Take a message as `enqueue` does, and as the rules of this queue want it."""
        kept = self.kept
        entry = Entry(message, kept.next_position)
        entry.expires_at = expires_at
        kept.next_position += 1
        if entry.position >= self.residence.next_mark:
            self.residence.arrived(entry.position, self._oldest(entry.position))
        if self._backlog.count == 0:
            consumer = self.consumers.next_ready()
            if consumer is not None:
                self._hand_to(consumer, entry)
                return
        if 0 < expires_at <= now_ms:
            self._drop(entry, EXPIRED)
            return
        if expires_at > 0:
            self._watch(entry)
        self._backlog.append(entry)
        if self.shorten():
            self._turn.dispatch(self._dispatch)

    def refuses(self, message: Message, is_dead_letter: bool = False) -> bool:
        """Whether a message that is published now is to be refused for want of room.

        What waits in the graveyard takes room, but not from dead letters: two queues might block each other.
        """
        rules = self.rules
        if rules.overflow == DROP_HEAD or not rules.is_limited:
            return False
        count, body_bytes = self._backlog.count + 1, self._backlog.body_bytes + len(message.body)
        if not is_dead_letter:
            count += self.dead_letter_count
            body_bytes += self.dead_letter_body_bytes
        return rules.overflows(count, body_bytes)

    def refuse(self, message: Message) -> None:
        """Take note of a message that was refused; it may be for the dead-letter exchange."""
        if self.rules.overflow == REJECT_PUBLISH_DLX and self.graveyard is not None:
            refused = Message(message.address, message.header, message.body, message.persistent)
            self.graveyard.take(self, Entry(refused, 0), MAXLEN)

    def change(self, options: QueueOptions, rules: Rules) -> None:
        """Be declared with other arguments from now on; what waits stays."""
        levels = self.rules.max_priority
        self.options = options
        self.consumers.single_active = options.single_active_consumer
        self.apply(rules)
        if rules.max_priority != levels:
            old, self._backlog = self._backlog, self._new_backlog()
            rebuild(old, self._backlog)
        self._turn.dispatch(self._dispatch)

    def apply(self, rules: Rules) -> None:
        """Go by other rules from now on; when a message expires was settled when it came."""
        self.rules = rules
        if self.graveyard is not None:
            self.graveyard.rules_changed(self)
        if self.shorten():
            self._turn.dispatch(self._dispatch)

    def shorten(self) -> bool:
        """Drop what is beyond the limits, the first ones first; true if there is more to drop.

        A queue that refuses messages drops none, though what comes back may be beyond them.
        """
        rules = self.rules
        backlog = self._backlog
        if not rules.is_limited or rules.overflow != DROP_HEAD:
            return False
        budget: i64 = DROPPED_MAX
        while backlog.count > 0 and rules.overflows(backlog.count, backlog.body_bytes):
            if budget == 0:
                return True
            budget -= 1
            entry = backlog.pop()
            if entry.expires_at > 0 and backlog.deadlines is not None:
                backlog.deadlines.leave(entry)
            self._drop(entry, MAXLEN)
        return False

    def dispatch(self) -> bool:
        """Hand what is ready to whoever is ready, at most `DISPATCH_MAX` messages in one turn.

        True if it stopped there, with more to hand out.
        """
        if self.shorten():
            return True
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
            if entry.expires_at > 0 and self._is_late(entry):
                continue
            self._hand_to(consumer, entry)
        return False

    def _hand_to(self, consumer: Consumer, entry: Entry) -> None:
        if entry.position >= self.residence.next_sample:
            self.residence.left(entry.position)
        counters = self.counters
        if entry.delivery_count > 0:
            counters.redeliver += 1
        if consumer.no_ack:
            counters.deliver_no_ack += 1
            consumer.deliver_settled(shown(self.rules, entry), entry.delivery_count > 0)
            self._hand_over(entry.position, entry.message)
        else:
            counters.deliver += 1
            self._hold(entry.position, entry.message)
            consumer.deliver(entry)

    def take(self, no_ack: bool) -> Entry | None:
        """Take the first ready entry for Basic.Get, None if there is none.

        With `no_ack` it is settled by that.
        """
        while self._backlog.count > 0:
            entry = self._backlog.pop()
            if entry.expires_at > 0 and self._is_late(entry):
                continue
            counters = self.counters
            if entry.position >= self.residence.next_sample:
                self.residence.left(entry.position)
            if entry.delivery_count > 0:
                counters.redeliver += 1
            if no_ack:
                counters.get_no_ack += 1
                self._hand_over(entry.position, entry.message)
            else:
                counters.get += 1
                self._hold(entry.position, entry.message)
            return entry
        self.counters.get_empty += 1
        return None

    def settle(self, entry: Entry) -> None:
        """Forget a delivered entry: it was acked."""
        self.counters.ack += 1
        if entry.delivery_count > 0:
            self._turn.marks.retries.add(entry.delivery_count + 1)
        self._let_go(entry.message)
        self._forget(entry.position, entry.message)

    def requeue(self, entry: Entry, is_failure: bool = True) -> None:
        """Take a delivered entry back to its original position; a deleted queue drops it.

        It may have to rest before; `is_failure` says that it was not given back by the consumer's own wish.
        """
        self._let_go(entry.message)
        if self.deleted:
            self._forget(entry.position, entry.message)
            return
        entry.delivery_count += 1
        if 0 <= self.rules.delivery_limit < entry.delivery_count:
            self._drop(entry, DELIVERY_LIMIT)
            return
        if entry.message.stored != 0:
            self.kept.returned(entry)
        rest_ms = self.rules.rest_ms(entry.delivery_count, is_failure)
        if rest_ms > 0:
            if self._resting is None:
                self._resting = Resting(Awake(self), self._turn.timers)
            self._resting.add(entry, rest_ms)
        else:
            self.come_back(entry)

    def come_back(self, entry: Entry) -> None:
        """Put an entry back to its place."""
        if entry.expires_at > 0:
            self._watch(entry)
        self._backlog.put_back(entry)
        self.shorten()
        self._turn.dispatch(self._dispatch)

    def reject(self, entry: Entry) -> None:
        """Take note that a delivered entry was rejected, and is not wanted again."""
        self._let_go(entry.message)
        if self.deleted:
            self._forget(entry.position, entry.message)
        else:
            self._drop(entry, REJECTED)

    # What is dropped

    def _drop(self, entry: Entry, reason: bytes) -> None:
        """Dead-letter an entry that is in the backlog no more, or forget it."""
        if self.graveyard is not None and self.rules.dead_letter_exchange is not None:
            self.graveyard.take(self, entry, reason)
        else:
            if self.graveyard is not None:
                self.graveyard.lost(self, reason)
            self._forget(entry.position, entry.message)

    def buried(self, entry: Entry) -> None:
        """Forget an entry that the graveyard took."""
        if entry.position > 0:
            self._forget(entry.position, entry.message)

    def _watch(self, entry: Entry) -> None:
        """Have an entry that is about to be added expire in time."""
        self._backlog.known_deadlines().add(entry)
        self._wind(entry.expires_at)

    def _wind(self, at_ms: i64) -> None:
        """Have the timer fire at a time, if not before."""
        if self._expiry is None:
            self._expiry = Expiry(self)
        if self._expiry.due_ms == 0 or at_ms < self._expiry.due_ms:
            self._turn.timers.set(self._expiry, at_ms)

    def _is_late(self, entry: Entry) -> bool:
        """Take note that an entry which expires was taken out; drop it if it should have expired before."""
        if self._backlog.deadlines is not None:
            self._backlog.deadlines.leave(entry)
        if entry.expires_at > self._turn.timers.clock.now_ms():
            return False
        self._drop(entry, EXPIRED)
        return True

    def expire(self, now_ms: i64) -> i64:
        """Drop what has expired, wherever it stands; returns when there is more to do, 0 for never."""
        deadlines = self._backlog.deadlines
        if deadlines is None or self.deleted:
            return 0
        budget: i64 = DROPPED_MAX
        while budget > 0:
            budget -= 1
            entry = deadlines.pop(now_ms)
            if entry is None:
                page = deadlines.pop_page(now_ms)
                if page is None:
                    break
                budget -= page.count
                self._backlog.load_early(page, now_ms)
                continue
            expired = Entry(self._backlog.remove(entry), entry.position)
            expired.delivery_count = entry.delivery_count
            expired.expires_at = entry.expires_at
            self._drop(expired, EXPIRED)
        return deadlines.next_ms()

    def read_ahead(self, until_ms: i64) -> bool:
        """Read a page of which something expires up to a time; false if there is none."""
        return self._backlog.read_ahead(until_ms)

    def subscribe(self, consumer: Consumer) -> None:
        """Add a consumer; what is ready goes to it from the end of this turn on."""
        self.consumers.add(consumer)
        if self._backlog.count > 0:
            self._turn.dispatch(self._dispatch)

    def unsubscribe(self, consumer: Consumer) -> None:
        """Remove a consumer; another one may be the active one by that."""
        was_active = consumer is self.consumers.active()
        self.consumers.remove(consumer)
        if was_active and self._backlog.count > 0:
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
        if self._resting is not None:
            for entry in self._resting.drain():
                self._forget(entry.position, entry.message)
        everyone = self.consumers.everyone()
        self.consumers = Consumers(False)
        return everyone

    def spill(self) -> None:
        """Have the store keep what is beyond the queue's share of memory."""
        if self.kept.memory_bytes_max > 0:
            self._backlog.spill()

    def browse(self, after: i64, count_max: int) -> list[Entry]:
        """Return the first entries that are ready and above a position, in order; all stays as it is."""
        return self._backlog.browse(after, count_max)

    def withdraw(self, position: i64) -> bool:
        """Drop the entry that is ready at a position, for good; false if there is none."""
        message = withdraw(self._backlog, position)
        if message is not None:
            self._forget(position, message)
        return message is not None

    def in_memory(self, file: i64 = 0) -> list[Entry]:
        """Return what is ready and in memory, in order, with `file` only what is in that; then what rests."""
        entries = self._backlog.in_memory() if file == 0 else self._backlog.stored_in(file)
        if self._resting is not None:
            entries.extend(self._resting.entries())
        return entries

    def pages(self) -> list[Page]:
        """Return what is ready and out of memory, in order."""
        return self._backlog.pages()

    def refill(self) -> Refill:
        """Return what takes all that was recovered; `refilled` is called after it has finished."""
        return Refill(self._backlog)

    def refilled(self) -> None:
        """Have expire in time what was recovered, and drop what is beyond the limits."""
        deadlines = self._backlog.deadlines
        if deadlines is not None and deadlines.next_ms() > 0:
            self._wind(deadlines.next_ms())
        if self.rules.is_limited:
            self._turn.dispatch(self._dispatch)

    def _hold(self, position: i64, message: Message) -> None:
        self.unacked_count += 1
        self.unacked_body_bytes += len(message.body)
        if message.stored != 0 and message.persistent:
            self.kept.delivered(position)

    def _let_go(self, message: Message) -> None:
        self.unacked_count -= 1
        self.unacked_body_bytes -= len(message.body)

    def _hand_over(self, position: i64, message: Message) -> None:
        """Forget a message that is settled by being delivered."""
        if message.stored != 0:
            if message.persistent:
                self.kept.delivered(position)
            self.kept.settled(position, message)

    def _forget(self, position: i64, message: Message) -> None:
        if message.stored != 0:
            self.kept.settled(position, message)
