"""From words to exit codes."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Ask
from tests.cli.fake_node import FakeNode

from supersoniq.cli.remote.call import Call
from supersoniq.cli.remote.running import COMMON, call, run

DEFAULTS = {"as_json": False, "data_dir": "", "config": "", "url": "", "ca_file": "", "timeout": 1.0}


def test_done_is_exit_code_0(node: FakeNode, ask: Ask) -> None:
    node.get("vhosts", [{"name": "shop"}])
    said = ask("vhosts", "list")
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[1].split() == ["shop"]


def test_refusal_is_one_line_and_exit_code_1(node: FakeNode, ask: Ask) -> None:
    node.answers["GET", "vhosts"] = 400, {"error": "bad_request", "reason": "two\nlines"}
    assert ask("vhosts", "list") == (1, "", "supersoniq: two lines\n")


def test_no_node_is_one_line_and_exit_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["vhosts", "--data-dir", str(tmp_path)], {}) == 1
    assert capsys.readouterr().err == (
        f"supersoniq: no node runs on data directory {tmp_path}: name another with --data-dir, or a --url\n"
    )


def test_wrong_url_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["vhosts", "--url", "amqp://h"], {}) == 2
    assert capsys.readouterr().err.startswith("supersoniq: expected a URL as in ")


@pytest.mark.parametrize(
    "tokens", [["vhosts", "lits"], ["vhosts", "--help"], ["vhosts", "list", "-x"], ["no"], []]
)
def test_what_is_not_plain_is_left_to_typer(tokens: list[str]) -> None:
    assert run(tokens, {}) is None


def test_interrupt_is_exit_code_130() -> None:
    def interrupted(call: Call) -> None:
        raise KeyboardInterrupt

    assert call(interrupted, dict(DEFAULTS), {}) == 130


@pytest.mark.parametrize(("raised", "code"), [(3, 3), (None, 1)])
def test_exit_code_of_a_command_is_kept(raised: int | None, code: int) -> None:
    def leaving(call: Call) -> None:
        raise SystemExit(raised)

    assert call(leaving, dict(DEFAULTS), {}) == code


def test_common_words_reach_the_call() -> None:
    seen: list[Call] = []

    def command(call: Call) -> None:
        seen.append(call)

    call(command, DEFAULTS | {"as_json": True, "timeout": 5.0, "data_dir": "/d"}, {})
    assert (seen[0].as_json, seen[0].timeout_seconds, seen[0].where.data_dir) == (True, 5.0, "/d")
    assert COMMON not in DEFAULTS


def test_reader_that_has_seen_enough_is_no_error(node: FakeNode) -> None:
    node.get("vhosts", [{"name": f"vhost-{number}" * 20} for number in range(2000)])
    command = f"{sys.executable} -m supersoniq vhosts --data-dir {node.directory} | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout.split()[0] == "name"
    assert done.stderr == ""
