"""`supersoniq health`: exit codes for probes."""

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Ask
from tests.cli.fake_node import FakeNode

from supersoniq.cli.remote.running import run

PATHS = ("alarms", "virtual-hosts", "protocol-listener/amqp")


@pytest.fixture(autouse=True)
def healthy(node: FakeNode) -> None:
    for path in PATHS:
        node.get(f"health/checks/{path}", {"status": "ok"})


def test_healthy_is_exit_code_0(ask: Ask) -> None:
    words = "healthy: no alarm is on, every virtual host runs, clients can connect\n"
    assert ask("health") == (0, words, "")
    assert ask("health", "--quiet") == (0, "", "")
    assert json.loads(ask("health", "--json").out)["healthy"] is True


@pytest.mark.parametrize("path", PATHS)
def test_failed_check_is_exit_code_1_with_its_reason(node: FakeNode, ask: Ask, path: str) -> None:
    node.answers["GET", f"health/checks/{path}"] = 503, {"status": "failed", "reason": "because"}
    assert ask("health", "--quiet") == (1, "", "unhealthy: because\n")
    assert json.loads(ask("health", "--json").out)["healthy"] is False


def test_node_that_does_not_answer_is_exit_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["health", "--data-dir", str(tmp_path / "none")], {}) == 1
    assert capsys.readouterr().err.startswith("unhealthy: no node runs on data directory ")


def test_refusal_is_no_health(node: FakeNode, ask: Ask) -> None:
    node.answers["GET", "health/checks/alarms"] = 401, {"error": "x", "reason": "Not monitor user"}
    assert ask("health") == (1, "", "unhealthy: not allowed: Not monitor user\n")
