"""`supersoniq serve`: the life of a broker process, from its flags to its exit code.

0: stopped by SIGTERM or SIGINT. 1: the node cannot start here. 2: a setting is wrong, nothing was started.
"""

import asyncio
import contextlib
import logging
import os
import platform
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import supersoniq
from supersoniq import logs
from supersoniq.cli.app import fail
from supersoniq.cli.version import core, is_compiled
from supersoniq.config import ConfigError, Loaded, Settings, default_data_dir, load
from supersoniq.server.memory import collect_seldom, keep_free_bytes, switch_often
from supersoniq.server.notify import Notifier
from supersoniq.storage.directory import DataError

if TYPE_CHECKING:
    from supersoniq.node import Node

logger = logging.getLogger(__name__)


class StartError(Exception):
    """The node cannot start here; the text is one line for the operator."""


app = typer.Typer(add_completion=False, rich_markup_mode=None)

HostOption = Annotated[
    list[str] | None, typer.Option(help="Address to listen on; may be given several times.")
]
PortOption = Annotated[int | None, typer.Option(help="TCP port of AMQP; 0 takes a free one and logs it.")]
DataDirOption = Annotated[Path | None, typer.Option(help="Directory of this node's data.")]
ConfigOption = Annotated[Path | None, typer.Option(help="TOML file; ./supersoniq.toml when not given.")]
RabbitMQConfOption = Annotated[
    Path | None, typer.Option("--rabbitmq-conf", help="rabbitmq.conf of RabbitMQ; our own settings win.")
]
LogLevelOption = Annotated[str | None, typer.Option(help="debug, info, warning, error or critical.")]
LogFormatOption = Annotated[str | None, typer.Option(help="auto, console or json.")]


@app.command()
def serve(
    host: HostOption = None,
    port: PortOption = None,
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    rabbitmq_conf: RabbitMQConfOption = None,
    log_level: LogLevelOption = None,
    log_format: LogFormatOption = None,
) -> None:
    """Run a broker until SIGTERM or SIGINT. Every other setting: `supersoniq config`."""
    flags = {
        "host": host,
        "port": port,
        "data_dir": data_dir,
        "rabbitmq_conf": rabbitmq_conf,
        "log_level": log_level,
        "log_format": log_format,
    }
    try:
        loaded = load(flags, config_file=config)
    except ConfigError as error:
        fail(str(error), 2)
    from supersoniq.node import new_event_loop

    settings = loaded.settings
    keep_free_bytes()
    recent = logs.setup(settings.log_level, settings.log_format, settings.log_levels)
    for note in loaded.notes:
        logger.warning("%s", note)
    try:
        settings = _without_missing_ipv6(loaded).model_copy(update={"data_dir": _data_dir(settings)})
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(_run(settings, recent))
    except ConfigError as error:
        fail(str(error), 2)
    except (DataError, StartError) as error:
        fail(str(error), 1)


def _data_dir(settings: Settings) -> Path:
    """The directory that was given, as it stands; or the default one, created if need be."""
    if settings.data_dir is not None:
        return settings.data_dir
    directory = default_data_dir(os.environ)
    try:
        # Messages and the hashes of passwords are nobody else's business.
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(f"data directory {directory} cannot be created: {error.strerror}") from None
    return directory


def _without_missing_ipv6(loaded: Loaded) -> Settings:
    """Listen on IPv4 only where default or wildcards ask for IPv6 and the machine has none.

    An address that the operator asked for stays: failing is the answer to a wish that cannot be met.
    `0.0.0.0` with `::` is the wish for all addresses that there are.
    """
    settings = loaded.settings
    if _has_ipv6():
        return settings
    given = {key: hosts for key in ("host", "tls_host") if (hosts := getattr(settings, key))}
    spare = {
        key: [host for host in hosts if host not in ("::", "::1")]
        for key, hosts in given.items()
        if loaded.origins[key] == "default" or {"0.0.0.0", "::"} <= set(hosts)
    }
    if spare:
        logger.warning("this machine has no IPv6 addresses: listening on IPv4 only")
    return settings.model_copy(update=spare)


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


async def _run(settings: Settings, recent: logs.RecentLog) -> None:
    from supersoniq.node import Node, RecoveryError

    stop = _stop_on_signals()
    notifier = Notifier(os.environ)
    node = Node(settings)
    try:
        await node.start()
    except RecoveryError as error:
        raise StartError(str(error)) from error
    except OSError as error:
        raise StartError(_cannot_listen(error, settings)) from error
    collect_seldom()
    switch_often()
    if node.control is not None:
        node.control.own_process(stop.set, recent)
    if node.metering is not None:
        node.metering.own_process()
    _announce(node, notifier)
    _reload_on_signal(node)
    await _until(stop, notifier)
    notifier.stopping()
    logger.info("stopping: clients have %d ms to close", settings.shutdown_grace_ms)
    await node.stop(settings.shutdown_grace_ms / 1000)
    logger.info("stopped")


def _announce(node: "Node", notifier: Notifier) -> None:
    logger.info(
        "supersoniq %s, core %s, Python %s", supersoniq.__version__, core(), platform.python_version()
    )
    if not is_compiled():
        logger.warning(
            "the core is interpreted, which is slower: install a C compiler and reinstall supersoniq"
        )
    if node.report is not None:
        for damage in node.report.damages:
            logger.error("found damaged: %s; check the disk, `supersoniq verify` tells what is left", damage)
        logger.info("%s", node.report)
    urls = [amqp_url(host, port) for host, port in node.addresses]
    urls += [amqp_url(host, port).replace("amqp", "amqps") for host, port in node.tls_addresses]
    apis = [amqp_url(host, port).replace("amqp", "http") for host, port in node.management_addresses]
    apis += [amqp_url(host, port).replace("amqp", "https") for host, port in node.management_tls_addresses]
    apis += [
        amqp_url(host, port).replace("amqp", "http") + "/metrics" for host, port in node.prometheus_addresses
    ]
    apis += [
        amqp_url(host, port).replace("amqp", "https") + "/metrics"
        for host, port in node.prometheus_tls_addresses
    ]
    for url in urls + apis:
        logger.info("listening on %s", url)
    # Container tools wait for exactly this line.
    logger.info("Server startup complete")
    notifier.ready("listening on " + ", ".join(urls))


def amqp_url(host: str, port: int) -> str:
    """The address as clients write it; an IPv6 one in brackets."""
    return f"amqp://[{host}]:{port}" if ":" in host else f"amqp://{host}:{port}"


def _cannot_listen(error: OSError, settings: Settings) -> str:
    """One line from the error of a listener, which names its address in `filename` where it knows it."""
    address = error.filename or ", ".join(f"{host}:{settings.port}" for host in settings.host)
    reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
    return f"cannot listen on {address}: {reason[:1].lower()}{reason[1:]}"


async def _until(stop: asyncio.Event, notifier: Notifier) -> None:
    """Wait for `stop`, and keep the service manager's watchdog fed meanwhile."""
    while not stop.is_set():
        try:
            await asyncio.wait_for(stop.wait(), notifier.watchdog_seconds)
        except TimeoutError:
            notifier.alive()


def _reload_on_signal(node: "Node") -> None:
    """Read certificates anew at SIGHUP, where there is such a signal."""
    with contextlib.suppress(NotImplementedError, AttributeError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, node.reload)


def _stop_on_signals() -> asyncio.Event:
    """An event that the first SIGTERM or SIGINT sets; the second one ends the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal(number: int) -> None:
        if stop.is_set():
            logger.warning("stopped at once by a second signal")
            os._exit(128 + number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, on_signal, number)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda number, _: loop.call_soon_threadsafe(on_signal, number))
    return stop
