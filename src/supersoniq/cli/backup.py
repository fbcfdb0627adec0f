"""`supersoniq backup`: a copy of a data directory that a node can start on."""

from pathlib import Path
from typing import Annotated

import typer

from supersoniq.cli.app import fail

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def backup(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The data directory.")],
    destination: Annotated[Path, typer.Argument(metavar="DEST", help="Empty, or not there yet.")],
) -> None:
    """Copy a data directory as it is at one moment, also while a node runs, and verify the copy."""
    from supersoniq.storage.directory import DataError
    from supersoniq.storage.tools.backup import DestinationError
    from supersoniq.storage.tools.backup import backup as copy

    try:
        copied = copy(directory, destination)
    except DestinationError as error:
        fail(str(error), 2)
    except DataError as error:
        fail(str(error), 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        fail(f"{destination} is no backup, it is not finished: {reason}", 1)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    for problem in copied.problems:
        print(problem)
    print(f"{destination}: {copied.files} files, {copied.bytes:,} bytes")
    if any([problem.is_damage for problem in copied.problems]):
        fail(f"{destination} has the damage that {directory} has", 1)
