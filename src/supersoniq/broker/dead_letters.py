"""Dead-lettering: what queues drop goes to their dead-letter exchanges (rabbitmq: dlx).

Messages wait here until the end of the turn. Many are moved in one transaction of the store: a message has
left its queue when it is in the others, or neither.

Where a queue asks for that (rabbitmq: at-least-once), a message that not all of the others take stays here,
and is tried again until they do. Its record stays with its queue, to which it comes back after a restart.
"""

from abc import ABC, abstractmethod
from collections import deque
from typing import Final, final

from mypy_extensions import i64, mypyc_attr

from supersoniq.broker.deaths import Death, death_of
from supersoniq.broker.exchanges.base import Exchange
from supersoniq.broker.message import Entry, Message
from supersoniq.broker.ports import Holder, QueueStore
from supersoniq.broker.queues.backlog import MESSAGE_OVERHEAD_BYTES
from supersoniq.broker.queues.graveyard import Graveyard
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.routing import Router
from supersoniq.broker.store import Store
from supersoniq.broker.timers import Timer
from supersoniq.broker.turn import Deferred, Turn

# Messages that are moved in one turn.
MOVED_MAX: Final = 250
# As many of one queue are tried again after so long, or so soon if any of those before could be moved.
RETRY_MS: Final = 3_000
PROGRESS_MS: Final = 100

# What is counted beside the reasons of `deaths`, in RabbitMQ's words.
AT_MOST_ONCE: Final = b"at_most_once"
AT_LEAST_ONCE: Final = b"at_least_once"
DISABLED: Final = b"disabled"
CONFIRMED: Final = b"confirmed"


@mypyc_attr(allow_interpreted_subclasses=True)
class Publisher(ABC):
    """Enqueues messages."""

    @abstractmethod
    def publish_by_rules(
        self, message: Message, queues: list[Queue], expiration_ms: i64, is_dead_letter: bool = False
    ) -> i64:
        """Enqueue a message in each of `queues`, as their rules want it."""


@final
class _Letter:
    """A message that a queue has dropped.

    `died_ms` is 0 until it is tried for the first time, `takers` are the queues that have it already.
    """

    __slots__ = ("died_ms", "entry", "has_waited", "queue", "reason", "takers")

    def __init__(self, queue: Queue, entry: Entry, reason: bytes) -> None:
        self.queue = queue
        self.entry = entry
        self.reason = reason
        self.died_ms: i64 = 0
        self.has_waited = False
        self.takers: list[Queue] = []


@final
class _Move(Deferred):
    """Moves what is there at the end of the turn."""

    def __init__(self, dead_letters: "DeadLetters") -> None:
        super().__init__()
        self._dead_letters = dead_letters

    def run(self) -> bool:
        """Do it."""
        return self._dead_letters.move()


@final
class _Waiting(Timer):
    """What one queue has dropped and nobody has taken yet."""

    def __init__(self, dead_letters: "DeadLetters") -> None:
        super().__init__()
        self.letters: deque[_Letter] = deque()
        self._dead_letters = dead_letters

    def fire(self, now_ms: i64) -> i64:
        """Try some of it again; returns when, if others come first."""
        return self._dead_letters.try_again(self, now_ms)


@final
class _Limbo(Holder):
    """What is on its way or waits, for the store."""

    def __init__(self) -> None:
        self.letters: list[_Letter] = []
        self.waiting: dict[Queue, _Waiting] = {}

    def held(self) -> list[tuple[QueueStore, Entry]]:
        """Return the entries that no queue has any more."""
        letters = list(self.letters)
        for waiting in self.waiting.values():
            letters.extend(waiting.letters)
        return [(letter.queue.kept, letter.entry) for letter in letters if letter.entry.position > 0]


@final
class DeadLetters(Graveyard):
    """The dead-letter office of one virtual host."""

    def __init__(
        self,
        publisher: Publisher,
        exchanges: dict[bytes, Exchange],
        router: Router,
        store: Store,
        turn: Turn,
    ) -> None:
        self._publisher = publisher
        self._exchanges = exchanges
        self._router = router
        self._store = store
        self._turn = turn
        self._move = _Move(self)
        self.limbo = _Limbo()
        self.counts: dict[tuple[bytes, bytes, bytes], int] = {}  # by queue type, strategy, reason

    def take(self, queue: Queue, entry: Entry, reason: bytes) -> None:
        """Take an entry, to be moved at the end of this turn."""
        self.limbo.letters.append(_Letter(queue, entry, reason))
        self._count(queue, AT_LEAST_ONCE if queue.rules.dead_letters_wait else AT_MOST_ONCE, reason)
        self._turn.dispatch(self._move)

    def lost(self, queue: Queue, reason: bytes) -> None:
        """Count it."""
        self._count(queue, DISABLED, reason)

    def _count(self, queue: Queue, strategy: bytes, reason: bytes) -> None:
        key = (queue.options.queue_type, strategy, reason)
        self.counts[key] = self.counts.get(key, 0) + 1

    def move(self) -> bool:
        """Move what has come so far; true if some is left."""
        letters = self.limbo.letters
        # What is dropped by moving comes behind these.
        count = min(len(letters), MOVED_MAX)
        now_ms = self._turn.timers.clock.now_ms()
        self._store.begin()
        for index in range(count):
            letter = letters[index]
            if self._is_delivered(letter, now_ms):
                self._bury(letter, now_ms)
            else:
                self._keep(letter, now_ms)
        del letters[:count]
        self._store.commit()
        return bool(letters)

    def _is_delivered(self, letter: _Letter, now_ms: i64) -> bool:
        """Publish one message again; false if it has to wait, for one of its queues at least."""
        queue, rules = letter.queue, letter.queue.rules
        if letter.died_ms == 0:
            letter.died_ms = now_ms
        may_be_lost = queue.deleted or not rules.dead_letters_wait
        name = rules.dead_letter_exchange
        exchange = None if name is None else self._exchanges.get(name)
        if exchange is None:
            return may_be_lost
        death = death_of(
            letter.entry.message,
            queue.name,
            letter.reason,
            letter.died_ms,
            exchange.name,
            rules.dead_letter_routing_key,
        )
        queues = [
            each
            for each in self._router.resolve(exchange, death.routing_keys, death.message.header)
            if not death.is_cycle(each.name)
        ]
        missing = [each for each in queues if each not in letter.takers]
        if may_be_lost:
            self._publish(letter, death, missing)
            return True
        able = [each for each in missing if not each.refuses(death.message, True)]
        if able:
            self._publish(letter, death, able)
        return len(queues) > 0 and len(able) == len(missing)

    def _publish(self, letter: _Letter, death: Death, queues: list[Queue]) -> None:
        if not letter.takers:
            for keeper in self._router.keepers:
                keeper.published(death.message)
        if queues:
            self._publisher.publish_by_rules(death.message, queues, -1, True)
            letter.takers.extend(queues)

    # What waits

    @property
    def memory_bytes(self) -> int:
        """About what waits occupies in memory."""
        total: i64 = 0
        for queue in self.limbo.waiting:
            total += queue.dead_letter_body_bytes + queue.dead_letter_count * MESSAGE_OVERHEAD_BYTES
        return int(total)

    def _keep(self, letter: _Letter, now_ms: i64) -> None:
        """Have a message wait."""
        queue = letter.queue
        if not letter.has_waited:
            letter.has_waited = True
            queue.dead_letter_count += 1
            queue.dead_letter_body_bytes += len(letter.entry.message.body)
        waiting = self.limbo.waiting.get(queue)
        if waiting is None:
            waiting = self.limbo.waiting[queue] = _Waiting(self)
        waiting.letters.append(letter)
        self._wind(waiting, now_ms + RETRY_MS)

    def _bury(self, letter: _Letter, now_ms: i64) -> None:
        """Have its queue forget a message."""
        queue = letter.queue
        queue.buried(letter.entry)
        if queue.rules.dead_letters_wait:
            self._count(queue, AT_LEAST_ONCE, CONFIRMED)
        if letter.has_waited:
            queue.dead_letter_count -= 1
            queue.dead_letter_body_bytes -= len(letter.entry.message.body)
            waiting = self.limbo.waiting[queue]
            if queue.dead_letter_count > 0:
                self._wind(waiting, now_ms + PROGRESS_MS)
            else:
                self._turn.timers.set(waiting, 0)
                del self.limbo.waiting[queue]

    def _wind(self, waiting: _Waiting, at_ms: i64) -> None:
        """Have a timer fire at a time, if not before."""
        if waiting.due_ms == 0 or at_ms < waiting.due_ms:
            self._turn.timers.set(waiting, at_ms)

    def try_again(self, waiting: _Waiting, now_ms: i64) -> i64:
        """Have some of what waits moved at the end of this turn, if that can be; those that came first.

        Never more than one turn moves, so that others do not have to wait for that. Returns when to try
        again if there is no room now, else 0.
        """
        letters = self.limbo.letters
        count = min(len(waiting.letters), MOVED_MAX - len(letters))
        if count <= 0:
            return now_ms + PROGRESS_MS
        for _ in range(count):
            letters.append(waiting.letters.popleft())
        self._turn.dispatch(self._move)
        return 0

    def rules_changed(self, queue: Queue) -> None:
        """Try again at once, for there may be another exchange now."""
        waiting = self.limbo.waiting.get(queue)
        if waiting is not None:
            self._wind(waiting, self._turn.timers.clock.now_ms())

    def drop(self, queue: Queue) -> None:
        """Forget what waits, for its queue is purged or gone."""
        waiting = self.limbo.waiting.pop(queue, None)
        if waiting is None:
            return
        self._turn.timers.set(waiting, 0)
        dropped = list(waiting.letters)
        on_the_way = self.limbo.letters
        self.limbo.letters = []
        for letter in on_the_way:
            if letter.queue is queue and letter.has_waited:
                dropped.append(letter)
            else:
                self.limbo.letters.append(letter)
        for letter in dropped:
            queue.buried(letter.entry)
        queue.dead_letter_count = 0
        queue.dead_letter_body_bytes = 0
