"""The same commands as typer's: for help, completion, and what to say about a mistake."""

import inspect
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

import typer

from supersoniq.cli.remote.completing import names_of
from supersoniq.cli.remote.registry import NOUNS, command_of_module, verbs_of
from supersoniq.cli.remote.running import all_words, call
from supersoniq.cli.remote.words import Argument, Command, Word


def typer_command(name: str) -> Any:
    """The command, or the group of verbs, of that name."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)
    if name not in NOUNS:
        command = command_of_module(name)
        app.command(name, help=command.__doc__)(_function(command))
        return typer.main.get_command(app)
    for verb, command in verbs_of(name).items():
        app.command(verb, help=command.__doc__)(_function(command))
    app.callback(help=_help(name))(_nothing)
    return typer.main.get_command(app)


def _nothing() -> None:
    """typer makes a group of a single verb only when there is a callback."""


def _help(noun: str) -> str:
    module = inspect.getmodule(next(iter(verbs_of(noun).values())))
    first = (inspect.getdoc(module) or "").partition("\n")[0]
    return first.partition(": ")[2][:1].upper() + first.partition(": ")[2][1:]


def _function(command: Command) -> Callable[..., None]:
    """A function with the signature that typer reads, which calls `command`."""

    def function(**values: Any) -> None:
        raise typer.Exit(call(command, values))

    parameters = [_parameter(word) for word in all_words(command)]
    function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    function.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return function


def _parameter(word: Word) -> inspect.Parameter:
    mark = word.mark
    completion = names_of(mark.completes) if mark.completes else None
    if isinstance(mark, Argument):
        info = typer.Argument(
            metavar=mark.metavar, help=mark.help, autocompletion=completion, show_default=False
        )
    else:
        metavar = mark.metavar or None
        show = word.default not in (None, "", (), False)
        info = typer.Option(
            *mark.names, help=mark.help, metavar=metavar, autocompletion=completion, show_default=show
        )
    default = inspect.Parameter.empty if word.is_required else word.default
    if isinstance(default, tuple):
        default = list(default)
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(word.name, kind, default=default, annotation=Annotated[_type(word), info])


def _type(word: Word) -> Any:
    kind: Any = word.kind
    choices: Sequence[str] = getattr(word.mark, "choices", ())
    if choices:
        kind = Literal[tuple(choices)]
    if word.is_many:
        kind = list[kind]
    return kind | None if word.is_optional else kind
