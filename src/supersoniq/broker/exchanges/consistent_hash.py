"""Consistent hash exchange: each message goes to one destination, the same one for the same key.

The key is the routing key, or a header or property that the exchange's arguments name. The binding key is
the weight. Where a key goes depends on the names and weights of what is bound, not on the order in which it
came. With `x-algorithm` `ring`, the default, each destination has points on a ring, and a key goes to the
next point: only the share of what is bound or unbound moves. With `jump` the shares are exact, and only what
is last by length of name and name may come or go without moving the keys of others.
"""

from abc import ABC, abstractmethod
from bisect import bisect_right
from typing import Final, final

from supersoniq.amqp.errors import PreconditionFailed
from supersoniq.amqp.primitives import erlang_binary, text
from supersoniq.amqp.properties import headers_property, property_at, property_flags, shortstr_property
from supersoniq.amqp.spec import FLAG_CORRELATION_ID, FLAG_MESSAGE_ID, FLAG_TIMESTAMP
from supersoniq.amqp.tables import Field, Table, encode_table
from supersoniq.broker.exchanges.base import Binding, Destination, Exchange
from supersoniq.broker.exchanges.hashing import hash_of, jump, points_of

HASH_HEADER: Final = b"hash-header"
HASH_PROPERTY: Final = b"hash-property"
HASH_ON: Final = b"x-hash-on"
ALGORITHM: Final = b"x-algorithm"
RING: Final = b"ring"
JUMP: Final = b"jump"
PROPERTIES: Final = {
    b"message_id": FLAG_MESSAGE_ID,
    b"correlation_id": FLAG_CORRELATION_ID,
    b"timestamp": FLAG_TIMESTAMP,
}
# More points make the shares more even: with 128, they are off by a tenth or so.
POINTS_PER_WEIGHT: Final = 128
POINTS_MAX: Final = 1 << 18


@final
class _Share:
    """What is bound, with the sum of the weights of its bindings."""

    def __init__(self, destination: Destination) -> None:
        self.destination = destination
        self.weight = 0

    def order(self) -> tuple[int, bytes, bool]:
        """Return what the shares are sorted by: `q-10` comes after `q-9`."""
        name = self.destination.name
        return (len(name), name, isinstance(self.destination, Exchange))


class _Wheel(ABC):
    """Finds the destination of a hash."""

    @abstractmethod
    def pick(self, hashed: int) -> Destination:
        """Return it."""


@final
class _Ring(_Wheel):
    """Points on a ring; each belongs to a destination, with all hashes between it and the one before.

    A destination that gains weight gains points and keeps those it had. Beyond `POINTS_MAX` all
    destinations have half of their points, and so on, for weights may be anything.
    """

    def __init__(self, shares: list[_Share]) -> None:
        total = sum([share.weight for share in shares])
        halvings = 0
        while (total * POINTS_PER_WEIGHT) >> halvings > POINTS_MAX:
            halvings += 1
        owners: dict[int, Destination] = {}
        for share in shares:
            count = max(1, (share.weight * POINTS_PER_WEIGHT) >> halvings)
            _, name, is_exchange = share.order()
            for point in points_of((b"x" if is_exchange else b"q") + name, count):
                owners[point] = share.destination
        self._points = sorted(owners)
        self._owners = [owners[point] for point in self._points]

    def pick(self, hashed: int) -> Destination:
        """Return the owner of the next point."""
        at = bisect_right(self._points, hashed)
        return self._owners[at if at < len(self._owners) else 0]


@final
class _Jump(_Wheel):
    """As many buckets as the weights add up to, dealt out to the destinations in order."""

    def __init__(self, shares: list[_Share]) -> None:
        self._ends: list[int] = []
        self._owners = [share.destination for share in shares]
        self._count = 0
        for share in shares:
            self._count += share.weight
            self._ends.append(self._count)

    def pick(self, hashed: int) -> Destination:
        """Return the owner of the bucket."""
        return self._owners[bisect_right(self._ends, jump(hashed, self._count))]


class ConsistentHashExchange(Exchange):
    """rabbitmq: consistent hash exchange."""

    kind = "x-consistent-hash"
    takes_one_key = True

    def __init__(
        self, name: bytes, durable: bool, auto_delete: bool, internal: bool, arguments: Table
    ) -> None:
        super().__init__(name, durable, auto_delete, internal, arguments)
        self._header = _string(arguments, HASH_HEADER) or _string(arguments, HASH_ON)
        self._property = PROPERTIES.get(_string(arguments, HASH_PROPERTY), 0)
        self._is_jump = _string(arguments, ALGORITHM).lower() == JUMP
        self.by_key_alone = not self._header and not self._property
        self._shares: dict[Destination, _Share] = {}
        self._wheel: _Wheel | None = None  # made when the first message comes after a change

    def check_arguments(self) -> None:
        """Raise 406 for two things to hash, for a property that cannot be, and for an unknown algorithm."""
        given: list[bytes] = []
        for name in (HASH_HEADER, HASH_PROPERTY, HASH_ON, ALGORITHM):
            field = self.arguments.get(name)
            if field is None:
                continue
            if not field.is_string:
                raise PreconditionFailed(f"invalid type '{field.kind_name}' for arg '{text(name)}'")
            if name != ALGORITHM:
                given.append(name)
        if len(given) > 1:
            raise PreconditionFailed(f"{text(given[0])} and {text(given[1])} are mutually exclusive")
        if HASH_PROPERTY in given and not self._property:
            raise PreconditionFailed(f"Unsupported property: {text(_string(self.arguments, HASH_PROPERTY))}")
        algorithm = _string(self.arguments, ALGORITHM)
        if ALGORITHM in self.arguments and algorithm.lower() not in (RING, JUMP):
            raise PreconditionFailed(f"Unsupported algorithm: {text(algorithm)}")

    def check(self, binding: Binding) -> None:
        """Raise 406 unless the binding key is a weight."""
        key = binding.binding_key
        digits = key[1:] if key[:1] in (b"+", b"-") else key
        if not digits.isdigit():
            raise PreconditionFailed(f"The binding key must be an integer: {erlang_binary(key)}")
        if int(key) < 1:
            raise PreconditionFailed("The binding key must be greater than 0")

    def added(self, binding: Binding) -> None:
        """Add the weight to the destination's."""
        share = self._shares.get(binding.destination)
        if share is None:
            share = self._shares[binding.destination] = _Share(binding.destination)
        share.weight += int(binding.binding_key)
        self._wheel = None

    def removed(self, binding: Binding) -> None:
        """Take the weight from the destination's."""
        share = self._shares[binding.destination]
        share.weight -= int(binding.binding_key)
        if share.weight == 0:
            del self._shares[binding.destination]
        self._wheel = None

    def match(self, routing_key: bytes, header: bytes, into: list[Destination]) -> None:
        """Append the one destination of the key; what a message does not have counts as empty."""
        if not self._shares:
            return
        wheel = self._wheel
        if wheel is None:
            wheel = self._wheel = self._make_wheel()
        into.append(wheel.pick(hash_of(self._key(routing_key, header))))

    def _make_wheel(self) -> _Wheel:
        ordered = {share.order(): share for share in self._shares.values()}
        shares = [ordered[order] for order in sorted(ordered)]
        return _Jump(shares) if self._is_jump else _Ring(shares)

    def _key(self, routing_key: bytes, header: bytes) -> bytes:
        if self._header:
            field = headers_property(header).get(self._header)
            return b"" if field is None else _octets(field)
        if self._property == FLAG_TIMESTAMP:
            flags = property_flags(header)
            if not flags & FLAG_TIMESTAMP:
                return b""
            at = property_at(header, flags, FLAG_TIMESTAMP)
            return header[at : at + 8]
        if self._property:
            return shortstr_property(header, self._property) or b""
        return routing_key


def _string(arguments: Table, name: bytes) -> bytes:
    field = arguments.get(name)
    return field.octets() if field is not None and field.is_string else b""


def _octets(field: Field) -> bytes:
    """Return what is hashed of a header; an integer counts the same in any width, and as text."""
    if isinstance(field.value, bytes):
        return field.value
    if field.is_integer:
        return b"%d" % field.integer()
    return encode_table({b"": field})
