"""rabbitmqctl's words that change the running node, or stop it."""

import os
import time

from supersoniq.cli.ctl.context import SOFTWARE, UNAVAILABLE, USAGE, Command, Ctl, WrongLine
from supersoniq.cli.remote.api import ApiError, Missing, Unreachable

LEVELS = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency", "none")
STOP_SECONDS = 60.0
POLL_SECONDS = 0.05


def set_cluster_name(ctl: Ctl, arguments: list[str]) -> None:
    """set_cluster_name NAME"""
    ctl.banner(f"Setting cluster name to {arguments[0]} ...")
    ctl.api.put("cluster-name", body={"name": arguments[0]})
    ctl.ok()


def set_vm_memory_high_watermark(ctl: Ctl, arguments: list[str]) -> None:
    """set_vm_memory_high_watermark FRACTION | absolute BYTES"""
    if arguments[0] == "absolute":
        if len(arguments) < 2:
            raise WrongLine("not enough arguments.")
        limit = _size(arguments[1])
        ctl.banner(f"Setting memory threshold on {ctl.node} to {arguments[1]} bytes ...")
    else:
        if len(arguments) > 1:
            raise WrongLine("too many arguments.")
        fraction = _fraction(arguments[0])
        if fraction > 1:
            raise WrongLine("Bad argument: The threshold should be a fraction between 0.0 and 1.0")
        limit = f"{fraction * 100:f}%"
        ctl.banner(f"Setting memory threshold on {ctl.node} to {arguments[0]} ...")
    _set(ctl, memory_limit=limit)


def set_disk_free_limit(ctl: Ctl, arguments: list[str]) -> None:
    """set_disk_free_limit BYTES | mem_relative FRACTION"""
    if arguments[0] == "mem_relative":
        if len(arguments) < 2:
            raise WrongLine("not enough arguments.")
        fraction = _fraction(arguments[1])
        ctl.banner(f"Setting disk free limit on {ctl.node} to {arguments[1]} times the total RAM ...")
        limit = str(int(fraction * _memory_bytes()))
    else:
        if len(arguments) > 1:
            raise WrongLine("too many arguments.")
        limit = _size(arguments[0])
        ctl.banner(f"Setting disk free limit on {ctl.node} to {arguments[0]} bytes ...")
    _set(ctl, disk_free_limit=limit)


def set_log_level(ctl: Ctl, arguments: list[str]) -> None:
    """set_log_level LEVEL"""
    level = arguments[-1]
    if level not in LEVELS:
        ctl.fail(f"Error: level {level} not supported. Allowed: {', '.join(LEVELS)}", USAGE)
    ctl.banner(f'Setting log level to "{level}" ...')
    ours = {"notice": "info", "alert": "critical", "emergency": "critical", "none": "critical"}.get(
        level, level
    )
    _set(ctl, log_level=ours)


def _set(ctl: Ctl, **settings: object) -> None:
    try:
        ctl.api.put("node", "settings", body=settings)
    except Missing:
        ctl.fail("the node does not let this be changed over its API", UNAVAILABLE)
    ctl.ok()


def _fraction(text: str) -> float:
    try:
        fraction = float(text)
    except ValueError:
        raise WrongLine("Bad argument: The threshold should be an integer.") from None
    if fraction < 0:
        raise WrongLine("Bad argument: The threshold should be a fraction between 0.0 and 1.0")
    return fraction


def _size(text: str) -> str:
    """A size with RabbitMQ's units, of which KB is 1000 and KiB 1024 bytes, in bytes."""
    number = text.rstrip("kKmMgGtTiIbB")
    unit = text[len(number) :].lower()
    power = "kmgt".find(unit[:1]) + 1 if unit else 0
    if not number.isdigit() or (unit and unit not in _units()):
        raise WrongLine("Bad argument: Invalid units.")
    base = 1000 if unit.endswith("b") and not unit.endswith("ib") else 1024
    return str(int(number) * base**power)


def _units() -> list[str]:
    return [letter + end for letter in "kmgt" for end in ("", "b", "ib")]


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def stop(ctl: Ctl, arguments: list[str]) -> None:
    """stop [PIDFILE]"""
    try:
        ctl.banner(f"Stopping and halting node {ctl.node} ...")
        _stop(ctl)
    except Unreachable:
        if not ctl.options.get("idempotent"):
            raise
        ctl.message("Node is no longer running")


def shutdown(ctl: Ctl, arguments: list[str]) -> None:
    """shutdown"""
    pid = ctl.api.get("nodes")[0].get("os_pid", "")
    ctl.banner(f"Shutting down RabbitMQ node {ctl.node} running at PID {pid}")
    name = ctl.node
    if not ctl.options.get("wait", True):
        ctl.api.post("node", "stop")
        return
    ctl.banner(f"Waiting for PID {pid} to terminate")
    _stop(ctl)
    ctl.banner(f"RabbitMQ node {name} running at PID {pid} successfully shut down")


def _stop(ctl: Ctl) -> None:
    """Ask the node to stop, and wait until it has."""
    try:
        ctl.api.post("node", "stop")
    except Missing:
        ctl.fail("the node does not let itself be stopped over its API", UNAVAILABLE)
    ends_at = time.monotonic() + ctl.options.get("timeout", STOP_SECONDS)
    while time.monotonic() < ends_at:
        try:
            ctl.api.get("overview", columns="node")
        except Unreachable:
            return
        except ApiError:
            pass
        time.sleep(POLL_SECONDS)
    ctl.fail("the node did not stop in time", SOFTWARE)


def stop_app(ctl: Ctl, arguments: list[str]) -> None:
    """stop_app"""
    ctl.banner(f"Stopping rabbit application on node {ctl.node} ...")
    ctl.fail("broker and process are one here: `stop` stops both, `reset` is not needed", UNAVAILABLE)


def start_app(ctl: Ctl, arguments: list[str]) -> None:
    """start_app"""
    ctl.banner(f"Starting node {ctl.node} ...")
    ctl.api.get("overview", columns="node")
    ctl.ok()


def nothing(ctl: Ctl, arguments: list[str]) -> None:
    """Words for which there is nothing to be done."""
    ctl.api.get("overview", columns="node")
    ctl.ok()


COMMANDS = {
    "set_cluster_name": Command(set_cluster_name, "set_cluster_name <name>", "Sets the cluster name", 1, 1),
    "set_vm_memory_high_watermark": Command(
        set_vm_memory_high_watermark,
        "set_vm_memory_high_watermark <fraction> | absolute <value>",
        "Sets the memory limit, until the next start",
        1,
        2,
    ),
    "set_disk_free_limit": Command(
        set_disk_free_limit,
        "set_disk_free_limit <disk_limit> | mem_relative <fraction>",
        "Sets the limit of free disk space, until the next start",
        1,
        2,
    ),
    "set_log_level": Command(
        set_log_level, "set_log_level <log_level>", "Sets the log level, until the next start", 1, 2
    ),
    "stop": Command(stop, "stop [--idempotent] [<pidfile>]", "Stops the node", 0, 1, {"idempotent": bool}),
    "shutdown": Command(shutdown, "shutdown [--wait]", "Stops the node", switches={"wait": bool}),
    "stop_app": Command(stop_app, "stop_app", "Refused: broker and process are one here"),
    "start_app": Command(start_app, "start_app", "Does nothing: the broker runs as long as its process"),
    "rotate_logs": Command(nothing, "rotate_logs", "Does nothing: logs go to standard error"),
    "force_gc": Command(nothing, "force_gc", "Does nothing"),
}
