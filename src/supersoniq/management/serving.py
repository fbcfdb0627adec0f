"""The sockets of the management API, and the HTTP server behind them.

The sockets are there when the node has started. The libraries that answer are imported by a thread after
that, as they take longer than the broker itself: requests that come meanwhile wait in the sockets.
"""

import asyncio
import contextlib
import functools
import importlib
import logging
import os
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp as Application

    from supersoniq.management.context import ManagementContext
    from supersoniq.management.http import Http

Load = Callable[[], "Application"]

logger = logging.getLogger(__name__)

BACKLOG = 128
HANDSHAKE_SECONDS = 10
SOCKET_NAME = "control.sock"


class Serving:
    """Listens for one application of a node, on its event loop; `load` returns it, called by a thread."""

    def __init__(self, load: Load) -> None:
        self.addresses: list[tuple[str, int]] = []
        self.tls_addresses: list[tuple[str, int]] = []
        self.socket_path: Path | None = None
        self._load = load
        self._loop = asyncio.get_running_loop()
        self._sockets: list[tuple[socket.socket, ssl.SSLContext | None]] = []
        self._servers: list[asyncio.Server] = []
        self._http: Http | None = None
        self._serving: asyncio.Task[None] | None = None
        self._is_closed = False

    async def listen(self, hosts: list[str], port: int, tls: ssl.SSLContext | None = None) -> None:
        """Have every host listen; port 0 takes a free one, the same for all. Raises OSError."""
        addresses = self.addresses if tls is None else self.tls_addresses
        for host in hosts:
            infos = await self._loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            for family, kind, protocol, _, address in dict.fromkeys(infos):
                bound = _bind(family, kind, protocol, (*address[:1], port, *address[2:]))
                self._sockets.append((bound, tls))
                name = bound.getsockname()
                addresses.append((name[0], name[1]))
                port = port or name[1]

    def listen_locally(self, directory: Path) -> None:
        """Have a Unix socket in a directory listen, for the user of this process; raises OSError."""
        path = directory / SOCKET_NAME
        # Nobody else uses the directory: the socket of a node that was killed.
        path.unlink(missing_ok=True)
        local = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            os.fchmod(local.fileno(), 0o600)  # what it is made with, where the system takes that
            with _near(directory) as near:
                local.bind(str(near / SOCKET_NAME))
            path.chmod(0o600)
            local.listen(BACKLOG)
        except OSError:
            local.close()
            raise
        local.setblocking(False)
        self._sockets.append((local, None))
        self.socket_path = path

    def start(self) -> None:
        """Begin to answer as soon as that can be."""
        if self._sockets:
            loaded = self._loop.run_in_executor(None, _loaded_http, self._load)
            loaded.add_done_callback(self._loaded)

    def _loaded(self, loaded: "asyncio.Future[Callable[[], Http]]") -> None:
        if self._is_closed or loaded.cancelled():
            return
        self._http = loaded.result()()
        self._serving = self._loop.create_task(self._serve(self._http))

    async def _serve(self, http: "Http") -> None:
        for each, tls in self._sockets:
            if each.family == socket.AF_UNIX:
                server = await self._loop.create_unix_server(http.local, sock=each, backlog=BACKLOG)
            else:
                server = await self._loop.create_server(
                    http.remote,
                    sock=each,
                    backlog=BACKLOG,
                    ssl=tls,
                    ssl_handshake_timeout=None if tls is None else HANDSHAKE_SECONDS,
                )
            self._servers.append(server)

    def close(self) -> None:
        """Listen no more."""
        self._is_closed = True
        if self._serving is not None:
            self._serving.cancel()  # the node may stop before it has begun to answer
        for server in self._servers:
            server.close()
        for each, _ in self._sockets:
            each.close()
        if self.socket_path is not None:
            self.socket_path.unlink(missing_ok=True)
            self.socket_path = None

    async def stop(self, grace_seconds: float) -> None:
        """Listen no more, let the requests that are being answered finish, and drop who is left."""
        self.close()
        if self._http is not None:
            await self._http.stop(grace_seconds)


def api_of(management: "ManagementContext") -> "Application":
    """Return the management API, importing all that it needs."""
    return importlib.import_module("supersoniq.management.app").App(management)  # type: ignore[no-any-return]


def _loaded_http(load: Load) -> "Callable[[], Http]":
    """Import what serves an application; what comes back is to be called on the loop."""
    http = importlib.import_module("supersoniq.management.http").Http
    return functools.partial(http, load())


def _bind(family: int, kind: int, protocol: int, address: tuple[object, ...]) -> socket.socket:
    bound = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(address)
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        host = f"[{address[0]}]" if ":" in str(address[0]) else address[0]
        raise OSError(error.errno, os.strerror(error.errno or 0), f"{host}:{address[1]}") from None
    bound.setblocking(False)
    return bound


@contextlib.contextmanager
def _near(directory: Path):  # type: ignore[no-untyped-def]
    """A short name of a directory: that of a socket has no room for more than some hundred octets."""
    if len(os.fsencode(directory)) < 80 or not Path("/proc/self/fd").is_dir():
        yield directory
        return
    opened = os.open(directory, os.O_RDONLY)
    try:
        yield Path(f"/proc/self/fd/{opened}")
    finally:
        os.close(opened)
