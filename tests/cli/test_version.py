"""`supersoniq version`, and the question it answers for others: is the core compiled?"""

import importlib
import subprocess
import sys
from collections.abc import Callable

from supersoniq.cli.version import CORE, core, is_compiled


def test_is_compiled_says_what_the_import_finds() -> None:
    file = importlib.import_module(CORE).__file__
    assert file is not None
    assert is_compiled() is (not file.endswith(".py"))


def test_version_prints_version_python_core_and_loop(
    supersoniq: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    result = supersoniq("version")
    lines = result.stdout.splitlines()
    assert lines[0].startswith("supersoniq ")
    assert f" {sys.version.split()[0]} " in lines[1]
    assert lines[2] == f"core: {core()}"
    assert lines[3] in ("event loop: uvloop", "event loop: asyncio")
