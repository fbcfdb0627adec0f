"""rabbitmqctl's words that act on queues, connections and definitions."""

import json
import os
import sys
import time
from typing import Any

from supersoniq.cli.ctl.context import DATA, UNAVAILABLE, USAGE, Command, Ctl, Item, WrongLine
from supersoniq.cli.ctl.pids import matches
from supersoniq.cli.remote.api import Missing, Refused


def purge_queue(ctl: Ctl, arguments: list[str]) -> None:
    """purge_queue QUEUE"""
    ctl.banner(f"Purging queue '{arguments[0]}' in vhost '{ctl.vhost}' ...")
    try:
        ctl.api.delete("queues", ctl.vhost, arguments[0], "contents")
    except Missing:
        ctl.fail("not_found", UNAVAILABLE)
    ctl.ok()


def delete_queue(ctl: Ctl, arguments: list[str]) -> None:
    """delete_queue QUEUE"""
    name, if_empty, if_unused = arguments[0], ctl.options.get("if_empty"), ctl.options.get("if_unused")
    conditions = [
        text for text, is_set in (("queue is empty", if_empty), ("queue is unused", if_unused)) if is_set
    ]
    condition = f" if {' and if '.join(conditions)}" if conditions else ""
    ctl.banner(f"Deleting queue '{name}' on vhost '{ctl.vhost}'{condition} ...")
    parts = ("queues", ctl.vhost, name)
    try:
        queue = ctl.api.get(*parts)
        ctl.api.delete(*parts, if_empty=if_empty or None, if_unused=if_unused or None)
    except Missing:
        ctl.fail("Queue not found", USAGE)
    except Refused as error:
        reason = str(error)
        for word, text in (("in use", "Queue is in use"), ("not empty", "Queue is not empty")):
            if word in reason:
                ctl.fail(text, USAGE)
        raise
    count = queue.get("messages_ready") or 0
    ctl.message(f"Queue was successfully deleted with {count} ready messages")


def close_connection(ctl: Ctl, arguments: list[str]) -> None:
    """close_connection PID REASON"""
    pid, reason = arguments
    ctl.banner(f"Closing connection {pid}, reason: {reason}...")
    for item in ctl.api.listed("connections", columns="name"):
        if matches(pid, item["name"]) or item["name"] == pid:
            _close(ctl, item["name"], reason)
    ctl.ok()


def close_all_connections(ctl: Ctl, arguments: list[str]) -> None:
    """close_all_connections REASON"""
    is_all, limit = ctl.options.get("global"), ctl.options.get("limit", 0)
    where = "" if is_all else f" in vhost {ctl.vhost}"
    which = f"{limit} connections" if limit else "all connections"
    ctl.banner(f"Closing {which}{where}, reason: {arguments[0]}...")
    found = [item["name"] for item in ctl.api.listed("connections") if is_all or _is_in(item, ctl.vhost)]
    chosen = found[:limit] if limit else found
    _close_all(ctl, chosen, arguments[0])
    ctl.message(f"Closed {len(chosen)} connections")


def close_all_user_connections(ctl: Ctl, arguments: list[str]) -> None:
    """close_all_user_connections USER REASON"""
    user, reason = arguments
    ctl.banner(f"Closing connections of user {user}, reason: {reason}...")
    _close_all(
        ctl, [item["name"] for item in ctl.api.listed("connections") if item.get("user") == user], reason
    )
    ctl.ok()


def _is_in(item: Item, vhost: str) -> bool:
    return item.get("vhost") == vhost


def _close_all(ctl: Ctl, names: list[str], reason: str) -> None:
    delay_ms = ctl.options.get("per_connection_delay", 0)
    for name in names:
        _close(ctl, name, reason)
        if delay_ms:
            time.sleep(delay_ms / 1000)


def _close(ctl: Ctl, name: str, reason: str) -> None:
    """Close a connection, which may have gone by itself."""
    try:
        ctl.api.send("DELETE", ("connections", name), None, {}, {"X-Reason": reason})
    except Missing:
        return


def export_definitions(ctl: Ctl, arguments: list[str]) -> None:
    """export_definitions FILE"""
    _only_json(ctl)
    path = arguments[0]
    directory = os.path.dirname(os.path.abspath(path))
    if path != "-" and not os.path.isdir(directory):
        raise WrongLine(f"Bad argument: Directory {directory} does not exist", DATA)
    if path != "-":
        ctl.banner(f'Exporting definitions in JSON to a file at "{path}" ...')
    text = json.dumps(ctl.api.get("definitions"), separators=(",", ":"), ensure_ascii=False)
    if path == "-":
        sys.stdout.write(text)
        return
    try:
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        ctl.fail(f"File {path} cannot be written: {(error.strerror or str(error)).lower()}", DATA)


def import_definitions(ctl: Ctl, arguments: list[str]) -> None:
    """import_definitions [FILE]"""
    _only_json(ctl)
    path = arguments[0] if arguments else "-"
    if path != "-" and not os.path.isfile(path):
        raise WrongLine(f"Bad argument: File {path} does not exist", DATA)
    source = "standard input" if path == "-" else f'a file at "{path}"'
    ctl.banner(f"Importing definitions in JSON from {source} ...")
    ctl.api.post("definitions", body=_definitions(ctl, path))
    text = "Successfully started definition import. This process is asynchronous and can take some time.\n"
    if ctl.is_json:
        ctl.ok()
    else:
        ctl.banner(text)


def _definitions(ctl: Ctl, path: str) -> Any:
    try:
        if path == "-":
            return json.load(sys.stdin)
        with open(path, encoding="utf-8") as stream:
            return json.load(stream)
    except (OSError, ValueError) as error:
        ctl.fail(f"Failed to parse the file {path}: {' '.join(str(error).split())}", DATA)


def _only_json(ctl: Ctl) -> None:
    format_ = str(ctl.options.get("format", "json")).lower()
    if format_ == "erlang":
        raise WrongLine("Bad argument: Format should be json: Erlang's is not known here", DATA)
    if format_ != "json":
        raise WrongLine("Bad argument: Format should be either json or erlang", DATA)


COMMANDS = {
    "purge_queue": Command(
        purge_queue,
        "purge_queue [--vhost <vhost>] <queue>",
        "Purges a queue (removes all messages in it)",
        1,
        1,
    ),
    "delete_queue": Command(
        delete_queue,
        "delete_queue [--vhost <vhost>] <queue_name> [--if-empty|-e] [--if-unused|-u]",
        "Deletes a queue",
        1,
        1,
        {"if_empty": bool, "if_unused": bool},
        {"e": "if_empty", "u": "if_unused"},
    ),
    "close_connection": Command(
        close_connection,
        "close_connection <connection pid> <explanation>",
        "Closes a connection by its pid of list_connections, or by its name",
        2,
        2,
    ),
    "close_all_connections": Command(
        close_all_connections,
        "close_all_connections [--vhost <vhost> --limit <limit>] [-n <node> --global] "
        "[--per-connection-delay <delay>] <explanation>",
        "Closes all connections of a vhost, or of the node",
        1,
        1,
        {"global": bool, "limit": int, "per_connection_delay": int},
    ),
    "close_all_user_connections": Command(
        close_all_user_connections,
        "close_all_user_connections <username> <explanation>",
        "Closes all connections of a user",
        2,
        2,
    ),
    "export_definitions": Command(
        export_definitions,
        'export_definitions <file_path | "-"> [--format <json | erlang>]',
        "Exports definitions in JSON",
        1,
        1,
        {"format": str},
    ),
    "import_definitions": Command(
        import_definitions,
        'import_definitions <file_path | "-"> [--format <json | erlang>] [--skip-if-unchanged]',
        "Imports definitions in JSON",
        0,
        1,
        {"format": str, "skip_if_unchanged": bool},
    ),
}
