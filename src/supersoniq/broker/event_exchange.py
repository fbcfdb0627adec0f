"""The exchange `amq.rabbitmq.event`: events as messages, for whoever is bound (rabbitmq: event exchange).

A message has the event's name as its routing key, the fields as headers in the way RabbitMQ writes them, and
no body. None is made while nothing is bound.
"""

from typing import Final, final

from mypy_extensions import i64

from supersoniq.amqp.primitives import octets
from supersoniq.amqp.properties import Properties
from supersoniq.amqp.tables import Field, Table
from supersoniq.broker.erlang_terms import address_term, table_terms
from supersoniq.broker.events import Events
from supersoniq.broker.exchanges.base import Exchange
from supersoniq.broker.message import Message, address_of
from supersoniq.broker.turn import Deferred, Turn
from supersoniq.broker.vhost import VHost

EVENT_EXCHANGE: Final = b"amq.rabbitmq.event"
# Events that RabbitMQ does not have are for the audit log only.
OWN_PREFIX: Final = "supersoniq."
ADDRESSES: Final = ("host", "peer_host")
PROTOCOLS: Final = {"AMQP 0-9-1": b"{0,9,1}"}


@final
class _Told:
    """An event that waits for the end of the turn."""

    def __init__(self, name: str, fields: dict[str, object], now_ms: i64) -> None:
        self.name = name
        self.fields = fields
        self.now_ms: i64 = now_ms


@final
class _Publication(Deferred):
    """Publishes what has been told in a turn."""

    def __init__(self, exchange: "EventExchange") -> None:
        super().__init__()
        self._exchange = exchange

    def run(self) -> bool:
        """Do it."""
        self._exchange.publish()
        return False


@final
class EventExchange(Events):
    """Publishes to the exchange in one of a node's virtual hosts, if that is there, at the end of each turn.

    Not at once: an event may come from the midst of a change.
    """

    def __init__(self, vhosts: dict[str, VHost], vhost: str, turn: Turn) -> None:
        self._vhosts = vhosts
        self._vhost = vhost
        self._turn = turn
        self._told: list[_Told] = []
        self._publication = _Publication(self)

    def is_heard(self) -> bool:
        """Whether anything is bound."""
        exchange = self._exchange()
        return exchange is not None and len(exchange.bindings) > 0

    def _exchange(self) -> Exchange | None:
        vhost = self._vhosts.get(self._vhost)
        return None if vhost is None else vhost.exchanges.get(EVENT_EXCHANGE)

    def emit(self, name: str, fields: dict[str, object]) -> None:
        """Have an event published."""
        if not name.startswith(OWN_PREFIX):
            self._told.append(_Told(name, fields, self._turn.timers.clock.now_ms()))
            self._turn.dispatch(self._publication)

    def publish(self) -> None:
        """Publish what was told since the last time."""
        told, self._told = self._told, []
        for each in told:
            vhost, exchange = self._vhosts.get(self._vhost), self._exchange()
            if vhost is not None and exchange is not None and exchange.bindings:
                vhost.report(exchange, event_message(each.name, each.fields, each.now_ms))


def event_message(name: str, fields: dict[str, object], now_ms: i64) -> Message:
    """Return an event as RabbitMQ would publish it."""
    table = event_headers(fields)
    table[b"timestamp_in_ms"] = Field(ord("l"), int(now_ms))
    properties = Properties()
    properties.change_headers(table)
    properties.delivery_mode = 2
    properties.timestamp = int(now_ms) // 1000
    return Message(address_of(EVENT_EXCHANGE, octets(name)), properties.content_header(0), b"", True)


def event_headers(fields: dict[str, object]) -> Table:
    """Return the fields of an event as headers; those that are None are left out."""
    table: Table = {}
    for name, value in fields.items():
        if isinstance(value, str) and name in ADDRESSES:
            table[octets(name)] = _header(address_term(value))
        elif isinstance(value, str) and name == "protocol":
            table[octets(name)] = _header(PROTOCOLS.get(value, octets(value)))
        elif isinstance(value, str) and name == "error":
            table[octets(name)] = _header(list(octets(value)))  # RabbitMQ has a list of octets there
        elif value is not None:
            table[octets(name)] = _header(value)
    return table


def _header(value: object) -> Field:
    """Return a value with the type that RabbitMQ gives it: all integers are long, what is empty is a list."""
    if isinstance(value, bool):
        return Field(ord("t"), value)
    if isinstance(value, int):
        return Field(ord("l"), value)
    if isinstance(value, float):
        return Field(ord("d"), value)
    if isinstance(value, bytes):
        return Field(ord("S"), value)
    if isinstance(value, list):
        return Field(ord("A"), [_header(each) for each in value])
    if isinstance(value, dict):
        return _dictionary(value)
    return Field(ord("S"), octets("undefined" if value is None else str(value)))


def _dictionary(value: dict[object, object]) -> Field:
    table: Table = {}
    arguments: Table = {}
    for name, each in value.items():
        if isinstance(name, bytes) and isinstance(each, Field):
            arguments[name] = each
        else:
            table[octets(str(name))] = _header(each)
    if table:
        return Field(ord("F"), table)
    return Field(ord("A"), [Field(ord("S"), term) for term in table_terms(arguments)])
