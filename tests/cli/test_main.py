"""The `supersoniq` command: what is answered without typer, and how fast."""

import statistics
import subprocess
import sys
import time

from tests.cli.fake_node import FakeNode

# docs/cli.md has what is measured on a quiet machine; this one may have other things to do.
SECONDS_MAX = 1.5
LOADED = """
import sys
from supersoniq.cli.main import main
try: main()
finally: print(sorted({module.partition(".")[0] for module in sys.modules}), file=sys.stderr)
"""
WITHOUT_OTHERS = """
import importlib.metadata
importlib.metadata.distributions = lambda: exit("other packages are looked at")
from supersoniq.cli.main import main
main()
"""


def test_plain_call_loads_no_library(node: FakeNode, environ: dict[str, str]) -> None:
    node.get("queues", {"items": [], "page_count": 1})
    done = subprocess.run(
        [sys.executable, "-c", LOADED, "queues", "list", "--data-dir", str(node.directory)],
        capture_output=True, text=True, env=environ, check=True,
    )  # fmt: skip
    loaded = done.stderr.splitlines()[-1]
    heavy = (
        "typer",
        "rich",
        "pydantic",
        "dataclasses",
        "inspect",
        "email",
        "http",
        "ssl",
        "asyncio",
        "argparse",
    )
    assert [module for module in heavy if f"'{module}'" in loaded] == []


def test_call_is_fast(node: FakeNode, environ: dict[str, str]) -> None:
    node.get("queues", {"items": [{"name": f"q{number}"} for number in range(100)], "page_count": 1})
    seconds = []
    for _ in range(5):
        began = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "supersoniq", "queues", "--data-dir", str(node.directory)],
            stdout=subprocess.DEVNULL, env=environ, check=True,
        )  # fmt: skip
        seconds.append(time.monotonic() - began)
    assert statistics.median(seconds) < SECONDS_MAX


def test_typer_answers_the_rest(environ: dict[str, str]) -> None:
    for words, code in ((["queues", "--help"], 0), (["queues", "lsit"], 2)):
        done = subprocess.run(
            [sys.executable, "-m", "supersoniq", *words], capture_output=True, env=environ, check=False
        )
        assert (done.returncode, b"Traceback" in done.stderr) == (code, False)


def test_other_packages_are_not_looked_at(environ: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_OTHERS, "config"], capture_output=True, env=environ, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
