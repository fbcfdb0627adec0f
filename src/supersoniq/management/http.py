"""HTTP: uvicorn's protocol on the node's event loop, one for each connection."""

import asyncio

from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

IDLE_SECONDS = 65
HEAD_BYTES_MAX = 64 * 1024


class Http:
    """The HTTP connections of one application of a node."""

    def __init__(self, app: ASGIApp) -> None:
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
        self._state.default_headers = [(b"server", b"SupersoniQ")]

    def remote(self) -> asyncio.Protocol:
        """Return what serves a new connection of the network."""
        return self._new(is_local=False)

    def local(self) -> asyncio.Protocol:
        """Return what serves a new connection of the local socket.

        It is known by where it came in: a peer that is gone has no address either.
        """
        return self._new(is_local=True)

    def _new(self, is_local: bool) -> asyncio.Protocol:
        protocol = H11Protocol(self._config, self._state, {"is_local": is_local}, self._loop)
        # The loggers of uvicorn may be those of a program that the broker is part of.
        protocol.access_log = False
        return protocol

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
