"""`supersoniq ctl` among typer's commands, for the list of commands and for completion; it parses nothing."""

from typing import Annotated, Any

import typer

from supersoniq.cli.ctl.registry import words_of
from supersoniq.cli.ctl.running import run

app = typer.Typer(add_completion=False, rich_markup_mode=None)


def words(incomplete: str) -> list[str]:
    """The words of rabbitmqctl that begin so."""
    return [word for word in words_of("rabbitmqctl") if word.startswith(incomplete)]


@app.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
def ctl(
    tokens: Annotated[
        list[str] | None, typer.Argument(metavar="WORD…", help="As for rabbitmqctl.", autocompletion=words)
    ] = None,
) -> Any:
    """Understand rabbitmqctl's words and flags; `--install DIR` writes scripts by the names of its tools."""
    raise typer.Exit(run(tokens or []))
