"""`supersoniq backup` as a command; tests/faults/test_backup.py has the brokers that work meanwhile."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.cli.directories import damage, directory

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_copy_is_verified_and_counted(supersoniq: Run, tmp_path: Path) -> None:
    path = directory(tmp_path)
    done = supersoniq("backup", str(path), "copy")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("copy: 7 files, ")
    assert supersoniq("verify", "copy").returncode == 0


def test_destination_that_is_not_empty_is_one_line_and_exit_code_2(supersoniq: Run, tmp_path: Path) -> None:
    done = supersoniq("backup", str(directory(tmp_path)), ".")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "supersoniq: . is not empty\n")


def test_missing_directory_is_one_line_and_exit_code_1(supersoniq: Run) -> None:
    done = supersoniq("backup", "nowhere", "copy")
    assert (done.returncode, done.stderr) == (1, "supersoniq: data directory nowhere does not exist\n")


def test_damage_of_the_original_is_in_the_copy_and_exit_code_1(supersoniq: Run, tmp_path: Path) -> None:
    path = directory(tmp_path)
    damage(path / "journal" / "0000000001", b"both 2", b"BOTH 2")
    done = supersoniq("backup", str(path), "copy")
    assert done.returncode == 1
    assert done.stdout.startswith("journal/0000000001: 71 damaged bytes")
    assert done.stderr == f"supersoniq: copy has the damage that {path} has\n"
