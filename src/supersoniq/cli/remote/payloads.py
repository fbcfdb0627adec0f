"""Bodies of messages, as the API carries them and as a table shows them."""

from base64 import b64decode, b64encode
from collections.abc import Sequence

from supersoniq.cli.remote.cells import Column, Item, count_column

SHOWN_CHARS = 200


def encoded(body: bytes) -> tuple[str, str]:
    """The text for `payload`, and its `payload_encoding`."""
    try:
        return body.decode(), "string"
    except UnicodeDecodeError:
        return b64encode(body).decode(), "base64"


def body_of(message: Item) -> bytes:
    """The octets that a message has."""
    payload = message.get("payload") or ""
    return b64decode(payload) if message.get("payload_encoding") == "base64" else payload.encode()


def with_text(message: Item) -> Item:
    """The message with its body in `text`: cut when it is long, said how long when it is no text."""
    payload = message.get("payload") or ""
    if message.get("payload_encoding") == "base64":
        text = f"({message.get('payload_bytes', len(body_of(message))):,} bytes)"
    else:
        text = payload[:SHOWN_CHARS] + ("…" if len(payload) > SHOWN_CHARS else "")
    return message | {"text": text}


def message_columns(messages: Sequence[Item]) -> list[Column]:
    """The columns that say something about these messages."""
    columns = [
        count_column("position", "position"),
        Column("exchange", "exchange"),
        Column("routing key", "routing_key"),
        Column("redelivered", "redelivered"),
        Column("arrived", "arrived_about"),
        Column("expires", "expires"),
        Column("properties", "properties"),
        count_column("bytes", "payload_bytes"),
        Column("body", "text"),
    ]
    return [
        column
        for column in columns
        if column.path == "text" or any([m.get(column.path) is not None for m in messages])
    ]
