"""`supersoniq doctor`: findings as lines, and the exit code."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Ask
from tests.cli.fake_node import FakeNode

from supersoniq.cli.remote.running import run

NODE = {"name": "n", "fd_used": 10, "fd_total": 65536}
CHECKS = [
    "configuration", "data directory", "node", "version", "clock", "certificates", "connections", "consumers",
    "queues",
]  # fmt: skip


@pytest.fixture(autouse=True)
def healthy(node: FakeNode, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    for path in ("connections", "channels", "queues", "consumers"):
        node.get(path, [])
    node.get("nodes", [NODE])
    node.get("overview", {"product_name": "RabbitMQ"})
    node.get("health/checks/certificate-expiration/30/days", {"status": "ok"})


def test_all_is_well(ask: Ask) -> None:
    assert ask("doctor") == (0, "".join([f"ok       {check}\n" for check in CHECKS]), "")
    assert ask("doctor", "--json").out == "[]\n"


@pytest.mark.parametrize(
    ("changed", "words", "code"),
    [
        ({"mem_alarm": True}, [], 1),
        ({"fd_total": 1000}, [], 0),
        ({"fd_total": 1000}, ["--strict"], 1),
    ],
)
def test_exit_code_says_how_bad_it_is(
    node: FakeNode, ask: Ask, changed: dict[str, Any], words: list[str], code: int
) -> None:
    node.get("nodes", [NODE | changed])
    said = ask("doctor", *words)
    assert said.code == code
    assert "         → " in said.out


def test_certificate_that_expires_is_a_warning(node: FakeNode, ask: Ask) -> None:
    path = "health/checks/certificate-expiration/30/days"
    node.answers["GET", path] = 503, {"status": "failed", "reason": "Certificates expiring"}
    found = json.loads(ask("doctor", "--json").out)
    assert found == [
        {
            "check": "certificates",
            "level": "warning",
            "what": "Certificates expiring",
            "advice": "renew them, then send the node SIGHUP",
        }
    ]


def test_check_that_cannot_be_made_is_an_error(node: FakeNode, ask: Ask) -> None:
    node.answers["GET", "consumers"] = 401, {"error": "x", "reason": "Not monitor user"}
    said = ask("doctor")
    assert said.code == 1
    assert "error    consumers: not allowed: Not monitor user\n" in said.out
    assert "ok       queues\n" in said.out


def test_without_a_node_there_is_one_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "d").mkdir(mode=0o700)
    assert run(["doctor", "--data-dir", str(tmp_path / "d")], {}) == 1
    out = capsys.readouterr().out
    assert out.count("error ") == 1
    assert "→ start it: `supersoniq serve`" in out


def test_clock_that_differs_is_a_warning(node: FakeNode, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "tests.cli.fake_node._Handler.date_time_string", lambda handler: "Fri, 01 Jan 2021 00:00:00 GMT"
    )
    assert "warning  clock: the clock of the node and the one here differ by " in ask("doctor").out
