"""Metrics of the node itself."""

from collections.abc import Iterable

import pytest
from prometheus_client import Metric
from tests.metrics.bench import FACTS, ScriptSources
from tests.session.script import Node

from supersoniq.broker.queues.timeline import Marks
from supersoniq.metrics.figures import Figures
from supersoniq.metrics.node_metrics import (
    alarms,
    auth_attempts,
    churn_metrics,
    histogram,
    identity,
    message_sizes,
    node_coarse,
    node_limits,
    persister,
    stalls,
    times_in_queues,
)


@pytest.fixture
def node() -> Node:
    return Node()


def samples(metrics: Iterable[Metric]) -> dict[str, float]:
    """Values by name; of a bucket with its bound."""
    return {
        sample.name + (f" {sample.labels['le']}" if "le" in sample.labels else ""): sample.value
        for metric in metrics
        for sample in metric.samples
    }


@pytest.mark.parametrize(
    ("reason", "memory", "disk"), [(b"", 0, 0), (b"low on memory", 1, 0), (b"low on memory & disk", 1, 1)]
)
def test_alarms(node: Node, reason: bytes, memory: int, disk: int) -> None:
    node.context.alarm.is_on, node.context.alarm.reason = bool(reason), reason
    assert samples(alarms(node.context)) == {
        "rabbitmq_alarms_file_descriptor_limit": 0,
        "rabbitmq_alarms_free_disk_space_watermark": disk,
        "rabbitmq_alarms_memory_used_watermark": memory,
    }


def test_alarm_that_is_over_is_off(node: Node) -> None:
    node.context.alarm.reason = b"low on memory"
    assert not any(samples(alarms(node.context)).values())


def test_churn(node: Node) -> None:
    node.channel().client.session.lost()
    node.queue()
    found = samples(churn_metrics("rabbitmq_", ScriptSources(node)))
    assert found == {
        "rabbitmq_connections_opened_total": 1,
        "rabbitmq_connections_closed_total": 1,
        "rabbitmq_channels_opened_total": 1,
        "rabbitmq_channels_closed_total": 1,
        "rabbitmq_queues_declared_total": 1,
        "rabbitmq_queues_created_total": 1,
        "rabbitmq_queues_deleted_total": 0,
    }


def test_figures(node: Node) -> None:
    sources = ScriptSources(node)
    figures = sources.node_figures = Figures(
        mem_used=1, mem_limit=2, disk_free=3, disk_free_limit=4, fd_used=5, fd_total=6, sockets_used=7,
        sockets_total=8, io_write_bytes=9, io_sync_count=10, io_sync_seconds=0.5,
    )  # fmt: skip
    found = samples([*node_coarse("r_", figures), *node_limits("r_", sources), *persister("r_", figures)])
    assert found == {
        "r_process_resident_memory_bytes": 1,
        "r_resident_memory_limit_bytes": 2,
        "r_disk_space_available_bytes": 3,
        "r_disk_space_available_limit_bytes": 4,
        "r_process_open_fds": 5,
        "r_process_max_fds": 6,
        "r_process_open_tcp_sockets": 7,
        "r_process_max_tcp_sockets": 8,
        "r_erlang_uptime_seconds": (node.clock.now - FACTS.started_at_ms) / 1000,
        "r_io_read_ops_total": 0,
        "r_io_read_bytes_total": 0,
        "r_io_write_ops_total": 0,
        "r_io_write_bytes_total": 9,
        "r_io_sync_ops_total": 10,
        "r_io_sync_time_seconds_total": 0.5,
    }


def test_logins(node: Node) -> None:
    node.context.counters.auth_succeeded, node.context.counters.auth_failed = 5, 2
    assert samples(auth_attempts("rabbitmq_", node.context)) == {
        "rabbitmq_auth_attempts_total": 7,
        "rabbitmq_auth_attempts_succeeded_total": 5,
        "rabbitmq_auth_attempts_failed_total": 2,
    }


def test_identity_is_what_dashboards_join_with() -> None:
    build, node = identity(FACTS, "detailed")
    assert build.samples[0].labels["rabbitmq_version"] == "3.13.7"
    assert node.samples[0].name == "rabbitmq_identity_info"
    assert node.samples[0].labels == {
        "rabbitmq_node": "n@host",
        "rabbitmq_cluster": "c",
        "rabbitmq_cluster_permanent_id": "rabbitmq-cluster-id-x",
        "rabbitmq_endpoint": "detailed",
    }


def test_buckets_of_a_histogram_are_cumulative() -> None:
    assert samples([histogram("h", "text", [0.5, 10], [1, 2, 3], 99.0)]) == {
        "h_bucket 0.5": 1,
        "h_bucket 10": 3,
        "h_bucket +Inf": 6,
        "h_count": 6,
        "h_sum": 99.0,
    }


def test_small_messages_are_those_that_are_not_larger(node: Node) -> None:
    node.queue()
    node.channel().publish(b"a", b"b" * 100, b"c" * 500, b"d" * 5_000_000)
    found = samples([message_sizes(node.context.counters.sizes, 4)])
    buckets = {name: value for name, value in found.items() if "bucket" in name}
    assert buckets == {
        "rabbitmq_message_size_bytes_bucket 100": 2,
        "rabbitmq_message_size_bytes_bucket 1000": 3,
        "rabbitmq_message_size_bytes_bucket 10000": 3,
        "rabbitmq_message_size_bytes_bucket 100000": 3,
        "rabbitmq_message_size_bytes_bucket 1e+06": 3,
        "rabbitmq_message_size_bytes_bucket 1e+07": 4,
        "rabbitmq_message_size_bytes_bucket 5e+07": 4,
        "rabbitmq_message_size_bytes_bucket 1e+08": 4,
        "rabbitmq_message_size_bytes_bucket +Inf": 4,
    }
    assert found["rabbitmq_message_size_bytes_sum"] == 5_000_601


def test_times_in_queues_and_retries(node: Node) -> None:
    marks = Marks(node.clock)
    marks.stays.add(700)
    marks.retries.add(3)
    found = samples(times_in_queues(marks))
    assert found["supersoniq_queue_time_seconds_bucket 0.5"] == 0
    assert found["supersoniq_queue_time_seconds_bucket 1"] == 1
    assert found["supersoniq_queue_time_seconds_sum"] == 0.7
    assert found["supersoniq_redelivered_message_deliveries_bucket 2"] == 0
    assert found["supersoniq_redelivered_message_deliveries_bucket 3"] == 1


def test_stalls(node: Node) -> None:
    node.context.counters.stall_count, node.context.counters.stall_seconds = 3, 0.25
    assert samples(stalls(node.context)) == {
        "supersoniq_loop_stalls_total": 3,
        "supersoniq_loop_stall_seconds_total": 0.25,
    }
