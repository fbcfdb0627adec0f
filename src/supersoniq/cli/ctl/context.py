"""One call of a command of rabbitmqctl: its options, the node's API, and the ways in which it answers."""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from supersoniq.cli.ctl.line import Line
from supersoniq.cli.ctl.output import FORMATTERS, MACHINE_READABLE, lines_of
from supersoniq.cli.ctl.terms import as_json
from supersoniq.cli.remote.api import Api, Missing
from supersoniq.cli.remote.endpoint import Where, locate

# What the operating system's sysexits.h calls them; rabbitmqctl leaves with them, too.
USAGE, DATA, NO_USER, UNAVAILABLE, SOFTWARE, TEMPORARY = 64, 65, 67, 69, 70, 75

Item = dict[str, Any]
TIMEOUT_SECONDS = 60.0


class CtlError(Exception):
    """The command ends with this exit code, and the text on standard error."""

    def __init__(self, exit_code: int, text: str) -> None:
        super().__init__(text)
        self.exit_code = exit_code


class WrongLine(Exception):
    """The command line is wrong; the text says why, and the usage of the command follows."""

    def __init__(self, text: str, exit_code: int = USAGE) -> None:
        super().__init__(text)
        self.exit_code = exit_code


class Command(NamedTuple):
    """One word: the function, how it is used, and what it takes."""

    run: "Callable[[Ctl, list[str]], None]"
    usage: str
    about: str
    minimum: int = 0
    maximum: int | None = 0  # None: any number
    switches: Mapping[str, type] = {}
    aliases: Mapping[str, str] = {}


class Ctl:
    """What a command gets beside its arguments."""

    def __init__(self, tool: str, line: Line, environ: Mapping[str, str] | None = None) -> None:
        self.tool = tool
        self.word = line.word
        self.options = line.options
        self.environ = os.environ if environ is None else environ
        formatter = str(self.options.get("formatter", ""))
        if formatter and formatter not in FORMATTERS:
            raise WrongLine(f"unknown formatter {formatter}: there are {', '.join(FORMATTERS)}")
        self.formatter = formatter
        self._api: Api | None = None
        self._node = str(self.options.get("node", ""))

    @property
    def api(self) -> Api:
        """The node's API."""
        if self._api is None:
            options = self.options
            where = Where(options.get("url", ""), options.get("data_dir", ""), options.get("config", ""))
            self._api = Api(locate(where, self.environ), self.timeout_seconds or None)
        return self._api

    @property
    def timeout_seconds(self) -> float:
        """What --timeout says, or the default."""
        return float(self.options.get("timeout", TIMEOUT_SECONDS))

    @property
    def vhost(self) -> str:
        """What --vhost says, or the default."""
        return str(self.options.get("vhost", "/"))

    @property
    def is_json(self) -> bool:
        """The output is JSON."""
        return self.formatter == "json"

    @property
    def node(self) -> str:
        """The name of the node: the one given, or that of the one that answers."""
        if not self._node:
            self._node = str(self.api.get("overview", columns="node")["node"])
        return self._node

    def banner(self, text: str) -> None:
        """Say what is about to be done, to people."""
        if self.formatter not in MACHINE_READABLE and not (self.is_quiet or self.is_silent):
            print(text)
            sys.stdout.flush()

    @property
    def is_quiet(self) -> bool:
        """--quiet is given."""
        return bool(self.options.get("quiet"))

    @property
    def is_silent(self) -> bool:
        """--silent is given."""
        return bool(self.options.get("silent"))

    def ok(self) -> None:
        """It is done; only JSON says so."""
        if self.is_json:
            print(_compact({"node": self.node, "result": "ok"}))

    def message(self, text: str, **fields: object) -> None:
        """The result is a text; JSON has it as `message`, or the fields instead."""
        print(_compact(fields or {"message": text}) if self.is_json else text)

    def result(self, value: object, text: str) -> None:
        """The result is an object: JSON has it as it is, people get the text."""
        print(_compact(value) if self.is_json else text)

    def rows(self, columns: Sequence[str], rows: Sequence[Sequence[Any]], is_streamed: bool = False) -> None:
        """Print a table. rabbitmqctl writes an empty one differently when it is `streamed` from the node."""
        if not rows and not is_streamed:
            print("[]" if self.is_json else "\n\n" if self.formatter == "csv" else "")
            return
        has_heading = self.options.get("table_headers", True) and not self.is_silent
        print(
            "\n".join(lines_of(self.formatter, columns, rows, bool(has_heading))),
            end="\n" if rows or self.is_json else "",
        )

    def fail(self, text: str, exit_code: int = UNAVAILABLE) -> NoReturn:
        """End with an error."""
        raise CtlError(exit_code, f"Error:\n{text}\n")

    def need_vhost(self) -> None:
        """End with rabbitmqctl's error when there is no such virtual host."""
        try:
            self.api.get("vhosts", self.vhost, columns="name")
        except Missing:
            raise CtlError(DATA, f"Virtual host '{self.vhost}' does not exist\n") from None

    def user(self, name: str, error: str, exit_code: int) -> Item:
        """The user of that name; ends with `error` when there is none."""
        try:
            found: Item = self.api.get("users", name)
        except Missing:
            self.fail(error, exit_code)
        return found


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def records(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[Item]:
    """The rows as objects."""
    return [dict(zip(columns, [as_json(value) for value in row], strict=True)) for row in rows]
