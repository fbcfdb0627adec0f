"""Tracing: copies of all that is published and delivered in one virtual host (rabbitmq: firehose).

They go to the exchange `amq.rabbitmq.trace` at the end of the turn. The routing key is `publish.` and the
exchange's name, or `deliver.` and the queue's. What came from that exchange is not traced.
"""

from typing import Final, final

from supersoniq.amqp.properties import Properties, headers_property, property_table
from supersoniq.amqp.tables import Field, Table, field
from supersoniq.broker.dead_letters import Publisher
from supersoniq.broker.exchanges.base import Exchange
from supersoniq.broker.message import Message, address_of
from supersoniq.broker.publishing import publish_report
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.routing import Router
from supersoniq.broker.turn import Deferred, Turn

TRACE_EXCHANGE: Final = b"amq.rabbitmq.trace"


@final
class Origin:
    """Who publishes or is delivered to: the connection by its name, the channel and the user."""

    def __init__(self, connection: str, channel: int, user: str) -> None:
        self.connection = connection
        self.channel = channel
        self.user = user


@final
class Tracing(Deferred):
    """The switch of one virtual host, and what is to be published for it."""

    def __init__(
        self,
        vhost: str,
        exchanges: dict[bytes, Exchange],
        router: Router,
        publisher: Publisher,
        turn: Turn,
    ) -> None:
        super().__init__()
        self.is_on = False
        self.node = ""  # what copies say of where they come from
        self._vhost = vhost
        self._exchanges = exchanges
        self._router = router
        self._publisher = publisher
        self._turn = turn
        self._copies: list[Message] = []

    def switch(self, is_on: bool) -> None:
        """Trace from now on, or no more. Sessions see it when they ask for a route."""
        self.is_on = is_on
        self._router.is_traced = is_on
        self._router.changed()

    def published(
        self, message: Message, routing_keys: list[bytes], queues: list[Queue], origin: Origin
    ) -> None:
        """Copy a message that goes to `queues`."""
        if self._is_wanted(message):
            headers = self._headers(message, routing_keys)
            self._add_origin(headers, origin)
            headers[b"routed_queues"] = Field(ord("A"), [field(queue.name) for queue in queues])
            self._copy(b"publish." + message.exchange, headers, message)

    def delivered(self, queue: Queue, message: Message, redelivered: bool, origin: Origin) -> None:
        """Copy a message that is delivered, or was asked for."""
        if self._is_wanted(message):
            routing_keys = [message.routing_key]
            copies = headers_property(message.header).get(b"CC")
            if copies is not None and isinstance(copies.value, list):
                routing_keys += [each.octets() for each in copies.value if each.is_string]
            headers = self._headers(message, routing_keys)
            headers[b"redelivered"] = field(1 if redelivered else 0)
            self._add_origin(headers, origin)
            self._copy(b"deliver." + queue.name, headers, message)

    def _is_wanted(self, message: Message) -> bool:
        exchange = self._exchanges.get(TRACE_EXCHANGE)
        return exchange is not None and len(exchange.bindings) > 0 and message.exchange != TRACE_EXCHANGE

    def _headers(self, message: Message, routing_keys: list[bytes]) -> Table:
        return {
            b"exchange_name": field(message.exchange),
            b"routing_keys": Field(ord("A"), [field(key) for key in routing_keys]),
            b"properties": Field(ord("F"), property_table(message.header)),
            b"node": field(self.node),
        }

    def _add_origin(self, headers: Table, origin: Origin) -> None:
        headers[b"vhost"] = field(self._vhost)
        headers[b"connection"] = field(origin.connection)
        headers[b"channel"] = field(origin.channel)
        headers[b"user"] = field(origin.user)

    def _copy(self, routing_key: bytes, headers: Table, message: Message) -> None:
        properties = Properties()
        properties.change_headers(headers)
        header = properties.content_header(len(message.body))
        # A name of 255 octets leaves no room for what is put before it.
        self._copies.append(
            Message(address_of(TRACE_EXCHANGE, routing_key[:255]), header, message.body, False)
        )
        self._turn.dispatch(self)

    def run(self) -> bool:
        """Publish the copies of this turn, in order."""
        copies, self._copies = self._copies, []
        exchange = self._exchanges.get(TRACE_EXCHANGE)
        if exchange is not None:
            for copy in copies:
                publish_report(self._publisher, self._router, exchange, copy)
        return False
