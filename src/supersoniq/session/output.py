"""What one client is to be sent: frames are written into a buffer that leaves at the end of the turn.

Large bodies are not copied into the buffer: they are passed on as the bytes they are. What has become much
leaves before the turn ends. When the transport has no more room the output is full: consumers of that client
take nothing more until it has, so a client that does not read costs a bounded amount of memory.
"""

from abc import ABC, abstractmethod
from typing import Final, final

from librt.strings import BytesWriter, write_i64_be
from mypy_extensions import i64, mypyc_attr, u8

from supersoniq.amqp.frames import HEARTBEAT
from supersoniq.amqp.methods import begin_method, end_method, write_method
from supersoniq.amqp.primitives import write_shortstr, write_u16, write_u32
from supersoniq.amqp.spec import (
    BASIC_GET_OK,
    BASIC_RETURN,
    FRAME_END,
    FRAME_OVERHEAD_BYTES,
    NO_ROUTE,
)
from supersoniq.broker.message import Message
from supersoniq.broker.store import Store
from supersoniq.broker.turn import Deferred, Turn
from supersoniq.session.delivery_form import DeliveryForm, write_body_head, write_header_frame
from supersoniq.session.waiting import Waiting

# Bodies from this size on are passed by reference; below it copying is cheaper than one more piece to send.
LARGE_BODY_BYTES: Final = 16_384
# So much leaves before the turn ends: what was copied while it is in the processor's cache, what was not when
# it is worth a call of the system.
EARLY_BYTES: Final = 65_536
EARLY_PIECES_BYTES: Final = 512 * 1024
# A buffer that has held more than this is not kept when it is empty: that was an answer, or very long names.
BUFFER_BYTES_MAX: Final = EARLY_BYTES + 2 * LARGE_BODY_BYTES
# One that has held less than this is kept for as long as its client is there.
BUFFER_KEPT_BYTES: Final = 4_096


@mypyc_attr(allow_interpreted_subclasses=True)
class Transport(ABC):
    """The socket, as a session sees it. Implemented by `server/`."""

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Send `data` after all that was written before."""

    @abstractmethod
    def write_pieces(self, pieces: list[bytes]) -> None:
        """Send several pieces in order."""

    @abstractmethod
    def close(self) -> None:
        """Send what was written, then stop writing and wait for the peer to close."""

    @abstractmethod
    def abort(self) -> None:
        """Drop the connection at once."""

    def unsent_bytes(self) -> int:
        """Return what was written and has not left yet."""
        return 0

    @abstractmethod
    def pause_reading(self) -> None:
        """Take nothing from the peer until `resume_reading`."""

    @abstractmethod
    def resume_reading(self) -> None:
        """Take from the peer again."""


@final
class Output(Deferred):
    """The frames for one client.

    `is_full` is read by consumers before they take a message; who is refused is `waiting` for room.
    """

    def __init__(self, transport: Transport, turn: Turn) -> None:
        super().__init__()
        self.is_full = False
        self.was_used = False  # something was sent since a heartbeat was last due
        self._writer = BytesWriter()
        self._has_grown = False  # more than is kept for ever
        self._is_busy = False  # it has, since the last tick
        self._pieces: list[bytes] = []
        self._pieces_bytes: i64 = 0
        self._body_bytes_max: i64 = 0
        self._paused = False
        self._closes = False
        self._store: Store | None = None  # what is waited for before anything more is sent
        self._held_for: i64 = 0
        self._is_registered = False
        self._transport = transport
        self._turn = turn
        self.waiting = Waiting()
        self.limit(131_072)

    def limit(self, frame_max_bytes: int) -> None:
        """Send no frame larger than `frame_max_bytes`."""
        self._body_bytes_max = i64(frame_max_bytes) - FRAME_OVERHEAD_BYTES

    def deliver(self, form: DeliveryForm, tag: i64, redelivered: bool, message: Message) -> None:
        """Write Basic.Deliver and its content to the consumer of `form`."""
        writer = self._writer
        if message.header is form.header and message.address is form.address:
            if not form.is_made and self._goes_in_one_frame(message.body):
                form.make(message)
            if form.is_made:
                writer.write(form.lead)
                write_i64_be(writer, tag)
                writer.append(u8(1) if redelivered else u8(0))
                writer.write(form.rest)
                writer.write(message.body)
                writer.append(u8(FRAME_END))
                self._written()
                return
        else:
            form.follow(message)
        form.write_lead(writer, message)
        write_i64_be(writer, tag)
        writer.append(u8(1) if redelivered else u8(0))
        writer.write(message.address)
        writer.append(u8(FRAME_END))
        self._content(form.channel, message)

    def _goes_in_one_frame(self, body: bytes) -> bool:
        """Whether a body is not empty and is copied into the buffer, in a frame of its own."""
        size: i64 = len(body)
        return 0 < size <= self._body_bytes_max and size < LARGE_BODY_BYTES

    def got(self, channel: i64, tag: i64, redelivered: bool, message: Message, ready_count: i64) -> None:
        """Write Basic.Get-Ok and its content."""
        writer = self._writer
        at = begin_method(writer, channel, BASIC_GET_OK)
        write_i64_be(writer, tag)
        writer.append(u8(1) if redelivered else u8(0))
        writer.write(message.address)
        write_u32(writer, ready_count)
        end_method(writer, at)
        self._content(channel, message)

    def returned(self, channel: i64, message: Message) -> None:
        """Write Basic.Return for a message that no queue took, and its content."""
        writer = self._writer
        at = begin_method(writer, channel, BASIC_RETURN)
        write_u16(writer, NO_ROUTE)
        write_shortstr(writer, b"NO_ROUTE")
        writer.write(message.address)
        end_method(writer, at)
        self._content(channel, message)

    def _content(self, channel: i64, message: Message) -> None:
        writer = self._writer
        body = message.body
        write_header_frame(writer, channel, message.header)
        if self._goes_in_one_frame(body):
            write_body_head(writer, channel, i64(len(body)))
            writer.write(body)
            writer.append(u8(FRAME_END))
        else:
            self._large_body(channel, body, i64(len(body)))
        self._written()

    def _written(self) -> None:
        """Take note that a message was written."""
        if i64(len(self._writer)) >= EARLY_BYTES or self._pieces_bytes >= EARLY_PIECES_BYTES:
            self._leave_early()
        if not self.scheduled:
            self._turn.send(self)

    def _leave_early(self) -> None:
        """Send what was written, or be full until it may be sent."""
        if self._paused or self._is_held():
            self.is_full = True
        else:
            self._send()

    def _large_body(self, channel: i64, body: bytes, size: i64) -> None:
        at: i64 = 0
        while at < size:
            piece_bytes = min(size - at, self._body_bytes_max)
            write_body_head(self._writer, channel, piece_bytes)
            self._cut_piece()
            piece = body if piece_bytes == size else body[at : at + piece_bytes]
            self._pieces.append(piece)
            self._pieces_bytes += piece_bytes
            self._writer.append(u8(FRAME_END))
            at += piece_bytes

    def _cut_piece(self) -> None:
        """Turn what the buffer holds into a piece of its own."""
        piece = self._emptied()
        self._pieces.append(piece)
        self._pieces_bytes += len(piece)

    def begin(self, channel: i64, method: i64) -> BytesWriter:
        """Begin a method frame; its arguments go into the writer that comes back, then `end` is called."""
        self._begun_at: i64 = begin_method(self._writer, channel, method)
        return self._writer

    def end(self) -> None:
        """End the method frame that `begin` began."""
        end_method(self._writer, self._begun_at)
        if not self.scheduled:
            self._turn.send(self)

    def method(self, channel: i64, method: i64) -> None:
        """Write a method that has no arguments."""
        write_method(self._writer, channel, method)
        if not self.scheduled:
            self._turn.send(self)

    def hold(self, sequence: i64, store: Store) -> None:
        """Send nothing more until the store has made `sequence` safe: the answer that was written says so."""
        self._held_for = sequence
        self._store = store

    def _is_held(self) -> bool:
        store = self._store
        if store is None:
            return False
        if store.durable() >= self._held_for:
            self._store = None
            return False
        if not self._is_registered:
            self._is_registered = True
            store.wait(self)
        return True

    def durable_moved(self) -> None:
        """Look again whether something is to be waited for, at the end of this turn."""
        self._is_registered = False
        self._turn.send(self)

    def heartbeat(self) -> None:
        """Write a heartbeat, ahead of what is held, or a slow disk would look like a dead node."""
        if self._is_held():
            self._transport.write(HEARTBEAT)
        else:
            self.octets(HEARTBEAT)

    def octets(self, data: bytes) -> None:
        """Write octets that are no frame."""
        self._writer.write(data)
        if not self.scheduled:
            self._turn.send(self)

    def run(self) -> bool:
        """Send what was written; never leaves work behind."""
        if self._store is not None and self._is_held():
            return False
        self._send()
        if self.is_full and not self._paused:
            self.is_full = False
            self.waiting.offer()
        if self._closes:
            self._closes = False
            self._transport.close()
        return False

    def _send(self) -> None:
        writer = self._writer
        if self._pieces:
            self.was_used = True
            if len(writer) > 0:
                self._cut_piece()
            pieces = self._pieces
            self._pieces = []
            self._pieces_bytes = 0
            self._transport.write_pieces(pieces)
        elif len(writer) > 0:
            self.was_used = True
            self._transport.write(self._emptied())

    def _emptied(self) -> bytes:
        """Return what the buffer holds and empty it."""
        data = self._writer.getvalue()
        self._writer.truncate(0)
        size: i64 = len(data)
        if size > BUFFER_KEPT_BYTES:
            self._has_grown = self._is_busy = True
            if size > BUFFER_BYTES_MAX:
                self._writer = BytesWriter()
        return data

    def tick(self) -> None:
        """Give back a buffer that was large and was not since the last tick."""
        if self._is_busy:
            self._is_busy = False
        elif self._has_grown and len(self._writer) == 0:
            self._has_grown = False
            self._writer = BytesWriter()

    def pause(self) -> None:
        """Count as full: the transport has no more room."""
        self._paused = True
        self.is_full = True

    def resume(self) -> None:
        """Stop counting as full: the transport has room again."""
        self._paused = False
        if self.is_full:
            self.is_full = False
            self.waiting.offer()

    def flush_and_close(self) -> None:
        """Send what was written and close the transport."""
        self._closes = True
        self.run()
