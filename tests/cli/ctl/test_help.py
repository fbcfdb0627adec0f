"""Help of rabbitmqctl."""

import pytest
from tests.cli.ctl.conftest import Ctl


@pytest.mark.parametrize("tokens", [["help"], ["--help"], ["-?"]])
def test_help_lists_the_commands(ctl: Ctl, tokens: list[str]) -> None:
    said = ctl(*tokens)
    assert (said.code, said.err) == (0, "")
    assert "   list_queues " in said.out


def test_help_of_a_command(ctl: Ctl) -> None:
    for tokens in (["help", "add_user"], ["add_user", "--help"]):
        said = ctl(*tokens)
        assert said.code == 0
        assert (
            "rabbitmqctl [--node <node>] [--longnames] [--quiet] add_user <username> <password>" in said.out
        )


def test_help_of_nothing_is_exit_code_64(ctl: Ctl) -> None:
    assert ctl("help", "nosuch") == (64, "", "Error:\n\nCommand 'nosuch' not found.\n\n")


def test_no_word_is_exit_code_64(ctl: Ctl) -> None:
    said = ctl()
    assert (said.code, said.out) == (64, "")
    assert "Available commands:" in said.err


def test_autocomplete_lists_words(ctl: Ctl) -> None:
    assert ctl("autocomplete", "list_q").out == "list_queues\n"
