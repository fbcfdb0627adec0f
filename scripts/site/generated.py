"""The generated parts of the documentation: settings, commands and HTTP API, as Markdown."""

import importlib
import typing
from collections import Counter
from collections.abc import Callable
from itertools import groupby

from supersoniq.cli.app import app
from supersoniq.config import PREFIX, Settings
from supersoniq.management.resources.index import MODULES
from supersoniq.management.routes import Route

RESOURCES = "supersoniq.management.resources"
# So many routes have a parameter that lists have in common.
COMMON_MIN = 5
# The words for a route's level, which is who may ask.
WHO = {
    "ANYBODY": "anybody",
    "MANAGEMENT": "users with any tag",
    "POLICYMAKER": "`policymaker`",
    "MONITORING": "`monitoring`",
    "ADMINISTRATOR": "`administrator`",
}


def settings() -> str:
    """A table of all settings."""
    rows = [
        f"| `{name}` | `{PREFIX}{name.upper()}` | {_default(field.get_default(call_default_factory=True))} "
        f"| {_escaped(field.description or '')} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| setting | variable | default | meaning |", "|---|---|---|---|", *rows])


def commands() -> str:
    """The help of every command and subcommand, below a heading each."""
    import typer  # noqa: PLC0415  (its click is not always the one of that name)

    root = typer.main.get_command(app)
    parts: list[str] = []
    _describe(root, root.make_context("supersoniq", [], resilient_parsing=True), parts, 2)
    return "\n\n".join(parts)


def http_api() -> str:
    """The parameters that lists have in common, and a table of routes for each resource."""
    modules = sorted({name for names in MODULES.values() for name in names})
    routes = {name: importlib.import_module(f"{RESOURCES}.{name}").ROUTES for name in modules}
    asked = Counter(item for each in routes.values() for route in each for item in route.query.items())
    common = {name: text for (name, text), count in asked.items() if count >= COMMON_MIN}
    parts = ["Lists take these parameters, marked *list* below:\n", "| parameter | meaning |\n|---|---|"]
    parts += [f"| `{name}` | {_escaped(text)} |" for name, text in common.items()]
    for name, each in routes.items():
        parts.append(f"\n## {name.replace('_', ' ').capitalize()}\n\n| request | | who |\n|---|---|---|")
        parts += [
            _route(list(same), common) for _, same in groupby(each, lambda route: (route.path, route.summary))
        ]
    return "\n".join(parts)


def _route(same: list[Route], common: dict[str, str]) -> str:
    """A row for the methods of a path that do the same."""
    route = same[0]
    methods = ", ".join(each.method for each in same)
    is_list = bool(route.query.keys() & common.keys())
    own = "".join(f"; `?{name}=` {text}" for name, text in route.query.items() if name not in common)
    about = route.summary + (" *(list)*" if is_list else "") + own
    return f"| `{methods} /api{route.path}` | {_escaped(about)} | {WHO[route.level.name]} |"


GENERATORS: dict[str, Callable[[], str]] = {
    "settings": settings,
    "commands": commands,
    "http-api": http_api,
}


def _default(value: object) -> str:
    """The default as one writes it into the environment; a password is none of a reader's business."""
    if value is None or value in ("", [], {}):
        return "none"
    if isinstance(value, dict):
        return "`" + ",".join(f"{key}:{_shown(each)}" for key, each in value.items()) + "`"
    if isinstance(value, list | tuple):
        return "`" + ",".join(map(_shown, value)) + "`"
    return f"`{_shown(value)}`"


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


# click's types differ from release to release of typer, and it keeps them to itself.
def _describe(command: typing.Any, context: typing.Any, parts: list[str], depth: int) -> None:
    if context.parent is not None:
        parts.append(f"{'#' * depth} {context.command_path}")
        depth = 3
    parts.append(f"```text\n{command.get_help(context).rstrip()}\n```")
    for name in getattr(command, "list_commands", lambda _: [])(context):
        below = command.get_command(context, name)
        if below is not None and not below.hidden:
            inner = below.context_class(below, info_name=name, parent=context)
            _describe(below, inner, parts, depth)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("{", "&#123;")
