"""Messages encoded before the run, many in one piece of bytes, so that publishing them is a write."""

from dataclasses import dataclass

from supersoniq.amqp.frames import HEAD_BYTES
from supersoniq.amqp.properties import Properties
from supersoniq.client.publishing import publish_frames

PERSISTENT = 2
STAMP_BYTES = 8
BATCH_BYTES = 65536
BATCH_MESSAGES_MAX = 1000


@dataclass(frozen=True)
class MessageShape:
    """What all messages of a run have in common.

    With `priorities` they have a priority, below that.
    """

    exchange: str
    size: int
    persistent: bool = False
    channel: int = 1
    frame_max_bytes: int = 131072
    priorities: int = 0

    def encode(self, routing_key: str, priority: int = 0) -> bytes:
        """One message whose body is zeros: a zero time stamp is none."""
        return self._frames(routing_key, priority, self.size)

    def stamp_at(self, routing_key: str) -> int:
        """Where in `encode`'s bytes the body's first octet is; the body must have one."""
        return len(self._frames(routing_key, 0, 0)) + HEAD_BYTES

    def kinds(self, routing_keys: list[str]) -> int:
        """How many messages it takes that each routing key has had each priority."""
        return len(routing_keys) * max(self.priorities, 1)

    def _frames(self, routing_key: str, priority: int, size: int) -> bytes:
        properties = Properties()
        if self.persistent:
            properties.delivery_mode = PERSISTENT
        if self.priorities:
            properties.priority = priority
        header = properties.content_header(size)
        key = routing_key.encode()
        return publish_frames(
            self.channel, self.exchange.encode(), key, header, bytes(size), self.frame_max_bytes
        )


@dataclass(frozen=True)
class Batch:
    """Messages back to back. `ends[n]` is where the message `n` ends, `stamps[n]` where its body begins."""

    data: bytes
    ends: list[int]
    stamps: list[int]


def encode_batch(shape: MessageShape, routing_keys: list[str], messages: int) -> Batch:
    """Encode `messages` messages, the routing keys in turn, each with the priorities in turn."""
    pieces: list[bytes] = []
    ends: list[int] = []
    stamps: list[int] = []
    end = 0
    encoded = [
        (shape.encode(key, priority), shape.stamp_at(key))
        for priority in range(max(shape.priorities, 1))
        for key in routing_keys
    ]
    for number in range(messages):
        piece, stamp_at = encoded[number % len(encoded)]
        pieces.append(piece)
        stamps.append(end + stamp_at)
        end += len(piece)
        ends.append(end)
    return Batch(b"".join(pieces), ends, stamps)


def batch_messages(shape: MessageShape, routing_keys: list[str]) -> int:
    """How many messages make a batch of about BATCH_BYTES: at least one of each kind."""
    message_bytes = len(shape.encode(routing_keys[0]))
    return max(shape.kinds(routing_keys), min(BATCH_MESSAGES_MAX, BATCH_BYTES // message_bytes), 1)
