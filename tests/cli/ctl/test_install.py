"""Scripts by the names of RabbitMQ's tools."""

import os
import subprocess
from pathlib import Path

import pytest
from tests.cli.fake_node import FakeNode

from supersoniq.cli.ctl.running import run

TOOLS = ["rabbitmq-diagnostics", "rabbitmq-plugins", "rabbitmq-queues", "rabbitmqctl"]


def test_scripts_are_the_tools(node: FakeNode, environ: dict[str, str], tmp_path: Path) -> None:
    directory = tmp_path / "with space"
    directory.mkdir()
    assert run(["--install", str(directory)]) == 0
    assert sorted(path.name for path in directory.iterdir()) == TOOLS
    node.get("users", [{"name": "ann", "tags": []}])
    done = subprocess.run(
        [directory / "rabbitmqctl", "-q", "list_users"],
        env=environ | {"SUPERSONIQ_DATA_DIR": str(node.directory)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "user\ttags\nann\t[]\n", "")


def test_scripts_are_written_again(tmp_path: Path) -> None:
    assert [run(["--install", str(tmp_path)]) for _ in range(2)] == [0, 0]


def test_program_of_somebody_else_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "rabbitmqctl"
    other.write_text("#!/bin/sh\n")
    assert run(["--install", str(tmp_path)]) == 1
    assert other.read_text() == "#!/bin/sh\n"
    assert capsys.readouterr().err == f"supersoniq: {other} is somebody else's: it is left as it is\n"


@pytest.mark.parametrize("words", [[], ["a", "b"], ["--help"]])
def test_directory_is_needed(words: list[str]) -> None:
    assert run(["--install", *words]) == 2


def test_missing_directory_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--install", os.fspath(tmp_path / "no")]) == 1
    assert capsys.readouterr().err.endswith("rabbitmqctl cannot be written: no such file or directory\n")
