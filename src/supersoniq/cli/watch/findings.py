"""What is wrong with a node, or will be, and what to do about it: judged from what the API says of it."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from supersoniq.cli.remote.cells import Item, number, size, value_at
from supersoniq.cli.remote.reading import alarms_of

ERROR, WARNING = "error", "warning"

FD_SHARE_MAX = 0.8
FD_TOTAL_MIN = 4096
MEMORY_SHARE_MAX = 0.8
DISK_MARGIN = 4  # times the limit
CHANNELS_MAX = 200  # of one connection
UNACKED_MAX = 1000  # of one channel
READY_MAX = 10_000  # of a queue without consumers
CHURN_MAX = 10.0  # connections or channels opened a second
CLOCK_SECONDS_MAX = 2.0
SHOWN_MAX = 5


class Finding(NamedTuple):
    """One thing that is not as it should be."""

    level: str
    what: str
    advice: str


def node_findings(node: Item) -> list[Finding]:
    """Alarms and limits of a node."""
    found = [
        Finding(ERROR, f"{alarm['alarm']} alarm: {alarm['why']}", alarm["advice"])
        for alarm in alarms_of(node)
    ]
    used, total = node.get("fd_used") or 0, node.get("fd_total") or 0
    if total and used > total * FD_SHARE_MAX:
        advice = "raise it (ulimit -n, LimitNOFILE= of systemd), or find what keeps connections open"
        found.append(Finding(ERROR, f"{number(used)} of {number(total)} descriptors are open", advice))
    elif total and total < FD_TOTAL_MIN:
        advice = "each connection and file needs one: raise it (ulimit -n, LimitNOFILE= of systemd)"
        found.append(Finding(WARNING, f"only {number(total)} descriptors may be open", advice))
    memory, limit = node.get("mem_used") or 0, node.get("mem_limit") or 0
    if limit and not node.get("mem_alarm") and memory > limit * MEMORY_SHARE_MAX:
        advice = "see which queues grow (`supersoniq top --sort messages`), or raise memory_limit"
        found.append(Finding(WARNING, f"{size(memory)} of {size(limit)} of memory are used", advice))
    free, low = node.get("disk_free"), node.get("disk_free_limit") or 0
    if isinstance(free, int) and low and low < free < low * DISK_MARGIN:
        advice = "free space, or publishers will be blocked"
        found.append(
            Finding(WARNING, f"only {size(free)} of disk are free, the alarm comes at {size(low)}", advice)
        )
    return found


def connection_findings(connections: list[Item], overview: Item) -> list[Finding]:
    """Connections that leak channels, and clients that open new ones all the time."""
    found = []
    crowded = [item for item in connections if (item.get("channels") or 0) > CHANNELS_MAX]
    if crowded:
        names = _names([f"{_who(item)} ({item['channels']})" for item in crowded])
        advice = "close channels after use, or share one a thread"
        found.append(Finding(WARNING, f"connections with more than {CHANNELS_MAX} channels: {names}", advice))
    empty = Counter([_who(item) for item in connections if item.get("channels") == 0])
    unused = {who: count for who, count in empty.items() if count >= SHOWN_MAX}
    if unused:
        names = _names([f"{who} ({count})" for who, count in unused.items()])
        found.append(
            Finding(WARNING, f"connections without a channel: {names}", "clients that open them in vain?")
        )
    for noun in ("connection", "channel"):
        churn = value_at(overview, f"churn_rates.{noun}_created_details.rate") or 0
        if churn > CHURN_MAX:
            advice = f"let clients keep a {noun} instead of opening one for each message"
            found.append(Finding(WARNING, f"{number(round(churn))} {noun}s are opened a second", advice))
    blocked = [_who(item) for item in connections if item.get("state") in ("blocked", "blocking")]
    if blocked:
        found.append(Finding(ERROR, f"publishers are blocked: {_names(blocked)}", "see the alarms"))
    return found


def consumer_findings(consumers: list[Item], channels: list[Item]) -> list[Finding]:
    """Consumers that may hold any number of messages, and channels that do."""
    found = []
    greedy = [item for item in consumers if item.get("ack_required") and not item.get("prefetch_count")]
    limited = {
        item["name"] for item in channels if item.get("global_prefetch_count") or item.get("prefetch_count")
    }
    greedy = [item for item in greedy if value_at(item, "channel_details.name") not in limited]
    if greedy:
        queues = _names(dict.fromkeys([str(value_at(item, "queue.name")) for item in greedy]))
        advice = "set a prefetch count (basic.qos): a slow consumer takes the whole queue into its memory"
        found.append(Finding(WARNING, f"consumers with acks and no prefetch limit on: {queues}", advice))
    hoarders = [item for item in channels if (item.get("messages_unacknowledged") or 0) > UNACKED_MAX]
    if hoarders:
        names = _names([f"{item['name']} ({number(item['messages_unacknowledged'])})" for item in hoarders])
        advice = "does the consumer ack? a lower prefetch count spreads the work"
        found.append(
            Finding(WARNING, f"channels that hold more than {number(UNACKED_MAX)} messages: {names}", advice)
        )
    return found


def queue_findings(queues: list[Item]) -> list[Finding]:
    """Queues that grow and nobody reads."""
    lonely = [
        item for item in queues if not item.get("consumers") and (item.get("messages_ready") or 0) > READY_MAX
    ]
    found = []
    if lonely:
        names = _names(
            [f"{item['name']} in {item['vhost']} ({number(item['messages_ready'])})" for item in lonely]
        )
        advice = "start consumers, purge, or set max-length or message-ttl by a policy"
        found.append(Finding(WARNING, f"queues without consumers that have messages: {names}", advice))
    broken = [
        f"{item['name']} ({item['state']})" for item in queues if item.get("state") in ("crashed", "down")
    ]
    if broken:
        found.append(Finding(ERROR, f"queues that do not run: {_names(broken)}", "see the log"))
    return found


def version_findings(overview: Item, installed: str) -> list[Finding]:
    """A node that runs another version than this command."""
    running = str(overview.get("product_version", ""))
    if overview.get("product_name") != "SupersoniQ" or running == installed:
        return []
    what = f"the node runs version {running}, installed is {installed}"
    return [Finding(WARNING, what, "restart the node, or use the command of its installation")]


def _who(connection: Item) -> str:
    """How people know a connection: by the name that the client gave, or by its user and host."""
    given = connection.get("user_provided_name")
    return str(given or f"{connection.get('user', '')}@{connection.get('peer_host', '')}")


def _names(names: Iterable[str]) -> str:
    listed = list(names)
    more = len(listed) - SHOWN_MAX
    return ", ".join(listed[:SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")
