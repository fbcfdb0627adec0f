"""`supersoniq verify` as a command."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.cli.directories import damage, directory

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_whole_directory_is_exit_code_0(supersoniq: Run, tmp_path: Path) -> None:
    path = directory(tmp_path)
    done = supersoniq("verify", str(path))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{path}: no damage\n", "")


def test_damage_is_a_line_each_and_exit_code_1(supersoniq: Run, tmp_path: Path) -> None:
    path = directory(tmp_path)
    damage(path / "journal" / "0000000001", b"both 2", b"BOTH 2")
    (path / "segments" / "0000000001-0000000001").unlink()
    done = supersoniq("verify", str(path))
    assert (done.returncode, done.stderr) == (1, "")
    first, second, last = done.stdout.splitlines()
    assert first.startswith(
        "journal/0000000001: 71 damaged bytes at offset 427: a message of batch 3, queue 'long'"
    )
    assert second.startswith("segments/0000000001-0000000001: the segment is missing")
    assert last == f"{path}: 2 damaged places"


def test_running_node_can_be_verified(supersoniq: Run, serve: Callable[..., object], tmp_path: Path) -> None:
    path = tmp_path / "live"
    path.mkdir()
    serve("--data-dir", str(path))
    assert supersoniq("verify", str(path)).returncode == 0


def test_broken_format_is_named(supersoniq: Run, tmp_path: Path) -> None:
    path = directory(tmp_path)
    damage(path / "format", b"data", b"date")
    done = supersoniq("verify", str(path))
    assert done.returncode == 1
    assert done.stdout.startswith("format: says ")


def test_what_is_no_data_directory_is_one_line_and_exit_code_1(supersoniq: Run, tmp_path: Path) -> None:
    for name in ("nowhere", "."):
        done = supersoniq("verify", name)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
