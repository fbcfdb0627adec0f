"""rabbitmq-diagnostics' words."""

import json
import socket

import pytest
from tests.cli.ctl.conftest import NODE, Ctl
from tests.cli.fake_node import FakeNode

QUIET = {"name": NODE, "mem_used": 1000}
TOOL = "rabbitmq-diagnostics"


@pytest.fixture(autouse=True)
def known(ctl: Ctl, node: FakeNode, free_port: int) -> None:
    node.get("nodes", [QUIET])
    node.get(f"nodes/{NODE}/memory", {"memory": {"code": 250, "total": {"rss": 1000}}})
    node.get("health/checks/virtual-hosts", {"status": "ok"})
    node.get("health/checks/certificate-expiration/4/weeks", {"status": "ok"})
    node.get("node/log", ["one", "two"])
    listeners = [{"node": NODE, "protocol": "amqp", "ip_address": "127.0.0.1", "port": free_port}]
    node.get("overview", {"node": NODE, "rabbitmq_version": "3.13.7", "listeners": listeners})


@pytest.mark.parametrize(
    ("tokens", "lines"),
    [
        (
            ["alarms"],
            [
                "Asking node N to report any known resource alarms ...",
                "Node N reported no alarms, local or clusterwide",
            ],
        ),
        (
            ["check_alarms"],
            [
                "Asking node N to report any local resource alarms ...",
                "Node N reported no alarms, local or clusterwide",
            ],
        ),
        (
            ["check_local_alarms"],
            ["Asking node N to report any local resource alarms ...", "Node N reported no local alarms"],
        ),
        (
            ["check_running"],
            [
                "Checking if RabbitMQ is running on node N ...",
                "RabbitMQ on node N is fully booted and running",
            ],
        ),
        (
            ["check_virtual_hosts"],
            ["Checking if all vhosts are running on node N ...", "Node N reported all vhosts as running"],
        ),
        (
            ["check_certificate_expiration"],
            ["Checking certificate expiration on node N ...", "No certificates are expiring within 4 weeks."],
        ),
        (
            ["is_running"],
            ["Asking node N for its status ...", "RabbitMQ on node N is fully booted and running"],
        ),
        (["server_version"], ["Asking node N for its RabbitMQ version...", "3.13.7"]),
        (["memory_breakdown"], ["Reporting memory breakdown on node N...", "", "code: 0.0 gb (25.0%)"]),
        (["log_tail", "-N", "2"], ["Last 2 log lines on node N ...", "one", "two"]),
        (["log_location"], ["Log file location(s) on node N ...", "<stderr>"]),
        (
            ["check_protocol_listener", "amqp091"],
            [
                "Asking node N if there's an active listener for protocol amqp091 ...",
                "A listener for protocol amqp is running on node N.",
            ],
        ),
    ],
)
def test_answer_is_that_of_rabbitmq_diagnostics(ctl: Ctl, tokens: list[str], lines: list[str]) -> None:
    said = ctl(*tokens, tool=TOOL)
    assert (said.code, said.err) == (0, "")
    assert said.out.replace(NODE, "N").splitlines() == lines


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (["alarms"], {"alarms": [], "node": NODE, "result": "ok"}),
        (["check_alarms"], {"result": "ok"}),
        (["is_running"], {"message": f"RabbitMQ on node {NODE} is fully booted and running", "result": True}),
        (["server_version"], {"result": "ok", "value": "3.13.7"}),
        (["memory_breakdown"], {"code": {"bytes": 250, "percentage": 25.0}}),
        (["check_protocol_listener", "amqp"], {"node": NODE, "protocol": "amqp", "result": "ok"}),
    ],
)
def test_json_is_that_of_rabbitmq_diagnostics(ctl: Ctl, tokens: list[str], expected: object) -> None:
    assert json.loads(ctl(*tokens, "--formatter", "json", tool=TOOL).out) == expected


@pytest.mark.parametrize("word", ["check_alarms", "check_local_alarms"])
def test_alarm_is_exit_code_69(ctl: Ctl, node: FakeNode, word: str) -> None:
    node.get("nodes", [QUIET | {"disk_free_alarm": True}])
    said = ctl("-q", word, tool=TOOL)
    assert (said.code, said.out) == (69, "")
    assert said.err.endswith(f"Free disk space alarm on node {NODE}\n\n")
    assert ctl("-q", "alarms", tool=TOOL).out.endswith(f"Free disk space alarm on node {NODE}\n")


def test_listeners_are_told_and_tried(ctl: Ctl, free_port: int) -> None:
    assert ctl("-q", "listeners", tool=TOOL).out == (
        f"Interface: 127.0.0.1, port: {free_port}, protocol: amqp, purpose: AMQP 0-9-1 and AMQP 1.0\n"
    )
    assert ctl("check_port_listener", str(free_port), tool=TOOL).code == 0
    failed = ctl("-q", "check_port_connectivity", tool=TOOL)
    text = f"Error:\nConnection attempts to the following ports failed: {free_port}\n\n"
    assert (failed.code, failed.err) == (69, text)
    with socket.create_server(("127.0.0.1", free_port)):
        said = ctl("-q", "check_port_connectivity", tool=TOOL)
        assert said.out == f"Successfully connected to ports {free_port} on node {NODE}.\n"


@pytest.mark.parametrize(
    ("tokens", "code", "text"),
    [
        (
            ["check_port_listener", "1"],
            69,
            f"No listener for port 1 is active on node {NODE}. Found listeners ",
        ),
        (["check_port_listener", "x"], 65, "Bad argument: Argument must be a positive integer"),
        (
            ["check_protocol_listener", "mqtt"],
            69,
            f"No listener for protocol mqtt is active on node {NODE}. ",
        ),
    ],
)
def test_missing_listener_is_told(ctl: Ctl, tokens: list[str], code: int, text: str) -> None:
    said = ctl(*tokens, tool=TOOL)
    assert said.code == code
    assert text in said.err


def test_failed_check_has_the_reason_of_the_node(ctl: Ctl, node: FakeNode) -> None:
    failed = 503, {"status": "failed", "reason": "Certificates expiring"}
    node.answers["GET", "health/checks/certificate-expiration/1/days"] = failed
    said = ctl("-q", "check_certificate_expiration", "--within", "1", "--unit", "days", tool=TOOL)
    assert said == (69, "", "Error:\nCertificates expiring\n\n")
    node.answers["GET", "health/checks/virtual-hosts"] = failed
    assert ctl("check_virtual_hosts", tool=TOOL).code == 69


def test_node_that_keeps_its_log_is_told(ctl: Ctl, node: FakeNode) -> None:
    del node.answers["GET", "node/log"]
    assert ctl("log_tail", tool=TOOL).code == 69


def test_silence_is_kept(ctl: Ctl) -> None:
    assert ctl("-s", "check_running", tool=TOOL) == (0, "", "")
    assert ctl("is_booting", tool=TOOL).code == 0
    assert ctl("erlang_version", tool=TOOL).code == 0
