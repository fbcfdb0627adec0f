"""rabbitmq-queues' words."""

from supersoniq.cli.ctl.context import UNAVAILABLE, USAGE, Command, Ctl, Item, WrongLine
from supersoniq.cli.remote.api import Missing

PAGE = 1000


def peek(ctl: Ctl, arguments: list[str]) -> None:
    """peek QUEUE POSITION"""
    name, position = arguments
    if not position.isdigit() or int(position) < 1:
        raise WrongLine("Bad argument: position should be a number from 1 on")
    ctl.banner(f"Peeking at quorum queue {name} at position {position} on node {ctl.node} ...")
    message = _message(ctl, name, int(position))
    if message is None:
        ctl.fail("Target queue does not have a message at that position", UNAVAILABLE)
    columns = ["exchange", "routing_key", "payload"]
    rows = [["keys", "values"], *[[column, message.get(column, "")] for column in columns]]
    ctl.rows(["keys", "values"], rows[1:])


def _message(ctl: Ctl, name: str, number: int) -> Item | None:
    """The message of that number, the first of which is at the head of the queue."""
    after = 0
    while True:
        limit = min(number, PAGE)
        try:
            found = ctl.api.get("queues", ctl.vhost, name, "messages", after=after, limit=limit)
        except Missing:
            ctl.fail("not_found", UNAVAILABLE)
        messages: list[Item] = found["messages"]
        if len(messages) < limit:
            return None
        if number <= limit:
            return messages[number - 1]
        number, after = number - limit, found["after"]


def quorum_status(ctl: Ctl, arguments: list[str]) -> None:
    """quorum_status QUEUE"""
    name = arguments[0]
    ctl.banner(f"Status of quorum queue {name} on node {ctl.node} ...")
    try:
        queue = ctl.api.get("queues", ctl.vhost, name)
    except Missing:
        ctl.fail("not_found", UNAVAILABLE)
    if queue.get("type") != "quorum":
        ctl.fail("Cannot get quorum status of a classic queue", USAGE)
    ctl.rows(["Node Name", "Raft State"], [[ctl.node, "leader"]])


def check_if_node_is_quorum_critical(ctl: Ctl, arguments: list[str]) -> None:
    """check_if_node_is_quorum_critical"""
    ctl.banner(f"Checking if node {ctl.node} is critical for quorum of any quorum queues ...")
    text = f"Node {ctl.node} seems to be the only one in a single node cluster, the check does not apply"
    ctl.result({"result": "ok"}, text)


def rebalance(ctl: Ctl, arguments: list[str]) -> None:
    """rebalance"""
    ctl.banner("Re-balancing leaders of replicated queues...")
    ctl.ok()


COMMANDS = {
    "peek": Command(
        peek, "peek [--vhost <vhost>] <queue> <position>", "Shows a message without taking it", 2, 2
    ),
    "quorum_status": Command(
        quorum_status,
        "quorum_status [--vhost <vhost>] <queue>",
        "Displays the members of a quorum queue",
        1,
        1,
    ),
    "check_if_node_is_quorum_critical": Command(
        check_if_node_is_quorum_critical,
        "check_if_node_is_quorum_critical",
        "Passes: there is one node",
    ),
    "rebalance": Command(
        rebalance,
        "rebalance < all | classic | quorum | stream > [--vhost-pattern <p>] [--queue-pattern <p>]",
        "Does nothing: there is one node",
        0,
        None,
        {"vhost_pattern": str, "queue_pattern": str},
    ),
}
