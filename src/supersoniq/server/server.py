"""The listening sockets of a node, its clock, and the orderly end of its connections."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from supersoniq.server.alarms import Alarms
from supersoniq.server.handshakes import Handshakes
from supersoniq.server.proxy_gate import Network, NewProtocol, ProxyGate
from supersoniq.server.proxy_protocol import Peer
from supersoniq.server.pulse import Pulse
from supersoniq.server.store_watch import Storage
from supersoniq.server.transport import SocketTransport
from supersoniq.session.client import Client
from supersoniq.session.context import Context
from supersoniq.session.heartbeats import TICKS_PER_SECOND

if TYPE_CHECKING:
    from supersoniq.tls.certificates import Certificates

logger = logging.getLogger(__name__)

BACKLOG = 1024
# Says of a client whether its connection is meant.
Chooser = Callable[[Client], bool]
SHUTDOWN_REASON = "broker forced connection closure with reason 'shutdown'"


class Server:
    """Accepts clients for one context, on the running event loop."""

    def __init__(
        self, context: Context, alarms: Alarms, storage: Storage | None, proxies: Sequence[Network] = ()
    ) -> None:
        """Clients that come from `proxies` begin with a header of the PROXY protocol."""
        self.addresses: list[tuple[str, int]] = []
        self.tls_addresses: list[tuple[str, int]] = []
        self.transports: set[SocketTransport] = set()
        self._context = context
        self._alarms = alarms
        self._storage = storage
        self._proxies = proxies
        self._loop = asyncio.get_running_loop()
        self._pulse = Pulse(context.turn, self._loop)
        self._listeners: list[asyncio.Server] = []
        self._timer: asyncio.TimerHandle | None = None
        self._handshakes = Handshakes(self._loop, context.limits.handshake_ticks / TICKS_PER_SECOND)

    async def listen(self, hosts: list[str], port: int) -> None:
        """Listen on every host; port 0 takes a free one, the same for all.

        Raises OSError with nothing left open.
        """
        self.addresses += await self._listen(hosts, port, self._new_session)

    async def listen_with_tls(self, hosts: list[str], port: int, certificates: "Certificates") -> None:
        """As `listen`, for clients that speak TLS first."""
        # It costs time and memory that a node without certificates need not spend.
        from supersoniq.server.tls_transport import TLSTransport  # noqa: PLC0415

        def new_transport(peer: Peer | None) -> TLSTransport:
            return TLSTransport(self._new_session(peer), certificates, self._handshakes)

        self.tls_addresses += await self._listen(hosts, port, new_transport)

    async def _listen(self, hosts: list[str], port: int, new_protocol: NewProtocol) -> list[tuple[str, int]]:
        def new() -> asyncio.BaseProtocol:
            if self._proxies:
                protocol: object = ProxyGate(new_protocol, self._proxies, self._handshakes)
            else:
                protocol = new_protocol(None)
            # A compiled class cannot inherit from asyncio's; event loops call its methods and ask no more.
            return cast(asyncio.BaseProtocol, protocol)

        addresses = []
        try:
            for host in hosts:
                listener = await self._loop.create_server(new, host, port, backlog=BACKLOG)
                self._listeners.append(listener)
                for sock in listener.sockets:
                    # Accepted sockets inherit it: the kernel finds out about peers that vanished.
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                    address = sock.getsockname()
                    addresses.append((address[0], address[1]))
                    port = port or address[1]
        except OSError:
            self.close()
            raise
        if self._timer is None:
            self._tick()
        return addresses

    def _new_session(self, peer: Peer | None) -> SocketTransport:
        transport = SocketTransport(self._context, self._pulse, self.transports, self._loop)
        transport.peer = peer
        return transport

    def _tick(self) -> None:
        self._timer = self._loop.call_later(1 / TICKS_PER_SECOND, self._tick)
        self._handshakes.tick()
        for transport in list(self.transports):
            if transport.connection is not None:
                transport.connection.tick()
        if self._storage is not None:
            self._storage.tick()
        self._context.turn.marks.renew()
        self.check_alarms()
        self._pulse.end_turn()

    @property
    def turn_count(self) -> int:
        """How many turns there were."""
        return self._pulse.count

    def end_turn(self) -> None:
        """Do the deferred work: something happened that was no client's doing."""
        self._pulse.end_turn()

    def check_alarms(self) -> None:
        """Look at the alarms now, and let publishers on if the last one is over.

        The clock does it too. The end of the turn tells the clients.
        """
        if self._alarms.check():
            for transport in list(self.transports):
                if transport.connection is not None:
                    transport.connection.client.unblock()

    def close_connections(self, chooser: Chooser, reason: str) -> int:
        """Close the connections that are chosen with 320, at once; returns how many that were."""
        count = 0
        for transport in list(self.transports):
            connection = transport.connection
            if connection is not None and chooser(connection.client):
                connection.force_close(reason)
                count += 1
        self._pulse.end_turn()
        return count

    async def stop(self, grace_seconds: float) -> None:
        """Close every client with 320, give them `grace_seconds` to answer, and drop who is left."""
        self._stop_listening()
        self._handshakes.stop()
        for transport in list(self.transports):
            if transport.connection is not None:
                transport.connection.force_close(SHUTDOWN_REASON)
        self._pulse.end_turn()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds):
                while self.transports:
                    await asyncio.sleep(0.01)
        if self.transports:
            logger.warning("%d clients did not close in time and are dropped", len(self.transports))
        for transport in list(self.transports):
            transport.abort()
        while self.transports:
            await asyncio.sleep(0)
        self.close()

    def close(self) -> None:
        """Listen no more, and let time stand still."""
        self._stop_listening()
        if self._timer is not None:
            self._timer.cancel()

    def _stop_listening(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
