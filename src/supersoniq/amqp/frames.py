"""Cuts a byte stream into frames and hands each to a handler, without copying it.

A frame:

    octet     0       1     2     3     4     5     6     7 …          7+size
           +------+-----------+-----------------------+-------------+------+
           | type |  channel  |         size          |   payload   | 0xCE |
           +------+-----------+-----------------------+-------------+------+

Type 1 is a method, 2 a content header, 3 a content body, 8 a heartbeat.
"""

from abc import ABC, abstractmethod
from typing import Final

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
    def body_frame(self, channel: i64, data: bytes, start: i64, end: i64) -> None:
        """Take a piece of a content body."""

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
        self.limit(frame_max_bytes)

    def limit(self, frame_max_bytes: int) -> None:
        """Refuse frames whose payload is longer than `frame_max_bytes`, from the next frame on.

        The specification counts the frame's own octets, too; RabbitMQ lets these eight pass, and so do we.
        """
        self._payload_bytes_max = i64(frame_max_bytes)

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
        while end - at >= FRAME_OVERHEAD_BYTES:
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
                handler.method_frame(channel, data, at + HEAD_BYTES, stop)
            elif kind == FRAME_HEADER:
                handler.header_frame(channel, data, at + HEAD_BYTES, stop)
            elif kind == FRAME_BODY:
                handler.body_frame(channel, data, at + HEAD_BYTES, stop)
            elif kind == FRAME_HEARTBEAT and size == 0:
                handler.heartbeat_frame(channel)
            else:
                raise _unknown_type(data, at, stop)
            at = stop + 1
        if at < end:
            self._hold(data, at, end)

    def _hold(self, data: bytes, at: i64, end: i64) -> None:
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


def _bad_end(data: bytes, at: i64, stop: i64) -> FrameError:
    payload = erlang_binary(data[at + HEAD_BYTES : stop])
    return FrameError(
        f"type {data[at]}, all octets = {payload}: {{invalid_frame_end_marker,{data[stop]}}}", 0, 0
    )


def _unknown_type(data: bytes, at: i64, stop: i64) -> FrameError:
    payload = erlang_binary(data[at + HEAD_BYTES : stop])
    return FrameError(f"type {data[at]}, all octets = {payload}: unknown_frame", 0, 0)
