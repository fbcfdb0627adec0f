"""Fanout exchange: everything goes everywhere."""

from supersoniq.amqp.tables import Table
from supersoniq.broker.exchanges.base import Binding, Destination, Exchange, Targets


class FanoutExchange(Exchange):
    """spec: exchange.type fanout."""

    kind = "fanout"

    def __init__(
        self, name: bytes, durable: bool, auto_delete: bool, internal: bool, arguments: Table
    ) -> None:
        super().__init__(name, durable, auto_delete, internal, arguments)
        self._targets = Targets()

    def added(self, binding: Binding) -> None:
        """Count the destination."""
        self._targets.add(binding.destination)

    def removed(self, binding: Binding) -> None:
        """Count the destination off."""
        self._targets.remove(binding.destination)

    def match(self, routing_key: bytes, header: bytes, into: list[Destination]) -> None:
        """Append every destination."""
        self._targets.append_to(into)
