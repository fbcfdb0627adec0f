"""One client's socket: an asyncio protocol that feeds a session and sends what it writes.

Compiled, so it does not inherit from `asyncio.Protocol`; event loops ask only for the methods.
"""

import asyncio
import logging
from typing import Final, final

from supersoniq.auth.peer import Encryption
from supersoniq.broker.counters import TrafficCounters
from supersoniq.server.pulse import Pulse
from supersoniq.session.connection import Connection
from supersoniq.session.context import Context
from supersoniq.session.output import Transport

logger = logging.getLogger(__name__)

# What a socket may hold unsent before the session is told that it is full.
WRITE_BUFFER_BYTES: Final = 256 * 1024
# Deliveries stop when the socket is full, answers do not: a client that asks for more of them than this
# without reading any is not read until it does.
UNREAD_ANSWERS_BYTES_MAX: Final = 8 * 1024 * 1024
# A read of this size means that more is waiting; after a few of them in a row others get their turn.
FULL_READ_BYTES: Final = 128 * 1024
FULL_READS_MAX: Final = 2
# While turns follow each other this fast, clients that are sent nothing and whose reads are short and
# frequent are read once a millisecond: waking up for each of their messages costs several times what the
# message costs (docs/adr/0006-short-reads.md).
TURNS_PER_SECOND_BUSY: Final = 20_000
SHORT_READ_BYTES: Final = 2_048
SHORT_READS_COUNTED: Final = 64
SHORT_READS_SECONDS: Final = 0.032
GATHER_SECONDS: Final = 0.001


@final
class SocketTransport(Transport):
    """Lives as long as its socket; `transports` is the node's set of those that are open."""

    def __init__(
        self,
        context: Context,
        pulse: Pulse,
        transports: "set[SocketTransport]",
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.connection: Connection | None = None
        self.peer: tuple[str, int] | None = None  # where the client is, if a proxy has said so
        self._context = context
        self._pulse = pulse
        self._transports = transports
        self._loop = loop
        self._socket: asyncio.Transport | None = None
        self._traffic = TrafficCounters()
        self._is_open = False
        self._may_write = False
        self._is_paused = False
        self._is_full = False
        self._is_choked = False
        self._full_reads = 0
        self._short_reads = 0
        self._short_reads_bytes = 0
        self._short_reads_since = 0.0
        self._turns_then = 0
        self._gather_bytes_min = 0
        self._is_gathering = False

    # What the event loop calls

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin a session on a new socket."""
        self._socket = transport
        self._is_open = self._may_write = True
        transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        peer = self.peer if self.peer is not None else transport.get_extra_info("peername")
        address, from_loopback = describe(peer)
        self.connection = Connection(self._context, self, address, from_loopback)
        client = self.connection.client
        peer_host, peer_port = _end(peer)
        host, port = _end(transport.get_extra_info("sockname"))
        client.located(peer_host, peer_port, host, port)
        self._traffic = client.traffic
        encryption = transport.get_extra_info("encryption")
        if isinstance(encryption, Encryption):
            client.encryption = encryption
        self._transports.add(self)

    def data_received(self, data: bytes) -> None:
        """Feed the session."""
        connection = self.connection
        assert connection is not None
        size = len(data)
        self._traffic.received_bytes += size
        self._traffic.received_count += 1
        turn = self._context.turn
        turn.cause = connection
        try:
            connection.feed(data)
        except Exception:
            connection.crash()
        self._pulse.end_turn()
        turn.cause = None
        if size >= FULL_READ_BYTES:
            self._yield_to_others()
        else:
            self._full_reads = 0
            if self._is_gathering:
                self._gather(size)
            elif size < SHORT_READ_BYTES:
                self._count_short_read(size)

    def eof_received(self) -> bool:
        """Close: AMQP has no use for a half-open socket."""
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """End the session."""
        self._is_open = self._may_write = False
        self._transports.discard(self)
        if self.connection is not None:
            self.connection.lost()
            self._pulse.end_turn()

    def pause_writing(self) -> None:
        """Tell the session that the socket is full."""
        self._is_full = True
        if self.connection is not None:
            self.connection.output.pause()

    def resume_writing(self) -> None:
        """Tell the session that the socket has room."""
        self._is_full = self._is_choked = False
        self._read_on()
        if self.connection is not None:
            self.connection.output.resume()
            self._pulse.end_turn()

    # What the session calls

    def write(self, data: bytes) -> None:
        """Send `data`; nothing happens if the socket is gone."""
        if self._may_write and self._socket is not None:
            self._short_reads = 0
            self._traffic.sent_bytes += len(data)
            self._traffic.sent_count += 1
            self._socket.write(data)
            if self._is_full:
                self._choke()

    def write_pieces(self, pieces: list[bytes]) -> None:
        """Send several pieces in one go."""
        if self._may_write and self._socket is not None:
            self._short_reads = 0
            for piece in pieces:
                self._traffic.sent_bytes += len(piece)
            self._traffic.sent_count += 1
            self._socket.writelines(pieces)
            if self._is_full:
                self._choke()

    def close(self) -> None:
        """Stop writing once all is sent; the peer closes the socket, or the session's ticks run out."""
        if self._may_write and self._socket is not None:
            self._may_write = False
            if self._socket.can_write_eof():
                self._socket.write_eof()
            else:
                self._socket.close()

    def abort(self) -> None:
        """Drop the socket at once."""
        if self._socket is not None:
            self._socket.abort()

    def pause_reading(self) -> None:
        """Leave what the peer sends in its socket."""
        if not self._is_paused and self._socket is not None:
            self._is_paused = True
            self._socket.pause_reading()

    def resume_reading(self) -> None:
        """Take what the peer sends again."""
        if self._is_paused and self._is_open and self._socket is not None:
            self._is_paused = False
            self._read_on()

    def unsent_bytes(self) -> int:
        """Return what the socket has not taken yet."""
        return 0 if self._socket is None else self._socket.get_write_buffer_size()

    # Fairness

    def _choke(self) -> None:
        """Stop reading from a client that has too much waiting for it."""
        if (
            not self._is_choked
            and self._socket is not None
            and self._socket.get_write_buffer_size() > UNREAD_ANSWERS_BYTES_MAX
        ):
            self._is_choked = True
            self._socket.pause_reading()

    def _yield_to_others(self) -> None:
        """Let the loop look at other sockets when this one always has more: a flood must starve nobody."""
        self._full_reads += 1
        if (
            self._full_reads >= FULL_READS_MAX
            and self._is_open
            and not self._is_paused
            and self._socket is not None
        ):
            self._full_reads = 0
            self._is_gathering = False
            self._socket.pause_reading()
            self._loop.call_soon(self._read_on)

    # Short reads

    def _count_short_read(self, size: int) -> None:
        """Begin to gather when short reads follow each other fast and nothing was sent meanwhile."""
        if self._short_reads == 0:
            self._short_reads_since = self._loop.time()
            self._short_reads_bytes = 0
            self._turns_then = self._pulse.count
        self._short_reads += 1
        self._short_reads_bytes += size
        if self._short_reads == SHORT_READS_COUNTED:
            self._short_reads = 0
            seconds = self._loop.time() - self._short_reads_since
            turns = self._pulse.count - self._turns_then
            if seconds < SHORT_READS_SECONDS and turns > seconds * TURNS_PER_SECOND_BUSY:
                self._is_gathering = True
                self._gather_bytes_min = 2 * self._short_reads_bytes // SHORT_READS_COUNTED
                self._gather(self._gather_bytes_min)

    def _gather(self, size: int) -> None:
        """Look away for a moment; stop when that has brought no more than single reads did before."""
        if size < self._gather_bytes_min:
            self._is_gathering = False
        elif self._is_open and not self._is_paused and self._socket is not None:
            self._socket.pause_reading()
            self._loop.call_later(GATHER_SECONDS, self._read_on)

    def _read_on(self) -> None:
        """Take what the peer sends, unless something else forbids it."""
        if self._is_open and not self._is_paused and not self._is_choked and self._socket is not None:
            self._socket.resume_reading()


def _end(address: object) -> tuple[str, int]:
    """Return the host and port of an address of a socket; a Unix socket has none."""
    return (str(address[0]), int(address[1])) if isinstance(address, tuple) else ("", 0)


def describe(peer: object) -> tuple[str, bool]:
    """Return a peer's address for logs, and whether it is on this machine."""
    if not isinstance(peer, tuple):
        return "local socket", True
    host, port = str(peer[0]), peer[1]
    from_loopback = host.startswith("127.") or host == "::1" or host.startswith("::ffff:127.")
    return (f"[{host}]:{port}" if ":" in host else f"{host}:{port}"), from_loopback
