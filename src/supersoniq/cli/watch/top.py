"""`supersoniq top`: queues and connections as they are now, again and again."""

import sys
import time
from typing import Annotated, Any

from supersoniq.cli.nouns.connections import CONNECTIONS
from supersoniq.cli.nouns.queues import QUEUES
from supersoniq.cli.remote.call import Call
from supersoniq.cli.remote.cells import Column, Item, counted, number, rate, rows_of, size, value_at
from supersoniq.cli.remote.listing import in_order
from supersoniq.cli.remote.reading import alarms_of
from supersoniq.cli.remote.table import printable
from supersoniq.cli.remote.words import Command, Option

SORTS = {
    "rate": "message_stats.publish_details.rate",
    "out": "message_stats.deliver_get_details.rate",
    "messages": "messages",
    "ready": "messages_ready",
    "unacked": "messages_unacknowledged",
    "consumers": "consumers",
    "name": "name",
}
QUEUE_COLUMNS = tuple(column for column in QUEUES.columns if column.title not in ("state", "policy"))
CONNECTION_COLUMNS = tuple(
    column for column in CONNECTIONS.columns if column.title not in ("received", "sent")
)
# Lines that are no rows: totals, titles, headings.
OTHER_LINES = 9


def top(
    call: Call,
    sort: Annotated[str, Option(("--sort", "-s"), "Order of queues.", "COLUMN", tuple(SORTS))] = "rate",
    interval: Annotated[float, Option(("--interval", "-i"), "Seconds between two looks.", "SECONDS")] = 1.0,
    rows: Annotated[
        int | None, Option(("--rows", "-n"), "Queues and connections to show; what fits.", "COUNT")
    ] = None,
) -> None:
    """Show the busiest queues and connections until interrupted; once where there is no terminal."""
    if call.as_json:
        call.json(look(call, sort, rows or 20))
    elif not call.is_terminal:
        _print_once(look(call, sort, rows or 20))
    else:
        _live(call, sort, interval, rows)


def look(call: Call, sort: str, rows: int) -> Item:
    """What the node says now."""
    path = SORTS[sort]
    is_descending = sort != "name"
    query: dict[str, object] = {
        "sort": path,
        "sort_reverse": is_descending,
        "page": 1,
        "page_size": min(rows, 500),
    }
    connections = call.api.get(
        "connections", page=1, page_size=min(rows, 500), sort="recv_oct_details.rate", sort_reverse=True
    )
    return {
        "overview": call.api.get("overview"),
        "nodes": call.api.get("nodes"),
        # Servers differ in where they put what has no rate.
        "queues": in_order(call.api.get("queues", **query)["items"], path, is_descending),
        "connections": in_order(connections["items"], "recv_oct_details.rate", True),
    }


def summary(seen: Item) -> list[str]:
    """The lines above the tables."""
    overview, nodes = seen["overview"], seen["nodes"]
    messages, objects = overview.get("queue_totals", {}), overview.get("object_totals", {})
    rates = [
        f"{rate(value_at(overview, f'message_stats.{name}_details.rate') or 0)} {word}"
        for name, word in (("publish", "in"), ("deliver_get", "out"), ("ack", "acked"))
    ]
    memory = f"memory {size(nodes[0].get('mem_used'))}, disk free {size(nodes[0].get('disk_free'))}"
    alarms = [f"{alarm['alarm']} alarm: {alarm['why']}" for node in nodes for alarm in alarms_of(node)]
    nouns = ("connection", "channel", "queue", "consumer")
    counts = ", ".join([counted(objects.get(f"{noun}s", 0), noun) for noun in nouns])
    ready, unacked = messages.get("messages_ready", 0), messages.get("messages_unacknowledged", 0)
    return [
        f"{overview.get('node', '')}  {time.strftime('%H:%M:%S')}  {memory}",
        f"{counts}; messages: {number(ready)} ready, {number(unacked)} unacked; {', '.join(rates)}",
        *alarms,
    ]


def _print_once(seen: Item) -> None:
    from supersoniq.cli.remote.table import Heading, lines_of

    lines = summary(seen)
    for columns, items in ((QUEUE_COLUMNS, seen["queues"]), (CONNECTION_COLUMNS, seen["connections"])):
        headings = [Heading(column.title, column.is_number) for column in columns]
        lines += ["", *lines_of(headings, rows_of(items, columns), None)]
    sys.stdout.write("\n".join([*lines, ""]))


def _live(call: Call, sort: str, interval: float, rows: int | None) -> None:
    from rich.console import Console
    from rich.live import Live

    console = Console(markup=False, highlight=False)

    def fitting() -> int:
        return rows or max(3, (console.size.height - OTHER_LINES) // 2)

    def frame() -> Any:
        return render(look(call, sort, fitting()), fitting())

    with Live(frame(), console=console, screen=True, auto_refresh=False) as live:
        while True:
            time.sleep(interval)
            live.update(frame(), refresh=True)


def render(seen: Item, rows: int) -> Any:
    """The page as rich draws it."""
    from rich.console import Group
    from rich.text import Text

    lines: list[Any] = [
        Text(line, style="bold red" if "alarm:" in line else "bold") for line in summary(seen)
    ]
    for columns, items in ((QUEUE_COLUMNS, seen["queues"]), (CONNECTION_COLUMNS, seen["connections"])):
        lines += [Text(""), _table(columns, items[:rows])]
    return Group(*lines)


def _table(columns: tuple[Column, ...], items: list[Item]) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="reverse", expand=True)
    for column in columns:
        is_name = column is columns[0]
        table.add_column(
            column.title,
            justify="right" if column.is_number else "left",
            no_wrap=True,
            overflow="ellipsis",
            ratio=1 if is_name else None,
        )
    for row in rows_of(items, columns):
        table.add_row(*[printable(cell) for cell in row])
    return table


COMMAND: Command = top
