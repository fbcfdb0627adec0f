"""JSON: what is sent, and what came."""

from pydantic_core import PydanticSerializationError, from_json, to_json


def encode(value: object) -> bytes:
    """Return a value as JSON; octets in names that are no UTF-8 become question marks."""
    try:
        return to_json(value)
    except PydanticSerializationError:
        return to_json(_presentable(value))


def decode(data: bytes) -> object:
    """Read JSON; raises ValueError."""
    return from_json(data, allow_inf_nan=False, cache_strings="keys")


def _presentable(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_presentable(name): _presentable(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_presentable(each) for each in value]
    return value
