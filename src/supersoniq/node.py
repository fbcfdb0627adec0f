"""Puts one broker together; the only module that knows every part.

`Broker` runs one inside a Python process.
"""

import asyncio
import platform
import threading
from types import TracebackType
from typing import Any, Self

import supersoniq
from supersoniq.amqp.tables import encode_table, table_of
from supersoniq.auth.users import Users
from supersoniq.broker.turn import Turn
from supersoniq.broker.vhost import VHost
from supersoniq.config import Settings, memory_bytes
from supersoniq.server.alarms import Memory, MemoryAlarm
from supersoniq.server.memory import available_bytes, release_free_bytes, resident_bytes
from supersoniq.server.names import RandomNames
from supersoniq.server.server import Server
from supersoniq.session.connection import TICKS_PER_SECOND
from supersoniq.session.context import Buffered, Context, Limits
from supersoniq.storage.memory import MemoryStore

# What clients act on. docs/adr/0005-identity-and-qos.md says why these two do not name the project.
COMPATIBLE_PRODUCT = "RabbitMQ"
COMPATIBLE_VERSION = "3.13.7"

CAPABILITIES = (
    "publisher_confirms",
    "exchange_exchange_bindings",
    "basic.nack",
    "consumer_cancel_notify",
    "connection.blocked",
    "consumer_priorities",
    "authentication_failure_close",
    "per_consumer_qos",
    "direct_reply_to",
)


class Node:
    """One broker on the running event loop: `start`, then `stop`.

    `addresses` are known once it has started.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._turn = Turn()
        self._names = RandomNames()
        self._store = MemoryStore()
        self.vhosts = {name: VHost(name, self._turn, self._store, self._names) for name in settings.vhosts}
        self.context = self._new_context()
        self._server: Server | None = None

    def _new_context(self) -> Context:
        settings = self._settings
        passwords = {name: password.get_secret_value() for name, password in settings.users.items()}
        limits = Limits(
            channel_max=settings.channel_max,
            frame_max_bytes=settings.frame_max_bytes,
            heartbeat_seconds=settings.heartbeat_seconds,
            message_bytes_max=settings.message_bytes_max,
            handshake_ticks=max(1, settings.handshake_timeout_ms * TICKS_PER_SECOND // 1000),
        )
        return Context(
            self._turn,
            self.vhosts,
            Users(passwords, settings.loopback_users),
            self._names,
            limits,
            encode_table(table_of(server_properties())),
        )

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """The host and port of each listener."""
        return [] if self._server is None else self._server.addresses

    async def start(self) -> None:
        """Listen; raises OSError if an address cannot be had."""
        settings = self._settings
        limit_bytes = memory_bytes(settings.memory_limit, available_bytes())
        alarm = MemoryAlarm(self.context.alarm, limit_bytes, _NodeMemory(self.vhosts, self.context.buffered))
        server = Server(self.context, alarm)
        await server.listen(settings.host, settings.port)
        self._server = server

    async def stop(self, grace_seconds: float) -> None:
        """Close the clients and forget everything."""
        if self._server is not None:
            await self._server.stop(grace_seconds)
        for vhost in self.vhosts.values():
            vhost.close()


class _NodeMemory(Memory):
    """The memory of this process, and the messages of one node."""

    def __init__(self, vhosts: dict[str, VHost], buffered: Buffered) -> None:
        self._vhosts = vhosts
        self._buffered = buffered

    def used_bytes(self) -> int:
        """Return what the process occupies."""
        return resident_bytes()

    def message_bytes(self) -> int:
        """Return about what the messages of all virtual hosts and sessions occupy."""
        return self._buffered.body_bytes + sum(vhost.memory_bytes() for vhost in self._vhosts.values())

    def release(self) -> None:
        """Give free memory back to the system."""
        release_free_bytes()


def server_properties() -> dict[str, object]:
    """Return what Connection.Start tells clients about the broker."""
    capabilities: dict[str, object] = dict.fromkeys(CAPABILITIES, True)
    return {
        "capabilities": capabilities,
        "cluster_name": f"supersoniq@{platform.node()}",
        "copyright": "Copyright (c) the SupersoniQ authors",
        "information": "SupersoniQ, licensed under the Apache License 2.0",
        "platform": f"SupersoniQ {supersoniq.__version__} on Python {platform.python_version()}",
        "product": COMPATIBLE_PRODUCT,
        "version": COMPATIBLE_VERSION,
        "broker": "SupersoniQ",
        "broker_version": supersoniq.__version__,
    }


class Broker:
    """A broker inside this process, listening on loopback.

    `async with Broker(port=0) as broker` runs it on the running loop, `with Broker(port=0) as broker` in a
    thread with a loop of its own. `settings` are those of the configuration, by name; files and environment
    are not read. Nothing is shared between brokers, so there may be several.
    """

    def __init__(self, port: int = 0, host: str = "127.0.0.1", **settings: Any) -> None:
        self._settings = Settings(host=[host], port=port, **settings)
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
        return self.node.addresses[0][0]

    @property
    def port(self) -> int:
        """The port it listens on, also if 0 was asked for."""
        return self.node.addresses[0][1]

    @property
    def url(self) -> str:
        """The URL for clients, with the first user of the settings."""
        name, password = next(iter(self._settings.users.items()))
        return f"amqp://{name}:{password.get_secret_value()}@{self.host}:{self.port}/"

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
        except OSError as error:
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


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return uvloop's event loop, or asyncio's own where uvloop is not installed."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
