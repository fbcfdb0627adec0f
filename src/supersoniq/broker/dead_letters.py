"""Dead-lettering: what queues drop goes to their dead-letter exchanges (rabbitmq: dlx).

Messages wait here until the end of the turn. Many are moved in one transaction of the store: a message has
left its queue when it is in the others, or neither.
"""

from abc import ABC, abstractmethod
from typing import Final, final

from mypy_extensions import i64, mypyc_attr

from supersoniq.broker.deaths import death_of
from supersoniq.broker.exchanges.base import Exchange
from supersoniq.broker.message import Entry, Message
from supersoniq.broker.ports import Holder, QueueStore
from supersoniq.broker.queues.queue import Graveyard, Queue
from supersoniq.broker.routing import Router
from supersoniq.broker.store import Store
from supersoniq.broker.turn import Deferred, Turn

# Messages that are moved in one turn.
MOVED_MAX: Final = 1_000


@mypyc_attr(allow_interpreted_subclasses=True)
class Publisher(ABC):
    """Enqueues messages."""

    @abstractmethod
    def publish_by_rules(self, message: Message, queues: list[Queue], expiration_ms: i64) -> i64:
        """Enqueue a message in each of `queues`, as their rules want it."""


@final
class _Letter:
    """A message that a queue has dropped."""

    __slots__ = ("entry", "queue", "reason")

    def __init__(self, queue: Queue, entry: Entry, reason: bytes) -> None:
        self.queue = queue
        self.entry = entry
        self.reason = reason


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
class _Limbo(Holder):
    """What is on its way, for the store."""

    def __init__(self, letters: list[_Letter]) -> None:
        self.letters = letters

    def held(self) -> list[tuple[QueueStore, Entry]]:
        """Return the entries that no queue has any more."""
        return [(letter.queue.kept, letter.entry) for letter in self.letters if letter.entry.position > 0]


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
        self.limbo = _Limbo([])

    def take(self, queue: Queue, entry: Entry, reason: bytes) -> None:
        """Take an entry, to be moved at the end of this turn."""
        self.limbo.letters.append(_Letter(queue, entry, reason))
        self._turn.dispatch(self._move)

    def move(self) -> bool:
        """Move what has come so far; true if some is left."""
        letters = self.limbo.letters
        # What is dropped by moving comes behind these.
        count = min(len(letters), MOVED_MAX)
        now_ms = self._turn.timers.clock.now_ms()
        self._store.begin()
        for index in range(count):
            self._deliver(letters[index], now_ms)
        del letters[:count]
        self._store.commit()
        return bool(letters)

    def _deliver(self, letter: _Letter, now_ms: i64) -> None:
        """Publish one message again, and have its queue forget it."""
        queue, entry = letter.queue, letter.entry
        rules = queue.rules
        name = rules.dead_letter_exchange
        exchange = None if name is None else self._exchanges.get(name)
        if exchange is not None:
            death = death_of(
                entry.message, queue.name, letter.reason, now_ms, exchange.name, rules.dead_letter_routing_key
            )
            queues = [
                each
                for each in self._router.resolve(exchange, death.routing_keys, death.message.header)
                if not death.is_cycle(each.name)
            ]
            for keeper in self._router.keepers:
                keeper.published(death.message)
            if queues:
                self._publisher.publish_by_rules(death.message, queues, -1)
        queue.buried(entry)
