"""What a command's parameters say about its words, and which calls are plain enough to be parsed here."""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import pytest

from supersoniq.cli.remote.words import Argument, Option, arguments_of, parse, words_of

Name = Annotated[str, Argument("NAME")]


class Group(NamedTuple):
    deep: Annotated[bool, Option(("--deep",), "")] = False
    level: Annotated[int, Option(("--level", "-l"), "")] = 3


def command(
    call: object,
    name: Name,
    group: Group,
    others: Annotated[Sequence[str], Argument("OTHER…")] = (),
    kind: Annotated[str, Option(("--kind", "-k"), "", choices=("a", "b"))] = "a",
    tags: Annotated[Sequence[int], Option(("--tag",), "")] = (),
    share: Annotated[float | None, Option(("--share",), "")] = None,
) -> None:
    """A command."""


WORDS = words_of(command)
DEFAULTS = {"deep": False, "level": 3, "others": (), "kind": "a", "tags": (), "share": None}


@pytest.mark.parametrize(
    ("tokens", "changed"),
    [
        (["n"], {}),
        (["n", "--deep"], {"deep": True}),
        (["--level", "5", "n"], {"level": 5}),
        (["--level=5", "n"], {"level": 5}),
        (["-l", "5", "n"], {"level": 5}),
        (["n", "-k", "b"], {"kind": "b"}),
        (["n", "a", "b"], {"others": ["a", "b"]}),
        (["n", "--tag", "1", "--tag=2"], {"tags": [1, 2]}),
        (["n", "--share", "0.5"], {"share": 0.5}),
        (["n", "--", "--deep"], {"others": ["--deep"]}),
        (["n", "-"], {"others": ["-"]}),
        (["n", ""], {"others": [""]}),
        (["n", "--kind", "a", "--kind", "b"], {"kind": "b"}),
    ],
)
def test_plain_call_is_parsed(tokens: list[str], changed: dict[str, object]) -> None:
    assert parse(WORDS, tokens) == {"name": "n"} | DEFAULTS | changed


@pytest.mark.parametrize(
    "tokens",
    [
        [],
        ["--deep"],
        ["n", "--help"],
        ["n", "--bogus"],
        ["n", "-l5"],
        ["n", "--level"],
        ["n", "--level", "five"],
        ["n", "--kind", "c"],
        ["n", "--deep=1"],
        ["n", "-5"],
    ],
)
def test_what_is_wrong_or_special_is_left_to_typer(tokens: list[str]) -> None:
    assert parse(WORDS, tokens) is None


def test_word_too_many_is_left_to_typer() -> None:
    assert parse([word for word in WORDS if not word.is_many], ["n", "m"]) is None


def test_group_is_put_together() -> None:
    values = parse(WORDS, ["n", "--deep"])
    assert values is not None
    arguments = arguments_of(command, values | {"foreign": 1})
    assert arguments["group"] == Group(deep=True, level=3)
    assert set(arguments) == {"name", "group", "others", "kind", "tags", "share"}


def test_words_say_what_they_take() -> None:
    share = WORDS[-1]
    assert (share.kind, share.is_optional, share.is_many, share.is_required) == (float, True, False, False)
    assert [word.is_required for word in WORDS] == [True, False, False, False, False, False, False]
