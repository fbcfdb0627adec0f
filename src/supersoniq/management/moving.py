"""Moving messages out of a queue to where they are wanted: each leaves when it is elsewhere."""

import contextlib
from collections.abc import Callable
from typing import Final, NamedTuple

from supersoniq.amqp.errors import AMQPError
from supersoniq.amqp.primitives import read_u64
from supersoniq.amqp.properties import headers_property, read_properties
from supersoniq.amqp.tables import Table
from supersoniq.broker.message import GONE, Entry, Message, address_of
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.vhost import VHost
from supersoniq.management.filters import Filter
from supersoniq.management.pace import Pace

BROWSED: Final = 100
NAME_BYTES_MAX: Final = 255
DEATH_HEADERS: Final = (b"x-death", b"x-first-death-", b"x-last-death-")


class Target(NamedTuple):
    """Where one message is to go."""

    exchange: bytes
    routing_key: bytes


Aim = Callable[[Entry], Target | None]


class Moved:
    """What has become of messages so far."""

    def __init__(self) -> None:
        self.looked_at = 0
        self.moved = 0
        self.left = 0  # there is no place for them: they stay
        self.sequence = 0  # of the last change


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
    key = keys.value[0].octets()
    return Target(exchange, key) if len(key) <= NAME_BYTES_MAX else None


def _text(headers: Table, name: bytes) -> bytes | None:
    field = headers.get(name)
    if field is None or not field.is_string:
        return None
    found = field.octets()
    # A publisher may have written anything there.
    return found if len(found) <= NAME_BYTES_MAX else None


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

    async def move(self, meant: Filter, limit: int, now_ms: int, pace: Pace, moved: Moved) -> None:
        """Move so many messages that are meant, at most those that are there now; `moved` says how far it is.

        It goes through the queue once, from each page on behind its last position.
        """
        queue = self._queue
        end = int(queue.kept.next_position)
        position = 0
        while moved.moved + moved.left < limit and not queue.deleted:
            entries = [entry for entry in queue.browse(position, BROWSED) if entry.position < end]
            if not entries:
                break
            for entry in entries:
                position = int(entry.position)
                if moved.moved + moved.left >= limit or queue.deleted:
                    break
                age_ms = now_ms - int(queue.residence.time_of(entry.position))
                if entry.message is not GONE and meant.takes(entry.message, age_ms):
                    before = moved.moved
                    self._move(entry, moved)
                    if moved.moved > before:
                        await pace.moved()
                moved.looked_at += 1
                await pace.breathe()

    def _move(self, entry: Entry, moved: Moved) -> None:
        """Move one message as a whole, unless there is no place for it or somebody has taken it meanwhile."""
        vhost, queue = self._vhost, self._queue
        queues: list[Queue] = []
        with contextlib.suppress(AMQPError):
            target = self._aim(entry)
            if target is not None:
                message = cleaned(entry.message, target)
                queues = vhost.route(message.address, message.header).queues
        if not queues or queue in queues or any(each.refuses(message) for each in queues):
            moved.left += 1
            return
        is_gone = False
        vhost.store.begin()
        try:
            is_gone = queue.withdraw(entry.position)
            if is_gone:
                vhost.publish_by_rules(message, queues, -1)
        finally:
            sequence = int(vhost.store.commit())
        if is_gone:
            moved.moved += 1
            moved.sequence = max(moved.sequence, sequence)
