"""From a command line of rabbitmqctl to its exit code."""

import os
import socket
import sys
from collections.abc import Mapping, Sequence

from supersoniq.cli.ctl.context import (
    TEMPORARY,
    TIMEOUT_SECONDS,
    UNAVAILABLE,
    USAGE,
    Command,
    Ctl,
    CtlError,
    WrongLine,
)
from supersoniq.cli.ctl.line import Line, parse, word_of
from supersoniq.cli.ctl.registry import TOOLS, command_of
from supersoniq.cli.remote.api import ApiError, Refused, TimedOut, Unreachable
from supersoniq.cli.remote.endpoint import WrongEndpoint


def run(tokens: Sequence[str], tool: str = "rabbitmqctl", environ: Mapping[str, str] | None = None) -> int:
    """Do what `rabbitmqctl TOKENS` asks for, and return the exit code.

    The first word may name another tool.
    """
    if tokens and tokens[0] in TOOLS:
        tool, tokens = tokens[0], tokens[1:]
    if tokens and tokens[0] == "--install":
        from supersoniq.cli.ctl.install import install

        return install(tokens[1:])
    word = word_of(tokens)
    command = command_of(tool, word)
    if command is None:
        from supersoniq.cli.ctl.help import answer

        return answer(tool, word, tokens)
    line = parse(tokens, command.switches, command.aliases)
    try:
        _run(tool, command, line, environ)
        sys.stdout.flush()
    except WrongLine as error:
        return _wrong(tool, command, line, tokens, error)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (KeyboardInterrupt, EOFError):
        return 130
    except (CtlError, ApiError, WrongEndpoint) as error:
        return _failed(line, error)
    return 0


def _run(tool: str, command: Command, line: Line, environ: Mapping[str, str] | None) -> None:
    if line.options.get("help"):
        from supersoniq.cli.ctl.help import describe

        print(describe(tool, line.word, command))
        return
    if line.invalid:
        wrong = "\n".join([f"{name} : {value}" for name, value in line.invalid])
        raise WrongLine(f"Invalid options for this command:\n{wrong}")
    if line.options.get("timeout") == 0:
        raise TimedOut("no time")
    if len(line.arguments) < command.minimum:
        raise WrongLine("not enough arguments.")
    if command.maximum is not None and len(line.arguments) > command.maximum:
        raise WrongLine("too many arguments.")
    command.run(Ctl(tool, line, environ), line.arguments)


def _wrong(tool: str, command: Command, line: Line, tokens: Sequence[str], error: WrongLine) -> int:
    from supersoniq.cli.ctl.help import usage

    given = " ".join(tokens)
    print(
        f"Error (argument validation): {error}\nArguments given:\n\t{given}\n\n{usage(tool, command)}\n",
        file=sys.stderr,
    )
    return error.exit_code


def _failed(line: Line, error: Exception) -> int:
    sys.stdout.flush()
    if isinstance(error, CtlError):
        print(error, file=sys.stderr)
        return error.exit_code
    if isinstance(error, TimedOut):
        milliseconds = int(line.options.get("timeout", TIMEOUT_SECONDS) * 1000)
        print(f"Error: operation {line.word} timed out. Timeout value used: {milliseconds}", file=sys.stderr)
        return TEMPORARY
    if isinstance(error, Unreachable):
        node = line.options.get("node") or f"rabbit@{socket.gethostname().partition('.')[0]}"
        print(f"Error: unable to perform an operation on node '{node}': {error}", file=sys.stderr)
        return UNAVAILABLE
    if isinstance(error, Refused):
        print(f"Error:\n{error}\n", file=sys.stderr)
        return UNAVAILABLE
    print(f"Error: {error}", file=sys.stderr)
    return USAGE


def main(tool: str) -> None:
    """Run the command line of this process as that tool, and leave with its exit code."""
    raise SystemExit(run(sys.argv[1:], tool))
