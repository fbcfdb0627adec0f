"""Metrics of the node itself, as families of prometheus_client: RabbitMQ's names, in groups as it has them.

`prefix` is `rabbitmq_`, or `rabbitmq_detailed_` on the page that selects groups.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

from prometheus_client import Metric
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    UnknownMetricFamily,
)

from supersoniq.broker.counters import SIZE_BOUNDS, SizeCounters
from supersoniq.broker.queues.stays import DELIVERY_BOUNDS, STAY_BOUNDS_MS
from supersoniq.broker.queues.timeline import Marks
from supersoniq.metrics.figures import Figures
from supersoniq.metrics.sampling import churn
from supersoniq.metrics.sources import Facts, Sources
from supersoniq.session.context import Context

AMQP: Final = "amqp091"
CHURN: Final = (
    ("connections_opened", "Total number of connections opened"),
    ("connections_closed", "Total number of connections closed or terminated"),
    ("channels_opened", "Total number of channels opened"),
    ("channels_closed", "Total number of channels closed"),
    ("queues_declared", "Total number of queues declared"),
    ("queues_created", "Total number of queues created"),
    ("queues_deleted", "Total number of queues deleted"),
)


def gauge(name: str, text: str, value: float, **labels: str) -> Metric:
    """Return a gauge with one sample."""
    family = GaugeMetricFamily(name, text, labels=list(labels))
    family.add_metric(list(labels.values()), value)
    return family


def counter(name: str, text: str, value: float, **labels: str) -> Metric:
    """Return a counter with one sample; `name` is without `_total`."""
    family = CounterMetricFamily(name, text, labels=list(labels))
    family.add_metric(list(labels.values()), value)
    return family


def histogram(
    name: str, text: str, bounds: Sequence[float], counts: Sequence[int], total: float, **labels: str
) -> Metric:
    """Return a histogram: `counts` are of each bucket by itself, of the one without a bound too."""
    family = HistogramMetricFamily(name, text, labels=list(labels))
    ends = [*[f"{bound:g}" for bound in bounds], "+Inf"]
    buckets = list(zip(ends, accumulate(counts), strict=True))
    family.add_metric(list(labels.values()), buckets, total)
    return family


def fact(name: str, text: str, **labels: str) -> Metric:
    """Return a sample of 1 whose labels say something."""
    family = UnknownMetricFamily(name, text)
    family.add_sample(name, labels, 1)
    return family


def identity(facts: Facts, endpoint: str) -> Iterator[Metric]:
    """Yield what every page has: dashboards join all other metrics with it."""
    yield fact(
        "rabbitmq_build_info",
        "RabbitMQ & Erlang/OTP version info",
        rabbitmq_version=facts.version,
        prometheus_plugin_version=facts.product_version,
        prometheus_client_version=facts.product_version,
        erlang_version=facts.runtime,
        product_name=facts.product,
        product_version=facts.product_version,
    )
    yield fact(
        "rabbitmq_identity_info",
        "RabbitMQ node & cluster identity info",
        rabbitmq_node=facts.node,
        rabbitmq_cluster=facts.cluster,
        rabbitmq_cluster_permanent_id=facts.cluster_id,
        rabbitmq_endpoint=endpoint,
    )


def alarms(context: Context) -> Iterator[Metric]:
    """Yield whether publishers wait, and for what."""
    reason = context.alarm.reason if context.alarm.is_on else b""
    found = (
        ("file_descriptor_limit", "file descriptor limit", False),
        ("free_disk_space_watermark", "free disk space watermark", b"disk" in reason),
        ("memory_used_watermark", "VM memory watermark", b"memory" in reason),
    )
    for name, what, is_on in found:
        family = UnknownMetricFamily(f"rabbitmq_alarms_{name}", f"is 1 if {what} alarm is in effect")
        family.add_metric([], is_on)
        yield family


def churn_metrics(prefix: str, sources: Sources) -> Iterator[Metric]:
    """Yield how many connections, channels and queues have come and gone."""
    for (name, text), value in zip(CHURN, churn(sources), strict=True):
        yield counter(prefix + name, text, value)


def node_coarse(prefix: str, figures: Figures) -> Iterator[Metric]:
    """Yield what the node uses."""
    yield gauge(f"{prefix}process_open_fds", "Open file descriptors", figures.fd_used)
    yield gauge(f"{prefix}process_open_tcp_sockets", "Open TCP sockets", figures.sockets_used)
    yield gauge(f"{prefix}process_resident_memory_bytes", "Memory used in bytes", figures.mem_used)
    yield gauge(f"{prefix}disk_space_available_bytes", "Disk space available in bytes", figures.disk_free)


def node_limits(prefix: str, sources: Sources) -> Iterator[Metric]:
    """Yield what the node may use, and how long it is up."""
    figures = sources.figures()
    seconds_up = (sources.now_ms() - sources.facts().started_at_ms) / 1000
    yield gauge(f"{prefix}process_max_fds", "Open file descriptors limit", figures.fd_total)
    yield gauge(f"{prefix}process_max_tcp_sockets", "Open TCP sockets limit", figures.sockets_total)
    yield gauge(f"{prefix}resident_memory_limit_bytes", "Memory high watermark in bytes", figures.mem_limit)
    yield gauge(
        f"{prefix}disk_space_available_limit_bytes",
        "Free disk space low watermark in bytes",
        figures.disk_free_limit,
    )
    yield gauge(f"{prefix}erlang_uptime_seconds", "Node uptime", seconds_up)


def persister(prefix: str, figures: Figures) -> Iterator[Metric]:
    """Yield what the store has read and written."""
    yield counter(f"{prefix}io_read_ops", "Total number of I/O read operations", figures.io_read_count)
    yield counter(f"{prefix}io_read_bytes", "Total number of I/O bytes read", figures.io_read_bytes)
    yield counter(f"{prefix}io_write_ops", "Total number of I/O write operations", figures.io_write_count)
    yield counter(f"{prefix}io_write_bytes", "Total number of I/O bytes written", figures.io_write_bytes)
    yield counter(f"{prefix}io_sync_ops", "Total number of I/O sync operations", figures.io_sync_count)
    yield counter(f"{prefix}io_sync_time_seconds", "Total I/O sync time", figures.io_sync_seconds)


def auth_attempts(prefix: str, context: Context) -> Iterator[Metric]:
    """Yield how many logins there were."""
    succeeded, failed = int(context.counters.auth_succeeded), int(context.counters.auth_failed)
    found = (
        ("auth_attempts", "Total number of authorization attempts", succeeded + failed),
        ("auth_attempts_succeeded", "Total number of successful authentication attempts", succeeded),
        ("auth_attempts_failed", "Total number of failed authentication attempts", failed),
    )
    for name, text, value in found:
        yield counter(prefix + name, text, value, protocol=AMQP)


def message_sizes(sizes: SizeCounters, count: int) -> Metric:
    """Return how large the bodies of `count` messages were that came from publishers."""
    small = max(count - sum(sizes.larger), 0)
    return histogram(
        "rabbitmq_message_size_bytes",
        "Size of messages received from publishers",
        SIZE_BOUNDS,
        [small, *sizes.larger],
        int(sizes.body_bytes),
        protocol=AMQP,
    )


def stalls(context: Context) -> Iterator[Metric]:
    """Yield how often the event loop stood still, and for how long."""
    counters = context.counters
    yield counter(
        "supersoniq_loop_stalls",
        "How often the event loop stood still for longer than loop_stall_ms",
        int(counters.stall_count),
    )
    yield counter("supersoniq_loop_stall_seconds", "For how long it stood still then", counters.stall_seconds)


def times_in_queues(marks: Marks) -> Iterator[Metric]:
    """Yield how long messages were in queues, and how often those were delivered that came back."""
    yield histogram(
        "supersoniq_queue_time_seconds",
        "Time in the queue until the first delivery, of about one message a second and queue",
        [bound / 1000 for bound in STAY_BOUNDS_MS],
        marks.stays.counts,
        int(marks.stays.sum_ms) / 1000,
    )
    yield histogram(
        "supersoniq_redelivered_message_deliveries",
        "Deliveries of messages that were acked after more than one",
        DELIVERY_BOUNDS,
        marks.retries.counts,
        int(marks.retries.sum_deliveries),
    )
