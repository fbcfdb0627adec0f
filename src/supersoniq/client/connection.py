"""A client's connection: handshake, heartbeats, close, and the frames handed to its channels."""

import asyncio
import os
from collections.abc import Callable
from typing import Final, cast, final

from mypy_extensions import i64

from supersoniq.amqp.errors import AMQPError
from supersoniq.amqp.frames import HEARTBEAT, FrameHandler, FrameReader
from supersoniq.amqp.methods import Arguments, begin_method, end_method, write_method
from supersoniq.amqp.primitives import (
    octets,
    read_u32,
    text,
    write_longstr,
    write_shortstr,
    write_u8,
    write_u16,
    write_u32,
)
from supersoniq.amqp.spec import (
    CONNECTION_BLOCKED,
    CONNECTION_CLOSE,
    CONNECTION_CLOSE_OK,
    CONNECTION_OPEN,
    CONNECTION_OPEN_OK,
    CONNECTION_START,
    CONNECTION_START_OK,
    CONNECTION_TUNE,
    CONNECTION_TUNE_OK,
    CONNECTION_UNBLOCKED,
    PROTOCOL_HEADER,
    REPLY_SUCCESS,
)
from supersoniq.amqp.tables import encode_table, plain, table_of
from supersoniq.client.address import Address
from supersoniq.client.channel import Channel
from supersoniq.client.errors import ClientError, ConnectionClosed, ConnectionLost, Unreachable
from supersoniq.client.listener import Listener
from supersoniq.client.wire import Wire

FRAME_MAX_BYTES: Final = 131072
CHANNEL_MAX: Final = 2047
CLIENT_PROPERTIES: Final[dict[str, object]] = {
    "product": "SupersoniQ client",
    "platform": "Python",
    "capabilities": {
        "authentication_failure_close": True,
        "basic.nack": True,
        "connection.blocked": True,
        "consumer_cancel_notify": True,
        "publisher_confirms": True,
    },
}


@final
class Connection(FrameHandler):
    """Made by `connect`. It is the event loop's protocol object too, hence `data_received` and its like."""

    def __init__(self, address: Address, heartbeat_seconds: int, listener: Listener) -> None:
        self.wire = Wire()
        self.server_properties: dict[str, object] = {}
        self.error: ClientError | None = None
        self.is_blocked = False
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._address = address
        self._heartbeat_seconds = heartbeat_seconds
        self._listener = listener
        self._reader = FrameReader(self, FRAME_MAX_BYTES)
        self._transport: asyncio.Transport | None = None
        self._is_closing = False
        self._channels: dict[int, Channel] = {}
        self._channel: Channel | None = None
        self._channel_number: i64 = -1
        self._channel_max = CHANNEL_MAX
        self._beat_timer: asyncio.TimerHandle | None = None
        self._has_read = False
        self._silent_beats = 0

    async def channel(self) -> Channel:
        """Open a channel with the lowest free number; raises ConnectionLost if none is free."""
        number = 1
        while number in self._channels and not self._channels[number].is_closed:
            number += 1
        if number > self._channel_max:
            raise ConnectionLost(f"all {self._channel_max} channels of the connection are open")
        channel = Channel(self.wire, number, self._listener)
        if self.error is not None:
            raise self.error
        self._channels[number] = channel
        self._channel_number = -1
        await channel.open()
        return channel

    async def close(self) -> None:
        """Close the connection and wait until the socket is closed; nothing happens if it is."""
        if self.error is None:
            self._is_closing = True
            out = self.wire.out
            at = begin_method(out, 0, CONNECTION_CLOSE)
            write_u16(out, REPLY_SUCCESS)
            write_shortstr(out, b"")
            write_u32(out, 0)
            end_method(out, at)
            self.wire.flush()
        await self._gone

    def abort(self) -> None:
        """Drop the connection without a close."""
        self._is_closing = True
        if self._transport is not None:
            self._transport.abort()

    # --- the event loop's protocol ---------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        self._transport = cast(asyncio.Transport, transport)
        self.wire.attach(self._transport)
        self.wire.write(PROTOCOL_HEADER)

    def data_received(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        self._has_read = True
        try:
            self._reader.feed(data)
        except (AMQPError, IndexError) as error:
            self._fail(self._not_understood(error))
            self.abort()
            return
        self._listener.turn_ended()
        self.wire.flush()

    def _not_understood(self, error: Exception) -> ClientError:
        if not self.opened.done() and not self.server_properties:
            return Unreachable(f"{self._address} does not speak AMQP 0-9-1")
        return ConnectionLost(f"{self._address} sent what is not AMQP 0-9-1: {error}")

    def eof_received(self) -> bool:
        """Have the transport closed."""
        return False

    def connection_lost(self, error: BaseException | None) -> None:
        """End everything that waits."""
        if self._beat_timer is not None:
            self._beat_timer.cancel()
        self.wire.detach()
        if not self._gone.done():
            self._gone.set_result(None)
        reason = (
            "the connection was closed by this side"
            if self._is_closing
            else f"{self._address} ended the connection"
        )
        if error is not None:
            reason += f": {error}"
        self._fail(ConnectionLost(reason))

    def pause_writing(self) -> None:
        """The transport holds enough."""
        self.wire.is_writable = False

    def resume_writing(self) -> None:
        """The transport takes more."""
        self.wire.is_writable = True
        self._listener.writable()

    # --- frames ----------------------------------------------------------------------------------

    def method_frame(self, channel: i64, data: bytes, start: i64, end: i64) -> None:
        """Take a method."""
        if channel == 0:
            self._own_method(read_u32(data, start), Arguments(data[start:end], 0, end - start))
            return
        target = self._channel_at(channel)
        if target is not None:
            target.method(data, start, end)

    def header_frame(self, channel: i64, data: bytes, start: i64, end: i64) -> None:
        """Take a content header."""
        target = self._channel_at(channel)
        if target is not None:
            target.header(data, start, end)

    def body_frame(self, channel: i64, data: bytes, start: i64, end: i64) -> bool:
        """Take a piece of a content body; no two deliveries begin alike."""
        target = self._channel_at(channel)
        if target is not None:
            target.body(data, start, end)
        return False

    def heartbeat_frame(self, channel: i64) -> None:
        """Take a heartbeat: that something came is noted for every read."""

    def _channel_at(self, number: i64) -> Channel | None:
        """The open channel `number`; the last one asked for is found without a look into the dictionary."""
        if number != self._channel_number:
            self._channel = self._channels.get(int(number))
            self._channel_number = number
        return self._channel

    # --- handshake and close ---------------------------------------------------------------------

    def _own_method(self, number: i64, arguments: Arguments) -> None:
        if number == CONNECTION_START:
            self._start(arguments)
        elif number == CONNECTION_TUNE:
            self._tune(arguments)
        elif number == CONNECTION_OPEN_OK:
            if not self.opened.done():
                self.opened.set_result(None)
        elif number == CONNECTION_CLOSE:
            self._closed_by_server(arguments)
        elif number == CONNECTION_CLOSE_OK:
            self._hang_up()
        elif number in (CONNECTION_BLOCKED, CONNECTION_UNBLOCKED):
            self.is_blocked = number == CONNECTION_BLOCKED

    def _start(self, arguments: Arguments) -> None:
        arguments.u16()
        self.server_properties = plain(arguments.table())
        address = self._address
        out = self.wire.out
        at = begin_method(out, 0, CONNECTION_START_OK)
        out.write(encode_table(table_of(CLIENT_PROPERTIES)))
        write_shortstr(out, b"PLAIN")
        write_longstr(out, b"\0" + octets(address.user) + b"\0" + octets(address.password))
        write_shortstr(out, b"en_US")
        end_method(out, at)

    def _tune(self, arguments: Arguments) -> None:
        self._channel_max = arguments.u16() or CHANNEL_MAX
        frame_max_bytes = min(arguments.u32() or FRAME_MAX_BYTES, FRAME_MAX_BYTES)
        self.wire.frame_max_bytes = frame_max_bytes
        self._reader.limit(frame_max_bytes)
        arguments.u16()
        out = self.wire.out
        at = begin_method(out, 0, CONNECTION_TUNE_OK)
        write_u16(out, self._channel_max)
        write_u32(out, frame_max_bytes)
        write_u16(out, self._heartbeat_seconds)
        end_method(out, at)
        at = begin_method(out, 0, CONNECTION_OPEN)
        write_shortstr(out, octets(self._address.vhost))
        write_shortstr(out, b"")
        write_u8(out, 0)
        end_method(out, at)
        if self._heartbeat_seconds > 0:
            self._schedule_beat()

    def _closed_by_server(self, arguments: Arguments) -> None:
        reply_code = arguments.u16()
        error = ConnectionClosed(reply_code, text(arguments.shortstr()))
        write_method(self.wire.out, 0, CONNECTION_CLOSE_OK)
        self.wire.flush()
        self._fail(error)
        self._hang_up()

    def _hang_up(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _fail(self, error: ClientError) -> None:
        """Note the first reason why the connection is of no more use, and tell everybody who waits."""
        if self.error is not None:
            return
        self.error = error
        if not self.opened.done():
            self.opened.set_exception(error)
        for channel in list(self._channels.values()):
            if not channel.is_closed:
                channel.fail(error)
        if not self._is_closing:
            self._listener.lost(error)

    # --- heartbeats ------------------------------------------------------------------------------

    def _schedule_beat(self) -> None:
        loop = asyncio.get_running_loop()
        self._beat_timer = loop.call_later(self._heartbeat_seconds / 2, self._beat)

    def _beat(self) -> None:
        """Send a heartbeat twice an interval; a server that was silent for two intervals is given up."""
        self._silent_beats = 0 if self._has_read else self._silent_beats + 1
        self._has_read = False
        if self._silent_beats >= 4:
            self._fail(ConnectionLost(f"{self._address} was silent for two heartbeat intervals"))
            self.abort()
            return
        self.wire.write(HEARTBEAT)
        self._schedule_beat()


async def connect(
    address: Address,
    heartbeat_seconds: int = 0,
    timeout_seconds: float = 10.0,
    listener: Listener | None = None,
) -> Connection:
    """Open a connection; raises Unreachable, ConnectionLost, or ConnectionClosed (refused login)."""
    connection = Connection(address, heartbeat_seconds, Listener() if listener is None else listener)
    try:
        await asyncio.wait_for(_open(connection, address), timeout_seconds)
    except TimeoutError:
        connection.abort()
        raise Unreachable(f"{address} did not complete the handshake in {timeout_seconds:g} s") from None
    except OSError as error:
        # asyncio puts addresses where the system's text belongs; a resolver's numbers are negative.
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror or error)
        raise Unreachable(f"cannot connect to {address}: {reason}") from None
    except BaseException:
        connection.abort()
        raise
    return connection


async def _open(connection: Connection, address: Address) -> None:
    factory = cast("Callable[[], asyncio.Protocol]", _Factory(connection))
    await asyncio.get_running_loop().create_connection(factory, address.host, address.port)
    await connection.opened


@final
class _Factory:
    """Answers the event loop's call for a protocol with the one that there is."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __call__(self) -> Connection:
        return self._connection
