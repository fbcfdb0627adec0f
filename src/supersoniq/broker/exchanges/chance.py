"""Random exchange: each message goes to one of the bindings, and each binding is as likely as the others."""

from typing import Final
from zlib import crc32

from mypy_extensions import i64

from supersoniq.amqp.tables import Table
from supersoniq.broker.exchanges.base import Binding, Destination, Exchange

_U32_MAX: Final = 0xFFFFFFFF


class RandomExchange(Exchange):
    """rabbitmq: random exchange. What is drawn follows from the exchange's name: no secret hangs on it."""

    kind = "x-random"
    by_key_alone = False
    takes_one_key = True

    def __init__(
        self, name: bytes, durable: bool, auto_delete: bool, internal: bool, arguments: Table
    ) -> None:
        super().__init__(name, durable, auto_delete, internal, arguments)
        self._choices: list[Destination] = []  # one for each binding
        self._state: i64 = max(1, crc32(name))

    def added(self, binding: Binding) -> None:
        """Take note of one more choice."""
        self._choices.append(binding.destination)

    def removed(self, binding: Binding) -> None:
        """Drop a choice."""
        self._choices.remove(binding.destination)

    def match(self, routing_key: bytes, header: bytes, into: list[Destination]) -> None:
        """Append the destination of any one binding."""
        count: i64 = len(self._choices)
        if count > 0:
            into.append(self._choices[(self._draw() * count) >> 32])

    def _draw(self) -> i64:
        """Return 1 to 2**32 - 1 (Marsaglia: Xorshift RNGs)."""
        state = self._state
        state ^= (state << 13) & _U32_MAX
        state ^= state >> 17
        state ^= (state << 5) & _U32_MAX
        self._state = state
        return state
