"""A broker inside a Python process: on the running event loop, or in a thread of its own."""

import asyncio
import threading
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from supersoniq.assembly.controlled import first_users
from supersoniq.config import ConfigError, Settings
from supersoniq.node import Node, RecoveryError, new_event_loop
from supersoniq.storage.directory import DataError


class Broker:
    """A broker inside this process, listening on loopback.

    `async with Broker(port=0) as broker` runs it on the running loop, `with Broker(port=0) as broker` in a
    thread with a loop of its own. `settings` are those of the configuration, by name; files and environment
    are not read. Nothing is shared between brokers, so there may be several.
    """

    def __init__(self, port: int = 0, host: str = "127.0.0.1", **settings: Any) -> None:
        quiet = {
            "management": "off",
            "management_port": 0,
            "management_tls_port": 0,
            "tls_port": 0,
            "prometheus": "off",
            "prometheus_port": 0,
            "prometheus_tls_port": 0,
            "loop_stall_ms": 0,
        }
        self._settings = Settings(host=[host], port=port, **{**quiet, **settings})
        self._node: Node | None = None
        self._thread: _BrokerThread | None = None

    @property
    def node(self) -> Node:
        """The running node; only for code on its own event loop."""
        if self._node is None:
            raise RuntimeError("the broker is not running: use it in a with statement")
        return self._node

    @property
    def host(self) -> str:
        """The address it listens on."""
        return self._address[0]

    @property
    def port(self) -> int:
        """The port it listens on, also if 0 was asked for."""
        return self._address[1]

    @property
    def _address(self) -> tuple[str, int]:
        return (self.node.addresses + self.node.tls_addresses)[0]

    @property
    def api_url(self) -> str:
        """The URL of the management API, which is off unless `management="on"` was asked for."""
        host, port = self.node.management_addresses[0]
        return f"http://{host}:{port}"

    @property
    def prometheus_url(self) -> str:
        """The URL of the pages for Prometheus, which are off unless `prometheus="on"` was asked for."""
        host, port = self.node.prometheus_addresses[0]
        return f"http://{host}:{port}/metrics"

    @property
    def url(self) -> str:
        """The URL for clients, with the first user of the settings."""
        user = first_users(self._settings)[0]
        scheme = "amqp" if self.node.addresses else "amqps"
        return f"{scheme}://{quote(user.name, '')}:{quote(user.password, '')}@{self.host}:{self.port}/"

    async def __aenter__(self) -> Self:
        self._node = await _started(self._settings)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        node, self._node = self.node, None
        await node.stop(self._settings.shutdown_grace_ms / 1000)

    def __enter__(self) -> Self:
        self._thread = _BrokerThread(self._settings)
        self._node = self._thread.launch()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._thread is not None
        self._node = None
        self._thread.halt()
        self._thread = None


class _BrokerThread(threading.Thread):
    """Runs a node on a loop of its own until it is told to stop."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(name="supersoniq", daemon=True)
        self._settings = settings
        self._started_or_failed = threading.Event()
        self._node: Node | None = None
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop_asked: asyncio.Event | None = None

    def launch(self) -> Node:
        """Start the thread and wait until the node listens; raises what kept it from that."""
        self.start()
        self._started_or_failed.wait()
        if self._failure is not None:
            self.join()
            raise self._failure
        assert self._node is not None
        return self._node

    def halt(self) -> None:
        """Stop the node and wait for the thread to end."""
        assert self._loop is not None
        assert self._stop_asked is not None
        self._loop.call_soon_threadsafe(self._stop_asked.set)
        self.join()

    def run(self) -> None:
        """Live as long as the node does."""
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(self._live())

    async def _live(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop_asked = asyncio.Event()
        try:
            self._node = await _started(self._settings)
        except (OSError, ConfigError, DataError, RecoveryError) as error:
            self._failure = error
            return
        finally:
            self._started_or_failed.set()
        await self._stop_asked.wait()
        await self._node.stop(self._settings.shutdown_grace_ms / 1000)


async def _started(settings: Settings) -> Node:
    node = Node(settings)
    await node.start()
    return node
