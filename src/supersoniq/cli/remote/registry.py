"""Which commands there are, and in which module each is: only that one is imported."""

from collections.abc import Sequence
from importlib import import_module

from supersoniq.cli.remote.words import Command

# Modules of `cli.nouns`, each with its verbs.
NOUNS = (
    "vhosts", "users", "permissions", "policies", "limits", "parameters", "exchanges", "queues", "bindings",
    "consumers", "connections", "channels", "messages", "definitions", "alarms", "refusals",
)  # fmt: skip
# Modules of `cli.watch`, each with one command.
SINGLE = ("status", "health", "top", "doctor", "trace")


def command_of(tokens: Sequence[str]) -> tuple[Command | None, Sequence[str]]:
    """The command that `tokens` begin with, and what is left of them; None when there is none of that name.

    A noun without a verb lists.
    """
    if not tokens:
        return None, tokens
    name, rest = tokens[0], tokens[1:]
    if name in SINGLE:
        return command_of_module(name), rest
    if name not in NOUNS:
        return None, tokens
    verbs = verbs_of(name)
    if not rest or (rest[0].startswith("-") and rest[0] != "--help"):
        return verbs.get("list"), rest
    return verbs.get(rest[0]), rest[1:]


def verbs_of(noun: str) -> dict[str, Command]:
    """The verbs of a noun, by name."""
    verbs: dict[str, Command] = import_module(f"supersoniq.cli.nouns.{noun}").VERBS
    return verbs


def command_of_module(name: str) -> Command:
    """The command that is no verb of a noun."""
    command: Command = import_module(f"supersoniq.cli.watch.{name}").COMMAND
    return command
