"""A connection on the event loop that tells whole methods to whoever speaks on its channel."""

from __future__ import annotations

import asyncio
import struct
from abc import ABC, abstractmethod

from tests.conformance.codec import (
    FRAME_BODY,
    FRAME_HEADER,
    FRAME_METHOD,
    WITH_CONTENT,
    Method,
    decode_method,
)
from tests.conformance.wire import Wire, WireChannel


class Speaker(ABC):
    """Whoever owns a channel of a link."""

    @abstractmethod
    def received(self, method: Method) -> None:
        """Take what the broker sent, with its content."""


class Link(asyncio.Protocol):
    """Takes over a `Wire` whose handshake is done and whose channels are open.

    What the broker sent before it died is read to the end. `failure` is what a speaker raised.
    """

    def __init__(self, wire: Wire) -> None:
        self.failure: BaseException | None = None
        self.is_dropped = False
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._wire = wire
        self._speakers: dict[int, Speaker] = {}
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._open: dict[int, Method] = {}
        self._missing: dict[int, int] = {}

    def add(self, channel: WireChannel, speaker: Speaker) -> None:
        """Have `speaker` told what comes on the channel."""
        self._speakers[channel.number] = speaker

    async def begin(self) -> None:
        """Read from now on."""
        assert not self._wire.received
        self._wire.socket.setblocking(False)
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_connection(lambda: self, sock=self._wire.socket)

    def send(self, channel: WireChannel, *methods: Method) -> None:
        """Write methods, unless the connection is gone."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join([channel.octets(method) for method in methods]))

    def drop(self) -> None:
        """Close the socket without a word."""
        self.is_dropped = True
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        """Note the end."""
        self.lost.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Cut the stream into frames."""
        stream = self._rest + data
        at = 0
        while len(stream) - at >= 8:
            kind, number, size = struct.unpack_from(">BHI", stream, at)
            if len(stream) - at < size + 8:
                break
            try:
                self._frame(kind, number, stream[at + 7 : at + 7 + size])
            except BaseException as error:
                self.failure = self.failure or error
                raise
            at += size + 8
        self._rest = stream[at:]

    def _frame(self, kind: int, number: int, payload: bytes) -> None:
        if kind == FRAME_METHOD:
            method = decode_method(payload)
            assert method.name not in ("connection.close", "channel.close"), method
            self._open[number] = method
            self._missing[number] = 0
            if method.name in WITH_CONTENT:
                return
        elif kind == FRAME_HEADER:
            self._missing[number] = struct.unpack_from(">Q", payload, 4)[0]
            self._open[number].body = b""
        elif kind == FRAME_BODY:
            method = self._open[number]
            assert method.body is not None
            method.body += payload
            self._missing[number] -= len(payload)
        if not self._missing[number]:
            self._speakers[number].received(self._open.pop(number))
