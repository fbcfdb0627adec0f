"""`supersoniq dump` as a command."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.cli.directories import damage, directory

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_messages_are_lines_of_json_in_order(supersoniq: Run, tmp_path: Path) -> None:
    done = supersoniq("dump", "long", "--data-dir", str(directory(tmp_path)))
    assert (done.returncode, done.stderr) == (0, "")
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    assert [message["position"] for message in messages] == list(range(3, 36))
    assert messages[0]["body"] == "both 2"
    assert messages[-1]["file"] == "segments/0000000001-0000000002"


def test_nothing_is_changed(supersoniq: Run, tmp_path: Path) -> None:
    path = directory(tmp_path)
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    supersoniq("dump", "long", "--data-dir", str(path))
    assert {file: file.read_bytes() for file in before} == before


def test_reader_may_leave_early(environ: dict[str, str], tmp_path: Path) -> None:
    path = directory(tmp_path)
    script = f"{sys.executable} -m supersoniq dump long --data-dir {path} | head -c 10"
    done = subprocess.run(
        ["/bin/sh", "-c", script], env=environ, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.stdout, done.stderr) == ('{"position', "")


def test_closed_stdout_is_no_traceback(environ: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "supersoniq", "dump", "long", "--data-dir", str(directory(tmp_path))]
    process = subprocess.Popen(
        command, env=environ | {"PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(30) == 0


def test_configured_directory_is_taken_where_none_is_given(supersoniq: Run, tmp_path: Path) -> None:
    path = directory(tmp_path)
    done = supersoniq("dump", "short", env={"SUPERSONIQ_DATA_DIR": str(path)})
    assert len(done.stdout.splitlines()) == 6


def test_unknown_queue_is_one_line_and_exit_code_1(supersoniq: Run, tmp_path: Path) -> None:
    path = directory(tmp_path)
    done = supersoniq("dump", "nothing", "--vhost", "other", "--data-dir", str(path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"supersoniq: no durable queue 'nothing' in vhost 'other' of {path}\n"


def test_missing_directory_is_one_line_and_exit_code_1(supersoniq: Run) -> None:
    done = supersoniq("dump", "long", "--data-dir", "nowhere")
    assert (done.returncode, done.stderr) == (1, "supersoniq: data directory nowhere does not exist\n")


def test_damage_is_said_behind_the_messages(supersoniq: Run, tmp_path: Path) -> None:
    path = directory(tmp_path)
    damage(path / "journal" / "0000000001", b"both 2", b"BOTH 2")
    done = supersoniq("dump", "long", "--data-dir", str(path))
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 32)
    assert done.stderr == f"supersoniq: 1 damaged place: see `supersoniq verify {path}`\n"
