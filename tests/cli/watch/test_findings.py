"""What is found wrong with a node, and what is not."""

from typing import Any

import pytest

from supersoniq.cli.watch.findings import (
    ERROR,
    WARNING,
    connection_findings,
    consumer_findings,
    node_findings,
    queue_findings,
    version_findings,
)

NODE = {
    "name": "n", "fd_used": 10, "fd_total": 65536, "mem_used": 10, "mem_limit": 100, "disk_free": 10_000,
    "disk_free_limit": 1000,
}  # fmt: skip
CONNECTION = {"name": "c", "user": "ann", "peer_host": "::1", "channels": 1, "state": "running"}
CHANNEL = {"name": "c (1)", "prefetch_count": 0, "global_prefetch_count": 0, "messages_unacknowledged": 0}
HOARDER = CHANNEL | {"messages_unacknowledged": 5000}
CONSUMER = {
    "queue": {"name": "q"}, "ack_required": True, "prefetch_count": 0, "channel_details": {"name": "c (1)"},
}  # fmt: skip
QUEUE = {"name": "q", "vhost": "/", "consumers": 0, "messages_ready": 5, "state": "running"}


def test_healthy_node_has_no_findings() -> None:
    assert node_findings(NODE) == []
    assert connection_findings([CONNECTION], {}) == []
    assert consumer_findings([CONSUMER | {"prefetch_count": 10}], [CHANNEL]) == []
    assert queue_findings([QUEUE]) == []


@pytest.mark.parametrize(
    ("changed", "level", "text"),
    [
        ({"mem_alarm": True}, ERROR, "memory alarm: 10 B used, the limit is 100 B"),
        ({"disk_free_alarm": True}, ERROR, "disk alarm: "),
        ({"fd_used": 60_000}, ERROR, "60,000 of 65,536 descriptors are open"),
        ({"fd_total": 1024}, WARNING, "only 1,024 descriptors may be open"),
        ({"mem_used": 90}, WARNING, "90 B of 100 B of memory are used"),
        ({"disk_free": 3000}, WARNING, "only 2.9 KiB of disk are free, the alarm comes at 1000 B"),
    ],
)
def test_limit_that_is_near_is_found(changed: dict[str, Any], level: str, text: str) -> None:
    findings = node_findings(NODE | changed)
    assert [finding.level for finding in findings] == [level]
    assert findings[0].what.startswith(text)
    assert findings[0].advice


@pytest.mark.parametrize(
    ("connections", "overview", "text"),
    [
        ([CONNECTION | {"channels": 500}], {}, "connections with more than 200 channels: ann@::1 (500)"),
        ([CONNECTION | {"channels": 0}] * 6, {}, "connections without a channel: ann@::1 (6)"),
        (
            [CONNECTION | {"state": "blocked", "user_provided_name": "mine"}],
            {},
            "publishers are blocked: mine",
        ),
        ([], {"churn_rates": {"channel_created_details": {"rate": 55.4}}}, "55 channels are opened a second"),
    ],
)
def test_leak_of_connections_is_found(connections: list[Any], overview: dict[str, Any], text: str) -> None:
    assert [finding.what for finding in connection_findings(connections, overview)] == [text]


@pytest.mark.parametrize(
    ("consumers", "channels", "text"),
    [
        ([CONSUMER, CONSUMER], [CHANNEL], "consumers with acks and no prefetch limit on: q"),
        ([], [HOARDER], "channels that hold more than 1,000 messages: c (1) (5,000)"),
    ],
)
def test_hoarder_is_found(consumers: list[Any], channels: list[Any], text: str) -> None:
    assert [finding.what for finding in consumer_findings(consumers, channels)] == [text]


def test_limit_of_the_channel_limits_the_consumer() -> None:
    assert consumer_findings([CONSUMER], [CHANNEL | {"global_prefetch_count": 5}]) == []
    assert consumer_findings([CONSUMER | {"ack_required": False}], [CHANNEL]) == []


def test_lonely_and_broken_queues_are_found() -> None:
    queues = [QUEUE | {"name": f"q{number}", "messages_ready": 20_000} for number in range(7)]
    findings = queue_findings([*queues, QUEUE | {"name": "b", "state": "crashed"}])
    assert findings[0].what.endswith("q4 in / (20,000) and 2 more")
    assert findings[1].what == "queues that do not run: b (crashed)"


@pytest.mark.parametrize(
    ("name", "version", "count"),
    [("SupersoniQ", "1.0", 0), ("SupersoniQ", "0.9", 1), ("RabbitMQ", "3.10.8", 0)],
)
def test_version_of_node_and_command_are_compared(name: str, version: str, count: int) -> None:
    assert len(version_findings({"product_name": name, "product_version": version}, "1.0")) == count
