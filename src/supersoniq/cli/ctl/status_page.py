"""What `rabbitmqctl status` and `cluster_status` show."""

import platform
from typing import Any

from supersoniq.cli.ctl.context import Ctl, Item
from supersoniq.cli.ctl.facts import alarms_of, gigabytes, listener_line, listeners_of, memory_of


def status_page(ctl: Ctl, overview: Item, node: Item, vhosts: int) -> list[str]:
    """The lines of `status`."""
    memory = memory_of(ctl, node)
    total = node.get("mem_used") or 0
    totals = overview.get("object_totals", {})
    listeners = [listener_line(listener) for listener in listeners_of(overview)]
    lines = [
        "Runtime",
        "",
        f"OS PID: {node.get('os_pid', '')}",
        f"OS: {platform.system()}",
        f"Uptime (seconds): {int(node.get('uptime') or 0) // 1000}",
        f"Is under maintenance?: {str(bool(node.get('being_drained'))).lower()}",
        f"RabbitMQ version: {overview.get('rabbitmq_version', '')}",
        "RabbitMQ release series support status: supported",
        f"Product: {overview.get('product_name', '')} {overview.get('product_version', '')}",
        f"Node name: {node['name']}",
        f"Erlang configuration: {overview.get('erlang_full_version', '')}",
        f"Erlang processes: {node.get('proc_used', 0)} used, {node.get('proc_total', 0)} limit",
        f"Scheduler run queue: {node.get('run_queue', 0)}",
    ]
    lines += _section("Plugins", [f" * {name}" for name in node.get("enabled_plugins", [])])
    lines += _section("Data directory", [f"Node data directory: {node.get('db_dir', '')}"])
    lines += _section("Config files", [f" * {name}" for name in node.get("config_files", [])])
    lines += _section("Log file(s)", [f" * {name}" for name in node.get("log_files", [])])
    lines += _section("Alarms", alarms_of(node) or ["(none)"])
    lines += _section(
        "Memory",
        [
            f"Total memory used: {gigabytes(total)}",
            f"Calculation strategy: {node.get('mem_calculation_strategy', 'rss')}",
            f"Memory high watermark setting: computed to: {gigabytes(node.get('mem_limit'))}",
            "",
            *memory_lines(memory, total),
        ],
    )
    fds = f"Total: {node.get('fd_used', 0)}, limit: {node.get('fd_total', 0)}"
    sockets = f"Sockets: {node.get('sockets_used', 0)}, limit: {node.get('sockets_total', 0)}"
    lines += _section("File Descriptors", [fds, sockets])
    low, free = gigabytes(node.get("disk_free_limit")), gigabytes(node.get("disk_free"))
    lines += _section(
        "Free Disk Space", [f"Low free disk space watermark: {low}", f"Free disk space: {free}"]
    )
    counts = [f"Connection count: {totals.get('connections', 0)}", f"Queue count: {totals.get('queues', 0)}"]
    lines += _section("Totals", [*counts, f"Virtual host count: {vhosts}"])
    return lines + _section("Listeners", listeners)


def memory_lines(memory: dict[str, int], total: int, unit: str = "gb", percent: str = " %") -> list[str]:
    """Each use of memory with its share."""
    divisor = {"gb": 1e9, "mb": 1e6, "kb": 1e3, "bytes": 1.0}.get(unit, 1e9)
    lines = []
    for name, count in memory.items():
        share = f" ({round(count * 100 / total, 2)}{percent})" if total else ""
        lines.append(f"{name}: {round(count / divisor, 4)} {unit}{share}")
    return lines


def status_result(ctl: Ctl, overview: Item, node: Item, vhosts: int) -> Item:
    """The JSON of `status`."""
    totals = overview.get("object_totals", {})
    used = node.get("mem_used") or 0
    return {
        "active_plugins": node.get("enabled_plugins", []),
        "alarms": alarms_of(node),
        "config_files": node.get("config_files", []),
        "data_directory": node.get("db_dir", ""),
        "disk_free": node.get("disk_free"),
        "disk_free_limit": node.get("disk_free_limit"),
        "erlang_version": overview.get("erlang_full_version", ""),
        "file_descriptors": {
            "total_used": node.get("fd_used", 0),
            "total_limit": node.get("fd_total", 0),
            "sockets_used": node.get("sockets_used", 0),
            "sockets_limit": node.get("sockets_total", 0),
        },
        "is_under_maintenance": bool(node.get("being_drained")),
        "listeners": listeners_of(overview),
        "log_files": node.get("log_files", []),
        "memory": memory_of(ctl, node) | {"strategy": "rss", "total": {"rss": used, "allocated": used}},
        "os": platform.system(),
        "pid": _number(node.get("os_pid")),
        "processes": {"used": node.get("proc_used", 0), "limit": node.get("proc_total", 0)},
        "product_name": overview.get("product_name", ""),
        "product_version": overview.get("product_version", ""),
        "rabbitmq_version": overview.get("rabbitmq_version", ""),
        "release_series_support_status": "supported",
        "run_queue": node.get("run_queue", 0),
        "totals": {
            "virtual_host_count": vhosts,
            "connection_count": totals.get("connections", 0),
            "queue_count": totals.get("queues", 0),
        },
        "uptime": int(node.get("uptime") or 0) // 1000,
        "vm_memory_calculation_strategy": "rss",
        "vm_memory_high_watermark_limit": node.get("mem_limit"),
        "vm_memory_high_watermark_setting": {"absolute": node.get("mem_limit")},
    }


def _number(text: Any) -> Any:
    return int(text) if str(text).isdigit() else text


def cluster_page(overview: Item, nodes: list[Item], flags: list[Item]) -> list[str]:
    """The lines of `cluster_status`."""
    names = [node["name"] for node in nodes]
    alarms = [alarm for node in nodes for alarm in alarms_of(node)]
    lines = ["Basics", "", f"Cluster name: {overview.get('cluster_name', '')}"]
    lines += _section("Disk Nodes", names)
    lines += _section("Running Nodes", names)
    lines += _section("Versions", [f"{name}: {_versions(overview)}" for name in names])
    lines += _section(
        "Maintenance status", [f"Node: {name}, status: not under maintenance" for name in names]
    )
    lines += _section("Alarms", alarms or ["(none)"])
    lines += _section("Network Partitions", ["(none)"])
    listeners = [f"Node: {item['node']}, {_lowered(listener_line(item))}" for item in listeners_of(overview)]
    lines += _section("Listeners", listeners)
    return lines + _section(
        "Feature flags", [f"Flag: {flag['name']}, state: {flag['state']}" for flag in flags]
    )


def _versions(overview: Item) -> str:
    return f"RabbitMQ {overview.get('rabbitmq_version', '')} on Erlang {overview.get('erlang_version', '')}"


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def cluster_result(overview: Item, nodes: list[Item], flags: list[Item]) -> Item:
    """The JSON of `cluster_status`."""
    names = [node["name"] for node in nodes]
    version = {
        "rabbitmq_name": "RabbitMQ",
        "rabbitmq_version": overview.get("rabbitmq_version", ""),
        "erlang_version": overview.get("erlang_version", ""),
    }
    return {
        "alarms": [alarm for node in nodes for alarm in alarms_of(node)],
        "cluster_name": overview.get("cluster_name", ""),
        "disk_nodes": names,
        "feature_flags": flags,
        "listeners": {name: listeners_of(overview) for name in names},
        "maintenance_status": dict.fromkeys(names, "not under maintenance"),
        "partitions": {},
        "ram_nodes": [],
        "running_nodes": names,
        "versions": dict.fromkeys(names, version),
    }


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", title, "", *lines]
