"""`supersoniq dump`: the messages of one queue, as lines of JSON."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from supersoniq.cli.app import fail
from supersoniq.cli.data import damaged_places

if TYPE_CHECKING:
    from supersoniq.storage.tools.snapshot import Snapshot

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def dump(
    queue: Annotated[str, typer.Argument(help="The name of a durable queue.")],
    data_dir: Annotated[
        Path | None, typer.Option(help="The data directory; that of `serve` when not given.")
    ] = None,
    vhost: Annotated[str, typer.Option(help="The virtual host of the queue.")] = "/",
) -> None:
    """Print what a node would recover of a queue: a JSON object per message, in order. Changes nothing."""
    from supersoniq.storage.directory import DataError
    from supersoniq.storage.tools.snapshot import snapshot_of

    directory = data_dir or _configured()
    try:
        with snapshot_of(directory) as snapshot:
            _print_messages(snapshot, directory, queue, vhost)
            sys.stdout.flush()
    except BrokenPipeError:
        # Who reads has seen enough. What is still buffered must not be tried again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except DataError as error:
        fail(str(error), 1)
    except OSError as error:
        fail(f"data directory {directory} cannot be read: {(error.strerror or str(error)).lower()}", 1)
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def _configured() -> Path:
    """The directory that `serve` would use."""
    from supersoniq.config import ConfigError, default_data_dir, load

    try:
        return load({}, config_file=None).settings.data_dir or default_data_dir(os.environ)
    except ConfigError as error:
        fail(str(error), 2)


def _print_messages(snapshot: "Snapshot", directory: Path, queue: str, vhost: str) -> None:
    import json

    from supersoniq.amqp.primitives import octets
    from supersoniq.storage.contents import read_contents
    from supersoniq.storage.tools.listing import as_json, messages_of, queue_numbers

    contents = read_contents(snapshot)
    number = queue_numbers(contents).get((vhost, octets(queue)))
    if number is None:
        fail(f"no durable queue '{queue}' in vhost '{vhost}' of {directory}", 1)
    for listed in messages_of(snapshot, contents, number):
        line = json.dumps(as_json(listed), ensure_ascii=False)
        sys.stdout.buffer.write(line.encode("utf-8", "backslashreplace") + b"\n")
    if contents.damages:
        sys.stdout.flush()
        fail(f"{damaged_places(len(contents.damages))}: see `supersoniq verify {directory}`", 1)
