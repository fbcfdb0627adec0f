"""A table's row for each refused method, and what it takes to try one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from tests.conformance.codec import IDS, Basic, Channel, Connection, Method, Queue
from tests.conformance.names import Names
from tests.conformance.wire import Wire, WireChannel, channel_closed, connection_closed


@dataclass(frozen=True)
class Row:
    """Each of `arrange` succeeds; then `act` is answered with a close of a channel or the connection.

    "$q" and "$x" stand for the test's queue and exchange.
    """

    rule: tuple[str, str]
    act: Method
    code: int
    text: str
    arrange: tuple[Method, ...] = ()
    closes: str = "channel"

    @property
    def ids(self) -> tuple[int, int]:
        return IDS[self.act.name]


def declare(**more: Any) -> Method:
    return Queue.declare(queue="$q", **more)


def named(given: Any, names: Names) -> Any:
    """`given` with this test's names in place of "$q" and "$x", all the way down."""
    match given:
        case Method():
            return Method(given.name, named(given.fields, names), given.body, named(given.properties, names))
        case dict():
            return {key: named(value, names) for key, value in given.items()}
        case str():
            return given.replace("$q", names.q).replace("$x", names.x)
    return given


def arrange(ch: WireChannel, method: Method) -> None:
    ch >> method
    if method.name == "basic.publish":
        ch << Basic.ack()
    else:
        ch << Method(f"{method.name}_ok")


def label(row: Row) -> str:
    return f"{row.rule[0]}-{row.rule[1]}-{row.code}"


def table(*rows: Row) -> pytest.MarkDecorator:
    """Runs a test with each of `rows`."""
    marked = [pytest.param(row, id=label(row), marks=pytest.mark.rule(*row.rule)) for row in rows]
    return pytest.mark.parametrize("row", marked)


def check(row: Row, wire: Wire, ch: WireChannel, names: Names) -> None:
    """The refusal has the row's scope, code, text and ids, and the channel can be opened again."""
    for method in row.arrange:
        arrange(ch, named(method, names))
    ch >> named(row.act, names)
    text = named(row.text, names)
    if row.closes == "connection":
        wire << connection_closed(row.code, text, *row.ids)
        wire >> Connection.close_ok()
        return
    ch << channel_closed(row.code, text, *row.ids)
    ch >> Channel.close_ok()
    ch.call(Channel.open())
