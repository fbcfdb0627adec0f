"""`supersoniq ctl --install DIR`: small scripts by the names of RabbitMQ's tools."""

import os
import shlex
import sys
from collections.abc import Sequence

from supersoniq.cli.ctl.registry import TOOLS

SCRIPT = """#!/bin/sh
# Written by `supersoniq ctl --install`: {tool} as SupersoniQ understands it.
exec {python} -P -c 'from supersoniq.cli.ctl.running import main; main("{tool}")' "$@"
"""


def install(words: Sequence[str]) -> int:
    """Write a script for each tool into a directory; other programs of these names are left alone."""
    if len(words) != 1 or words[0].startswith("-"):
        print("supersoniq: expected a directory: supersoniq ctl --install DIR", file=sys.stderr)
        return 2
    directory = words[0]
    for tool in TOOLS:
        path = os.path.join(directory, tool)
        try:
            if os.path.lexists(path) and not _is_ours(path):
                print(f"supersoniq: {path} is somebody else's: it is left as it is", file=sys.stderr)
                return 1
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(SCRIPT.format(tool=tool, python=shlex.quote(sys.executable)))
            os.chmod(path, 0o755)
        except OSError as error:
            print(
                f"supersoniq: {path} cannot be written: {(error.strerror or str(error)).lower()}",
                file=sys.stderr,
            )
            return 1
        print(path)
    return 0


def _is_ours(path: str) -> bool:
    with open(path, "rb") as stream:
        return b"supersoniq ctl --install" in stream.read(4096)
