"""`supersoniq status`."""

import json

import pytest
from tests.cli.conftest import Ask
from tests.cli.fake_node import FakeNode

OVERVIEW = {
    "cluster_name": "here", "node": "n", "product_name": "SupersoniQ", "product_version": "0.1.0",
    "object_totals": {"connections": 1, "channels": 2, "queues": 1000, "exchanges": 7, "consumers": 3},
    "queue_totals": {"messages_ready": 1500, "messages_unacknowledged": 5},
    "message_stats": {"publish_details": {"rate": 100.0}},
    "listeners": [{"protocol": "amqp", "ip_address": "::1", "port": 5672}],
}  # fmt: skip
NODE = {
    "name": "n", "uptime": 3_600_000, "os_pid": "77", "mem_used": 1024, "mem_limit": 4096, "disk_free": 10240,
    "disk_free_limit": 1024, "fd_used": 10, "fd_total": 1024, "db_dir": "/data",
}  # fmt: skip


@pytest.fixture(autouse=True)
def known(node: FakeNode) -> None:
    node.get("overview", OVERVIEW)
    node.get("nodes", [NODE])


def test_status_is_one_page(ask: Ask) -> None:
    said = ask("status")
    fields = dict(line.split(maxsplit=1) for line in said.out.splitlines())
    assert (said.code, fields["cluster"], fields["version"]) == (0, "here", "SupersoniQ 0.1.0")
    assert "running for  1 h\n" in said.out
    assert fields["alarms"] == "none"
    assert fields["memory"] == "1.0 KiB of 4.0 KiB"
    assert fields["listeners"] == "amqp [::1]:5672"
    assert fields["objects"] == "1 connection, 2 channels, 1,000 queues, 7 exchanges, 3 consumers"
    assert fields["messages"] == "1,505: 1,500 ready, 5 unacked"
    assert fields["rates"] == "100/s published, 0/s delivered, 0/s acked"


def test_alarm_is_shown(node: FakeNode, ask: Ask) -> None:
    node.get("nodes", [NODE | {"mem_alarm": True}])
    assert "memory: 1.0 KiB used, the limit is 4.0 KiB" in ask("status").out


def test_json_is_what_the_node_said(ask: Ask) -> None:
    assert json.loads(ask("status", "--json").out) == {"overview": OVERVIEW, "nodes": [NODE]}
