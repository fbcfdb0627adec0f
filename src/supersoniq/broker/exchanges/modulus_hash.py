"""Modulus hash exchange: the hash of the routing key modulo the number of bindings says which one counts.

The bindings are numbered by name of destination and binding key. One more or less moves nearly every key.
"""

from supersoniq.amqp.tables import Table
from supersoniq.broker.exchanges.base import Binding, Destination, Exchange
from supersoniq.broker.exchanges.hashing import hash_of


class ModulusHashExchange(Exchange):
    """rabbitmq: x-modulus-hash."""

    kind = "x-modulus-hash"
    takes_one_key = True

    def __init__(
        self, name: bytes, durable: bool, auto_delete: bool, internal: bool, arguments: Table
    ) -> None:
        super().__init__(name, durable, auto_delete, internal, arguments)
        self._numbered: list[Destination] | None = None  # made when the first message comes after a change

    def added(self, binding: Binding) -> None:
        """Forget the numbers."""
        self._numbered = None

    def removed(self, binding: Binding) -> None:
        """Forget the numbers."""
        self._numbered = None

    def match(self, routing_key: bytes, header: bytes, into: list[Destination]) -> None:
        """Append the destination of the binding that the key's hash points at."""
        numbered = self._numbered
        if numbered is None:
            numbered = [self.bindings[identity].destination for identity in sorted(self.bindings)]
            self._numbered = numbered
        if numbered:
            into.append(numbered[hash_of(routing_key) % len(numbered)])
