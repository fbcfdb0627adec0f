"""What a value of the API looks like in a cell of a table."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

Item = dict[str, Any]
Format = Callable[[Any], str]


def text(value: Any) -> str:
    """The value for people: an object as JSON, nothing as nothing."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all([isinstance(item, str) for item in value]):
        return ", ".join(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return str(value)


def number(value: Any) -> str:
    """A count."""
    return f"{value:,}" if isinstance(value, int | float) and not isinstance(value, bool) else text(value)


def size(value: Any) -> str:
    """A number of bytes."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return text(value)
    amount = float(value)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def rate(value: Any) -> str:
    """Events a second."""
    if not isinstance(value, int | float):
        return text(value)
    return f"{value:,.0f}/s" if value >= 10 or value == 0 else f"{value:.1f}/s"


def seconds(value: Any) -> str:
    """A time in milliseconds, in the two units that say most."""
    if not isinstance(value, int | float):
        return text(value)
    left = int(value) // 1000
    parts = []
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        if left >= length:
            parts.append(f"{left // length} {unit}")
            left %= length
    return " ".join(parts[:2]) or "0 s"


def counted(count: Any, noun: str) -> str:
    """A number of things, as in `1 queue` and `1,000 queues`."""
    return f"{number(count)} {noun}{'' if count == 1 else 's'}"


def stats(value: Any) -> str:
    """RabbitMQ's message_stats: each count, with its rate where something moves."""
    if not isinstance(value, dict):
        return text(value)
    parts = []
    for name, count in value.items():
        if not name.endswith("_details") and count:
            moving = value_at(value, f"{name}_details.rate")
            parts.append(f"{name} {number(count)}" + (f" ({rate(moving)})" if moving else ""))
    return ", ".join(parts)


class Column(NamedTuple):
    """A column of a table: its title, where in an item its value is (as in `a.b`), and how it is written."""

    title: str
    path: str
    format: Format = text
    is_number: bool = False


def count_column(title: str, path: str) -> Column:
    """A column of counts."""
    return Column(title, path, number, True)


def rate_column(title: str, path: str) -> Column:
    """A column of rates."""
    return Column(title, path, rate, True)


def size_column(title: str, path: str) -> Column:
    """A column of numbers of bytes."""
    return Column(title, path, size, True)


def value_at(item: Any, path: str) -> Any:
    """The value at `a.b` of an item; None when there is none. A key with a dot in it is found, too."""
    if isinstance(item, dict):
        if path in item:
            return item[path]
        key, dot, rest = path.partition(".")
        return value_at(item.get(key), rest) if dot else None
    return None


def rows_of(items: Iterable[Item], columns: Sequence[Column]) -> list[list[str]]:
    """The cells of a table."""
    return [[column.format(value_at(item, column.path)) for column in columns] for item in items]
