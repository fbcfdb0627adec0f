"""Restoring: exchanges and bindings are made again from their definitions; a virtual host does its queues."""

from supersoniq.broker.definitions import BindingDefinition, ExchangeDefinition
from supersoniq.broker.exchanges.base import Binding, Destination
from supersoniq.broker.exchanges.kinds import new_exchange
from supersoniq.broker.vhost import VHost


def restore_exchange(vhost: VHost, definition: ExchangeDefinition) -> None:
    """Make the exchange of a definition again."""
    exchange = new_exchange(
        definition.kind,
        definition.name,
        True,
        definition.auto_delete,
        definition.internal,
        definition.arguments,
    )
    exchange.definition = definition
    vhost.exchanges[definition.name] = exchange
    vhost.policies.govern_exchange(exchange)


def restore_binding(vhost: VHost, definition: BindingDefinition) -> bool:
    """Make the binding of a definition again; false if one of its ends is missing."""
    source = vhost.exchanges.get(definition.source)
    destination: Destination | None
    if definition.to_exchange:
        destination = vhost.exchanges.get(definition.destination)
    else:
        destination = vhost.queues.get(definition.destination)
    if source is None or destination is None:
        return False
    binding = Binding(source, destination, definition.binding_key, definition.arguments)
    binding.definition = definition
    return source.bind(binding)
