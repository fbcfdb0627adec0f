"""The command line as a whole: what it lists, what it refuses, and that a command loads only itself."""

import subprocess
import sys
from collections.abc import Callable

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_help_lists_the_commands(supersoniq: Run) -> None:
    result = supersoniq("--help")
    assert result.returncode == 0
    commands = {"serve", "data", "verify", "dump", "backup", "repair", "config", "version"}
    assert commands <= set(result.stdout.split())


def test_unknown_command_is_exit_code_2_without_traceback(supersoniq: Run) -> None:
    result = supersoniq("sevre")
    assert result.returncode == 2
    assert "No such command 'sevre'" in result.stderr
    assert "Traceback" not in result.stderr


def test_version_flag_prints_one_line(supersoniq: Run) -> None:
    result = supersoniq("--version")
    assert (result.returncode, result.stdout.split()[0], result.stdout.count("\n")) == (0, "supersoniq", 1)


def test_version_loads_neither_broker_nor_settings() -> None:
    code = (
        "import sys, supersoniq.cli.app as a\n"
        "try: a.app(['version'])\n"
        "except SystemExit: pass\n"
        "heavy = {'supersoniq.node', 'supersoniq.config', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"
