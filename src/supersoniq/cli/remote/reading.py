"""What the numbers of a node say, in words."""

from supersoniq.cli.remote.cells import Item, size


def alarms_of(node: Item) -> list[Item]:
    """The alarms of a node that are on, with the reason and what to do."""
    alarms = []
    if node.get("mem_alarm"):
        used, limit = size(node.get("mem_used")), size(node.get("mem_limit"))
        advice = "start consumers, purge or expire messages, or raise memory_limit"
        alarms.append({"alarm": "memory", "why": f"{used} used, the limit is {limit}", "advice": advice})
    if node.get("disk_free_alarm"):
        free, limit = size(node.get("disk_free")), size(node.get("disk_free_limit"))
        advice = "free space on the file system of the data directory, or lower disk_free_limit"
        alarms.append({"alarm": "disk", "why": f"{free} free, the limit is {limit}", "advice": advice})
    for alarm in node.get("alarms", []):
        if isinstance(alarm, dict) and alarm.get("resource") not in ("memory", "disk"):
            reason = str(alarm.get("reason", ""))
            alarms.append({"alarm": str(alarm.get("resource", "")), "why": reason, "advice": "see the log"})
    return [{"node": node.get("name", "")} | alarm for alarm in alarms]
