"""Reads the arguments of methods and writes whole method frames.

Basic.Publish, Ack and Deliver do not pass here: `session/` reads and writes them in place.
"""

from librt.strings import BytesWriter
from mypy_extensions import i64, u8

from supersoniq.amqp.errors import FrameError
from supersoniq.amqp.primitives import erlang_binary, read_s64, read_u16, read_u32, write_u16, write_u32
from supersoniq.amqp.spec import FRAME_END, FRAME_METHOD
from supersoniq.amqp.tables import Table, read_table


class Arguments:
    """A cursor over one method's arguments; reading past their end raises 501 `cannot decode`."""

    def __init__(self, data: bytes, start: i64, end: i64) -> None:
        self._data = data
        self._start: i64 = start
        self._at: i64 = start + 4
        self._end: i64 = end

    def _take(self, size: i64) -> i64:
        at = self._at
        if size > self._end - at:
            raise self._undecodable()
        self._at = at + size
        return at

    def _undecodable(self) -> FrameError:
        return FrameError("cannot decode " + erlang_binary(self._data[self._start + 4 : self._end]))

    def u8(self) -> int:
        """Read an octet; bits are packed into one, the first in the lowest bit."""
        return self._data[self._take(1)]

    def u16(self) -> int:
        """Read an unsigned 16-bit integer."""
        return int(read_u16(self._data, self._take(2)))

    def u32(self) -> int:
        """Read an unsigned 32-bit integer."""
        return int(read_u32(self._data, self._take(4)))

    def s64(self) -> i64:
        """Read a 64-bit integer as a signed one."""
        return read_s64(self._data, self._take(8))

    def shortstr(self) -> bytes:
        """Read a short string."""
        size: i64 = self._data[self._take(1)]
        at = self._take(size)
        return self._data[at : at + size]

    def longstr(self) -> bytes:
        """Read a long string."""
        size = read_u32(self._data, self._take(4))
        at = self._take(size)
        return self._data[at : at + size]

    def table(self) -> Table:
        """Read a field table; raises 501 or 502 for one that cannot be decoded."""
        size = read_u32(self._data, self._take(4))
        at = self._take(size)
        return read_table(self._data, at, at + size)


def begin_method(writer: BytesWriter, channel: i64, method: i64) -> i64:
    """Append the head of a method frame.

    The position that comes back goes to `end_method` after the arguments.
    """
    writer.append(u8(FRAME_METHOD))
    write_u16(writer, channel)
    at: i64 = len(writer)
    write_u32(writer, 0)
    write_u32(writer, method)
    return at


def end_method(writer: BytesWriter, at: i64) -> None:
    """Append the frame end and fill in the size of the frame begun at `at`."""
    size = i64(len(writer)) - at - 4
    writer[at] = u8((size >> 24) & 0xFF)
    writer[at + 1] = u8((size >> 16) & 0xFF)
    writer[at + 2] = u8((size >> 8) & 0xFF)
    writer[at + 3] = u8(size & 0xFF)
    writer.append(u8(FRAME_END))


def write_method(writer: BytesWriter, channel: i64, method: i64) -> None:
    """Append the frame of a method that has no arguments."""
    end_method(writer, begin_method(writer, channel, method))
