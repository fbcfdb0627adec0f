"""Which words name a command."""

import pytest

from supersoniq.cli.nouns import queues, vhosts
from supersoniq.cli.remote.registry import NOUNS, SINGLE, command_of, command_of_module, verbs_of
from supersoniq.cli.remote.words import Command
from supersoniq.cli.watch import status


@pytest.mark.parametrize(
    ("tokens", "command", "rest"),
    [
        (["vhosts", "create", "x"], vhosts.create, ["x"]),
        (["vhosts"], vhosts.list_, []),
        (["queues", "--json"], queues.list_, ["--json"]),
        (["status", "--json"], status.status, ["--json"]),
        (["queues", "--help"], None, []),
        (["queues", "lsit"], None, []),
        (["messages"], None, []),
        (["serve"], None, ["serve"]),
        ([], None, []),
    ],
)
def test_words_name_a_command(tokens: list[str], command: Command | None, rest: list[str]) -> None:
    assert command_of(tokens) == (command, rest)


@pytest.mark.parametrize("noun", NOUNS)
def test_every_noun_lists_and_every_verb_is_explained(noun: str) -> None:
    verbs = verbs_of(noun)
    assert next(iter(verbs)) == ("publish" if noun == "messages" else "list")
    assert [verb for verb, command in verbs.items() if not command.__doc__] == []


@pytest.mark.parametrize("name", SINGLE)
def test_every_single_command_is_explained(name: str) -> None:
    assert command_of_module(name).__doc__
