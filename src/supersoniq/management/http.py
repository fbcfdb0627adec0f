"""HTTP: uvicorn's protocol on the node's event loop, one for each connection."""

import asyncio
from email.utils import formatdate
from typing import Any

import h11
from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

IDLE_SECONDS = 65
# Within this time the head of a request has to be there, of the first from when the connection was made.
HEAD_SECONDS = 30
HEAD_BYTES_MAX = 64 * 1024
SERVER = (b"server", b"SupersoniQ")


class Connection(H11Protocol):
    """One connection: answers have the date, and who does not finish the head of a request has to go."""

    def __init__(
        self,
        config: Config,
        state: ServerState,
        app_state: dict[str, Any],
        loop: asyncio.AbstractEventLoop,
        head_seconds: float,
    ) -> None:
        super().__init__(config, state, app_state, loop)
        self._head_seconds = head_seconds
        self._late: asyncio.TimerHandle | None = None
        # The loggers of uvicorn may be those of a program that the broker is part of.
        self.access_log = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Wait for a request, for some time."""
        super().connection_made(transport)
        self._late = self.loop.call_later(self._head_seconds, transport.close)

    def data_received(self, data: bytes) -> None:
        """Take what may be a part of a request."""
        self.server_state.default_headers = [SERVER, (b"date", formatdate(usegmt=True).encode())]
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._in_time()
        elif self._late is None:
            self._late = self.loop.call_later(self._head_seconds, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._in_time()
        super().connection_lost(exc)

    def _in_time(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


class Http:
    """The HTTP connections of one application of a node."""

    def __init__(self, app: ASGIApp, head_seconds: float = HEAD_SECONDS) -> None:
        self._head_seconds = head_seconds
        self._loop = asyncio.get_running_loop()
        self._state = ServerState()
        self._config = Config(
            app,
            loop="none",
            http=H11Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            timeout_keep_alive=IDLE_SECONDS,
            h11_max_incomplete_event_size=HEAD_BYTES_MAX,
        )
        self._config.load()

    def remote(self) -> asyncio.Protocol:
        """Return what serves a new connection of the network."""
        return self._new(is_local=False)

    def local(self) -> asyncio.Protocol:
        """Return what serves a new connection of the local socket.

        It is known by where it came in: a peer that is gone has no address either.
        """
        return self._new(is_local=True)

    def _new(self, is_local: bool) -> asyncio.Protocol:
        return Connection(self._config, self._state, {"is_local": is_local}, self._loop, self._head_seconds)

    async def stop(self, grace_seconds: float) -> None:
        """Close the connections once what they are doing is done, but after so long in any case."""
        for connection in list(self._state.connections):
            connection.shutdown()
        tasks = list(self._state.tasks)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace_seconds)
            for task in late:
                task.cancel()
        for connection in list(self._state.connections):
            connection.transport.abort()
