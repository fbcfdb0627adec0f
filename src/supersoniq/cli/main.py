"""The `supersoniq` command of this process: plain calls of a node are answered at once, the rest by typer."""

import gc
import os
import sys

from supersoniq.cli.remote.registry import NOUNS, SINGLE

COMPLETION_VARIABLE = "_SUPERSONIQ_COMPLETE"


def main() -> None:
    """Run the command line of this process, and leave with the command's exit code."""
    tokens = sys.argv[1:]
    if tokens and tokens[0] == "ctl":
        from supersoniq.cli.ctl.running import run as run_ctl

        raise SystemExit(run_ctl(tokens[1:]))
    if tokens and COMPLETION_VARIABLE not in os.environ and (tokens[0] in NOUNS or tokens[0] in SINGLE):
        from supersoniq.cli.remote.running import run

        exit_code = run(tokens)
        if exit_code is not None:
            raise SystemExit(exit_code)
    if tokens[:1] == ["serve"]:
        gc.disable()  # until the node has started: so much is made, and none of it garbage
    # Otherwise pydantic reads of every package that is installed whether it has plugins for it.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from supersoniq.cli.app import main as typer_main

    typer_main()
