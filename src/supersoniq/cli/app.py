"""The `supersoniq` command: its subcommands, each in a module of its own, imported when it is asked for.

To add one, write `cli/<name>.py` with `app = typer.Typer(add_completion=False, rich_markup_mode=None)`, and
put its name in COMMANDS. A module with one function is that command; with several, they are its
subcommands.
"""

import importlib
import importlib.util
import sys
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from supersoniq.cli.remote.registry import NOUNS, SINGLE

COMMANDS = (
    "serve", "ping", "perf", "data", "verify", "dump", "backup", "repair", "config", "version", "ctl",
)  # fmt: skip


class LazyCommands(TyperGroup):
    """Finds a command by importing its module: the others, and what they import, stay unloaded.

    typer keeps the types of contexts and commands to itself, hence Any.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        """The order of `supersoniq --help`."""
        return [*COMMANDS, *SINGLE, *NOUNS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command that the module `cmd_name` makes of its `app`; None for an unknown name."""
        if cmd_name in NOUNS or cmd_name in SINGLE:
            from supersoniq.cli.remote.typed import typer_command

            return typer_command(cmd_name)
        name = f"supersoniq.cli.{'ctl.typed' if cmd_name == 'ctl' else cmd_name}"
        if cmd_name not in COMMANDS or importlib.util.find_spec(name) is None:
            return None
        module = importlib.import_module(name)
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=LazyCommands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def supersoniq(
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    """An AMQP 0-9-1 message broker: fast, small, and at home with every RabbitMQ client."""
    if version:
        import supersoniq as package

        print(f"supersoniq {package.__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line of this process, and leave with the command's exit code."""
    app(prog_name="supersoniq")


def fail(message: str, exit_code: int) -> NoReturn:
    """Leave with `message` as one line on stderr. 1: it could not be done; 2: it was asked for wrongly."""
    print(f"supersoniq: {' '.join(message.split())}", file=sys.stderr)
    raise SystemExit(exit_code)
