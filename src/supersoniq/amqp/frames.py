"""Cuts a byte stream into frames and hands each to a handler, without copying it.

A frame:

    octet     0       1     2     3     4     5     6     7 …          7+size
           +------+-----------+-----------------------+-------------+------+
           | type |  channel  |         size          |   payload   | 0xCE |
           +------+-----------+-----------------------+-------------+------+

Type 1 is a method, 2 a content header, 3 a content body, 8 a heartbeat.

Who publishes much publishes messages that begin alike: method, content header and head of the body frame are
often the octets of the message before. Then they are compared as one, and only the body is handed on
(docs/adr/0015-repeated-octets.md).
"""

from abc import ABC, abstractmethod
from typing import Final

from librt.strings import read_i64_be
from mypy_extensions import i64, mypyc_attr

from supersoniq.amqp.errors import FrameError
from supersoniq.amqp.primitives import erlang_binary, read_u16, read_u32
from supersoniq.amqp.spec import (
    FRAME_BODY,
    FRAME_END,
    FRAME_HEADER,
    FRAME_HEARTBEAT,
    FRAME_METHOD,
    FRAME_OVERHEAD_BYTES,
)

HEAD_BYTES: Final = 7
HEARTBEAT: Final = b"\x08\x00\x00\x00\x00\x00\x00\xce"


@mypyc_attr(allow_interpreted_subclasses=True)
class FrameHandler(ABC):
    """Takes frames in the order in which they came.

    The payload is `data[start:end]`; whoever wants to keep it slices it out.
    """

    @abstractmethod
    def method_frame(self, channel: i64, data: bytes, start: i64, end: i64) -> None:
        """Take a method."""

    @abstractmethod
    def header_frame(self, channel: i64, data: bytes, start: i64, end: i64) -> None:
        """Take a content header."""

    @abstractmethod
    def body_frame(self, channel: i64, data: bytes, start: i64, end: i64) -> bool:
        """Take a piece of a content body; true if others that begin alike may be taken by `repeated_frames`.

        Such a piece is the whole body, and method and header came right before it.
        """

    def repeated_frames(self, data: bytes, start: i64, end: i64) -> bool:
        """Take the body of content that begins as the last one did that `body_frame` was true for.

        False if it is to be taken frame by frame.
        """
        return False

    @abstractmethod
    def heartbeat_frame(self, channel: i64) -> None:
        """Take a heartbeat."""


class FrameReader:
    """Keeps what came of a frame that is not complete yet, at most one frame's worth of bytes."""

    def __init__(self, handler: FrameHandler, frame_max_bytes: int) -> None:
        self._handler = handler
        self._payload_bytes_max: i64 = 0
        self._held: list[bytes] = []
        self._held_bytes: i64 = 0
        self._wanted_bytes: i64 = 0
        self._repeated = b""  # what content begins with that may come again, up to its body
        self._repeated_start: i64 = 0  # the first eight octets of that; no frame begins with 0
        self._repeated_bytes: i64 = 0
        self._repeated_whole_bytes: i64 = 0  # with the body and the frame end
        self.limit(frame_max_bytes)

    def limit(self, frame_max_bytes: int) -> None:
        """Refuse frames whose payload is longer than `frame_max_bytes`, from the next frame on.

        The specification counts the frame's own octets, too; RabbitMQ lets these eight pass, and so do we.
        """
        self._payload_bytes_max = i64(frame_max_bytes)
        self._repeated_start = 0

    def feed(self, data: bytes) -> None:
        """Cut `data`, the next bytes of the stream.

        Raises 501 for what is no frame, and what the handler raises.
        """
        at: i64 = 0
        if self._held_bytes > 0:
            at = self._complete(data)
            if at < 0:
                return
        self._cut(data, at)

    def _cut(self, data: bytes, at: i64) -> None:
        end: i64 = len(data)
        handler = self._handler
        method_at: i64 = -1
        while end - at >= FRAME_OVERHEAD_BYTES:
            if read_i64_be(data, at) == self._repeated_start and self._repeat(data, at, end):
                at += self._repeated_whole_bytes
                continue
            size = read_u32(data, at + 3)
            if size > self._payload_bytes_max:
                raise self._too_large(data, at, size)
            stop: i64 = at + HEAD_BYTES + size
            if stop >= end:
                break
            if data[stop] != FRAME_END:
                raise _bad_end(data, at, stop)
            kind = data[at]
            channel = read_u16(data, at + 1)
            if kind == FRAME_METHOD:
                method_at = at
                handler.method_frame(channel, data, at + HEAD_BYTES, stop)
            elif kind == FRAME_HEADER:
                handler.header_frame(channel, data, at + HEAD_BYTES, stop)
            elif kind == FRAME_BODY:
                if handler.body_frame(channel, data, at + HEAD_BYTES, stop):
                    self._learn(data, method_at, at)
            else:
                self._other_frame(kind, channel, data, at, stop)
            at = stop + 1
        self._hold(data, at, end)

    def _other_frame(self, kind: i64, channel: i64, data: bytes, at: i64, stop: i64) -> None:
        """Hand over a heartbeat; raises 501 for anything else."""
        if kind != FRAME_HEARTBEAT or stop > at + HEAD_BYTES:
            raise _unknown_type(data, at, stop)
        self._handler.heartbeat_frame(channel)

    def _repeat(self, data: bytes, at: i64, end: i64) -> bool:
        """Hand over content that begins like what was learned, if all of it is there."""
        start = at + self._repeated_bytes
        stop = at + self._repeated_whole_bytes - 1
        if self._repeated_start == 0 or stop >= end or data[stop] != FRAME_END:
            return False
        if data[at:start] != self._repeated:
            self._repeated_start = 0  # or the next ones would be compared in vain
            return False
        return self._handler.repeated_frames(data, start, stop)

    def _learn(self, data: bytes, method_at: i64, body_at: i64) -> None:
        """Remember what the content begins with whose body frame is at `body_at`.

        Nothing is learned if frames of other channels are among its own, or not all of it is in `data`.
        """
        self._repeated_start = 0
        if method_at < 0:
            return
        header_at = _next(data, method_at)
        if header_at == body_at or _next(data, header_at) != body_at:
            return
        channel = read_u16(data, body_at + 1)
        if channel == read_u16(data, method_at + 1) and channel == read_u16(data, header_at + 1):
            self._repeated = data[method_at : body_at + HEAD_BYTES]
            self._repeated_start = read_i64_be(data, method_at)
            self._repeated_bytes = body_at + HEAD_BYTES - method_at
            self._repeated_whole_bytes = _next(data, body_at) - method_at

    def _hold(self, data: bytes, at: i64, end: i64) -> None:
        """Keep what is too short for a frame."""
        if at >= end:
            return
        self._held = [data[at:end]]
        self._held_bytes = end - at
        self._wanted_bytes = HEAD_BYTES
        if end - at >= HEAD_BYTES:
            self._wanted_bytes = self._frame_bytes(data, at)

    def _complete(self, data: bytes) -> i64:
        """Complete the held frame and hand it over.

        Returns where the next begins in `data`, -1 if still too short.
        """
        used: i64 = 0
        end: i64 = len(data)
        while True:
            need = self._wanted_bytes - self._held_bytes
            if end - used < need:
                self._held.append(data[used:] if used else data)
                self._held_bytes += end - used
                return -1
            self._held.append(data[used : used + need])
            used += need
            frame = b"".join(self._held)
            if self._wanted_bytes == HEAD_BYTES:
                self._held = [frame]
                self._held_bytes = HEAD_BYTES
                self._wanted_bytes = self._frame_bytes(frame, 0)
                continue
            self._held = []
            self._held_bytes = 0
            self._cut(frame, 0)
            return used

    def _frame_bytes(self, data: bytes, at: i64) -> i64:
        size = read_u32(data, at + 3)
        if size > self._payload_bytes_max:
            raise self._too_large(data, at, size)
        kind = data[at]
        if kind not in (FRAME_METHOD, FRAME_HEADER, FRAME_BODY, FRAME_HEARTBEAT):
            raise _unknown_type(data, at, at + HEAD_BYTES)
        return size + FRAME_OVERHEAD_BYTES

    def _too_large(self, data: bytes, at: i64, size: i64) -> FrameError:
        kind = data[at]
        limit = self._payload_bytes_max - FRAME_OVERHEAD_BYTES
        return FrameError(f"type {kind}, all octets = <<>>: {{frame_too_large,{size},{limit}}}", 0, 0)


def _next(data: bytes, at: i64) -> i64:
    """Return where the frame after the one at `at` begins."""
    return at + FRAME_OVERHEAD_BYTES + read_u32(data, at + 3)


def _bad_end(data: bytes, at: i64, stop: i64) -> FrameError:
    payload = erlang_binary(data[at + HEAD_BYTES : stop])
    return FrameError(
        f"type {data[at]}, all octets = {payload}: {{invalid_frame_end_marker,{data[stop]}}}", 0, 0
    )


def _unknown_type(data: bytes, at: i64, stop: i64) -> FrameError:
    payload = erlang_binary(data[at + HEAD_BYTES : stop])
    return FrameError(f"type {data[at]}, all octets = {payload}: unknown_frame", 0, 0)
