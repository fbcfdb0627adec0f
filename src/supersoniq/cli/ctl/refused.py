"""rabbitmqctl's words that have no meaning here: each says why, and what to do instead."""

from collections.abc import Callable

from supersoniq.cli.ctl.context import UNAVAILABLE, Command, Ctl

NO_ERLANG = "there is no Erlang here to evaluate it"
ONE_NODE = "this broker is one node: there is no cluster to join or leave"
ALL_GONE = "everything would be gone: stop the node, and remove its data directory if you want that"
REASONS = {
    "eval": f"{NO_ERLANG}: `supersoniq --help` lists what can be asked",
    "eval_file": NO_ERLANG,
    "exec": f"{NO_ERLANG}, nor Elixir",
    "reset": ALL_GONE,
    "force_reset": ALL_GONE,
    "force_boot": ONE_NODE,
    "join_cluster": ONE_NODE,
    "forget_cluster_node": ONE_NODE,
    "change_cluster_node_type": ONE_NODE,
    "rename_cluster_node": ONE_NODE,
    "update_cluster_nodes": ONE_NODE,
    "sync_queue": "queues are not mirrored",
    "cancel_sync_queue": "queues are not mirrored",
    "encode": "settings are not encrypted: put secrets into a file (`password_file`) or the environment",
    "decode": "settings are not encrypted",
    "suspend_listeners": "listeners cannot be suspended: stop the node, or block the port",
    "resume_listeners": "listeners cannot be suspended",
}


def _refusing(reason: str) -> Callable[[Ctl, list[str]], None]:
    def refuse(ctl: Ctl, arguments: list[str]) -> None:
        ctl.fail(reason, UNAVAILABLE)

    return refuse


COMMANDS = {
    word: Command(_refusing(reason), f"{word} ...", f"Refused: {reason}", 0, None)
    for word, reason in REASONS.items()
}
