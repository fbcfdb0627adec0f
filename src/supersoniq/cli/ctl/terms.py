"""Values as rabbitmqctl writes them: Erlang's terms in tables, its own JSON."""

import json
from typing import Any


class Atom(str):
    """A text that Erlang writes without quotes, as user tags."""


class Term(str):
    """A text that is written as it stands, such as a pid."""


class Address(str):
    """An address of a host: a text in tables, numbers in JSON."""


class Arguments(dict[str, Any]):
    """A table of arguments."""


def cell(value: Any) -> str:
    """The value in a table or in CSV."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Arguments):
        return "[" + ",".join([_pair(key, value[key]) for key in sorted(value)]) + "]"
    if isinstance(value, dict):
        return json.dumps(value, separators=(",", ":"))
    if isinstance(value, tuple):
        return "{" + ",".join([cell(item) for item in value]) + "}"
    if isinstance(value, list):
        return "[" + ", ".join([cell(item) for item in value]) + "]"
    if isinstance(value, str):
        return "".join([char if char >= " " else f"\\{ord(char):03o}" for char in value])
    return str(value)


def _pair(key: str, value: Any) -> str:
    return f"{{{_quoted(key)},{_term(value)}}}"


def _term(value: Any) -> str:
    """A value among arguments: texts have quotes there."""
    if isinstance(value, dict):
        return cell(Arguments(value))
    if isinstance(value, list):
        return "[" + ",".join([_term(item) for item in value]) + "]"
    if isinstance(value, str):
        return _quoted(value)
    return "undefined" if value is None else cell(value)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def as_json(value: Any) -> Any:
    """The value in JSON."""
    if value is None:
        return ""
    if isinstance(value, Arguments):
        return [[key, *_typed(value[key])] for key in sorted(value)]
    if isinstance(value, Address):
        return _numbers(value)
    if isinstance(value, dict):
        return json.dumps(value, separators=(",", ":"))
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    return value


def _typed(value: Any) -> tuple[str, Any]:
    """The type that Erlang's client gives a value, and the value."""
    if isinstance(value, bool):
        return "bool", value
    if isinstance(value, int):
        return "long", value
    if isinstance(value, float):
        return "double", value
    if isinstance(value, dict):
        return "table", as_json(Arguments(value))
    if isinstance(value, list):
        return "array", [list(_typed(item)) for item in value]
    return ("void", None) if value is None else ("longstr", value)


def _numbers(address: str) -> Any:
    import ipaddress

    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return list(parsed.packed)
    return [int(part, 16) for part in parsed.exploded.split(":")]
