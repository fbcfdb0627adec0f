"""`supersoniq verify`: is a data directory whole?"""

from pathlib import Path
from typing import Annotated

import typer

from supersoniq.cli.app import fail
from supersoniq.cli.data import damaged_places

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def verify(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The data directory.")],
) -> None:
    """Check every checksum, also while a node runs: a line per problem, exit code 1 if any is damage."""
    from supersoniq.storage.disk import SystemDisk
    from supersoniq.storage.tools.snapshot import Hold, Snapshot
    from supersoniq.storage.tools.verify import verify as find_problems

    if not directory.is_dir():
        fail(f"data directory {directory} does not exist", 1)
    if not (directory / "format").exists() and not (directory / "journal").exists():
        fail(f"{directory} is no data directory: it has no file format", 1)
    try:
        with Hold(directory):
            problems = find_problems(Snapshot(SystemDisk(directory)))
    except OSError as error:
        fail(f"data directory {directory} cannot be read: {(error.strerror or str(error)).lower()}", 1)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    for problem in problems:
        print(problem)
    damaged = sum([problem.is_damage for problem in problems])
    if damaged:
        print(f"{directory}: {damaged_places(damaged)}")
        raise SystemExit(1)
    print(f"{directory}: no damage")
