"""The formatters of rabbitmqctl: lines of a table, JSON, CSV."""

import json
from collections.abc import Sequence
from typing import Any

from supersoniq.cli.ctl.terms import Arguments, as_json, cell
from supersoniq.cli.remote.table import columns_of

FORMATTERS = ("table", "json", "csv", "pretty_table")
# What programs read has no words around it.
MACHINE_READABLE = ("json", "csv")


def lines_of(
    formatter: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], has_heading: bool
) -> list[str]:
    """The lines of a table in that format."""
    if formatter == "json":
        return _json(columns, rows)
    if not rows:
        return []
    if formatter == "csv":
        cells = [[cell(value) for value in row] for row in rows]
        return [_csv(row) for row in ([[*columns], *cells] if has_heading else cells)]
    if formatter == "pretty_table":
        return _pretty(columns, rows)
    lines = ["\t".join([cell(value) for value in row]) for row in rows]
    return ["\t".join(columns), *lines] if has_heading else lines


def _json(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """An object a line, as rabbitmqctl streams them."""
    lines = ["["]
    for index, row in enumerate(rows):
        values = dict(zip(columns, [as_json(value) for value in row], strict=True))
        text = json.dumps(values, separators=(",", ":"), ensure_ascii=False)
        lines.append(text if index == 0 else f",{text}")
    return [*lines, "]"]


def _csv(row: Sequence[str]) -> str:
    return ",".join(['"' + text.replace('"', '""') + '"' for text in row])


def _pretty(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """A table with lines around its cells."""
    cells = [[*columns], *[[_pretty_cell(value) for value in row] for row in rows]]
    widths = [max([columns_of(row[index]) for row in cells]) for index in range(len(columns))]
    lines = [_rule("┌┬┐", widths)]
    for index, row in enumerate(cells):
        if index:
            lines.append(_rule("├┼┤", widths))
        padded = [text + " " * (width - columns_of(text)) for text, width in zip(row, widths, strict=True)]
        lines.append("│ " + " │ ".join(padded) + " │")
    return [*lines, _rule("└┴┘", widths)]


def _rule(corners: str, widths: Sequence[int]) -> str:
    return corners[0] + corners[1].join(["─" * (width + 2) for width in widths]) + corners[2]


def _pretty_cell(value: Any) -> str:
    """Empty is empty here."""
    if isinstance(value, list | Arguments) and not value:
        return ""
    text = cell(value)
    return text[1:-1] if isinstance(value, list) else text
