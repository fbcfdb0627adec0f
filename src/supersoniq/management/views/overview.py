"""The node at a glance, and the node in detail."""

import os
import platform
from typing import Final

from supersoniq.broker.delays import DELAYED_KIND
from supersoniq.broker.exchanges.kinds import KINDS
from supersoniq.broker.totals import lengths_of, visible_queues
from supersoniq.broker.vhost import VHost
from supersoniq.management.context import Listener, ManagementContext
from supersoniq.management.views.common import Fields
from supersoniq.metrics.ranges import Ranges

PRODUCT: Final = "SupersoniQ"
# There is no Erlang; tools want to read something.
ERLANG_VERSION: Final = "none"
RETENTION: Final = {"global": [600, 3600, 28800, 86400], "basic": [600, 3600], "detailed": [600]}
MECHANISMS: Final = ("PLAIN", "AMQPLAIN", "EXTERNAL")
DESCRIPTIONS: Final = {
    "direct": "AMQP direct exchange, as per the AMQP specification",
    "fanout": "AMQP fanout exchange, as per the AMQP specification",
    "headers": "AMQP headers exchange, as per the AMQP specification",
    "topic": "AMQP topic exchange, as per the AMQP specification",
    "x-consistent-hash": "Consistent Hashing Exchange",
    DELAYED_KIND: "Delayed Message Exchange.",
    "x-modulus-hash": "Modulus Hashing Exchange",
    "x-random": "Randomly picks a binding (queue) to route via (to).",
    "x-recent-history": "Recent History Exchange.",
}


def exchange_types() -> list[Fields]:
    """Return the types of exchanges that there are."""
    kinds = sorted({*KINDS, DELAYED_KIND})
    return [{"name": kind, "description": DESCRIPTIONS.get(kind, kind), "enabled": True} for kind in kinds]


def listener_view(node: str, listener: Listener) -> Fields:
    """Return what is listened on."""
    return {
        "node": node,
        "protocol": listener.protocol,
        "ip_address": listener.host,
        "port": listener.port,
        "socket_opts": {},
    }


def context_view(node: str, listener: Listener) -> Fields:
    """Return a listener for HTTP as the application that it serves."""
    what = "Prometheus" if listener.protocol.endswith("prometheus") else "Management"
    return {
        "ssl_opts": [],
        "node": node,
        "description": f"RabbitMQ {what}",
        "path": "/",
        "cowboy_opts": "[]",
        "ip": listener.host,
        "port": str(listener.port),
    }


def _contexts(management: ManagementContext) -> list[Fields]:
    listeners = management.facts.listeners()
    node = management.facts.name
    return [context_view(node, each) for each in listeners if each.protocol.startswith("http")]


def product_view(management: ManagementContext) -> Fields:
    """Return what everybody may know."""
    facts = management.facts
    return {
        "management_version": facts.rabbitmq_version,
        "rates_mode": "basic",
        "sample_retention_policies": RETENTION,
        "exchange_types": exchange_types(),
        "product_version": facts.version,
        "product_name": PRODUCT,
        "rabbitmq_version": facts.rabbitmq_version,
        "cluster_name": management.cluster_name,
        "erlang_version": ERLANG_VERSION,
        "erlang_full_version": f"none, but Python {platform.python_version()}",
        "release_series_support_status": "supported",
        "disable_stats": False,
        "enable_queue_totals": False,
    }


def overview_view(management: ManagementContext, ranges: Ranges) -> Fields:
    """Return the node at a glance."""
    sampler, facts = management.sampler, management.facts
    connections = list(management.connections())
    vhosts = list(management.vhosts.values())
    return {
        **product_view(management),
        "message_stats": sampler.message_stats(ranges.msg_rates),
        "churn_rates": sampler.churn_rates(ranges.msg_rates),
        "queue_totals": sampler.queue_totals(ranges.lengths),
        "object_totals": {
            "channels": sum(len(each.channels) for each in connections),
            "connections": len(connections),
            **_objects(vhosts),
        },
        "statistics_db_event_queue": 0,
        "node": facts.name,
        "listeners": [listener_view(facts.name, each) for each in facts.listeners()],
        "contexts": _contexts(management),
    }


def narrow_overview_view(
    management: ManagementContext, ranges: Ranges, vhosts: list[VHost], user: str
) -> Fields:
    """Return the part of a node that a user sees who does not watch over it."""
    connections = [each for each in management.connections() if each.client.user == user]
    totals = lengths_of([queue for vhost in vhosts for queue in visible_queues(vhost)])
    objects = _objects(vhosts)
    del objects["consumers"]
    ready, unacked = int(totals.ready_count), int(totals.unacked_count)
    return {
        **product_view(management),
        "queue_totals": {
            "messages": ready + unacked,
            "messages_ready": ready,
            "messages_unacknowledged": unacked,
        },
        "object_totals": {
            "channels": sum(len(each.channels) for each in connections),
            "connections": len(connections),
            **objects,
        },
    }


def _objects(vhosts: list[VHost]) -> Fields:
    totals = lengths_of([queue for vhost in vhosts for queue in visible_queues(vhost)])
    return {
        "consumers": int(totals.consumer_count),
        "exchanges": sum(len(vhost.exchanges) for vhost in vhosts),
        "queues": int(totals.queue_count),
    }


def node_view(management: ManagementContext, ranges: Ranges) -> Fields:
    """Return the node in detail."""
    facts, figures, alarm = management.facts, management.sampler.figures, management.context.alarm
    stats = management.sampler.node_stats(ranges.node_stats)
    stats |= management.sampler.churn_rates(ranges.msg_rates)
    return {
        **stats,
        **_unused(),
        "name": facts.name,
        "running": True,
        "type": "disc",
        "being_drained": False,
        "partitions": [],
        "os_pid": str(os.getpid()),
        "uptime": facts.now_ms() - facts.started_at_ms,
        "processors": os.cpu_count() or 1,
        "rates_mode": "basic",
        "fd_total": figures.fd_total,
        "sockets_total": figures.sockets_total,
        "proc_total": figures.proc_total,
        "mem_limit": figures.mem_limit,
        "mem_alarm": alarm.is_on and b"memory" in alarm.reason,
        "mem_calculation_strategy": "rss",
        "disk_free_limit": figures.disk_free_limit,
        "disk_free_alarm": alarm.is_on and b"disk" in alarm.reason,
        "io_sync_avg_time": _average_ms(figures.io_sync_seconds, figures.io_sync_count),
        "exchange_types": exchange_types(),
        "auth_mechanisms": [
            {"name": name, "description": f"SASL {name}", "enabled": True} for name in MECHANISMS
        ],
        "applications": [{"name": "supersoniq", "description": PRODUCT, "version": facts.version}],
        "contexts": _contexts(management),
        "log_files": ["<stdout>"],
        "db_dir": facts.data_dir,
        "config_files": list(facts.config_files),
        "net_ticktime": 60,
        "enabled_plugins": ["rabbitmq_management", "rabbitmq_prometheus"],
        "cluster_links": [],
    }


def _average_ms(seconds: float, count: int) -> float:
    return seconds * 1000 / count if count else 0.0


def _unused() -> Fields:
    """Figures of Erlang's machine and of Mnesia, which tools expect."""
    names = ("context_switches", "gc_bytes_reclaimed", "mnesia_disk_tx_count", "mnesia_ram_tx_count")
    fields: Fields = {"run_queue": 0, "ra_open_file_metrics": {}, "metrics_gc_queue_length": {}}
    for name in names:
        fields[name] = 0
        fields[f"{name}_details"] = {"rate": 0.0}
    return fields
