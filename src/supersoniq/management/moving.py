"""Moving messages out of a queue to where they are wanted: each leaves when it is elsewhere."""

from collections.abc import Callable
from typing import Final, NamedTuple

from supersoniq.amqp.errors import AMQPError
from supersoniq.amqp.primitives import read_u64
from supersoniq.amqp.properties import headers_property, read_properties
from supersoniq.amqp.tables import Table
from supersoniq.broker.message import Entry, Message, address_of
from supersoniq.broker.publishing import REFUSED
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.vhost import VHost
from supersoniq.management.filters import Filter
from supersoniq.management.slices import Slices

BROWSED: Final = 100
DEATH_HEADERS: Final = (b"x-death", b"x-first-death-", b"x-last-death-")


class Target(NamedTuple):
    """Where one message is to go."""

    exchange: bytes
    routing_key: bytes


Aim = Callable[[Entry], Target | None]


class Moved(NamedTuple):
    """What has become of the messages that were looked at."""

    moved: int
    left: int  # there is no place for them: they stay
    sequence: int


def origin_of(entry: Entry) -> Target | None:
    """Return the queue where a message died first, None for one that has not died."""
    name = _text(headers_property(entry.message.header), b"x-first-death-queue")
    return None if name is None else Target(b"", name)


def exchange_of(entry: Entry) -> Target | None:
    """Return the exchange and routing key that a message was published with before it died first."""
    headers = headers_property(entry.message.header)
    exchange = _text(headers, b"x-first-death-exchange")
    deaths = headers.get(b"x-death")
    if exchange is None or deaths is None or not isinstance(deaths.value, list) or not deaths.value:
        return None
    first = deaths.value[-1].value
    keys = first.get(b"routing-keys") if isinstance(first, dict) else None
    if keys is None or not isinstance(keys.value, list) or not keys.value or not keys.value[0].is_string:
        return None
    return Target(exchange, keys.value[0].octets())


def _text(headers: Table, name: bytes) -> bytes | None:
    field = headers.get(name)
    return field.octets() if field is not None and field.is_string else None


def cleaned(message: Message, target: Target) -> Message:
    """Return a message for its target, without what it says of its deaths."""
    headers = headers_property(message.header)
    left = {name: field for name, field in headers.items() if not name.startswith(DEATH_HEADERS)}
    header = message.header
    if len(left) != len(headers):
        properties = read_properties(header)
        properties.change_headers(left)
        header = properties.content_header(read_u64(header, 4))
    return Message(address_of(target.exchange, target.routing_key), header, message.body, message.persistent)


class Mover:
    """Moves messages from one queue."""

    def __init__(self, vhost: VHost, queue: Queue, aim: Aim) -> None:
        self._vhost = vhost
        self._queue = queue
        self._aim = aim

    async def move(self, meant: Filter, limit: int, now_ms: int, slices: Slices) -> Moved:
        """Move so many messages that are meant, at most those that are there now."""
        queue = self._queue
        end = int(queue.kept.next_position)
        position = moved = left = sequence = 0
        while moved + left < limit and not queue.deleted:
            entries = [entry for entry in queue.browse(position, BROWSED) if entry.position < end]
            if not entries:
                break
            for entry in entries:
                position = int(entry.position)
                age_ms = now_ms - int(queue.residence.time_of(entry.position))
                if moved + left >= limit:
                    break
                if meant.takes(entry.message, age_ms):
                    done = self._move(entry)
                    moved, left = (moved, left + 1) if done is None else (moved + 1, left)
                    sequence = max(sequence, done or 0)
                await slices.breathe()
        return Moved(moved, left, sequence)

    def _move(self, entry: Entry) -> int | None:
        """Move one message as a whole; None if there is no place for it."""
        vhost, queue = self._vhost, self._queue
        try:
            target = self._aim(entry)
            if target is None:
                return None
            message = cleaned(entry.message, target)
            queues = vhost.route(message.address, message.header).queues
        except AMQPError:
            return None
        if not queues or queue in queues or any(each.refuses(message) for each in queues):
            return None
        vhost.store.begin()
        try:
            if not queue.withdraw(entry.position):
                return None  # somebody has taken it meanwhile
            found = vhost.publish_by_rules(message, queues, -1)
        finally:
            sequence = vhost.store.commit()
        return int(sequence) if found != REFUSED else 0
