"""What queues of the simulation drop into their dead-letter exchanges, and where it must be afterwards."""

from __future__ import annotations

from typing import NamedTuple

from tests.fakes import FakeClock
from tests.storage.expectations import Expectations
from tests.storage.live_queue import LiveQueue
from tests.storage.oracle import Change, Ledger
from tests.storage.spoken import Messages, is_cycle

from supersoniq.broker.dead_letters import MOVED_MAX
from supersoniq.broker.deaths import death_of
from supersoniq.broker.message import Entry, Message
from supersoniq.broker.queues.graveyard import Graveyard
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.turn import Deferred, Turn
from supersoniq.broker.vhost import VHost


class Letter(NamedTuple):
    """A message that a queue has dropped, of position 0 if it has never taken it."""

    live: LiveQueue
    position: int
    number: int
    persistent: bool
    reason: bytes


class Letters(Deferred):
    """All that was dropped and not moved. It runs right before the broker moves it."""

    def __init__(
        self,
        vhost: VHost,
        turn: Turn,
        clock: FakeClock,
        ledger: Ledger,
        messages: Messages,
        expected: Expectations,
    ) -> None:
        super().__init__()
        self._vhost = vhost
        self._turn = turn
        self._clock = clock
        self._ledger = ledger
        self._messages = messages
        self._expected = expected
        self._letters: list[Letter] = []

    def watch(self, live: LiveQueue) -> None:
        """See what a queue drops."""
        graveyard = live.queue.graveyard
        assert graveyard is not None
        live.queue.graveyard = _Watch(live, graveyard, self)

    def take(self, live: LiveQueue, entry: Entry, reason: bytes) -> None:
        """Check that a message may be dropped, and expect it to be moved."""
        position, message = int(entry.position), entry.message
        number = self._messages.number_of(message.address, message.header, message.body)
        if live.dying:
            assert (position, reason) == live.dying.popleft()
        else:
            assert reason == b"expired", f"position {position} dropped: {reason!r}"
            assert live.is_late(position), f"position {position} has not expired"
            live.remove(position)
        if position:
            spot = live.spots[position]
            assert (number, int(entry.expires_at)) == (spot.number, spot.expires_at)
        self._letters.append(Letter(live, position, number, message.persistent, reason))
        self._turn.dispatch(self)

    def run(self) -> bool:
        """Expect what is there to be moved, in one record; the broker comes next."""
        self._expected.catch_up()
        moved, self._letters = self._letters[:MOVED_MAX], self._letters[MOVED_MAX:]
        changes: list[Change] = []
        for letter in moved:
            self._expect(letter, changes)
        self._ledger.note_group(self._expected.sequence, changes)
        return bool(self._letters)

    def _expect(self, letter: Letter, changes: list[Change]) -> None:
        live, plan = letter.live, letter.live.plan
        name = plan.dead_letter_exchange
        exchange = None if name is None else self._vhost.exchanges.get(name)
        if exchange is not None:
            spoken = self._messages[letter.number]
            message = Message(spoken.address, spoken.header, b"", letter.persistent)
            death = death_of(
                message, live.queue.name, letter.reason, self._clock.now, exchange.name, plan.dead_letter_key
            )
            deaths = spoken.dead(live.queue.name, letter.reason)
            header = death.message.header
            resolved = self._vhost.router.resolve(exchange, death.routing_keys, header)
            queues = [queue for queue in resolved if not is_cycle(deaths, queue.name)]
            number = self._messages.died(letter.number, death.message.address, header, deaths)
            self._expected.expect(number, letter.persistent, queues, None, changes)
        if letter.position:
            self._expected.settled(live, letter.position, changes)


class _Watch(Graveyard):
    """Stands before the graveyard of one queue."""

    def __init__(self, live: LiveQueue, graveyard: Graveyard, letters: Letters) -> None:
        self._live = live
        self._graveyard = graveyard
        self._letters = letters

    def take(self, queue: Queue, entry: Entry, reason: bytes) -> None:
        self._letters.take(self._live, entry, reason)
        self._graveyard.take(queue, entry, reason)
