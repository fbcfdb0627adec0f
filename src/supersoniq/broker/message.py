"""A published message, shared by all queues it was routed to, and its entry in one queue."""

from typing import Final, final

from mypy_extensions import i64, mypyc_attr

# Of the word of an entry that has what few entries need: its delivery count is in the low bits, then one says
# that it is ready, and above is when it expires.
DELIVERY_COUNT_MAX: Final = (1 << 18) - 1
READY_BIT: Final = 1 << 18
LOW_BITS: Final = (1 << 19) - 1
EXPIRY_SHIFT: Final = 19
EXPIRES_AT_MAX: Final = (1 << 44) - 1  # in the year 2527


@final
@mypyc_attr(acyclic=True, free_list_len=1)
class Message:
    """What was published, as the octets that came.

    `address` is the exchange and the routing key as two short strings, as they stand in Basic.Publish and
    again in Basic.Deliver; `header` is the payload of the content header; `body` the whole content.
    `stored` belongs to the store: where it keeps the message, 0 for nowhere.
    """

    __slots__ = ("address", "body", "header", "persistent", "stored")

    def __init__(self, address: bytes, header: bytes, body: bytes, persistent: bool) -> None:
        self.address = address
        self.header = header
        self.body = body
        self.persistent = persistent
        self.stored: i64 = 0

    @property
    def exchange(self) -> bytes:
        """The exchange it was published to, `b""` for the default one."""
        return self.address[1 : 1 + self.address[0]]

    @property
    def routing_key(self) -> bytes:
        """The routing key it was published with."""
        return self.address[2 + self.address[0] :]


@final
@mypyc_attr(acyclic=True)
class Entry:
    """A message's place in one queue.

    `position` orders the entries of that queue for as long as they live. What was taken out of the middle of
    a backlog leaves an entry of `GONE` behind. There are millions of entries, and what a queue costs depends
    on how many cache lines they touch: three words are all that one has.
    """

    __slots__ = ("_rest", "message", "position")

    def __init__(self, message: Message, position: i64) -> None:
        self.message = message
        self.position: i64 = position
        self._rest: i64 = 0

    @property
    def delivery_count(self) -> i64:
        """How often it was delivered and came back, at most `DELIVERY_COUNT_MAX`."""
        return self._rest & DELIVERY_COUNT_MAX

    @delivery_count.setter
    def delivery_count(self, count: i64) -> None:
        known = count if count < DELIVERY_COUNT_MAX else DELIVERY_COUNT_MAX
        self._rest = (self._rest & ~DELIVERY_COUNT_MAX) | known

    @property
    def expires_at(self) -> i64:
        """When it expires, in milliseconds since the epoch and at most `EXPIRES_AT_MAX`; 0 for never."""
        return self._rest >> EXPIRY_SHIFT

    @expires_at.setter
    def expires_at(self, at_ms: i64) -> None:
        known = at_ms if at_ms < EXPIRES_AT_MAX else EXPIRES_AT_MAX
        self._rest = (known << EXPIRY_SHIFT) | (self._rest & LOW_BITS)

    @property
    def is_ready(self) -> bool:
        """Of one that expires, whether it waits in its queue."""
        return self._rest & READY_BIT != 0

    @is_ready.setter
    def is_ready(self, ready: bool) -> None:
        self._rest = self._rest | READY_BIT if ready else self._rest & ~READY_BIT

    @property
    def redelivered(self) -> bool:
        """Whether somebody may have seen it before."""
        return self.delivery_count > 0


GONE: Final = Message(b"\x00\x00", b"", b"", False)


def address_of(exchange: bytes, routing_key: bytes) -> bytes:
    """Return both names, each at most 255 octets, as an address."""
    return bytes([len(exchange)]) + exchange + bytes([len(routing_key)]) + routing_key
