"""One call of a command: the node that it asks, and how it answers."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple

from supersoniq.cli.remote.api import Api, Missing
from supersoniq.cli.remote.cells import Column, Item, rate, rows_of, stats, text
from supersoniq.cli.remote.endpoint import Where, locate
from supersoniq.cli.remote.table import BOLD, PLAIN, Heading, lines_of, printable
from supersoniq.cli.remote.words import Option

# What says nothing to an operator, but is there for tools that expect it.
INTERNAL = frozenset({"garbage_collection", "reductions", "open_files", "backing_queue_status"})


class WrongUse(Exception):
    """The command was asked for wrongly; the text is one line."""


class Failed(Exception):
    """The command could not do what it was asked for; the text is one line."""


class Common(NamedTuple):
    """The words that every command takes."""

    as_json: Annotated[bool, Option(("--json",), "Print JSON instead of a table.")] = False
    data_dir: Annotated[str, Option(("--data-dir",), "The data directory of the node.", "DIR")] = ""
    config: Annotated[
        str, Option(("--config",), "The node's TOML file; ./supersoniq.toml when not given.", "FILE")
    ] = ""
    url: Annotated[
        str,
        Option(
            ("--url",),
            "A management API instead of the data directory's socket, RabbitMQ's too: "
            "http://user:password@host:15672. Also SUPERSONIQ_URL.",
            "URL",
        ),
    ] = ""
    ca_file: Annotated[str, Option(("--ca-file",), "With https: certificates to trust.", "FILE")] = ""
    timeout: Annotated[float, Option(("--timeout",), "Seconds to wait for an answer.", "SECONDS")] = 30.0


class Call:
    """What a command gets beside its words."""

    def __init__(self, common: Common, environ: Mapping[str, str] | None = None) -> None:
        self.as_json = common.as_json
        self.timeout_seconds = common.timeout
        self.environ = os.environ if environ is None else environ
        self.where = Where(common.url, common.data_dir, common.config, common.ca_file)
        self._api: Api | None = None

    @property
    def api(self) -> Api:
        """The node's API; raises WrongEndpoint."""
        if self._api is None:
            self._api = Api(locate(self.where, self.environ), self.timeout_seconds)
        return self._api

    @property
    def is_terminal(self) -> bool:
        """A person reads the output."""
        return sys.stdout.isatty()

    def done(self, text: str, **fields: object) -> None:
        """Say in one line what was done; with --json as an object."""
        if self.as_json:
            print(json.dumps({"done": text, **fields}))
        else:
            print(text)

    def ask(self, question: str, is_answered: bool) -> None:
        """Have the operator confirm what cannot be undone; raises Failed if they do not.

        Scripts are not asked: only somebody at a terminal can answer.
        """
        if is_answered or self.as_json or not (sys.stdin.isatty() and self.is_terminal):
            return
        if input(f"{question} [y/N] ").strip().lower() not in ("y", "yes"):
            raise Failed("nothing was done")

    def show(self, items: Sequence[Item], columns: Sequence[Column]) -> None:
        """Print items as a table, or whole as JSON."""
        if self.as_json:
            self.json(items)
            return
        headings = [Heading(column.title, column.is_number) for column in columns]
        sys.stdout.write("\n".join([*lines_of(headings, rows_of(items, columns), self._width()), ""]))

    def show_one(self, item: Item) -> None:
        """Print the fields of one item as lines, or it whole as JSON."""
        if self.as_json:
            self.json(item)
            return
        rows = [[key, _shown(key, value)] for key, value in item.items() if key not in INTERNAL]
        rows = [row for row in rows if row[1]]
        width = max([len(row[0]) for row in rows], default=0)
        name, plain = (BOLD, PLAIN) if self.is_terminal else ("", "")
        for key, value in rows:
            print(f"{name}{key:<{width}}{plain}  {printable(value)}")

    def json(self, value: object) -> None:
        """Print JSON, for people with line breaks."""
        print(json.dumps(value, indent=2 if self.is_terminal else None, ensure_ascii=False))

    def note(self, text: str) -> None:
        """Say something beside the result."""
        print(text, file=sys.stderr)

    def _width(self) -> int | None:
        return os.get_terminal_size().columns if self.is_terminal else None

    def known(self, noun: str, name: str, parts: Sequence[str], **query: object) -> Any:
        """The object `name`, or a Missing that says what may have been meant.

        `parts` are its path, the last of which is the name.
        """
        try:
            return self.api.get(*parts, **query)
        except Missing as error:
            raise self.missing(noun, name, parts, error) from None

    def missing(self, noun: str, name: str, parts: Sequence[str], error: Missing) -> Missing:
        """The error that says which `noun` is not there, and which name is near."""
        from supersoniq.cli.remote.nearness import hint

        return Missing(404, error.error, f"no {noun} '{name}'{hint(self.api, name, parts)}")


def _shown(field: str, value: Any) -> str:
    """A field of an object: rates as such, and only where something moves."""
    if field == "message_stats":
        return stats(value)
    if field.endswith("_details") and isinstance(value, dict) and isinstance(value.get("rate"), int | float):
        return rate(value["rate"]) if value["rate"] else ""
    return text(value)
