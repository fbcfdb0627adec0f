"""`supersoniq data`: what is in a data directory, by queue and by file."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from supersoniq.cli.app import fail

if TYPE_CHECKING:
    from rich.table import Table

    from supersoniq.storage.tools.inventory import Inventory

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def data(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The data directory.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Show the queues and files of a data directory, also while a node runs on it."""
    from supersoniq.storage.directory import DataError
    from supersoniq.storage.tools.inventory import take_inventory
    from supersoniq.storage.tools.snapshot import snapshot_of

    try:
        with snapshot_of(directory) as snapshot:
            inventory = take_inventory(snapshot)
    except DataError as error:
        fail(str(error), 1)
    except OSError as error:
        fail(f"data directory {directory} cannot be read: {(error.strerror or str(error)).lower()}", 1)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    if as_json:
        json.dump(inventory.as_json(), sys.stdout, indent=2)
        print()
    else:
        _print_tables(inventory, directory)


def _print_tables(inventory: "Inventory", directory: Path) -> None:
    from rich.console import Console

    # A pipe has no width of its own: this one is wide enough for grep to find a queue whole.
    console = Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else 250)
    console.print("\n".join(summary(inventory, directory)), soft_wrap=True)
    for table in (_queues(inventory), _journal(inventory), _segments(inventory)):
        if table.row_count:
            console.print()
            console.print(table)


def summary(inventory: "Inventory", directory: Path) -> list[str]:
    """The lines above the tables."""
    totals = inventory.totals
    times = "once" if inventory.starts == 1 else f"{inventory.starts} times"
    stop = "the last stop was orderly" if inventory.was_stopped else "a node runs, or did not stop in order"
    live, dead = size(totals["live_bytes"]), size(totals["dead_bytes"])
    lines = [
        f"{directory}: format {inventory.format}, started {times}, {stop}",
        f"{totals['messages']:,} messages ({size(totals['message_bytes'])}), "
        f"{len(inventory.queues):,} queues, "
        f"{inventory.exchanges:,} exchanges, {inventory.bindings:,} bindings, "
        f"{inventory.settings:,} settings",
        f"{size(totals['disk_bytes'])} on disk: {live} live, {dead} dead",
    ]
    if inventory.damages:
        lines.append(f"{damaged_places(inventory.damages)}: see `supersoniq verify {directory}`")
    return lines


def damaged_places(count: int) -> str:
    """How many places are damaged."""
    return f"{count} damaged {'place' if count == 1 else 'places'}"


def size(count: int) -> str:
    """A number of bytes for people."""
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


def _table(*columns: str) -> "Table":
    """A table whose first column is a name, and the others numbers unless they begin with `<`."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column(columns[0], overflow="fold")
    for column in columns[1:]:
        is_text = column.startswith("<")
        table.add_column(column.lstrip("<"), justify="left" if is_text else "right", no_wrap=not is_text)
    return table


def _queues(inventory: "Inventory") -> "Table":
    table = _table("queue", "<vhost", "messages", "bytes", "in journal", "in segments")
    for queue in inventory.queues:
        counts = [f"{count:,}" for count in (queue.messages, queue.journal_messages, queue.segment_messages)]
        table.add_row(queue.name, queue.vhost, counts[0], size(queue.bytes), *counts[1:])
    return table


def _journal(inventory: "Inventory") -> "Table":
    table = _table("journal", "size", "used", "live", "dead")
    for file in inventory.journal:
        sizes = [file.bytes, file.used_bytes, file.live_bytes, file.dead_bytes]
        table.add_row(file.path, *[size(count) for count in sizes])
    return table


def _segments(inventory: "Inventory") -> "Table":
    table = _table("segment", "<queue", "pages", "messages", "live", "size", "live", "dead")
    for segment in inventory.segments:
        counts = [segment.pages, segment.messages, segment.live_messages]
        sizes = [segment.bytes, segment.live_bytes, segment.dead_bytes]
        shown = [f"{count:,}" for count in counts] + [size(count) for count in sizes]
        table.add_row(segment.path, f"{segment.queue} in {segment.vhost}", *shown)
    return table
