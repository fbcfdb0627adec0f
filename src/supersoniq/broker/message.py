"""A published message, shared by all queues it was routed to, and its entry in one queue."""

from typing import Final, final

from mypy_extensions import i64, mypyc_attr


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

    `position` orders the entries of that queue for as long as they live; `delivery_count` is how often it was
    delivered and came back; `expires_at` is in milliseconds since the epoch, 0 for never, and of one that
    expires `is_ready` says that it waits in its queue. What was taken out of the middle of a backlog leaves
    an entry of `GONE` behind.
    """

    __slots__ = ("delivery_count", "expires_at", "is_ready", "message", "position")

    def __init__(self, message: Message, position: i64) -> None:
        self.message = message
        self.position: i64 = position
        self.delivery_count: i64 = 0
        self.expires_at: i64 = 0
        self.is_ready = False

    @property
    def redelivered(self) -> bool:
        """Whether somebody may have seen it before."""
        return self.delivery_count > 0


GONE: Final = Message(b"\x00\x00", b"", b"", False)


def address_of(exchange: bytes, routing_key: bytes) -> bytes:
    """Return both names, each at most 255 octets, as an address."""
    return bytes([len(exchange)]) + exchange + bytes([len(routing_key)]) + routing_key
