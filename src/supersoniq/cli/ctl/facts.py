"""What rabbitmqctl says of a node, read from the API's overview and nodes."""

from typing import Any

from supersoniq.cli.ctl.context import Ctl, Item

PURPOSES = {
    "amqp": "AMQP 0-9-1 and AMQP 1.0",
    "amqp/ssl": "AMQP 0-9-1 and AMQP 1.0 over TLS",
    "clustering": "inter-node and CLI tool communication",
    "http": "HTTP API",
    "https": "HTTP API over TLS (HTTPS)",
    "http/prometheus": "Prometheus exporter API over HTTP",
    "https/prometheus": "Prometheus exporter API over TLS (HTTPS)",
}
ALARM_NAMES = {"memory": "Memory", "disk": "Free disk space"}


def node_of(ctl: Ctl, nodes: list[Item]) -> Item:
    """The node that answers."""
    return next((node for node in nodes if node["name"] == ctl.node), nodes[0])


def listeners_of(overview: Item) -> list[Item]:
    """The listeners as rabbitmqctl's JSON has them, in its order."""
    found = [
        {
            "interface": _interface(str(item.get("ip_address", ""))),
            "node": item.get("node", overview.get("node", "")),
            "port": item.get("port"),
            "protocol": item.get("protocol"),
            "purpose": PURPOSES.get(str(item.get("protocol")), str(item.get("protocol"))),
        }
        for item in overview.get("listeners", [])
    ]
    return sorted(found, key=lambda item: (str(item["interface"]), item["port"]))


def _interface(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def listener_line(listener: Item) -> str:
    """A listener as a line."""
    interface, port, protocol = listener["interface"], listener["port"], listener["protocol"]
    return f"Interface: {interface}, port: {port}, protocol: {protocol}, purpose: {listener['purpose']}"


def alarms_of(node: Item) -> list[str]:
    """The alarms of a node, as rabbitmqctl words them."""
    found = []
    if node.get("mem_alarm"):
        found.append(f"Memory alarm on node {node['name']}")
    if node.get("disk_free_alarm"):
        found.append(f"Free disk space alarm on node {node['name']}")
    return found


def gigabytes(count: Any) -> str:
    """A number of bytes as `rabbitmqctl status` writes it."""
    return f"{round(int(count or 0) / 1e9, 4)} gb"


def memory_of(ctl: Ctl, node: Item) -> dict[str, int]:
    """What memory is used for, in bytes, the most first."""
    answer = ctl.api.get("nodes", node["name"], "memory")
    parts = answer.get("memory") if isinstance(answer, dict) else None
    if not isinstance(parts, dict):
        return {}
    numbers = {name: value for name, value in parts.items() if isinstance(value, int)}
    return dict(sorted(numbers.items(), key=lambda item: -item[1]))
