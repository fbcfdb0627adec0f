"""Tables: widths, cutting, and no control characters."""

import pytest

from supersoniq.cli.remote.table import BOLD, PLAIN, Heading, columns_of, lines_of, printable

HEADINGS = [Heading("name"), Heading("messages", True)]


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert lines_of(HEADINGS, [["orders", "1,000"], ["a", "5"]], None) == [
        "name    messages",
        "orders     1,000",
        "a              5",
    ]


def test_no_rows_leave_the_heading() -> None:
    assert lines_of(HEADINGS, [], None) == ["name  messages"]


def test_terminal_gets_a_bold_heading_and_lines_that_fit() -> None:
    lines = lines_of(HEADINGS, [["a-queue-with-a-very-long-name", "1"]], 24)
    assert lines == [f"{BOLD}name            messages{PLAIN}", "a-queue-with-…         1"]


def test_very_narrow_terminal_keeps_some_of_each_column() -> None:
    lines = lines_of(HEADINGS, [["a-queue-with-a-very-long-name", "1"]], 5)
    assert lines[1] == "a-queue…         1"


def test_wide_characters_take_two_columns() -> None:
    assert [columns_of(text) for text in ("ab", "日本", "é", "e\u0301")] == [2, 4, 1, 1]
    assert lines_of(HEADINGS, [["日本", "1"], ["abc", "2"]], None)[1:] == ["日本         1", "abc          2"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("plain ä", "plain ä"), ("\x1b[31mred", "\\x1b[31mred"), ("a\nb", "a\\nb"), ("\u202eabc", "\\u202eabc")],
)
def test_name_cannot_command_the_terminal(text: str, expected: str) -> None:
    assert printable(text) == expected
    assert lines_of([Heading("name")], [[text]], None)[1] == expected
