"""What one connection's user may do in its virtual host, with RabbitMQ's words for what it may not.

Answers are remembered until anybody's permissions change: `Context.access_generation` says so.
"""

from typing import Final, final

from mypy_extensions import i64

from supersoniq.amqp.errors import AccessRefused
from supersoniq.amqp.primitives import text
from supersoniq.auth.permissions import CONFIGURE, DEFAULT_EXCHANGE, READ, WRITE, TopicPermission
from supersoniq.broker.exchanges.base import Exchange
from supersoniq.broker.vhost import VHost
from supersoniq.session.context import Context

QUEUE: Final = "queue"
EXCHANGE: Final = "exchange"

# Names that one connection remembers for each permission.
NAMES_MAX: Final = 256


@final
class Access:
    """Checks that raise 403; names are as they stand on the wire, empty for the default exchange."""

    def __init__(self, context: Context, user: str, vhost: VHost) -> None:
        self._context = context
        self._user = user
        self._vhost = vhost
        self._generation: i64 = -1
        self._configurable: set[bytes] = set()
        self._writable: set[bytes] = set()
        self._readable: set[bytes] = set()
        self._topics: dict[str, TopicPermission] | None = None
        self.is_unlimited = False  # nothing is refused, as for who operates the machine

    def configure(self, kind: str, name: bytes) -> None:
        """Raise unless a queue or exchange may be declared and deleted."""
        self._check(CONFIGURE, self._configurable, kind, name)

    def write(self, kind: str, name: bytes) -> None:
        """Raise unless it may be published to, or bound to something."""
        self._check(WRITE, self._writable, kind, name)

    def read(self, kind: str, name: bytes) -> None:
        """Raise unless it may be consumed from, or something may be bound to it."""
        self._check(READ, self._readable, kind, name)

    def publish(self, address: bytes) -> bool:
        """Raise unless a message may be published to an address; true if that holds for what is to come.

        What is wrong with the exchange is not looked at.
        """
        name_end = 1 + address[0]
        name = address[1:name_end]
        self._check(WRITE, self._writable, EXCHANGE, name)
        if self._topics is None:
            return True
        exchange = self._vhost.exchanges.get(name)
        if exchange is not None and not exchange.internal:
            self.topic(WRITE, exchange, address[name_end + 1 :])
        return False  # the exchange may be another one next time

    def topic(self, permission: str, exchange: Exchange, routing_key: bytes) -> None:
        """Raise if the routing key is one of those that the user may not use with a topic exchange."""
        self._renew()
        if self._topics is None or exchange.kind != "topic":
            return
        row = self._topics.get(text(exchange.name))
        if row is not None and not row.allows(permission, routing_key, self._user, self._vhost.name):
            # The word is there twice in RabbitMQ's text.
            raise AccessRefused(
                f"{permission} access to topic '{text(routing_key)}' in exchange exchange "
                f"'{text(exchange.name)}' in vhost '{self._vhost.name}' refused for user '{self._user}'"
            )

    def _check(self, permission: str, allowed: set[bytes], kind: str, name: bytes) -> None:
        self._renew()
        if name in allowed or self.is_unlimited:
            return
        row = self._context.permissions.of(self._user, self._vhost.name)
        if row is None or not row.allows(permission, name):
            shown = text(name or DEFAULT_EXCHANGE)
            raise AccessRefused(
                f"{permission} access to {kind} '{shown}' in vhost '{self._vhost.name}' "
                f"refused for user '{self._user}'"
            )
        if len(allowed) >= NAMES_MAX:
            allowed.clear()
        allowed.add(name)

    def _renew(self) -> None:
        """Forget the answers if permissions have changed."""
        generation = self._context.access_generation
        if self._generation != generation:
            self._generation = generation
            self._configurable.clear()
            self._writable.clear()
            self._readable.clear()
            self._topics = self._context.permissions.topics_of(self._user, self._vhost.name)
