"""What a node must know again after a crash: the oracle of the simulation.

A `Picture` is what is durable: settings, exchanges, bindings, queues and the persistent messages in them. The
`Ledger` keeps the picture of what the store has called safe, and every change since. What is found after a
crash must be the safe picture with any of those changes, where those of one message or one transaction come
all or none.
"""

from __future__ import annotations

import collections
from typing import NamedTuple

from tests.storage.spoken import Messages

from supersoniq.amqp.tables import plain
from supersoniq.broker.definitions import SettingKey
from supersoniq.broker.exchanges.base import Exchange
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.vhost import PREDECLARED, VHost

SYSTEM = {name for name, _, _ in PREDECLARED}

BindingKey = tuple[bytes, bytes, bool, bytes]  # source, destination, whether that is an exchange, binding key
Spot = tuple[int, int]  # queue, position


class Place(NamedTuple):
    """A message in a queue: its position and number, how often it was delivered and came back, its expiry."""

    position: int
    number: int
    times: int
    expires_at: int


class QueuePicture:
    """A durable queue. Places are in order of position."""

    def __init__(self, name: bytes, auto_delete: bool) -> None:
        self.name = name
        self.auto_delete = auto_delete
        self.places: dict[int, Place] = {}


class Picture:
    """What is durable. Queues go by a number of their own, as names are used again."""

    def __init__(self) -> None:
        self.queues: dict[int, QueuePicture] = {}
        self.exchanges: dict[bytes, str] = {}
        self.bindings: set[BindingKey] = set()
        self.settings: dict[SettingKey, bytes] = {}


class Change:
    """A change of the picture."""

    def apply(self, picture: Picture) -> None:
        """Make it, where what it is about is still there."""
        raise NotImplementedError


class Declare(Change):
    def __init__(self, queue: int, name: bytes, auto_delete: bool) -> None:
        self.queue = queue
        self.name = name
        self.auto_delete = auto_delete

    def apply(self, picture: Picture) -> None:
        picture.queues[self.queue] = QueuePicture(self.name, self.auto_delete)


class Delete(Change):
    def __init__(self, queue: int) -> None:
        self.queue = queue

    def apply(self, picture: Picture) -> None:
        del picture.queues[self.queue]


class DeclareExchange(Change):
    def __init__(self, name: bytes, kind: str) -> None:
        self.name = name
        self.kind = kind

    def apply(self, picture: Picture) -> None:
        picture.exchanges[self.name] = self.kind


class DeleteExchange(Change):
    def __init__(self, name: bytes) -> None:
        self.name = name

    def apply(self, picture: Picture) -> None:
        del picture.exchanges[self.name]


class Bind(Change):
    def __init__(self, key: BindingKey) -> None:
        self.key = key

    def apply(self, picture: Picture) -> None:
        picture.bindings.add(self.key)


class Unbind(Change):
    def __init__(self, key: BindingKey) -> None:
        self.key = key

    def apply(self, picture: Picture) -> None:
        picture.bindings.discard(self.key)


class Set(Change):
    """A setting has a value, or None where it is removed."""

    def __init__(self, key: SettingKey, value: bytes | None) -> None:
        self.key = key
        self.value = value

    def apply(self, picture: Picture) -> None:
        if self.value is None:
            picture.settings.pop(self.key, None)
        else:
            picture.settings[self.key] = self.value


class Publish(Change):
    def __init__(self, queue: int, position: int, number: int, expires_at: int) -> None:
        self.queue = queue
        self.position = position
        self.number = number
        self.expires_at = expires_at

    @property
    def place(self) -> Place:
        """What is in the queue by it."""
        return Place(self.position, self.number, 0, self.expires_at)

    def apply(self, picture: Picture) -> None:
        if self.queue in picture.queues:
            picture.queues[self.queue].places[self.position] = self.place


class Settle(Change):
    def __init__(self, queue: int, position: int) -> None:
        self.queue = queue
        self.position = position

    def apply(self, picture: Picture) -> None:
        if self.queue in picture.queues:
            picture.queues[self.queue].places.pop(self.position, None)


class Return(Change):
    """A message was delivered and has come back, or will when the node restarts: so many times at least."""

    def __init__(self, queue: int, position: int, times: int) -> None:
        self.queue = queue
        self.position = position
        self.times = times

    def apply(self, picture: Picture) -> None:
        if self.queue in picture.queues and self.position in picture.queues[self.queue].places:
            places = picture.queues[self.queue].places
            times = max(self.times, places[self.position].times)
            places[self.position] = places[self.position]._replace(times=times)


class Record(NamedTuple):
    """Changes that come all or none, and the sequence with which they are safe."""

    sequence: int
    changes: list[Change]


class FoundQueue(NamedTuple):
    """A queue after recovery. Places are in order of position."""

    auto_delete: bool
    arguments: dict[str, object]
    places: list[Place]


class Found(NamedTuple):
    """What a node knows after recovery."""

    queues: dict[bytes, FoundQueue]
    exchanges: dict[bytes, str]
    bindings: set[BindingKey]
    settings: dict[SettingKey, bytes]


def look(vhost: VHost, messages: Messages) -> Found:
    """Take everything out of a virtual host that was just recovered, and in which time stands still."""
    queues = {name: _look_into(queue, messages) for name, queue in vhost.queues.items()}
    bindings: set[BindingKey] = set()
    for exchange in vhost.exchanges.values():
        for binding in exchange.bindings.values():
            end = binding.destination
            bindings.add((exchange.name, end.name, isinstance(end, Exchange), binding.binding_key))
    exchanges = {name: each.kind for name, each in vhost.exchanges.items() if name not in SYSTEM}
    settings = {setting.key: setting.value for setting in vhost.store.settings()}
    return Found(queues, exchanges, bindings, settings)


def _look_into(queue: Queue, messages: Messages) -> FoundQueue:
    assert queue.durable
    places: list[Place] = []
    order: list[tuple[int, int]] = []
    expected = queue.ready_count
    while (entry := queue.take(False)) is not None:
        message = entry.message
        assert message.persistent, f"a transient message came back in {queue.name!r}"
        number = messages.number_of(message.address, message.header, message.body)
        level = min(messages[number].priority, int(queue.rules.max_priority))
        order.append((-level, int(entry.position)))
        places.append(Place(int(entry.position), number, int(entry.delivery_count), int(entry.expires_at)))
    assert len(places) == expected, f"{queue.name!r} has {len(places)} messages and says {expected}"
    assert order == sorted(order), f"{queue.name!r} is out of order: {order}"
    return FoundQueue(queue.auto_delete, plain(queue.options.arguments), sorted(places))


class Ledger:
    """The safe picture, the changes since, and which messages somebody has seen."""

    def __init__(self) -> None:
        self.safe = Picture()
        self.records: collections.deque[Record] = collections.deque()
        self.delivered: set[Spot] = set()  # what was ever delivered
        self.seen: set[Spot] = set()  # and has left the node
        self._transaction: list[Change] | None = None

    def note(self, sequence: int, *changes: Change) -> None:
        """Add changes that are one record, or belong to the transaction."""
        if self._transaction is not None:
            self._transaction.extend(changes)
        elif changes:
            self.records.append(Record(sequence, list(changes)))

    def note_group(self, sequence: int, changes: list[Change]) -> None:
        """Add a record to which changes may come as long as it is not safe."""
        self.records.append(Record(sequence, changes))

    def begin(self) -> None:
        """Collect what follows in one record."""
        self._transaction = []

    def commit(self, sequence: int) -> None:
        """Add that record."""
        changes, self._transaction = self._transaction, None
        self.note(sequence, *(changes or []))

    def durable(self, sequence: int) -> None:
        """Take note that everything up to a sequence is safe."""
        while self.records and self.records[0].sequence <= sequence:
            for change in self.records.popleft().changes:
                change.apply(self.safe)

    def forget(self) -> None:
        """The node is gone, with what was not finished."""
        self._transaction = None

    def begin_again(self, sequence: int, picture: Picture, returns: list[Return]) -> None:
        """What was found is safe, but for some of how often messages have come back: with a sequence."""
        self.safe = picture
        self.records.clear()
        self.note(sequence, *returns)
        self.seen = {
            (number, place.position)
            for number, queue in picture.queues.items()
            for place in queue.places.values()
            if place.times
        } | {(each.queue, each.position) for each in returns}
        self.delivered = set(self.seen)
