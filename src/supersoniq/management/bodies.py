"""Bodies of requests: JSON objects, and what RabbitMQ says of those that are not what they should be."""

import asyncio
from collections.abc import Mapping
from typing import Final

from starlette.requests import Request

from supersoniq.amqp.primitives import octets
from supersoniq.amqp.tables import DEPTH_MAX, Table, table_of
from supersoniq.management.encoding import decode
from supersoniq.management.errors import ApiError, bad_request

# Definitions of a large cluster are some megabytes.
BODY_BYTES_MAX: Final = 20 * 1024 * 1024
# Who begins a body has so long to send it.
BODY_SECONDS: Final = 120
# Where a term of Erlang is broken into lines.
LINE_LENGTH: Final = 70
SHORT_BYTES_MAX: Final = 255


async def read_octets(request: Request, seconds: float = BODY_SECONDS) -> bytes:
    """Return a body; raises 413 if there is too much of it, 408 if it does not come within `seconds`."""
    pieces: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            async for piece in request.stream():
                size += len(piece)
                if size > BODY_BYTES_MAX:
                    raise ApiError(413, "bad_request", f"The body may have at most {BODY_BYTES_MAX} octets")
                pieces.append(piece)
    except TimeoutError:
        text = f"The body did not come within {seconds:g} seconds"
        raise ApiError(408, "bad_request", text, {"connection": "close"}) from None
    return b"".join(pieces)


async def read_object(request: Request, complaint: str = "not_json") -> "Body":
    """Return a body that is an object of JSON, or is empty; raises 400 with `complaint` for others."""
    data = await read_octets(request)
    try:
        value = decode(data) if data.strip() else None
    except ValueError:
        raise bad_request(complaint) from None
    if value is None:
        return Body({})
    if not isinstance(value, dict):
        raise bad_request(complaint)
    return Body(value)


class Body:
    """An object; what is asked for raises 400 if it is of the wrong kind."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self.values = values

    def require(self, *names: str) -> None:
        """Raise 400 unless all are there."""
        absent = [f"{{key_missing,{name}}}" for name in names if name not in self.values]
        if absent:
            line = f"[{','.join(absent)}]"
            raise bad_request(line if len(line) <= LINE_LENGTH else f"[{(',' + chr(10) + ' ').join(absent)}]")

    def boolean(self, name: str, default: bool = False) -> bool:
        """Return a boolean, `default` where it is missing."""
        value = self.values.get(name, default)
        if value is True or value == "true":
            return True
        if value is False or value == "false":
            return False
        raise bad_request(["not_boolean", value])

    def integer(self, name: str) -> int:
        """Return an integer that is there; one in a string counts."""
        value = self.values[name]
        if isinstance(value, str):
            try:
                return int(value)
            except ValueError:
                raise bad_request(["not_integer", value]) from None
        if isinstance(value, bool) or not isinstance(value, int):
            raise bad_request(["not_integer", value])
        return value

    def text(self, name: str, default: str = "") -> str:
        """Return a text, `default` where it is missing."""
        value = self.values.get(name, default)
        if not isinstance(value, str):
            raise bad_request(["not_string", name])
        return encodable(value)

    def name(self, name: str, default: str = "") -> bytes:
        """Return a text that is a name or a key of AMQP; a number counts as one."""
        value = self.values.get(name, default)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            raise bad_request(["not_string", name])
        return short(name, value)

    def map(self, name: str) -> dict[str, object]:
        """Return an object, an empty one where it is missing; an empty list counts as one."""
        value = self.values.get(name, {})
        if value == []:
            return {}
        if not isinstance(value, dict):
            raise bad_request(["not_map", name])
        return value

    def table(self, name: str) -> Table:
        """Return an object as a table of AMQP."""
        return as_table(self.map(name))


def as_table(values: dict[str, object]) -> Table:
    """Return an object as a table of AMQP; raises 400 for what that cannot hold."""
    _check(values, 0)
    return table_of(values)


def _check(value: object, depth: int) -> None:
    if depth > DEPTH_MAX:
        raise bad_request("too_deep")
    if value is None:
        raise bad_request("null_not_allowed")
    if isinstance(value, dict):
        for name, each in value.items():
            short("key", name)
            _check(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            _check(each, depth + 1)
    elif isinstance(value, str):
        encodable(value)
    elif isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        raise bad_request(["not_64_bits", value])


def short(what: str, value: str) -> bytes:
    """Return a text as octets, at most 255 of them; raises 400."""
    found = octets(encodable(value))
    if len(found) > SHORT_BYTES_MAX:
        raise bad_request(f"{what} should be less than {SHORT_BYTES_MAX} bytes, actually was {len(found)}\n")
    return found


def encodable(value: str) -> str:
    """Return a text that has no lone surrogates but those that stand for octets; raises 400."""
    try:
        octets(value)
    except UnicodeEncodeError:
        raise bad_request("not_utf8") from None
    return value
