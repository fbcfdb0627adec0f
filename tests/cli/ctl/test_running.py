"""From a command line to an exit code."""

import socket
from pathlib import Path

import pytest
from tests.cli.ctl.conftest import Ctl
from tests.cli.fake_node import FakeNode

from supersoniq.cli.ctl.running import run

USAGE = "Usage\n\nrabbitmqctl [--node <node>] [--longnames] [--quiet] delete_user <username>\n\n"


@pytest.mark.parametrize(
    ("tokens", "reason"),
    [
        (["delete_user"], "not enough arguments."),
        (["delete_user", "a", "b"], "too many arguments."),
        (["delete_user", "a", "--bogus"], "Invalid options for this command:\n--bogus : "),
        (["delete_user", "a", "-t", "x"], "Invalid options for this command:\n-t : x"),
    ],
)
def test_wrong_line_is_explained_with_the_usage(ctl: Ctl, tokens: list[str], reason: str) -> None:
    said = ctl(*tokens)
    assert (said.code, said.out) == (64, "")
    assert said.err.startswith(
        f"Error (argument validation): {reason}\nArguments given:\n\t{' '.join(tokens)}"
    )
    assert said.err.endswith(USAGE)


def test_unknown_word_hints_at_a_near_one(ctl: Ctl) -> None:
    said = ctl("list_user")
    assert (said.code, said.out) == (64, "")
    assert "Command 'list_user' not found." in said.err
    assert "Did you mean 'list_users'?" in said.err


def test_no_node_is_exit_code_69(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["list_users", "-n", "rabbit@gone", "--data-dir", str(tmp_path)], environ={}) == 69
    err = capsys.readouterr().err
    assert err.startswith(
        "Error: unable to perform an operation on node 'rabbit@gone': no node runs on data "
    )
    assert err.count("\n") == 1


def test_slow_node_is_exit_code_75(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "control.sock"))
        listener.listen()
        assert run(["list_users", "-t", "0.01", "--data-dir", str(tmp_path)], environ={}) == 75
    assert capsys.readouterr().err == "Error: operation list_users timed out. Timeout value used: 10\n"
    assert run(["list_users", "-t", "0", "--data-dir", str(tmp_path)], environ={}) == 75


def test_refusal_has_the_reason_of_the_node(ctl: Ctl, node: FakeNode) -> None:
    node.answers["GET", "users"] = 500, {"error": "x", "reason": "because"}
    assert ctl("list_users") == (69, "Listing users ...\n", "Error:\nbecause\n\n")


def test_wrong_url_is_exit_code_64(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["list_users", "--url", "nonsense"], environ={}) == 64
    assert "expected a URL" in capsys.readouterr().err


def test_first_word_may_be_another_tool(ctl: Ctl, node: FakeNode) -> None:
    node.get("nodes", [{"name": "rabbit@here"}])
    assert ctl("rabbitmq-diagnostics", "check_alarms", "-q").code == 0
    assert ctl("rabbitmq-plugins", "list_users").code == 64


def test_quiet_and_silent_leave_out_words(ctl: Ctl, node: FakeNode) -> None:
    node.get("users", [{"name": "ann", "tags": []}])
    assert ctl("list_users").out == "Listing users ...\nuser\ttags\nann\t[]\n"
    assert ctl("-q", "list_users").out == "user\ttags\nann\t[]\n"
    assert ctl("list_users", "--silent").out == "ann\t[]\n"
    assert ctl("list_users", "--formatter", "json").out == '[\n{"user":"ann","tags":[]}\n]\n'
    assert ctl("list_users", "--formatter", "xml").code == 64
