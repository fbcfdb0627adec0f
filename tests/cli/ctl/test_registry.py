"""Every word of rabbitmqctl has its function."""

import pytest

from supersoniq.cli.ctl.registry import TOOLS, command_of, words_of


@pytest.mark.parametrize("tool", TOOLS)
def test_every_word_is_a_command_that_says_how_it_is_used(tool: str) -> None:
    for word in words_of(tool):
        command = command_of(tool, word)
        assert command is not None, word
        assert command.usage.split()[0] == word
        assert command.about
        assert command.maximum is None or command.minimum <= command.maximum


def test_other_words_are_none() -> None:
    assert command_of("rabbitmqctl", "enable") is None
    assert command_of("rabbitmq-plugins", "enable") is not None


def test_modules_have_no_word_that_is_not_listed() -> None:
    from importlib import import_module

    from supersoniq.cli.ctl.registry import WORDS

    for module, words in WORDS.items():
        assert list(import_module(f"supersoniq.cli.ctl.{module}").COMMANDS) != []
        assert set(import_module(f"supersoniq.cli.ctl.{module}").COMMANDS) == set(words.split())
