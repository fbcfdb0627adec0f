"""`supersoniq repair` as a command."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cli.directories import damage, directory

Run = Callable[..., subprocess.CompletedProcess[str]]
Serve = Callable[..., Any]


def test_whole_directory_needs_no_repair(supersoniq: Run, tmp_path: Path) -> None:
    path = directory(tmp_path)
    done = supersoniq("repair", str(path))
    assert (done.returncode, done.stdout) == (0, f"{path}: nothing is damaged\n")


def test_damaged_directory_starts_without_a_complaint_afterwards(
    supersoniq: Run, serve: Serve, tmp_path: Path
) -> None:
    path = directory(tmp_path)
    damage(path / "journal" / "0000000001", b"both 2", b"BOTH 2")
    damage(path / "segments" / "0000000001-0000000001", b"paged 18", b"PAGED 18")
    done = supersoniq("repair", str(path))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("set aside in damaged/") == 2
    assert done.stdout.endswith(f"{path}: repaired\n")
    assert supersoniq("verify", str(path)).returncode == 0
    process = serve("--data-dir", str(path))
    assert "damaged" not in process.log
    # One in two queues, and one in a page.
    assert "recovered 36 messages in 2 queues" in process.log


def test_running_node_is_one_line_and_exit_code_1(supersoniq: Run, serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "live"
    path.mkdir()
    process = serve("--data-dir", str(path))
    done = supersoniq("repair", str(path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"supersoniq: data directory {path} is in use by process {process.pid}\n"


def test_missing_directory_is_one_line_and_exit_code_1(supersoniq: Run) -> None:
    done = supersoniq("repair", "nowhere")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
