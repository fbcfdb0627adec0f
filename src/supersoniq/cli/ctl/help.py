"""Help of rabbitmqctl, and what to say about a word that is none."""

import sys
from collections.abc import Sequence

from supersoniq.cli.ctl.context import USAGE, Command
from supersoniq.cli.ctl.line import parse
from supersoniq.cli.ctl.registry import TOOLS, WORDS, command_of, words_of

OPTIONS = """The following options are accepted by most or all commands.

short            | long             | description
-----------------|------------------|--------------------------------
-?               | --help           | displays command help
-n <node>        | --node <node>    | name shown for the node; there is one
-t               | --timeout <n>    | for commands that support it, operation timeout in seconds
-q               | --quiet          | suppress informational messages
-s               | --silent         | suppress informational messages
                 |                  | and table header row
-p               | --vhost          | for commands that are scoped to a virtual host,
                 |                  | virtual host to use
                 | --formatter      | table, json, csv or pretty_table
                 | --data-dir <dir> | data directory of the node, where its control socket is
                 | --url <url>      | a management API instead: http://user:password@host:15672"""
TITLES = {
    "node": "Node",
    "listings": "Listings",
    "actions": "Operations",
    "settings": "Settings",
    "refused": "Refused",
}


def answer(tool: str, word: str, tokens: Sequence[str]) -> int:
    """Answer a line without a command: help is asked for, or the word is wrong."""
    if word in ("", "help", "autocomplete"):
        line = parse(tokens, {}, {})
        names = line.arguments
        wants_help = word == "help" or line.options.get("help")
        if word == "autocomplete":
            print("\n".join([known for known in words_of(tool) if not names or known.startswith(names[0])]))
            return 0
        if not names:
            print(overview(tool), file=sys.stdout if wants_help else sys.stderr)
            return 0 if wants_help else USAGE
        command = command_of(tool, names[0])
        if command is None:
            print(f"Error:\n\nCommand '{names[0]}' not found.\n", file=sys.stderr)
            return USAGE
        print(describe(tool, names[0], command))
        return 0
    import difflib

    near = difflib.get_close_matches(word, words_of(tool), 1)
    print(f"\nCommand '{word}' not found. ", file=sys.stderr)
    print(f"Did you mean '{near[0]}'? \n\n" if near else f"\n{overview(tool)}", file=sys.stderr)
    return USAGE


def usage(tool: str, command: Command) -> str:
    """How the command is used."""
    return f"Usage\n\n{tool} [--node <node>] [--longnames] [--quiet] {command.usage}"


def describe(tool: str, word: str, command: Command) -> str:
    """The help of one command."""
    return f"\n{usage(tool, command)}\n\n{command.about}\n\nGeneral Options\n\n{OPTIONS}\n"


def overview(tool: str) -> str:
    """The commands of a tool."""
    lines = [
        "Usage",
        "",
        f"{tool} [--node <node>] [--timeout <timeout>] [--quiet] <command> [<command options>]",
        "",
    ]
    lines += ["Available commands:", ""]
    for module in TOOLS[tool]:
        lines += [f"{TITLES.get(module, module.capitalize())}:", ""]
        for word in WORDS[module].split():
            command = command_of(tool, word)
            assert command is not None
            lines.append(f"   {word:<30} {command.about}")
        lines.append("")
    return "\n".join([*lines, f"Use '{tool} help <command>' to learn more about a specific command", ""])
