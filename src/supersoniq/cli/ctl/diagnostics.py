"""rabbitmq-diagnostics' words: health checks, listeners, memory, the log."""

import socket
from typing import Any

from supersoniq.cli.ctl.context import DATA, UNAVAILABLE, Command, Ctl, CtlError, WrongLine
from supersoniq.cli.ctl.facts import alarms_of, listener_line, listeners_of, memory_of, node_of
from supersoniq.cli.ctl.status_page import memory_lines
from supersoniq.cli.remote.api import Missing, Refused

LOG_LINES = 50
# What else a protocol is called, by the name that its listener has.
PROTOCOLS = {
    "amqp091": "amqp", "amqp0.9.1": "amqp", "amqp10": "amqp", "amqp1.0": "amqp", "amqps": "amqp/ssl",
    "prometheus": "http/prometheus",
}  # fmt: skip


def alarms(ctl: Ctl, arguments: list[str]) -> None:
    """alarms"""
    ctl.banner(f"Asking node {ctl.node} to report any known resource alarms ...")
    found = _alarms(ctl)
    text = f"Node {ctl.node} reported no alarms, local or clusterwide"
    if found:
        text = "\n".join([f"Node {ctl.node} reported the following alarms:", "", *found])
    ctl.result({"alarms": found, "node": ctl.node, "result": "ok"}, text)


def check_alarms(ctl: Ctl, arguments: list[str]) -> None:
    """check_alarms"""
    _check_alarms(ctl, "no alarms, local or clusterwide")


def check_local_alarms(ctl: Ctl, arguments: list[str]) -> None:
    """check_local_alarms"""
    _check_alarms(ctl, "no local alarms")


def _check_alarms(ctl: Ctl, none: str) -> None:
    ctl.banner(f"Asking node {ctl.node} to report any local resource alarms ...")
    found = _alarms(ctl)
    if found:
        ctl.fail("\n".join([f"Node {ctl.node} reported the following alarms:", *found]), UNAVAILABLE)
    _passed(ctl, f"Node {ctl.node} reported {none}")


def _alarms(ctl: Ctl) -> list[str]:
    return [alarm for node in ctl.api.get("nodes") for alarm in alarms_of(node)]


def _passed(ctl: Ctl, text: str, **fields: object) -> None:
    """A check is passed: those who want silence need no word about it."""
    if ctl.is_json:
        ctl.result(fields or {"result": "ok"}, "")
    elif not ctl.is_silent:
        print(text)


def check_port_connectivity(ctl: Ctl, arguments: list[str]) -> None:
    """check_port_connectivity"""
    ctl.banner(f"Testing TCP connections to all active listeners on node {ctl.node} ...")
    listeners = listeners_of(ctl.api.get("overview"))
    failed = [
        listener for listener in listeners if not _accepts(ctl, str(listener["interface"]), listener["port"])
    ]
    ports = ", ".join([str(port) for port in sorted({item["port"] for item in failed or listeners})])
    if failed:
        ctl.fail(f"Connection attempts to the following ports failed: {ports}", UNAVAILABLE)
    text = f"Successfully connected to ports {ports} on node {ctl.node}."
    _passed(ctl, text, listeners=listeners, node=ctl.node, result="ok")


def _accepts(ctl: Ctl, interface: str, port: int) -> bool:
    host = ctl.options.get("address") or {"0.0.0.0": "127.0.0.1", "[::]": "::1"}.get(
        interface, interface.strip("[]")
    )
    try:
        with socket.create_connection((host, port), min(ctl.timeout_seconds, 30.0) or None):
            return True
    except OSError:
        # Where IPv6 is off, its wildcard address takes IPv4.
        return interface == "[::]" and _accepts(ctl, "0.0.0.0", port)


def check_port_listener(ctl: Ctl, arguments: list[str]) -> None:
    """check_port_listener PORT"""
    if not arguments[0].isdigit():
        raise WrongLine("Bad argument: Argument must be a positive integer", DATA)
    port = int(arguments[0])
    ctl.banner(f"Asking node {ctl.node} if there's an active listener on port {port} ...")
    ports = [listener["port"] for listener in listeners_of(ctl.api.get("overview"))]
    if port not in ports:
        known = ", ".join([str(known) for known in sorted(set(ports))])
        text = f"No listener for port {port} is active on node {ctl.node}. "
        raise CtlError(UNAVAILABLE, f"{text}Found listeners that use the following ports: {known}\n")
    text = f"A listener for port {port} is running on node {ctl.node}."
    _passed(ctl, text, node=ctl.node, port=port, result="ok")


def check_protocol_listener(ctl: Ctl, arguments: list[str]) -> None:
    """check_protocol_listener PROTOCOL"""
    name = arguments[0]
    ctl.banner(f"Asking node {ctl.node} if there's an active listener for protocol {name} ...")
    protocols = sorted({str(listener["protocol"]) for listener in listeners_of(ctl.api.get("overview"))})
    protocol = PROTOCOLS.get(name.lower(), name.lower())
    if protocol not in protocols:
        text = f"No listener for protocol {name} is active on node {ctl.node}. "
        ctl.fail(f"{text}Found listeners for the following protocols: {', '.join(protocols)}", UNAVAILABLE)
    text = f"A listener for protocol {protocol} is running on node {ctl.node}."
    _passed(ctl, text, node=ctl.node, protocol=protocol, result="ok")


def check_running(ctl: Ctl, arguments: list[str]) -> None:
    """check_running"""
    ctl.banner(f"Checking if RabbitMQ is running on node {ctl.node} ...")
    text = f"RabbitMQ on node {ctl.node} is fully booted and running"
    _passed(ctl, text, message=text)


def check_virtual_hosts(ctl: Ctl, arguments: list[str]) -> None:
    """check_virtual_hosts"""
    ctl.banner(f"Checking if all vhosts are running on node {ctl.node} ...")
    try:
        ctl.api.get("health", "checks", "virtual-hosts")
    except Refused as error:
        ctl.fail(f"Some virtual hosts on node {ctl.node} are down:\n{error}", UNAVAILABLE)
    _passed(ctl, f"Node {ctl.node} reported all vhosts as running")


def check_certificate_expiration(ctl: Ctl, arguments: list[str]) -> None:
    """check_certificate_expiration"""
    within, unit = ctl.options.get("within", 4), ctl.options.get("unit", "weeks")
    ctl.banner(f"Checking certificate expiration on node {ctl.node} ...")
    try:
        ctl.api.get("health", "checks", "certificate-expiration", str(within), unit)
    except Refused as error:
        if error.status != 503:
            raise
        ctl.fail(f"{error}", UNAVAILABLE)
    _passed(ctl, f"No certificates are expiring within {within} {unit}.")


def is_running(ctl: Ctl, arguments: list[str]) -> None:
    """is_running"""
    ctl.banner(f"Asking node {ctl.node} for its status ...")
    text = f"RabbitMQ on node {ctl.node} is fully booted and running"
    ctl.message(text, message=text, result=True)


def is_booting(ctl: Ctl, arguments: list[str]) -> None:
    """is_booting"""
    ctl.banner(f"Asking node {ctl.node} for its boot status ...")
    state = "is fully booted (check with is_running), stopped or has not started booting yet"
    text = f"RabbitMQ on node {ctl.node} {state}"
    ctl.message(text, message=text, result=False)


def listeners(ctl: Ctl, arguments: list[str]) -> None:
    """listeners"""
    ctl.banner(f"Asking node {ctl.node} to report its protocol listeners ...")
    found = listeners_of(ctl.api.get("overview"))
    lines = "\n".join([listener_line(listener) for listener in found])
    ctl.result({"listeners": found, "node": ctl.node, "result": "ok"}, lines)


def server_version(ctl: Ctl, arguments: list[str]) -> None:
    """server_version"""
    ctl.banner(f"Asking node {ctl.node} for its RabbitMQ version...")
    version = ctl.api.get("overview", columns="rabbitmq_version")["rabbitmq_version"]
    ctl.result({"result": "ok", "value": version}, version)


def erlang_version(ctl: Ctl, arguments: list[str]) -> None:
    """erlang_version"""
    ctl.banner(f"Asking node {ctl.node} for its Erlang/OTP version...")
    version = ctl.api.get("overview").get("erlang_full_version", "")
    ctl.result({"result": "ok", "value": version}, version)


def memory_breakdown(ctl: Ctl, arguments: list[str]) -> None:
    """memory_breakdown"""
    ctl.banner(f"Reporting memory breakdown on node {ctl.node}...")
    node = node_of(ctl, ctl.api.get("nodes"))
    memory, total = memory_of(ctl, node), node.get("mem_used") or 0
    shares: dict[str, Any] = {
        name: {"bytes": count, "percentage": round(count * 100 / total, 2) if total else 0.0}
        for name, count in memory.items()
    }
    ctl.result(shares, "\n".join(["", *memory_lines(memory, total, ctl.options.get("unit", "gb"), "%")]))


def log_tail(ctl: Ctl, arguments: list[str]) -> None:
    """log_tail"""
    count = ctl.options.get("number", LOG_LINES)
    ctl.banner(f"Last {count} log lines on node {ctl.node} ...")
    try:
        lines = ctl.api.get("node", "log", lines=count)
    except Missing:
        ctl.fail("the node does not give its log over its API: see its standard error", UNAVAILABLE)
    ctl.result({"result": "ok", "value": lines}, "\n".join(lines))


def log_location(ctl: Ctl, arguments: list[str]) -> None:
    """log_location"""
    ctl.banner(f"Log file location(s) on node {ctl.node} ...")
    files = node_of(ctl, ctl.api.get("nodes")).get("log_files") or ["<stderr>"]
    ctl.result({"result": "ok", "paths": files}, "\n".join(files))


def _check(run: Any, word: str, about: str) -> Command:
    return Command(run, word, about)


COMMANDS = {
    "alarms": _check(alarms, "alarms", "Lists resource alarms"),
    "check_alarms": _check(check_alarms, "check_alarms", "Exits with a non-zero code if there are alarms"),
    "check_local_alarms": _check(
        check_local_alarms, "check_local_alarms", "Exits with a non-zero code if there are alarms on the node"
    ),
    "check_port_connectivity": Command(
        check_port_connectivity,
        "check_port_connectivity [--address <address>]",
        "Connects to every listener",
        switches={"address": str},
        aliases={"a": "address"},
    ),
    "check_port_listener": Command(
        check_port_listener, "check_port_listener <port>", "Checks that a port is listened on", 1, 1
    ),
    "check_protocol_listener": Command(
        check_protocol_listener,
        "check_protocol_listener <protocol>",
        "Checks that a protocol is spoken",
        1,
        1,
    ),
    "check_running": _check(
        check_running, "check_running", "Exits with a non-zero code if the node does not run"
    ),
    "check_virtual_hosts": _check(check_virtual_hosts, "check_virtual_hosts", "Checks that all vhosts run"),
    "check_certificate_expiration": Command(
        check_certificate_expiration,
        "check_certificate_expiration [--within <period>] [--unit <unit>]",
        "Checks that no certificate expires soon",
        switches={"within": int, "unit": str},
    ),
    "is_running": _check(is_running, "is_running", "Says whether the node runs"),
    "is_booting": _check(is_booting, "is_booting", "Says whether the node is still booting"),
    "listeners": _check(listeners, "listeners", "Lists listeners"),
    "server_version": _check(server_version, "server_version", "Displays the version of the server"),
    "erlang_version": _check(erlang_version, "erlang_version", "Displays the version of the runtime"),
    "memory_breakdown": Command(
        memory_breakdown,
        "memory_breakdown [--unit <unit>]",
        "Displays what memory is used for",
        switches={"unit": str},
    ),
    "log_tail": Command(
        log_tail,
        "log_tail [--number|-N <number>]",
        "Prints the last lines of the log",
        switches={"number": int},
        aliases={"N": "number"},
    ),
    "log_location": _check(log_location, "log_location", "Says where the log is"),
}
