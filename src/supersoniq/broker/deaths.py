"""What a dead-lettered message says of its death (rabbitmq: dlx).

The header `x-death` is an array of tables, one for each queue and reason, the latest first:

    count l | reason S | queue S | time T | exchange S | routing-keys A[S] | original-expiration S

(the last one if it had an expiration).

The `x-first-death-*` headers are set once, the `x-last-death-*` ones each time. A message that comes back to
a queue it died in before goes no further, unless a client has rejected it on its way.
"""

from typing import Final, final

from mypy_extensions import i64

from supersoniq.amqp.primitives import read_u64
from supersoniq.amqp.properties import Properties, headers_property, read_properties
from supersoniq.amqp.spec import FLAG_EXPIRATION
from supersoniq.amqp.tables import Field, Table
from supersoniq.broker.message import Message, address_of

EXPIRED: Final = b"expired"
REJECTED: Final = b"rejected"
MAXLEN: Final = b"maxlen"
DELIVERY_LIMIT: Final = b"delivery_limit"

STRING: Final = ord("S")
LONG: Final = ord("l")
TIME: Final = ord("T")
ARRAY: Final = ord("A")
TABLE: Final = ord("F")


@final
class Death:
    """One message on its way to a dead-letter exchange: what it is now, and the keys it is routed by."""

    def __init__(
        self, message: Message, routing_keys: list[bytes], deaths: list[Field], reason: bytes
    ) -> None:
        self.message = message
        self.routing_keys = routing_keys
        self._deaths = deaths
        self._reason = reason

    def is_cycle(self, queue: bytes) -> bool:
        """Whether it comes back to a queue without anybody having rejected it on its way."""
        if self._reason == REJECTED:
            return False
        for death in self._deaths:
            table = death.value
            if not isinstance(table, dict):
                continue
            if _text(table, b"reason") == REJECTED:
                return False
            if _text(table, b"queue") == queue:
                return True
        return False


def death_of(
    message: Message, queue: bytes, reason: bytes, now_ms: i64, exchange: bytes, routing_key: bytes | None
) -> Death:
    """Return what becomes of a message that died in a queue.

    It goes to `exchange`, with `routing_key` or else with its own and those of its CC header.
    """
    properties = read_properties(message.header)
    headers = headers_property(message.header)
    keys = [message.routing_key, *_carbon_copies(headers)]
    deaths = _deaths(headers)
    entry = _entry(message, properties, queue, reason, now_ms, keys)
    if not deaths:
        _tell(headers, b"x-first-death-", message.exchange, queue, reason)
    deaths = _with_entry(deaths, entry, queue, reason)
    headers[b"x-death"] = Field(ARRAY, deaths)
    _tell(headers, b"x-last-death-", message.exchange, queue, reason)
    if routing_key is not None:
        keys = [routing_key]
        headers.pop(b"CC", None)
    properties.values.pop(FLAG_EXPIRATION, None)
    properties.change_headers(headers)
    header = properties.content_header(read_u64(message.header, 4))
    died = Message(address_of(exchange, keys[0]), header, message.body, message.persistent)
    return Death(died, keys, deaths, reason)


def _carbon_copies(headers: Table) -> list[bytes]:
    field = headers.get(b"CC")
    if field is None or not isinstance(field.value, list):
        return []
    return [item.octets() for item in field.value if item.is_string]


def _deaths(headers: Table) -> list[Field]:
    """Return the deaths so far; what a client has put there that is none is left out."""
    field = headers.get(b"x-death")
    if field is None or not isinstance(field.value, list):
        return []
    return [item for item in field.value if isinstance(item.value, dict)]


def _entry(
    message: Message, properties: Properties, queue: bytes, reason: bytes, now_ms: i64, keys: list[bytes]
) -> Table:
    entry: Table = {
        b"count": Field(LONG, 1),
        b"reason": Field(STRING, reason),
        b"queue": Field(STRING, queue),
        b"time": Field(TIME, int(now_ms // 1000)),
        b"exchange": Field(STRING, message.exchange),
        b"routing-keys": Field(ARRAY, [Field(STRING, key) for key in keys]),
    }
    expiration = properties.values.get(FLAG_EXPIRATION)
    if expiration is not None:
        entry[b"original-expiration"] = Field(STRING, expiration)
    return entry


def _with_entry(deaths: list[Field], entry: Table, queue: bytes, reason: bytes) -> list[Field]:
    """Return the deaths with one more, which is the first; an earlier one of its kind only counts."""
    others: list[Field] = []
    for death in deaths:
        table = death.value
        assert isinstance(table, dict)
        if _text(table, b"queue") == queue and _text(table, b"reason") == reason:
            count = table.get(b"count")
            number = count.integer() if count is not None and count.is_integer else 1
            entry = dict(table)
            entry[b"count"] = Field(LONG, number + 1)
        else:
            others.append(death)
    return [Field(TABLE, entry), *others]


def _tell(headers: Table, prefix: bytes, exchange: bytes, queue: bytes, reason: bytes) -> None:
    headers[prefix + b"reason"] = Field(STRING, reason)
    headers[prefix + b"queue"] = Field(STRING, queue)
    headers[prefix + b"exchange"] = Field(STRING, exchange)


def _text(table: Table, name: bytes) -> bytes:
    field = table.get(name)
    return b"" if field is None or not field.is_string else field.octets()
