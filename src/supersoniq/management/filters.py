"""Filters: which messages are meant, by header, routing key, exchange, text of the body, or age."""

from collections.abc import Mapping
from typing import Final

from supersoniq.amqp.errors import AMQPError
from supersoniq.amqp.primitives import octets
from supersoniq.amqp.properties import headers_property
from supersoniq.amqp.tables import plain_value
from supersoniq.broker.message import Message
from supersoniq.management.errors import bad_request

FILTERS: Final = {
    "routing_key": "what the routing key has to contain",
    "exchange": "the exchange that it was published to",
    "text": "what the body has to contain",
    "header": "a header, or a header and its value: `x-retries`, `x-retries:3`",
    "older_than_ms": "how long it has to have waited, about",
}


class Filter:
    """Says of messages whether they are meant; raises 400 for what makes no sense."""

    def __init__(self, query: Mapping[str, object]) -> None:
        self._routing_key = _octets(query, "routing_key")
        self._exchange = _octets(query, "exchange")
        self._text = _octets(query, "text")
        header = _octets(query, "header")
        self._header, self._colon, self._value = (header or b"").partition(b":")
        self._older_than_ms = _number(query, "older_than_ms")
        self.is_empty = not [name for name in FILTERS if query.get(name) is not None]

    def takes(self, message: Message, age_ms: int) -> bool:
        """Whether a message is meant that has waited so long."""
        if self._routing_key is not None and self._routing_key not in message.routing_key:
            return False
        if self._exchange is not None and self._exchange != message.exchange:
            return False
        if self._text is not None and self._text not in message.body:
            return False
        if age_ms < self._older_than_ms:
            return False
        return not self._header or self._has_header(message)

    def _has_header(self, message: Message) -> bool:
        try:
            field = headers_property(message.header).get(self._header)
        except AMQPError:
            return False
        if field is None or not self._colon:
            return field is not None
        value = plain_value(field)
        shown = ("true" if value else "false") if isinstance(value, bool) else str(value)
        return octets(shown) == self._value


def _octets(query: Mapping[str, object], name: str) -> bytes | None:
    value = query.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise bad_request(["not_string", name])
    try:
        return octets(value)
    except UnicodeEncodeError:
        raise bad_request("not_utf8") from None


def _number(query: Mapping[str, object], name: str) -> int:
    value = query.get(name, 0)
    try:
        number = int(value) if isinstance(value, str | int) else -1
    except ValueError:
        number = -1
    if number < 0:
        raise bad_request(["not_integer", str(value)])
    return number
