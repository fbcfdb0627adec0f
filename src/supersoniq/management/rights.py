"""Rights: what a caller may do in a virtual host, as if it had come by AMQP. Operators may do everything."""

from supersoniq.amqp.tables import Table
from supersoniq.broker.exchanges.base import Exchange
from supersoniq.broker.vhost import VHost, check_queue_name
from supersoniq.management.access import Caller
from supersoniq.management.context import ManagementContext
from supersoniq.session.access import EXCHANGE, QUEUE, Access


class Rights:
    """The rights of one caller in one virtual host; checks raise 403."""

    def __init__(self, management: ManagementContext, caller: Caller, vhost: VHost) -> None:
        self._vhost = vhost
        self._access: Access | None = None
        if not caller.is_operator:
            self._access = Access(management.context, caller.user, vhost)

    def configure(self, kind: str, name: bytes) -> None:
        """Raise unless it may be declared and deleted."""
        if self._access is not None:
            self._access.configure(kind, name)

    def write(self, kind: str, name: bytes) -> None:
        """Raise unless it may be published to, or bound."""
        if self._access is not None:
            self._access.write(kind, name)

    def read(self, kind: str, name: bytes) -> None:
        """Raise unless it may be consumed from, or something may be bound to it."""
        if self._access is not None:
            self._access.read(kind, name)

    def publish(self, address: bytes) -> None:
        """Raise unless a message may be published to an address."""
        if self._access is not None:
            self._access.publish(address)

    def read_topic(self, exchange: Exchange, routing_key: bytes) -> None:
        """Raise unless messages with this routing key may be had from an exchange that may be read."""
        if self._access is not None:
            self._access.topic("read", exchange, routing_key)

    def declare_queue(self, name: bytes, arguments: Table) -> None:
        """Raise unless a queue may be declared with these arguments."""
        check_queue_name(name)
        self.configure(QUEUE, name)
        if name not in self._vhost.queues:
            self._dead_letter(name, arguments)

    def change_queue(self, name: bytes, changes: Table) -> None:
        """Raise unless a queue may get these arguments: what a new one takes, even where it is there."""
        self.configure(QUEUE, name)
        self._dead_letter(name, changes)

    def _dead_letter(self, name: bytes, arguments: Table) -> None:
        dead_letter_exchange = arguments.get(b"x-dead-letter-exchange")
        if dead_letter_exchange is not None:
            self.read(QUEUE, name)
            if dead_letter_exchange.is_string:
                self.write(EXCHANGE, dead_letter_exchange.octets())

    def declare_exchange(self, name: bytes, arguments: Table) -> None:
        """Raise unless an exchange may be declared with these arguments."""
        self.configure(EXCHANGE, name)
        alternate = arguments.get(b"alternate-exchange")
        if name not in self._vhost.exchanges and alternate is not None:
            self.read(EXCHANGE, name)
            if alternate.is_string:
                self.write(EXCHANGE, alternate.octets())

    def bind(self, source: bytes, kind: str, destination: bytes, binding_key: bytes) -> None:
        """Raise unless a queue or exchange may be bound to an exchange, or unbound."""
        self.write(kind, destination)
        self.read(EXCHANGE, source)
        exchange = self._vhost.exchanges.get(source)
        if exchange is not None:
            self.read_topic(exchange, binding_key)
