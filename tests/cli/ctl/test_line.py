"""Command lines as scripts write them for rabbitmqctl."""

from typing import Any

import pytest

from supersoniq.cli.ctl.line import parse, word_of

SWITCHES = {"priority": int, "if_empty": bool}


@pytest.mark.parametrize(
    ("tokens", "word"),
    [
        (["list_queues", "-p", "v"], "list_queues"),
        (["-q", "list_queues"], "list_queues"),
        (["-n", "rabbit@host", "list_queues"], "list_queues"),
        (["--node=rabbit@host", "--quiet", "list_queues"], "list_queues"),
        (["--vhost", "list_queues"], ""),
        (["-q"], ""),
        ([], ""),
    ],
)
def test_command_is_the_first_word_that_is_no_option(tokens: list[str], word: str) -> None:
    assert word_of(tokens) == word


@pytest.mark.parametrize(
    ("tokens", "arguments", "options"),
    [
        (["w", "a", "-p", "v", "b"], ["a", "b"], {"vhost": "v"}),
        (["-q", "w", "--vhost=v"], [], {"quiet": True, "vhost": "v"}),
        (["w", "-t", "5", "-s"], [], {"timeout": 5.0, "silent": True}),
        (["w", "--no-table-headers"], [], {"table_headers": False}),
        (["w", "--priority", "-1"], [], {"priority": -1}),
        (["w", "--if-empty", "a"], ["a"], {"if_empty": True}),
        (["w", "-e", "--if_empty"], [], {"if_empty": True}),
        (["w", "--", "-a", "--b"], ["-a", "--b"], {}),
        (["w", "-", ""], ["-", ""], {}),
        (["w", "--erlang-cookie", "c", "-l"], [], {"erlang_cookie": "c", "longnames": True}),
    ],
)  # fmt: skip
def test_options_may_stand_anywhere(tokens: list[str], arguments: list[str], options: dict[str, Any]) -> None:
    line = parse(tokens, SWITCHES, {"e": "if_empty"})
    assert (line.word, line.arguments, line.options, line.invalid) == ("w", arguments, options, [])


@pytest.mark.parametrize(
    ("tokens", "invalid"),
    [
        (["w", "--bogus"], ("--bogus", "")),
        (["w", "--bogus=1"], ("--bogus=1", "1")),
        (["w", "-n"], ("-n", "")),
        (["w", "--priority", "x"], ("--priority", "x")),
        (["w", "-x"], ("-x", "")),
        (["w", "--quiet=yes"], ("--quiet=yes", "yes")),
    ],
)
def test_what_is_no_option_is_told(tokens: list[str], invalid: tuple[str, str]) -> None:
    assert parse(tokens, SWITCHES, {}).invalid == [invalid]
