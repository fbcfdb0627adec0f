"""`supersoniq data`: queues and files, of a running node too."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.directories import damage, directory

from supersoniq.cli.data import size

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_tables_show_queues_and_files(supersoniq: Run, tmp_path: Path) -> None:
    path = directory(tmp_path)
    done = supersoniq("data", str(path))
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == f"{path}: format 4, started 2 times, the last stop was orderly"
    rows = {words[0]: words[1:] for line in lines if (words := line.split())}
    assert rows["long"] == ["/", "33", "758", "B", "13", "20"]
    assert rows["segments/0000000001-0000000001"][:6] == ["long", "in", "/", "2", "10", "10"]
    assert "journal/0000000003" in rows


def test_json_has_the_same(supersoniq: Run, tmp_path: Path) -> None:
    shown = json.loads(supersoniq("data", str(directory(tmp_path)), "--json").stdout)
    assert shown["queues"][0]["name"] == "long"
    assert shown["was_stopped"] is True
    assert shown["totals"]["messages"] == 39


def test_running_node_is_shown(supersoniq: Run, serve: Callable[..., object], tmp_path: Path) -> None:
    path = tmp_path / "live"
    path.mkdir()
    serve("--data-dir", str(path))
    done = supersoniq("data", str(path))
    assert (done.returncode, done.stderr) == (0, "")
    assert "started" in done.stdout.splitlines()[0]


def test_damage_is_pointed_out(supersoniq: Run, tmp_path: Path) -> None:
    path = directory(tmp_path)
    damage(path / "journal" / "0000000001", b"both 2", b"BOTH 2")
    assert f"1 damaged place: see `supersoniq verify {path}`" in supersoniq("data", str(path)).stdout


def test_what_is_no_data_directory_is_one_line_and_exit_code_1(supersoniq: Run, tmp_path: Path) -> None:
    for name in ("nowhere", "."):
        done = supersoniq("data", name)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        assert done.stderr.startswith("supersoniq: ")


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (5 << 20, "5.0 MiB"), (3 << 40, "3.0 TiB")],
)
def test_sizes_are_for_people(count: int, text: str) -> None:
    assert size(count) == text
