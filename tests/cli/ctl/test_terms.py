"""Values in rabbitmqctl's tables and JSON, as it was seen to write them."""

from typing import Any

import pytest

from supersoniq.cli.ctl.terms import Address, Arguments, Atom, Term, as_json, cell


@pytest.mark.parametrize(
    ("value", "text", "json"),
    [
        (None, "", ""),
        (True, "true", True),
        (0, "0", 0),
        (0.5, "0.5", 0.5),
        ("plain", "plain", "plain"),
        ("tab\there", "tab\\011here", "tab\there"),
        (Term("<n@h.1.2.0>"), "<n@h.1.2.0>", "<n@h.1.2.0>"),
        ([Atom("administrator"), Atom("own")], "[administrator, own]", ["administrator", "own"]),
        ([], "[]", []),
        ((0, 9, 1), "{0,9,1}", [0, 9, 1]),
        (Address("127.0.0.1"), "127.0.0.1", [127, 0, 0, 1]),
        (Address("::1"), "::1", [0, 0, 0, 0, 0, 0, 0, 1]),
        (Address("some.host"), "some.host", "some.host"),
        (Arguments(), "[]", []),
        (
            Arguments({"x-max-length": 100, "x-dead-letter-exchange": "dead"}),
            '[{"x-dead-letter-exchange","dead"},{"x-max-length",100}]',
            [["x-dead-letter-exchange", "longstr", "dead"], ["x-max-length", "long", 100]],
        ),
        (
            Arguments({"a": {"b": True}, "c": [1, "x"], "d": None, "e": 0.5, "f": 'say "so"'}),
            '[{"a",[{"b",true}]},{"c",[1,"x"]},{"d",undefined},{"e",0.5},{"f","say \\"so\\""}]',
            [
                ["a", "table", [["b", "bool", True]]],
                ["c", "array", [["long", 1], ["longstr", "x"]]],
                ["d", "void", None],
                ["e", "double", 0.5],
                ["f", "longstr", 'say "so"'],
            ],
        ),
        ({"max-length": 5}, '{"max-length":5}', '{"max-length":5}'),
    ],
)
def test_value_is_written_as_there(value: Any, text: str, json: Any) -> None:
    assert cell(value) == text
    assert as_json(value) == json
