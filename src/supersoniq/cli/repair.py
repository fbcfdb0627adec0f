"""`supersoniq repair`: sets aside what is damaged in a data directory, so that the rest can be used."""

from pathlib import Path
from typing import Annotated

import typer

from supersoniq.cli.app import fail

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def repair(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The data directory.")],
) -> None:
    """Move what is damaged to DIR/damaged and mend the rest; no node may run. Says what it does.

    Make a copy of the directory before, if there is room for one.
    """
    from supersoniq.storage.directory import DataError
    from supersoniq.storage.lock import LockError
    from supersoniq.storage.tools.repair import repair_directory

    try:
        done, left = repair_directory(directory)
    except (DataError, LockError) as error:
        fail(str(error), 1)
    except OSError as error:
        fail(f"data directory {directory} cannot be repaired: {(error.strerror or str(error)).lower()}", 1)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    for line in done:
        print(line)
    for problem in left:
        print(f"not repaired: {problem}")
    if left:
        raise SystemExit(1)
    print(f"{directory}: " + ("repaired" if done else "nothing is damaged"))
