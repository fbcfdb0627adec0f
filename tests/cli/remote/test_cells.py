"""What values look like."""

from typing import Any

import pytest

from supersoniq.cli.remote.cells import (
    Column,
    Format,
    count_column,
    number,
    rate,
    rate_column,
    rows_of,
    seconds,
    size,
    size_column,
    stats,
    text,
    value_at,
)


@pytest.mark.parametrize(
    ("format_", "value", "expected"),
    [
        (text, None, ""),
        (text, True, "yes"),
        (text, False, "no"),
        (text, "x", "x"),
        (text, ["a", "b"], "a, b"),
        (text, {}, ""),
        (text, {"a": 1}, '{"a": 1}'),
        (text, [1, {"ä": 2}], '[1, {"ä": 2}]'),
        (text, 0, "0"),
        (number, 1234567, "1,234,567"),
        (number, None, ""),
        (number, "unknown", "unknown"),
        (number, True, "yes"),
        (size, 0, "0 B"),
        (size, 1023, "1023 B"),
        (size, 1536, "1.5 KiB"),
        (size, 3 * 1024**4, "3.0 TiB"),
        (size, None, ""),
        (size, "free", "free"),
        (rate, 0, "0/s"),
        (rate, 0.6, "0.6/s"),
        (rate, 12345.6, "12,346/s"),
        (rate, None, ""),
        (seconds, 0, "0 s"),
        (seconds, 61_000, "1 min 1 s"),
        (seconds, 90_061_000, "1 d 1 h"),
        (seconds, None, ""),
        (stats, {"ack": 5, "ack_details": {"rate": 0.5}, "get": 0, "publish": 1}, "ack 5 (0.5/s), publish 1"),
        (stats, None, ""),
    ],
)
def test_value_is_written_for_people(format_: Format, value: Any, expected: str) -> None:
    assert format_(value) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a", {"b": {"c": 1}}), ("a.b.c", 1), ("a.x.c", None), ("x", None), ("d.e", 2), ("f.g", None)],
)  # fmt: skip
def test_value_is_found_by_its_path(path: str, expected: Any) -> None:
    assert value_at({"a": {"b": {"c": 1}}, "d.e": 2, "f": []}, path) == expected


def test_row_has_a_cell_a_column() -> None:
    columns = [
        Column("n", "name"),
        count_column("m", "messages"),
        rate_column("r", "r"),
        size_column("s", "s"),
    ]
    assert rows_of([{"name": "q", "messages": 1000, "r": 1, "s": 1}], columns) == [
        ["q", "1,000", "1.0/s", "1 B"]
    ]
