"""Tables of plain text, for a terminal or a pipe.

rich does more, and takes longer to import than a whole command to run.
"""

from collections.abc import Sequence
from typing import NamedTuple

GAP = "  "
BOLD, DIM, RED, YELLOW, GREEN, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[33m", "\x1b[32m", "\x1b[0m"
# A column that has to give way to others keeps this many characters.
WIDTH_MIN = 8


class Heading(NamedTuple):
    """The title of a column, and on which side its cells stand."""

    title: str
    is_number: bool = False


def lines_of(headings: Sequence[Heading], rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """The heading and the rows as lines; for a terminal of `width` they are cut, and the heading is bold."""
    cells = [[heading.title for heading in headings], *[[printable(cell) for cell in row] for row in rows]]
    widths = [max([columns_of(row[index]) for row in cells]) for index in range(len(headings))]
    if width is not None:
        _fit(widths, width - len(GAP) * (len(widths) - 1))
    lines = [_line(row, widths, headings) for row in cells]
    if width is not None:
        lines[0] = f"{BOLD}{lines[0]}{PLAIN}"
    return lines


def _line(row: Sequence[str], widths: Sequence[int], headings: Sequence[Heading]) -> str:
    padded = []
    for cell, width, heading in zip(row, widths, headings, strict=True):
        text = _cut(cell, width)
        space = " " * (width - columns_of(text))
        padded.append(space + text if heading.is_number else text + space)
    return GAP.join(padded).rstrip()


def _fit(widths: list[int], room: int) -> None:
    """Take from the widest column until all fit, or none can give more."""
    while sum(widths) > room:
        widest = max(range(len(widths)), key=widths.__getitem__)
        if widths[widest] <= WIDTH_MIN:
            return
        widths[widest] -= 1


def printable(text: str) -> str:
    """The text with what a terminal would act on as escapes: names are bytes that a client chose."""
    if text.isprintable():
        return text
    return "".join([char if char.isprintable() else repr(char)[1:-1] for char in text])


def columns_of(text: str) -> int:
    """How many columns of a terminal the text takes."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum([0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text])


def _cut(text: str, width: int) -> str:
    if columns_of(text) <= width:
        return text
    while columns_of(text) > width - 1:
        text = text[:-1]
    return text + "…"
