"""Direct exchange: the routing key is the binding key.

Also the default exchange, bound to every queue by its name.
"""

from supersoniq.amqp.tables import Table
from supersoniq.broker.exchanges.base import Binding, Destination, Exchange, Targets


class DirectExchange(Exchange):
    """spec: exchange.type direct."""

    kind = "direct"

    def __init__(
        self, name: bytes, durable: bool, auto_delete: bool, internal: bool, arguments: Table
    ) -> None:
        super().__init__(name, durable, auto_delete, internal, arguments)
        self._by_key: dict[bytes, Targets] = {}

    def added(self, binding: Binding) -> None:
        """Index the binding by its key."""
        targets = self._by_key.get(binding.binding_key)
        if targets is None:
            targets = self._by_key[binding.binding_key] = Targets()
        targets.add(binding.destination)

    def removed(self, binding: Binding) -> None:
        """Drop the binding from the index."""
        targets = self._by_key[binding.binding_key]
        targets.remove(binding.destination)
        if targets.is_empty:
            del self._by_key[binding.binding_key]

    def match(self, routing_key: bytes, header: bytes, into: list[Destination]) -> None:
        """Append the destinations bound with exactly this key."""
        targets = self._by_key.get(routing_key)
        if targets is not None:
            targets.append_to(into)
