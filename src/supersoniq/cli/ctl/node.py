"""rabbitmqctl's words about the node: status, is it up, what can it do."""

import os
import time

from supersoniq.cli.ctl.context import TEMPORARY, UNAVAILABLE, USAGE, Command, Ctl, CtlError, Item, WrongLine
from supersoniq.cli.ctl.facts import alarms_of, listeners_of, node_of
from supersoniq.cli.ctl.status_page import cluster_page, cluster_result, status_page, status_result
from supersoniq.cli.remote.api import ApiError, Missing, Unreachable

STARTUP_SECONDS = 300.0
POLL_SECONDS = 0.1


def status(ctl: Ctl, arguments: list[str]) -> None:
    """status"""
    ctl.banner(f"Status of node {ctl.node} ...")
    overview, nodes = ctl.api.get("overview"), ctl.api.get("nodes")
    node = node_of(ctl, nodes)
    vhosts = len(ctl.api.get("vhosts", columns="name"))
    if ctl.is_json:
        ctl.result(status_result(ctl, overview, node, vhosts), "")
    else:
        print("\n".join(status_page(ctl, overview, node, vhosts)))


def cluster_status(ctl: Ctl, arguments: list[str]) -> None:
    """cluster_status"""
    ctl.banner(f"Cluster status of node {ctl.node} ...")
    overview, nodes = ctl.api.get("overview"), ctl.api.get("nodes")
    flags = _flags(ctl)
    if ctl.is_json:
        ctl.result(cluster_result(overview, nodes, flags), "")
    else:
        print("\n".join(cluster_page(overview, nodes, flags)))


def environment(ctl: Ctl, arguments: list[str]) -> None:
    """environment"""
    ctl.banner(f"Application environment of node {ctl.node} ...")
    overview = ctl.api.get("overview")
    node = node_of(ctl, ctl.api.get("nodes"))
    listeners = [f'{{"{item["interface"]}",{item["port"]}}}' for item in listeners_of(overview)]
    pairs = {
        "disk_free_limit": node.get("disk_free_limit"),
        "vm_memory_high_watermark": f"{{absolute,{node.get('mem_limit')}}}",
        "tcp_listeners": f"[{','.join(listeners)}]",
        "product_version": f'"{overview.get("product_version", "")}"',
    }
    body = ",\n      ".join([f"{{{name},{value}}}" for name, value in pairs.items()])
    ctl.result({name: str(value) for name, value in pairs.items()}, f"[{{rabbit,\n     [{body}]}}]")


def report(ctl: Ctl, arguments: list[str]) -> None:
    """report"""
    from supersoniq.cli.ctl.listings import COMMANDS as LISTINGS
    from supersoniq.cli.ctl.permissions import COMMANDS as PERMISSIONS
    from supersoniq.cli.ctl.policies import COMMANDS as POLICIES

    ctl.banner(f"Reporting server status of node {ctl.node} ...\n")
    parts = [COMMANDS["status"], COMMANDS["cluster_status"], COMMANDS["environment"]]
    parts += [LISTINGS["list_connections"], LISTINGS["list_channels"]]
    for command in parts:
        command.run(ctl, [])
        print()
    for vhost in ctl.api.get("vhosts", columns="name"):
        ctl.options["vhost"] = vhost["name"]
        for name in ("list_queues", "list_exchanges", "list_bindings"):
            LISTINGS[name].run(ctl, [])
            print()
        PERMISSIONS["list_permissions"].run(ctl, [])
        print()
        POLICIES["list_policies"].run(ctl, [])
        print()


def ping(ctl: Ctl, arguments: list[str]) -> None:
    """ping"""
    milliseconds = int(ctl.timeout_seconds * 1000)
    try:
        name = ctl.node
        ctl.api.get("overview", columns="node")
    except Unreachable as error:
        raise CtlError(
            UNAVAILABLE, f"Error:\nFailed to connect and authenticate in {milliseconds} ms: {error}\n"
        ) from None
    ctl.banner(
        f"Will ping {name}. This only checks if the OS process is running and registered with epmd. "
        f"Timeout: {milliseconds} ms."
    )
    ctl.message("Ping succeeded", result="ok")


def await_startup(ctl: Ctl, arguments: list[str]) -> None:
    """await_startup"""
    _await(ctl, float(ctl.options.get("timeout", STARTUP_SECONDS)))
    ctl.ok()


def await_online_nodes(ctl: Ctl, arguments: list[str]) -> None:
    """await_online_nodes COUNT"""
    count = arguments[0]
    if not count.isdigit():
        raise WrongLine(f"Bad argument: {count} is no number")
    ctl.banner(
        f"Will wait for at least {count} nodes to join the cluster of {ctl.node}. "
        f"Timeout: {ctl.timeout_seconds}"
    )
    if int(count) > len(ctl.api.get("nodes", columns="name")):
        raise CtlError(TEMPORARY, f"Error:\n{count} nodes will not be there: this broker is one node\n")
    ctl.ok()


def wait(ctl: Ctl, arguments: list[str]) -> None:
    """wait [PIDFILE]"""
    pid, seconds = ctl.options.get("pid"), float(ctl.options.get("timeout", 10.0))
    if pid is not None and arguments:
        raise WrongLine("Cannot specify both pid and pidfile")
    if pid is None and not arguments:
        raise WrongLine("No pid or pidfile specified")
    ends_at = time.monotonic() + seconds
    if pid is None:
        ctl.banner(f"Waiting for pid file '{arguments[0]}' to appear")
        pid = _pid_in(arguments[0], ends_at, seconds)
        ctl.banner(f"pid is {pid}")
    ctl.banner(f"Waiting for erlang distribution on node while OS process '{pid}' is running")
    if not _runs(pid):
        ctl.fail("process_not_running", UNAVAILABLE)
    _await(ctl, max(ends_at - time.monotonic(), 0.0))
    ctl.banner(f"Waiting for applications 'rabbit_and_plugins' to start on node '{ctl.node}'")
    ctl.banner(f"Applications 'rabbit_and_plugins' are running on node '{ctl.node}'")


def _pid_in(path: str, ends_at: float, seconds: float) -> int:
    """The number in a file, once it is there."""
    while True:
        try:
            with open(path, encoding="ascii") as stream:
                return int(stream.read())
        except (OSError, ValueError):
            if time.monotonic() > ends_at:
                text = f"Error: operation wait timed out. Timeout value used: {int(seconds * 1000)}\n"
                raise CtlError(TEMPORARY, text) from None
        time.sleep(POLL_SECONDS)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _await(ctl: Ctl, seconds: float) -> None:
    """Wait until the node answers."""
    ends_at = time.monotonic() + seconds
    while True:
        try:
            ctl.api.get("overview", columns="node")
        except Unreachable as error:
            if time.monotonic() > ends_at:
                used = f"Timeout value used: {int(seconds * 1000)}"
                text = f"Error: operation {ctl.word} timed out. {used}: {error}\n"
                raise CtlError(TEMPORARY, text) from None
        else:
            return
        time.sleep(POLL_SECONDS)


def version(ctl: Ctl, arguments: list[str]) -> None:
    """version"""
    try:
        number = ctl.api.get("overview", columns="rabbitmq_version")["rabbitmq_version"]
    except ApiError:  # no node has to run for it
        import supersoniq

        number = supersoniq.__version__
    ctl.message(number)


def node_health_check(ctl: Ctl, arguments: list[str]) -> None:
    """node_health_check"""
    ctl.banner(
        "This command is DEPRECATED and will be removed in a future version.\n"
        "Use one of the options covered in https://www.rabbitmq.com/monitoring.html#health-checks instead.\n"
        f"Timeout: {int(ctl.options.get('timeout', 70))} seconds ...\nChecking health of node {ctl.node} ..."
    )
    alarms = [alarm for node in ctl.api.get("nodes") for alarm in alarms_of(node)]
    if alarms:
        ctl.fail(
            "Error: health check failed. Message: resource alarm(s) in effect:\n" + "\n".join(alarms),
            SOFTWARE,
        )
    ctl.message("Health check passed")


SOFTWARE = 70


def list_feature_flags(ctl: Ctl, arguments: list[str]) -> None:
    """list_feature_flags [COLUMN…]"""
    from supersoniq.cli.ctl.columns import checked

    known = ["name", "state", "stability", "provided_by", "desc", "doc_url"]
    columns = checked(arguments or ["name", "state"], known)
    ctl.banner("Listing feature flags ...")
    ctl.rows(columns, [[flag.get(column, "") for column in columns] for flag in _flags(ctl)])


def _flags(ctl: Ctl) -> list[Item]:
    try:
        flags: list[Item] = ctl.api.get("feature-flags")
    except Missing:
        return []
    return flags


def enable_feature_flag(ctl: Ctl, arguments: list[str]) -> None:
    """enable_feature_flag FLAG"""
    name = arguments[0]
    ctl.banner("Enabling all feature flags ..." if name == "all" else f'Enabling feature flag "{name}" ...')
    if name != "all" and name not in [flag["name"] for flag in _flags(ctl)]:
        ctl.fail(f"This feature flag is not supported by node {ctl.node}", USAGE)
    ctl.ok()


COMMANDS = {
    "status": Command(status, "status [--unit <unit>]", "Displays status of a node", switches={"unit": str}),
    "cluster_status": Command(
        cluster_status, "cluster_status", "Displays the nodes of the cluster: this one"
    ),
    "environment": Command(environment, "environment", "Displays settings of the running node"),
    "report": Command(report, "report", "Displays everything that support would ask for"),
    "ping": Command(ping, "ping", "Checks that the node answers"),
    "await_startup": Command(await_startup, "await_startup", "Waits for the node to start"),
    "await_online_nodes": Command(
        await_online_nodes, "await_online_nodes <count>", "Waits for <count> nodes: there is one", 1, 1
    ),
    "wait": Command(
        wait,
        "wait [<pidfile>] [--pid|-P <pid>]",
        "Waits for node startup by monitoring a local PID file or process",
        0,
        1,
        {"pid": int},
        {"P": "pid"},
    ),
    "version": Command(version, "version", "Displays the version"),
    "node_health_check": Command(node_health_check, "node_health_check", "DEPRECATED. Checks a node"),
    "list_feature_flags": Command(
        list_feature_flags,
        "list_feature_flags [--no-table-headers] [<column> ...]",
        "Lists feature flags",
        0,
        None,
    ),
    "enable_feature_flag": Command(
        enable_feature_flag, "enable_feature_flag <all | feature_flag>", "Does nothing: all are enabled", 1, 1
    ),
}
