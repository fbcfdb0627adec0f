"""What a virtual host says of its exchanges, queues and bindings: events, with who asked for the change."""

from typing import final

from supersoniq.amqp.tables import Table
from supersoniq.broker.events import ADDRESS, INTERNAL_USER, USER, Events, NoEvents, pid
from supersoniq.broker.exchanges.base import Binding, Destination, Exchange
from supersoniq.broker.queues.queue import NOBODY, Queue


@final
class Announcer:
    """Emits the events of one virtual host.

    `user` is who acts now, from an `address` by a `connection`; what happens by itself is the node's doing.
    """

    def __init__(self, vhost: str) -> None:
        self.events: Events = NoEvents()
        self.incarnation = ""  # of the node, for `pid`
        self.user = INTERNAL_USER
        self.address = ""
        self.connection = ""
        self._vhost = vhost

    def acting(self, user: str, address: str = "", connection: str = "") -> "Acting":
        """Return what makes `user` the one who acts, in a with statement."""
        return Acting(self, user, address, connection)

    def opened(self, exchanges: dict[bytes, Exchange]) -> None:
        """Tell of what a new virtual host has from the beginning."""
        for exchange in exchanges.values():
            self.exchange_created(exchange)

    def exchange_created(self, exchange: Exchange) -> None:
        """Tell of a new exchange."""
        if self.events.is_heard():
            fields: dict[str, object] = {
                USER: self.user,
                "policy": "" if exchange.policy is None else exchange.policy.name,
                "arguments": exchange.arguments,
                "internal": exchange.internal,
                "auto_delete": exchange.auto_delete,
                "durable": exchange.durable,
                "type": exchange.kind,
                "name": exchange.name,
                "vhost": self._vhost,
            }
            self._emit("exchange.created", fields)

    def exchange_deleted(self, exchange: Exchange) -> None:
        """Tell of an exchange that is gone."""
        self._deleted("exchange.deleted", exchange)

    def queue_created(self, queue: Queue, arguments: Table) -> None:
        """Tell of a new queue, as it was declared."""
        if self.events.is_heard():
            is_exclusive = queue.owner != NOBODY
            fields: dict[str, object] = {
                USER: self.user,
                "exclusive": is_exclusive,
                "owner_pid": pid(self.incarnation, queue.owner, 0) if is_exclusive else "",
                "arguments": arguments,
                "auto_delete": queue.auto_delete,
                "durable": queue.durable,
                "name": queue.name,
                "vhost": self._vhost,
            }
            self._emit("queue.created", fields)

    def queue_deleted(self, queue: Queue) -> None:
        """Tell of a queue that is gone."""
        self._deleted("queue.deleted", queue)

    def _deleted(self, name: str, gone: Destination) -> None:
        if self.events.is_heard():
            fields: dict[str, object] = {USER: self.user, "name": gone.name, "vhost": self._vhost}
            self._emit(name, fields)

    def binding_created(self, binding: Binding) -> None:
        """Tell of a new binding."""
        self._binding("binding.created", binding)

    def binding_deleted(self, binding: Binding) -> None:
        """Tell of a binding that is gone."""
        self._binding("binding.deleted", binding)

    def _binding(self, name: str, binding: Binding) -> None:
        if self.events.is_heard():
            fields: dict[str, object] = {
                USER: self.user,
                "vhost": self._vhost,
                "arguments": binding.arguments,
                "routing_key": binding.binding_key,
                "destination_kind": "exchange" if isinstance(binding.destination, Exchange) else "queue",
                "destination_name": binding.destination.name,
                "source_kind": "exchange",
                "source_name": binding.source.name,
            }
            self._emit(name, fields)

    def _emit(self, name: str, fields: dict[str, object]) -> None:
        if self.address:
            fields[ADDRESS] = self.address
        if self.connection:
            fields["connection_name"] = self.connection
        self.events.emit(name, fields)


@final
class Acting:
    """Has somebody act, for as long as a with statement lasts."""

    def __init__(self, announcer: Announcer, user: str, address: str, connection: str) -> None:
        self._announcer = announcer
        self._user, self._address, self._connection = user, address, connection
        self._user_before = announcer.user
        self._address_before = announcer.address
        self._connection_before = announcer.connection

    def __enter__(self) -> None:
        self._announcer.user = self._user
        self._announcer.address = self._address
        self._announcer.connection = self._connection

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._announcer.user = self._user_before
        self._announcer.address = self._address_before
        self._announcer.connection = self._connection_before
