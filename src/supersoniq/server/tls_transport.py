"""TLS on one client's socket: between the event loop's transport and the session's.

Compiled. To the loop it is a protocol, to `SocketTransport` it is the socket. It is not asyncio's own TLS, so
that what the session is told is the same as without TLS: a paused client is not read at all, nothing that
came before the end is lost, and closing leaves the other direction open until the client is done
(docs/adr/0013-tls.md).
"""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Iterable
from typing import Final, cast, final

from supersoniq.server.handshakes import Handshakes, Pending
from supersoniq.server.transport import WRITE_BUFFER_BYTES, SocketTransport, describe
from supersoniq.tls.certificates import Certificates
from supersoniq.tls.peer import encryption

logger = logging.getLogger(__name__)

# The most that a TLS record holds.
RECORD_BYTES: Final = 16 * 1024
# What OpenSSL is given or asked for at once: its buffers stay as large as they ever were.
PORTION_BYTES: Final = 64 * 1024
# Where OpenSSL's words do not say it.
_WORDS: Final = {
    "HTTP_REQUEST": "the client speaks HTTP without TLS",
    "WRONG_VERSION_NUMBER": "the client does not speak TLS",
    "UNSUPPORTED_PROTOCOL": "the client offers no version of TLS that is accepted",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "the client has no certificate",
}


@final
class TLSTransport(Pending):
    """Lives as long as its socket. `session` hears of the client when the handshake has succeeded."""

    def __init__(self, session: SocketTransport, certificates: Certificates, handshakes: Handshakes) -> None:
        self._session = session
        self._certificates = certificates
        self._handshakes = handshakes
        self._peer: object = session.peer
        self._socket: asyncio.Transport | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None
        self._is_secured = False
        self._is_ended = False  # nothing is read or written any more

    # What the event loop calls

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Wait for the client to begin the handshake."""
        self._socket = transport
        transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        if self._peer is None:
            self._peer = transport.get_extra_info("peername")
        self._handshakes.begin(self)

    def data_received(self, data: bytes) -> None:
        """Decrypt, or go on with the handshake when it is this client's turn."""
        if self._is_ended:
            return
        if self._is_secured:
            self._read(data)
        elif self._socket is not None:
            self._incoming.write(data)
            self._socket.pause_reading()
            self._handshakes.ready(self)

    def eof_received(self) -> bool:
        """Close, with or without a close_notify before."""
        return self._session.eof_received() if self._is_secured else False

    def connection_lost(self, error: Exception | None) -> None:
        """End the session, if there is one."""
        self._socket = None
        self._is_ended = True
        if self._is_secured:
            self._session.connection_lost(error)
        else:
            self._handshakes.end(self)

    def pause_writing(self) -> None:
        """Pass it on."""
        if self._is_secured:
            self._session.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        if self._is_secured:
            self._session.resume_writing()

    # The handshake

    def advance(self) -> None:
        """Go on with what has come."""
        socket = self._socket
        if socket is None or self._is_ended:
            return
        try:
            tls = self._tls
            if tls is None:
                context = self._certificates.context
                tls = self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
            tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            socket.resume_reading()
        except (ssl.SSLError, OSError) as error:
            self._refuse(error)
        else:
            self._flush()
            self._begin(socket)

    def _begin(self, socket: asyncio.Transport) -> None:
        """Begin the session, with what the client has sent already."""
        self._handshakes.end(self)
        self._is_secured = True
        # To the session this is the socket: it asks for no more than is here.
        self._session.connection_made(cast(asyncio.Transport, self))
        socket.resume_reading()
        self._read(b"")

    def _refuse(self, error: OSError) -> None:
        """Tell the client why, and wait for it to close: it would not read the reason after a reset."""
        self._is_ended = True
        logger.warning("connection %s: TLS handshake failed: %s", describe(self._peer)[0], _reason(error))
        self._flush()
        if self._socket is not None:
            self._socket.write_eof()
            self._socket.resume_reading()

    def give_up(self) -> str:
        """Drop the client; the log knows already of one that was refused."""
        if self._socket is not None:
            self._socket.abort()
        return "" if self._is_ended else describe(self._peer)[0]

    # What the session calls

    def get_extra_info(self, name: str) -> object:
        """Return what was agreed on, or what the socket knows."""
        if name == "encryption":
            assert self._tls is not None
            return encryption(self._tls)
        if name == "peername":
            return self._peer
        return None if self._socket is None else self._socket.get_extra_info(name)

    def set_write_buffer_limits(self, high: int) -> None:
        """Do nothing: they are set."""

    def get_write_buffer_size(self) -> int:
        """Return what waits in the socket."""
        return 0 if self._socket is None else self._socket.get_write_buffer_size()

    def pause_reading(self) -> None:
        """Leave what the client sends in its socket."""
        if self._socket is not None:
            self._socket.pause_reading()

    def resume_reading(self) -> None:
        """Take what the client sends."""
        if self._socket is not None:
            self._socket.resume_reading()

    def write(self, data: bytes) -> None:
        """Encrypt and send."""
        if self._is_ended or self._tls is None:
            return
        size = len(data)
        view = memoryview(data)
        try:
            at = self._tls.write(data)  # one record
            while at < size:
                at += self._tls.write(view[at : at + RECORD_BYTES])
                if self._outgoing.pending >= PORTION_BYTES:
                    self._flush()
        except ssl.SSLError as error:
            self._fail(error)
        else:
            self._flush()

    def writelines(self, pieces: Iterable[bytes]) -> None:
        """Encrypt and send; together, as every piece would be a record of its own."""
        self.write(b"".join(pieces))

    def can_write_eof(self) -> bool:
        """Return True."""
        return True

    def write_eof(self) -> None:
        """Tell the client that nothing more comes, and leave its direction open."""
        self._notify()
        if self._socket is not None:
            self._socket.write_eof()

    def close(self) -> None:
        """Close the socket once all is sent."""
        self._notify()
        if self._socket is not None:
            self._socket.close()

    def abort(self) -> None:
        """Drop the socket at once."""
        if self._socket is not None:
            self._socket.abort()

    # Octets

    def _read(self, data: bytes) -> None:
        """Decrypt what is complete and feed the session with it; then see whether the client has ended."""
        view = memoryview(data)
        size = len(data)
        records: list[bytes] = []
        at = 0
        ends = False
        try:
            while True:
                self._incoming.write(view[at : at + PORTION_BYTES])
                at += PORTION_BYTES
                ends = self._decrypt(records)
                if ends or at >= size:
                    break
        except ssl.SSLError as error:
            self._fail(error)
        if self._outgoing.pending > 0:
            self._flush()  # an answer of TLS itself
        if records:
            self._session.data_received(records[0] if len(records) == 1 else b"".join(records))
        if ends and not self._session.eof_received():
            self.close()

    def _decrypt(self, records: list[bytes]) -> bool:
        """Append what is in the records that are complete; returns whether the client has ended."""
        tls = self._tls
        assert tls is not None
        try:
            while self._incoming.pending > 0 or tls.pending() > 0:
                record = tls.read(RECORD_BYTES)
                if not record:
                    return True
                records.append(record)
        except ssl.SSLWantReadError:
            pass  # the rest of a record is on its way
        except ssl.SSLZeroReturnError:
            return True
        return False

    def _notify(self) -> None:
        """Say that nothing more comes."""
        tls = self._tls
        if self._is_ended or tls is None:
            return
        self._is_ended = True
        with contextlib.suppress(ssl.SSLError):
            tls.unwrap()  # raises because the client has not answered, which is not waited for
        self._flush()

    def _fail(self, error: ssl.SSLError) -> None:
        """Drop a client whose octets make no sense, or who tells us that ours do not."""
        self._is_ended = True
        logger.warning("connection %s: TLS failed: %s", describe(self._peer)[0], _reason(error))
        self._flush()
        self.abort()

    def _flush(self) -> None:
        """Send what OpenSSL has written."""
        data = self._outgoing.read()
        if data and self._socket is not None:
            self._socket.write(data)


def _reason(error: OSError) -> str:
    """Return what went wrong, in a few words of OpenSSL's."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {error.verify_message}"
    if isinstance(error, ssl.SSLError) and error.reason:
        return _WORDS.get(error.reason, error.reason.lower().replace("_", " "))
    return str(error)
