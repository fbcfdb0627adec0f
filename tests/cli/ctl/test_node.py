"""rabbitmqctl's words about the node."""

import json
import os
from pathlib import Path

import pytest
from tests.cli.ctl.conftest import Ctl
from tests.cli.fake_node import FakeNode

from supersoniq.cli.ctl.running import run

RABBIT = {"name": "rabbit@here", "mem_used": 1000, "mem_limit": 4000, "os_pid": "77", "uptime": 61_000}


@pytest.fixture(autouse=True)
def known(node: FakeNode) -> None:
    node.get("nodes", [RABBIT])
    node.get("nodes/rabbit@here/memory", {"memory": {"code": 250, "total": {"rss": 1000}}})
    node.get("vhosts", [{"name": "/"}])
    node.get("vhosts//", {"name": "/"})
    node.get("feature-flags", [{"name": "quorum_queue", "state": "enabled"}])
    for path in ("queues//", "exchanges//", "bindings//", "connections", "channels", "policies//"):
        node.get(path, [])
    node.get("vhosts///permissions", [])


def test_status_is_a_page(ctl: Ctl) -> None:
    lines = ctl("status").out.splitlines()
    assert lines[:2] == ["Status of node rabbit@here ...", "Runtime"]
    for line in ("OS PID: 77", "Uptime (seconds): 61", "RabbitMQ version: 3.13.7", "Virtual host count: 1"):
        assert line in lines
    assert "code: 0.0 gb (25.0 %)" in lines
    assert lines[lines.index("Alarms") + 2] == "(none)"


def test_status_as_json(ctl: Ctl) -> None:
    status = json.loads(ctl("status", "--formatter", "json").out)
    assert (status["pid"], status["uptime"], status["rabbitmq_version"]) == (77, 61, "3.13.7")
    assert status["totals"] == {"virtual_host_count": 1, "connection_count": 0, "queue_count": 0}
    assert status["memory"]["total"] == {"rss": 1000, "allocated": 1000}


def test_cluster_is_one_node(ctl: Ctl) -> None:
    lines = ctl("cluster_status").out.splitlines()
    assert lines[lines.index("Running Nodes") + 2] == "rabbit@here"
    assert lines[-1] == "Flag: quorum_queue, state: enabled"
    found = json.loads(ctl("cluster_status", "--formatter", "json").out)
    assert found["running_nodes"] == ["rabbit@here"]


def test_ping_says_whether_the_node_is_there(
    ctl: Ctl, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ctl("ping").out.splitlines()[1] == "Ping succeeded"
    assert ctl("-q", "ping").out == "Ping succeeded\n"
    capsys.readouterr()
    assert run(["ping", "--data-dir", str(tmp_path / "no")], environ={}) == 69
    assert capsys.readouterr().err.startswith(
        "Error:\nFailed to connect and authenticate in 60000 ms: no node "
    )


def test_version_needs_no_node(ctl: Ctl, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ctl("version").out == "3.13.7\n"
    assert run(["version", "--data-dir", str(tmp_path / "no")], environ={}) == 0
    assert capsys.readouterr().out.strip()


def test_startup_is_awaited(ctl: Ctl, tmp_path: Path) -> None:
    assert ctl("await_startup") == (0, "", "")
    assert run(["await_startup", "-t", "0.01", "--data-dir", str(tmp_path / "no")], environ={}) == 75


def test_nodes_of_a_cluster_are_not_awaited(ctl: Ctl) -> None:
    assert ctl("await_online_nodes", "1").code == 0
    assert ctl("await_online_nodes", "2").code == 75
    assert ctl("await_online_nodes", "x").code == 64


def test_process_is_awaited_by_pid_or_file(ctl: Ctl, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    file.write_text(f"{os.getpid()}\n")
    out = ctl("wait", str(file)).out.splitlines()
    assert out[:2] == [f"Waiting for pid file '{file}' to appear", f"pid is {os.getpid()}"]
    assert out[-1] == "Applications 'rabbit_and_plugins' are running on node 'rabbit@here'"
    assert ctl("wait", "--pid", str(os.getpid())).code == 0
    gone = ctl("wait", "-P", "999999999")
    assert (gone.code, gone.err) == (69, "Error:\nprocess_not_running\n\n")
    late = ctl("wait", "-t", "0.01", str(tmp_path / "no"))
    assert (late.code, late.err) == (75, "Error: operation wait timed out. Timeout value used: 10\n\n")
    assert ctl("wait").code == 64
    assert ctl("wait", "f", "--pid", "1").code == 64


def test_old_health_check_says_what_is_wrong(ctl: Ctl, node: FakeNode) -> None:
    assert ctl("node_health_check").out.splitlines()[-1] == "Health check passed"
    node.get("nodes", [RABBIT | {"mem_alarm": True}])
    said = ctl("-q", "node_health_check")
    assert said.code == 70
    assert said.err.endswith("resource alarm(s) in effect:\nMemory alarm on node rabbit@here\n\n")


def test_feature_flags_are_all_enabled(ctl: Ctl) -> None:
    assert ctl("-q", "list_feature_flags").out == "name\tstate\nquorum_queue\tenabled\n"
    assert ctl("enable_feature_flag", "quorum_queue").code == 0
    assert ctl("enable_feature_flag", "all").out == "Enabling all feature flags ...\n"
    said = ctl("-q", "enable_feature_flag", "x")
    assert said == (64, "", "Error:\nThis feature flag is not supported by node rabbit@here\n\n")


def test_environment_and_report_are_whole(ctl: Ctl) -> None:
    assert "{vm_memory_high_watermark,{absolute,4000}}" in ctl("environment").out
    out = ctl("report").out
    for text in (
        "Status of node",
        "Cluster status",
        "Listing queues for vhost /",
        "Listing policies for vhost",
    ):
        assert text in out
