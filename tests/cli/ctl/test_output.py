"""The formatters, on tables as rabbitmqctl was seen to write them."""

import pytest

from supersoniq.cli.ctl.output import lines_of
from supersoniq.cli.ctl.terms import Arguments, Atom

COLUMNS = ["user", "tags"]
ROWS = [["ann", []], ['say "so"', [Atom("administrator"), Atom("own")]]]


@pytest.mark.parametrize(
    ("formatter", "lines"),
    [
        ("", ["user\ttags", "ann\t[]", 'say "so"\t[administrator, own]']),
        ("table", ["user\ttags", "ann\t[]", 'say "so"\t[administrator, own]']),
        ("csv", ['"user","tags"', '"ann","[]"', '"say ""so""","[administrator, own]"']),
        (
            "json",
            ["[", '{"user":"ann","tags":[]}', ',{"user":"say \\"so\\"","tags":["administrator","own"]}', "]"],
        ),
        (
            "pretty_table",
            [
                "┌──────────┬────────────────────┐",
                "│ user     │ tags               │",
                "├──────────┼────────────────────┤",
                "│ ann      │                    │",
                "├──────────┼────────────────────┤",
                '│ say "so" │ administrator, own │',
                "└──────────┴────────────────────┘",
            ],
        ),
    ],
)  # fmt: skip
def test_table_has_its_format(formatter: str, lines: list[str]) -> None:
    assert lines_of(formatter, COLUMNS, ROWS, True) == lines


@pytest.mark.parametrize(("formatter", "lines"), [("", ["ann\t[]"]), ("csv", ['"ann","[]"'])])
def test_heading_can_be_left_out(formatter: str, lines: list[str]) -> None:
    assert lines_of(formatter, COLUMNS, ROWS[:1], False) == lines


@pytest.mark.parametrize(
    ("formatter", "lines"), [("", []), ("csv", []), ("pretty_table", []), ("json", ["[", "]"])]
)
def test_nothing_has_no_heading(formatter: str, lines: list[str]) -> None:
    assert lines_of(formatter, COLUMNS, [], True) == lines


def test_no_arguments_are_an_empty_cell_of_a_pretty_table() -> None:
    assert "│ {} │".replace("{}", "  ") in "\n".join(lines_of("pretty_table", ["aa"], [[Arguments()]], True))
