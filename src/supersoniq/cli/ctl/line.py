"""A command line of rabbitmqctl: its options may stand anywhere, and the first other word is the command."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

# Options of every command, and their types; `data_dir`, `config` and `url` are ours.
GLOBAL: Mapping[str, type] = {
    "node": str, "quiet": bool, "silent": bool, "vhost": str, "timeout": float, "longnames": bool,
    "formatter": str, "table_headers": bool, "dry_run": bool, "help": bool, "erlang_cookie": str,
    "printer": str,
    "script_name": str, "data_dir": str, "config": str, "url": str,
}  # fmt: skip
ALIASES: Mapping[str, str] = {
    "n": "node", "q": "quiet", "s": "silent", "p": "vhost", "t": "timeout", "l": "longnames", "?": "help",
    "h": "help",
}  # fmt: skip


class Line(NamedTuple):
    """A command line, taken apart."""

    word: str  # the command; empty when there is none
    arguments: list[str]
    options: dict[str, Any]
    invalid: list[tuple[str, str]]  # options that are not known or have no such value


def word_of(tokens: Sequence[str]) -> str:
    """The command that is named, before it is known which options it has."""
    index = 0
    while index < len(tokens):
        token = tokens[index]
        if not token.startswith("-"):
            return token
        name, equals, _ = _named(token, ALIASES)
        index += 1 if equals or GLOBAL.get(name, bool) is bool else 2
    return ""


def parse(tokens: Sequence[str], switches: Mapping[str, type], aliases: Mapping[str, str]) -> Line:
    """Take a command line apart with the options of its command."""
    known, short = {**GLOBAL, **switches}, {**ALIASES, **aliases}
    words: list[str] = []
    options: dict[str, Any] = {}
    invalid: list[tuple[str, str]] = []
    left = list(tokens)
    while left:
        token = left.pop(0)
        if token == "--":
            words += left
            break
        if not token.startswith("-") or token == "-":
            words.append(token)
            continue
        name, equals, text = _named(token, short)
        kind = known.get(name)
        if kind is None and name.startswith("no_") and known.get(name[3:]) is bool:
            options[name[3:]] = False
        elif kind is bool and not equals:
            options[name] = True
        elif kind is None or kind is bool or not (equals or left):
            invalid.append((token, text))
        else:
            value = text if equals else left.pop(0)
            if not _keep(options, name, kind, value):
                invalid.append((token, value))
    return Line(words[0] if words else "", words[1:], options, invalid)


def _named(token: str, short: Mapping[str, str]) -> tuple[str, str, str]:
    """The long name of an option, an equals sign if there is one, and the value behind it."""
    if token.startswith("--"):
        name, equals, value = token[2:].partition("=")
        return name.replace("-", "_"), equals, value
    name, equals, value = token[1:].partition("=")
    return short.get(name, f"-{name}"), equals, value


def _keep(options: dict[str, Any], name: str, kind: type, value: str) -> bool:
    try:
        options[name] = kind(value)
    except ValueError:
        return False
    return True
