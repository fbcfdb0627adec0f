"""Messages: their properties and payloads, in both directions."""

import base64
import binascii
from typing import Final

from supersoniq.amqp.primitives import text
from supersoniq.amqp.properties import FLAG_ORDER, NAMES, Properties, property_table
from supersoniq.amqp.tables import encode_table, plain
from supersoniq.broker.message import Message
from supersoniq.management.bodies import as_table, short
from supersoniq.management.errors import bad_request
from supersoniq.management.views.common import Fields

AUTO: Final = "auto"
BASE64: Final = "base64"
STRING: Final = "string"
INTEGERS: Final = {"delivery_mode": 0xFF, "priority": 0xFF, "timestamp": (1 << 64) - 1}
FLAGS: Final = {text(name): flag for name, flag in zip(NAMES, FLAG_ORDER, strict=True)}


def properties_view(header: bytes) -> object:
    """Return the properties that are set; an empty list for none, as RabbitMQ has it."""
    return plain(property_table(header)) or []


def payload_view(body: bytes, encoding: str, truncate: int | None) -> Fields:
    """Return a body as text, if that is wanted and it is one, else in base64."""
    shown = body if truncate is None else body[: max(truncate, 0)]
    fields: Fields = {"payload": "", "payload_encoding": STRING}
    if encoding == AUTO:
        try:
            return {**fields, "payload": shown.decode()}
        except UnicodeDecodeError:
            pass
    return {"payload": base64.b64encode(shown).decode(), "payload_encoding": BASE64}


def message_view(message: Message, encoding: str, truncate: int | None) -> Fields:
    """Return what is the same in all views of a message."""
    return {
        "payload_bytes": len(message.body),
        "exchange": text(message.exchange),
        "routing_key": text(message.routing_key),
        "properties": properties_view(message.header),
        **payload_view(message.body, encoding, truncate),
    }


def payload_of(payload: object, encoding: object) -> bytes:
    """Return a body from what a request says; raises 400."""
    if not isinstance(payload, str):
        raise bad_request("payload_not_string")
    if encoding == STRING:
        try:
            return payload.encode()
        except UnicodeEncodeError:
            raise bad_request("payload_not_utf8") from None
    if encoding == BASE64:
        try:
            return base64.b64decode(payload, validate=True)
        except (binascii.Error, ValueError):
            raise bad_request(["not_base64", payload]) from None
    raise bad_request(["unsupported_encoding", encoding])


def properties_of(values: dict[str, object]) -> Properties:
    """Return properties from what a request says; unknown ones are passed over. Raises 400."""
    properties = Properties()
    for name, value in values.items():
        flag = FLAGS.get(name)
        if flag is None:
            continue
        if name == "headers":
            if value != []:
                if not isinstance(value, dict):
                    raise bad_request(["not_map", name])
                properties.headers = encode_table(as_table(value))
        elif name in INTEGERS:
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= INTEGERS[name]:
                raise bad_request(["not_int", name])
            setattr(properties, name, value)
        elif isinstance(value, str):
            properties.values[flag] = short(name, value)
        else:
            raise bad_request(["not_string", name])
    return properties
