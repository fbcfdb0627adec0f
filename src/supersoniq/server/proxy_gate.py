"""The first thing on a socket where there are proxies: who is behind one is asked for, and then let in."""

import asyncio
import ipaddress
import logging
from collections.abc import Callable, Sequence
from typing import Protocol, cast

from supersoniq.server.handshakes import Handshakes, Pending
from supersoniq.server.proxy_protocol import Peer, ProxyError, read_header
from supersoniq.server.transport import describe

logger = logging.getLogger(__name__)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ClientProtocol(Protocol):
    """What a client is handed to: as much of asyncio's protocols as there is a use for."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin."""

    def data_received(self, data: bytes) -> None:
        """Go on."""


# Makes the protocol for a client that comes from there; None: from the other end of the socket.
NewProtocol = Callable[[Peer | None], ClientProtocol]


class ProxyGate(Pending):
    """Lives until the header has come; clients that come from elsewhere send none."""

    def __init__(self, new_protocol: NewProtocol, proxies: Sequence[Network], handshakes: Handshakes) -> None:
        self._new_protocol = new_protocol
        self._proxies = proxies
        self._handshakes = handshakes
        self._transport: asyncio.Transport | None = None
        self._data = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Let in who comes from no proxy."""
        self._transport = transport
        if self._is_proxy(transport.get_extra_info("peername")):
            self._handshakes.begin(self)
        else:
            self._let_in(transport, None, b"")

    def data_received(self, data: bytes) -> None:
        """Let in whom the header names, with what came after it."""
        transport = self._transport
        if transport is None:
            return
        self._data += data
        try:
            header = read_header(self._data)
        except ProxyError as error:
            logger.warning("connection %s: %s", self._address(), error)
            transport.abort()
            return
        if header is not None:
            self._handshakes.end(self)
            self._let_in(transport, header.peer, self._data[header.size_bytes :])

    def eof_received(self) -> bool:
        """Close."""
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """Forget it."""
        self._transport = None
        self._handshakes.end(self)

    def pause_writing(self) -> None:
        """Do nothing: nothing is written."""

    def resume_writing(self) -> None:
        """Do nothing."""

    def advance(self) -> None:
        """Do nothing: a header costs nothing."""

    def give_up(self) -> str:
        """Drop the client."""
        if self._transport is not None:
            self._transport.abort()
        return self._address()

    def _address(self) -> str:
        return "" if self._transport is None else describe(self._transport.get_extra_info("peername"))[0]

    def _is_proxy(self, peer: object) -> bool:
        if not isinstance(peer, tuple):
            return False
        host = ipaddress.ip_address(str(peer[0]).partition("%")[0])
        if isinstance(host, ipaddress.IPv6Address) and host.ipv4_mapped is not None:
            host = host.ipv4_mapped
        return any(host in network for network in self._proxies)

    def _let_in(self, transport: asyncio.Transport, peer: Peer | None, data: bytes) -> None:
        protocol = self._new_protocol(peer)
        self._transport = None
        # A compiled class cannot inherit from asyncio's; event loops call its methods and ask no more.
        transport.set_protocol(cast(asyncio.BaseProtocol, protocol))
        protocol.connection_made(transport)
        if data:
            protocol.data_received(data)
