"""Recent history exchange: a fanout exchange that keeps the last messages for those who come later.

`x-recent-history-length` says how many, 20 if it is absent. A message with the header
`x-recent-history-no-store` set to true is not kept. What is kept is gone when the broker stops.
"""

from collections import deque
from typing import Final

from mypy_extensions import i64

from supersoniq.amqp.errors import PreconditionFailed
from supersoniq.amqp.primitives import erlang_binary
from supersoniq.amqp.properties import headers_property
from supersoniq.amqp.tables import Field, Table
from supersoniq.broker.arguments import shown
from supersoniq.broker.exchanges.fanout import FanoutExchange
from supersoniq.broker.message import Message
from supersoniq.broker.queues.backlog import MESSAGE_OVERHEAD_BYTES

LENGTH: Final = b"x-recent-history-length"
LENGTH_DEFAULT: Final = 20
# No memory has room for as many.
LENGTH_MAX: Final = (1 << 31) - 1
NO_STORE: Final = b"x-recent-history-no-store"


class RecentHistoryExchange(FanoutExchange):
    """rabbitmq: recent history exchange."""

    kind = "x-recent-history"
    by_key_alone = False
    keeps = True

    def __init__(
        self, name: bytes, durable: bool, auto_delete: bool, internal: bool, arguments: Table
    ) -> None:
        super().__init__(name, durable, auto_delete, internal, arguments)
        length = arguments.get(LENGTH)
        length_max = LENGTH_DEFAULT
        if length is not None and _is_length(length):
            length_max = min(length.integer(), LENGTH_MAX)
        self._messages: deque[Message] = deque()
        self._length_max: i64 = length_max
        self._body_bytes: i64 = 0

    def check_arguments(self) -> None:
        """Raise 406 for a length that is not an integer of at least 1."""
        length = self.arguments.get(LENGTH)
        if length is not None and not _is_length(length):
            value = erlang_binary(length.octets()) if length.is_string else shown(length)
            raise PreconditionFailed(
                f"Invalid argument {value}, 'x-recent-history-length' must be a positive integer"
            )

    def published(self, message: Message) -> None:
        """Keep a message unless its headers object."""
        if NO_STORE in message.header:
            no_store = headers_property(message.header).get(NO_STORE)
            if no_store is not None and no_store.value is True:
                return
        self._messages.append(message)
        self._body_bytes += len(message.body)
        if len(self._messages) > self._length_max:
            self._body_bytes -= len(self._messages.popleft().body)

    @property
    def memory_bytes(self) -> int:
        """About what is kept occupies in memory, though queues may have the same messages."""
        return int(self._body_bytes + len(self._messages) * MESSAGE_OVERHEAD_BYTES)

    def kept(self) -> list[Message]:
        """Return what is kept, the oldest first."""
        return list(self._messages)


def _is_length(field: Field) -> bool:
    return field.is_integer and field.integer() >= 1
