"""One connection: bytes in, calls on its channels, and the one place where AMQP errors become closes.

Nothing that a peer sends makes `feed` raise. Time comes in as ticks from outside.
"""

from typing import Final, final

from mypy_extensions import i64

from supersoniq.amqp.errors import (
    UNSET,
    AMQPError,
    ChannelException,
    ChannelFault,
    ConnectionException,
    ConnectionForced,
    InternalFault,
    LoginRefused,
    NotAllowed,
    UnexpectedFrame,
)
from supersoniq.amqp.frames import FrameHandler, FrameReader
from supersoniq.amqp.methods import Arguments
from supersoniq.amqp.primitives import write_longstr, write_shortstr, write_u16
from supersoniq.amqp.spec import (
    BASIC_ACK,
    BASIC_NACK,
    BASIC_PUBLISH,
    BASIC_REJECT,
    CHANNEL_CLOSE,
    CHANNEL_CLOSE_OK,
    CHANNEL_OPEN,
    CHANNEL_OPEN_OK,
    CONNECTION_CLOSE,
    CONNECTION_CLOSE_OK,
    CONNECTION_UPDATE_SECRET,
    CONNECTION_UPDATE_SECRET_OK,
    FRAME_BODY,
    FRAME_HEADER,
    FRAME_METHOD,
    PROTOCOL_HEADER,
)
from supersoniq.session.announcing import (
    authenticated,
    connection_closed,
    connection_created,
    note_refusal,
    refused,
)
from supersoniq.session.channel import Channel, method_number
from supersoniq.session.client import Client
from supersoniq.session.context import Context
from supersoniq.session.handshake import Handshake, LoginWaiter
from supersoniq.session.heartbeats import TICKS_PER_SECOND, Heartbeats
from supersoniq.session.held_frames import HeldFrames
from supersoniq.session.log_lines import (
    log_bug,
    log_channel_closed,
    log_closed,
    log_login_refused,
    log_no_header,
    log_opened,
    log_trouble,
)
from supersoniq.session.logins import Login
from supersoniq.session.output import Output, Transport

# Clients without authentication_failure_close are left waiting, which slows guessing down.
REFUSED_TICKS: Final = 3 * TICKS_PER_SECOND
# How long a client may take to answer our Connection.Close.
CLOSING_TICKS: Final = 10 * TICKS_PER_SECOND

HEADER: Final = 0  # the protocol header is awaited
OPENING: Final = 1
RUNNING: Final = 2
CLOSING: Final = 3  # our Connection.Close was sent
CLOSED: Final = 4
REFUSED: Final = 5  # the client is dropped without a word when its ticks are up


@final
class Connection(FrameHandler, LoginWaiter):
    """One client's conversation.

    The transport calls `feed`, `tick`, `lost` and the output's `pause` and `resume`.
    """

    def __init__(self, context: Context, transport: Transport, address: str, from_loopback: bool) -> None:
        self.id = context.next_id()
        self.output = Output(transport, context.turn)
        self.client = Client(self.id, context, self.output, transport, address)
        self.channels: dict[int, Channel] = {}
        self.state = HEADER
        self._context = context
        self._transport = transport
        self._handshake = Handshake(self.client, self, from_loopback)
        self._reader = FrameReader(self, context.limits.frame_max_bytes)
        self._opening = b""
        self._channel: Channel | None = None  # the one that the last frame was for
        self._channel_number: i64 = -1
        self._publisher: Channel | None = None  # the last one that a body came for
        self._repeating: Channel | None = None  # the same, while the reader knows its octets
        self._method: i64 = 0
        self._closed_channels: set[int] = set()
        self._ticks_left = context.limits.handshake_ticks
        self._heartbeats = Heartbeats(self.client)
        self._held = HeldFrames()

    # Bytes

    def feed(self, data: bytes) -> None:
        """Take the next bytes from the client. Never raises."""
        self._heartbeats.was_fed = True
        if self.state == HEADER:
            data = self._feed_header(data)
        if not data or self.state == CLOSED or self.state == REFUSED:
            return
        try:
            self._reader.feed(data)
        except ConnectionException as error:
            self._fail(error)

    def crash(self) -> None:
        """Close the connection with 541 for an exception that is a bug of ours; called from its handler."""
        log_bug(self.client)
        self._fail(InternalFault("internal error", 0, 0))

    def _feed_header(self, data: bytes) -> bytes:
        """Take the protocol header; returns what follows it."""
        opening = self._opening = self._opening + data
        if opening[:6] == b"PING\r\n":
            self.output.octets(b"PONG\r\n")
            self._end()
            return b""
        if opening[:8] == PROTOCOL_HEADER:
            self.state = OPENING
            self._opening = b""
            self._handshake.start()
            return opening[8:]
        prefix = opening[:8]
        if not PROTOCOL_HEADER.startswith(prefix) and not b"PING\r\n".startswith(prefix):
            self.output.octets(PROTOCOL_HEADER)
            self._end()
            log_no_header(self.client, prefix)
        return b""

    # Frames

    def method_frame(self, channel: i64, data: bytes, start: i64, end: i64) -> None:
        """Take a method."""
        method = method_number(data, start, end)
        self._method = method
        if method == BASIC_PUBLISH:
            self._repeating = None
        if self.state == RUNNING and channel != 0:
            if channel != self._channel_number:
                self._choose(channel)
            current = self._channel
            if current is None or current.is_closing or method == CHANNEL_CLOSE or method == CHANNEL_CLOSE_OK:
                self._channel_method(channel, method, data, start, end)
                return
            try:
                current.method(method, data, start, end)
            except ChannelException as error:
                self._close_channel(current, error)
        else:
            self._connection_method(channel, method, data, start, end)

    def header_frame(self, channel: i64, data: bytes, start: i64, end: i64) -> None:
        """Take a content header."""
        if self.state != RUNNING:
            self._early_content(FRAME_HEADER, channel, data, start, end)
            return
        current = self._content_channel(channel)
        if current is not None:
            self._method = BASIC_PUBLISH
            try:
                current.header(data, start, end)
            except ChannelException as error:
                self._close_channel(current, error)

    def body_frame(self, channel: i64, data: bytes, start: i64, end: i64) -> bool:
        """Take a piece of a content body.

        True if the message was like the one before, body aside, and no other channel's came between.
        """
        if self.state != RUNNING:
            self._early_content(FRAME_BODY, channel, data, start, end)
            return False
        current = self._content_channel(channel)
        if current is not None:
            self._method = BASIC_PUBLISH
            try:
                is_alike = current.body(data, start, end)
                if is_alike and current is self._publisher:
                    self._repeating = current
                    return True
                self._publisher = current
            except ChannelException as error:
                self._close_channel(current, error)
        return False

    def repeated_frames(self, data: bytes, start: i64, end: i64) -> bool:
        """Take the body of a message that is like the one before."""
        current = self._repeating
        if current is None:
            return False
        self._method = BASIC_PUBLISH
        try:
            current.repeated_body(data, start, end)
        except ChannelException as error:
            self._close_channel(current, error)
        return True

    def heartbeat_frame(self, channel: i64) -> None:
        """Take a heartbeat; any traffic counts as one."""
        if channel != 0:
            raise UnexpectedFrame(f"heartbeat on channel {channel}", 0, 0)

    def _choose(self, number: i64) -> None:
        self._channel = self.channels.get(int(number))
        self._channel_number = number

    def _choose_none(self) -> None:
        """Take note that channels come or go."""
        self._channel_number = -1
        self._publisher = self._repeating = None

    def _early_content(self, kind: int, channel: i64, data: bytes, start: i64, end: i64) -> None:
        """Take content when the connection is not running: none is expected then."""
        if self.state == OPENING:
            if self._handshake.is_waiting:
                self._hold(kind, channel, data[start:end])
            else:
                raise UnexpectedFrame("expected method frame, got non method frame instead", 0, 0)

    def _content_channel(self, number: i64) -> Channel | None:
        """Return the channel that takes content; None if it is to be dropped."""
        if number != self._channel_number:
            self._choose(number)
        current = self._channel
        if current is None:
            if number == 0:
                raise UnexpectedFrame("expected method frame, got non method frame instead", 0, 0)
            raise ChannelFault("expected 'channel.open'", 0, 0)
        return None if current.is_closing else current

    # Methods

    def _channel_method(self, channel: i64, method: i64, data: bytes, start: i64, end: i64) -> None:
        """Carry out what opens or closes a channel, and drop what comes for one that is closing."""
        number = int(channel)
        current = self._channel
        if method == CHANNEL_CLOSE_OK and current is not None and current.is_closing:
            self._forget_channel(number)
        elif method == CHANNEL_CLOSE and current is not None:
            if not current.is_closing:
                current.close()
                self._forget_channel(number)
            self.output.method(channel, CHANNEL_CLOSE_OK)
        elif current is not None:
            return  # closing: the client has not heard of it yet
        elif method == CHANNEL_OPEN:
            self._open_channel(number)
        elif number in self._closed_channels and method in (
            BASIC_ACK, BASIC_NACK, BASIC_REJECT, CHANNEL_CLOSE, CHANNEL_CLOSE_OK,
        ):  # fmt: skip
            if method == CHANNEL_CLOSE:
                self.output.method(channel, CHANNEL_CLOSE_OK)
        else:
            raise ChannelFault("expected 'channel.open'")

    def _open_channel(self, number: int) -> None:
        limit = self.client.channel_max
        if limit and len(self.channels) >= limit:
            raise NotAllowed(
                f"number of channels opened ({len(self.channels)}) "
                f"has reached the negotiated channel_max ({limit})",
                0,
                0,
            )
        self.client.open_channel()
        vhost = self.client.vhost
        assert vhost is not None
        self.channels[number] = Channel(number, self.client, vhost)
        self._choose_none()
        write_longstr(self.output.begin(number, CHANNEL_OPEN_OK), b"")
        self.output.end()

    def _close_channel(self, channel: Channel, error: AMQPError) -> None:
        """Close a channel for an error; what comes for it is dropped until the client has answered."""
        log_channel_closed(self.client, int(channel.number), error)
        refused(self.client, error)
        note_refusal(self.client, int(channel.number), int(self._method), error)
        channel.is_closing = True
        self._choose_none()
        channel.close()
        self._write_close(int(channel.number), CHANNEL_CLOSE, error)

    def _forget_channel(self, number: int) -> None:
        del self.channels[number]
        self.client.close_channels(1)
        self._closed_channels.add(number)
        self._choose_none()

    def _connection_method(self, channel: i64, method: i64, data: bytes, start: i64, end: i64) -> None:
        """Carry out a method on channel 0, or any while the connection is not running."""
        if self.state == CLOSED or self.state == REFUSED:
            return
        if self.state == OPENING and self._handshake.is_waiting:
            self._hold(FRAME_METHOD, channel, data[start:end])
        elif method == CONNECTION_CLOSE and channel == 0:
            self._release()
            self.output.method(0, CONNECTION_CLOSE_OK)
            self._end()
        elif self.state == CLOSING:
            if method == CONNECTION_CLOSE_OK and channel == 0:
                self._end()
        elif self.state == OPENING and channel == 0:
            self._handshake.method(int(method), Arguments(data, start, end))
            if self._handshake.is_done:
                self._run()
            else:
                self._reader.limit(self.client.frame_max_bytes)
        elif method == CONNECTION_UPDATE_SECRET and channel == 0:
            self.output.method(0, CONNECTION_UPDATE_SECRET_OK)
        elif self.state == OPENING:
            raise ChannelFault("unexpected method in connection state opening")
        else:
            raise ChannelFault("unexpected method in connection state running")

    # Login

    def login_granted(self, login: Login) -> None:
        """Go on with the handshake, and with what came meanwhile."""
        self._context.counters.auth_succeeded += 1
        user = self._context.users.get(login.user)
        self.client.user = login.user
        self.client.is_impersonator = user is not None and user.is_impersonator
        authenticated(self.client, login.user, "")
        self._handshake.tune()
        self._take_held()

    def login_refused(self, login: Login, reason: str) -> None:
        """Close the connection; `reason` is for the log."""
        self._context.counters.auth_failed += 1
        authenticated(self.client, login.user, f"user '{login.user}' - {reason}")
        mechanism = self.client.auth_mechanism
        log_login_refused(self.client, login.user, reason)
        self._fail(
            LoginRefused(
                f"Login was refused using authentication mechanism {mechanism}. "
                "For details see the broker logfile.",
                0,
                0,
            )
        )
        self._take_held()

    def _hold(self, kind: int, channel: i64, payload: bytes) -> None:
        """Keep a frame until it is known whether the client may log in."""
        self._held.hold(kind, int(channel), payload)
        if self._held.is_too_much:
            self._transport.pause_reading()

    def _take_held(self) -> None:
        """Take the frames that were kept."""
        if self._held.is_too_much:
            self._transport.resume_reading()
        try:
            for frame in self._held.release():
                size = len(frame.payload)
                if frame.kind == FRAME_METHOD:
                    self.method_frame(frame.channel, frame.payload, 0, size)
                elif frame.kind == FRAME_HEADER:
                    self.header_frame(frame.channel, frame.payload, 0, size)
                else:
                    self.body_frame(frame.channel, frame.payload, 0, size)
        except ConnectionException as error:
            self._fail(error)

    def _run(self) -> None:
        self.state = RUNNING
        self._heartbeats.start(self._handshake.heartbeat_seconds)
        vhost = self.client.vhost
        assert vhost is not None
        connection_created(self.client)
        log_opened(self.client)

    # The end

    def _fail(self, error: ConnectionException) -> None:
        """Close the connection for an error, in the way its state allows."""
        if self.state < CLOSING and not isinstance(error, (ConnectionForced, LoginRefused)):
            log_closed(self.client, error)
        if (
            self.state == OPENING
            and isinstance(error, LoginRefused)
            and not self.client.takes_authentication_failure
        ):
            self.state = REFUSED
            self._ticks_left = REFUSED_TICKS
            return
        if self.state == CLOSED:
            return
        if self.state == CLOSING:
            self._end()  # no use waiting for an answer in a stream that makes no sense
            return
        if not isinstance(error, LoginRefused):  # which is told of as a login
            refused(self.client, error)
        if not isinstance(error, ConnectionForced):
            note_refusal(self.client, 0, int(self._method), error)
        self._release()
        self.client.read_on()
        self.state = CLOSING
        self._ticks_left = CLOSING_TICKS
        self._write_close(0, CONNECTION_CLOSE, error)

    def _write_close(self, channel: int, method: int, error: AMQPError) -> None:
        class_id, method_id = error.class_id, error.method_id
        if class_id == UNSET:
            class_id, method_id = int(self._method >> 16), int(self._method & 0xFFFF)
        writer = self.output.begin(channel, method)
        write_u16(writer, error.reply_code)
        write_shortstr(writer, error.reply_octets())
        write_u16(writer, class_id)
        write_u16(writer, method_id)
        self.output.end()

    def force_close(self, reason: str) -> None:
        """Close the connection with 320: the node is stopping, or an operator wants it."""
        if self.state == RUNNING or self.state == OPENING:
            self._fail(ConnectionForced(reason, 0, 0))
        elif self.state != CLOSING:
            self._transport.abort()

    def _release(self) -> None:
        """Close all channels and delete the exclusive queues, before anybody else can look them up."""
        channels = list(self.channels.values())
        self.channels.clear()
        self.client.close_channels(len(channels))
        self.client.leave()
        self._handshake.abandon()
        self._choose_none()
        for channel in channels:
            if not channel.is_closing:
                channel.close()
        if self.client.vhost is not None:
            self.client.vhost.release(self.id)

    def _end(self) -> None:
        """Send what was written and let the client close the socket."""
        self.state = CLOSED
        self._ticks_left = CLOSING_TICKS
        self.output.flush_and_close()

    def lost(self) -> None:
        """Take note that the socket is gone."""
        if self.state == RUNNING:
            log_trouble(self.client, "lost without a close")
        self.state = CLOSED
        self._release()
        self.client.gone()
        connection_closed(self.client)

    # Time

    def tick(self) -> None:
        """Take note that a tick has passed: send and expect heartbeats, give up on who takes too long."""
        if self.state != RUNNING:
            self._ticks_left -= 1
            if self._ticks_left <= 0:
                if self.state == HEADER or self.state == OPENING:
                    log_trouble(self.client, "handshake timeout")
                self._transport.abort()
            return
        self.output.tick()
        if not self._heartbeats.tick():
            log_trouble(self.client, "missed heartbeats, no traffic for too long")
            self._transport.abort()
