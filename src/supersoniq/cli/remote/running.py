"""From the words on the command line to the function that is the command, and from errors to exit codes.

0: done. 1: it could not be done. 2: it was asked for wrongly. 130: interrupted.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from supersoniq.cli.remote.api import ApiError
from supersoniq.cli.remote.call import Call, Common, Failed, WrongUse
from supersoniq.cli.remote.endpoint import WrongEndpoint
from supersoniq.cli.remote.registry import command_of
from supersoniq.cli.remote.words import Command, Values, arguments_of, parse, words_of, words_of_group

COMMON = "common"


def run(tokens: Sequence[str], environ: Mapping[str, str] | None = None) -> int | None:
    """Do what `supersoniq TOKENS` asks for and return the exit code; None when typer has to answer."""
    command, rest = command_of(tokens)
    if command is None:
        return None
    values = parse(all_words(command), rest)
    return None if values is None else call(command, values, environ)


def all_words(command: Command) -> list[Any]:
    """The words of a command, and those that every command takes."""
    return [*words_of(command), *words_of_group(COMMON, Common)]


def call(command: Command, values: Values, environ: Mapping[str, str] | None = None) -> int:
    """Call a command, and say in one line what kept it from doing its work."""
    common = Common(**{word.name: values[word.name] for word in words_of_group(COMMON, Common)})
    try:
        command(Call(common, environ), **arguments_of(command, values))
        sys.stdout.flush()
    except (WrongUse, WrongEndpoint) as error:
        return say(str(error), 2)
    except (ApiError, Failed) as error:
        return say(str(error), 1)
    except (KeyboardInterrupt, EOFError):
        return 130
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 1
    return 0


def say(message: str, exit_code: int) -> int:
    """Print `message` as one line on stderr, and return the exit code."""
    print(f"supersoniq: {' '.join(message.split())}", file=sys.stderr)
    return exit_code
