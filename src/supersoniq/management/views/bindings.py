"""Bindings, their fields, and the key that names one among those of the same ends."""

import base64
import zlib
from dataclasses import dataclass
from urllib.parse import quote_plus, unquote_plus

from supersoniq.amqp.primitives import octets, text
from supersoniq.amqp.tables import Table, encode_table
from supersoniq.broker.exchanges.base import Binding, Exchange
from supersoniq.broker.queues.queue import Queue
from supersoniq.management.views.common import Fields, arguments_view


@dataclass(frozen=True)
class Bound:
    """A binding of one virtual host; every queue has one to the default exchange that nobody made."""

    vhost: str
    source: bytes
    destination: bytes
    to_queue: bool
    routing_key: bytes
    arguments: Table

    @property
    def key(self) -> str:
        """What names it."""
        return properties_key(self.routing_key, self.arguments)


def bound(vhost: str, binding: Binding) -> Bound:
    """Return a binding as it is listed."""
    destination = binding.destination
    return Bound(
        vhost,
        binding.source.name,
        destination.name,
        not isinstance(destination, Exchange),
        binding.binding_key,
        binding.arguments,
    )


def bound_by_default(vhost: str, queue: Queue) -> Bound:
    """Return the binding of a queue to the default exchange."""
    return Bound(vhost, b"", queue.name, True, queue.name, {})


def binding_view(each: Bound) -> Fields:
    """Return a binding as RabbitMQ lists it."""
    return {
        "source": text(each.source),
        "vhost": each.vhost,
        "destination": text(each.destination),
        "destination_type": "queue" if each.to_queue else "exchange",
        "routing_key": text(each.routing_key),
        "arguments": arguments_view(each.arguments),
        "properties_key": each.key,
    }


def binding_name(each: Bound) -> str:
    """Return what filters look at."""
    return text(each.source)


def properties_key(routing_key: bytes, arguments: Table) -> str:
    """Return the key of a binding: its routing key, percent-encoded, and a digest of its arguments.

    `~` alone is an empty routing key. The digest is another one than RabbitMQ's, which is Erlang's.
    """
    quoted = quote_plus(routing_key).replace("~", "%7E")
    if arguments:
        canonical = encode_table({name: arguments[name] for name in sorted(arguments)})
        digest = base64.urlsafe_b64encode(zlib.crc32(canonical).to_bytes(4, "big")).decode().rstrip("=")
        return f"{quoted}~{digest}"
    return quoted or "~"


def is_key_of(key: str, each: Bound) -> bool:
    """Whether a key of a path names a binding; the routing key may have come without its encoding."""
    if key == each.key:
        return True
    routing_key, tilde, digest = key.rpartition("~")
    if not tilde:
        routing_key, digest = key, ""
    own_digest = each.key.rpartition("~")[2] if each.arguments else ""
    return (
        digest == own_digest
        and octets(unquote_plus(routing_key, errors="surrogateescape")) == each.routing_key
    )
