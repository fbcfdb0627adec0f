"""`supersoniq status`: one page about the node."""

from supersoniq.cli.remote.call import Call
from supersoniq.cli.remote.cells import Item, counted, number, rate, seconds, size, value_at
from supersoniq.cli.remote.reading import alarms_of
from supersoniq.cli.remote.words import Command


def status(call: Call) -> None:
    """Show what the node is, what it holds, and what is wrong with it."""
    overview, nodes = call.api.get("overview"), call.api.get("nodes")
    if call.as_json:
        call.json({"overview": overview, "nodes": nodes})
        return
    call.show_one({"cluster": overview.get("cluster_name", "")} | _node(overview, nodes) | _totals(overview))


def _node(overview: Item, nodes: list[Item]) -> Item:
    node = next((node for node in nodes if node["name"] == overview.get("node")), nodes[0])
    alarms = [f"{alarm['alarm']}: {alarm['why']}" for alarm in alarms_of(node)]
    listeners = [
        f"{item['protocol']} {_address(item)}"
        for item in overview.get("listeners", [])
        if item.get("protocol")
    ]
    return {
        "node": node["name"],
        "version": f"{overview.get('product_name', '')} {overview.get('product_version', '')}".strip(),
        "running for": seconds(node.get("uptime")),
        "process": str(node.get("os_pid", "")),
        "alarms": "; ".join(alarms) or "none",
        "memory": f"{size(node.get('mem_used'))} of {size(node.get('mem_limit'))}",
        "disk free": f"{size(node.get('disk_free'))}, alarm below {size(node.get('disk_free_limit'))}",
        "descriptors": f"{number(node.get('fd_used'))} of {number(node.get('fd_total'))}",
        "data": str(node.get("db_dir", "")),
        "listeners": ", ".join(dict.fromkeys(listeners)),
    }


def _address(listener: Item) -> str:
    host = str(listener.get("ip_address", ""))
    return f"{f'[{host}]' if ':' in host else host}:{listener.get('port')}"


def _totals(overview: Item) -> Item:
    objects = overview.get("object_totals", {})
    messages = overview.get("queue_totals", {})
    ready, unacked = messages.get("messages_ready", 0), messages.get("messages_unacknowledged", 0)
    rates = {
        "published": "message_stats.publish_details.rate",
        "delivered": "message_stats.deliver_get_details.rate",
        "acked": "message_stats.ack_details.rate",
    }
    names = ("connection", "channel", "queue", "exchange", "consumer")
    return {
        "objects": ", ".join([counted(objects.get(f"{name}s", 0), name) for name in names]),
        "messages": f"{number(ready + unacked)}: {number(ready)} ready, {number(unacked)} unacked",
        "rates": ", ".join([f"{rate(value_at(overview, path) or 0)} {name}" for name, path in rates.items()]),
    }


COMMAND: Command = status
