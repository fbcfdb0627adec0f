"""A transport that keeps what is written, for protocol objects that are fed by hand."""

import asyncio

from mypy_extensions import i64

from supersoniq.amqp.frames import FrameHandler, FrameReader
from supersoniq.amqp.primitives import read_u32


class Pipe(asyncio.Transport):
    """Takes `capacity` writes, then says once that it is full, as a transport with a low limit does."""

    def __init__(self, protocol: asyncio.BaseProtocol | None = None, capacity: int = 1_000_000_000) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.held_at: int | None = None
        self.is_closed = False
        self.is_aborted = False
        self.capacity = capacity
        self._protocol = protocol

    @property
    def written(self) -> bytes:
        return b"".join(self.writes)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))
        if len(self.writes) == self.capacity and self._protocol is not None:
            self._protocol.pause_writing()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.held_at = high

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_aborted = True


class Frames(FrameHandler):
    """Notes each frame as (kind, channel, payload); a method's kind is its number."""

    def __init__(self) -> None:
        self.all: list[tuple[object, int, bytes]] = []

    def method_frame(self, channel: i64, data: bytes, start: i64, end: i64) -> None:
        self.all.append((int(read_u32(data, start)), int(channel), data[start + 4 : end]))

    def header_frame(self, channel: i64, data: bytes, start: i64, end: i64) -> None:
        self.all.append(("header", int(channel), data[start:end]))

    def body_frame(self, channel: i64, data: bytes, start: i64, end: i64) -> bool:
        self.all.append(("body", int(channel), data[start:end]))
        return False

    def heartbeat_frame(self, channel: i64) -> None:
        self.all.append(("heartbeat", int(channel), b""))


def frames_in(data: bytes, frame_max_bytes: int = 131072) -> list[tuple[object, int, bytes]]:
    """Read `data` as frames; what is not complete is left out."""
    frames = Frames()
    FrameReader(frames, frame_max_bytes).feed(data)
    return frames.all


def methods_in(data: bytes) -> list[object]:
    """The numbers of the methods, and "header", "body" and "heartbeat" for the rest."""
    return [kind for kind, _, _ in frames_in(data)]


def frame(kind: int, channel: int, payload: bytes) -> bytes:
    """One frame."""
    return bytes([kind]) + channel.to_bytes(2) + len(payload).to_bytes(4) + payload + b"\xce"


def method(channel: int, number: int, arguments: bytes = b"") -> bytes:
    """One method frame."""
    return frame(1, channel, number.to_bytes(4) + arguments)


def content(channel: int, *pieces: bytes) -> bytes:
    """A content header without properties, and its body in pieces."""
    size = sum(len(piece) for piece in pieces)
    header = frame(2, channel, b"\x00\x3c\x00\x00" + size.to_bytes(8) + b"\x00\x00")
    return header + b"".join([frame(3, channel, piece) for piece in pieces])


def delivery(channel: int, tag: int, *pieces: bytes) -> bytes:
    """A whole delivery to a consumer `c`."""
    return method(channel, 0x003C003C, b"\x01c" + tag.to_bytes(8) + b"\x00\x00\x01q") + content(
        channel, *pieces
    )
