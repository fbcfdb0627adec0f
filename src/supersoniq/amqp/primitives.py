"""Reading and writing AMQP's unsigned integers and strings.

`librt` reads and writes signed integers only; this is the one module where signed
meets unsigned. Reading past the end of `data` raises `IndexError`, which callers
map to 501. Values that are written must be in range: they are checked where they enter.
"""

from typing import Final

from librt.strings import BytesWriter, read_i32_be, read_i64_be, write_i16_be, write_i32_be, write_i64_be
from mypy_extensions import i16, i32, i64, u8

SHOWN_OCTETS_MAX: Final = 256


def read_u16(data: bytes, at: i64) -> i64:
    """Return the unsigned 16-bit integer at `at`."""
    return (i64(data[at]) << 8) | i64(data[at + 1])


def read_u32(data: bytes, at: i64) -> i64:
    """Return the unsigned 32-bit integer at `at`."""
    return i64(read_i32_be(data, at)) & 0xFFFFFFFF


def read_s64(data: bytes, at: i64) -> i64:
    """Return the 64-bit integer at `at` as a signed one: unsigned values from 2**63 up come out negative."""
    return read_i64_be(data, at)


def read_u64(data: bytes, at: i64) -> int:
    """Return the unsigned 64-bit integer at `at`, exact for every value, slower than `read_s64`."""
    value = int(read_i64_be(data, at))
    return value if value >= 0 else value + (1 << 64)


def write_u8(writer: BytesWriter, value: i64) -> None:
    """Append one octet, 0..255."""
    writer.append(u8(value))


def write_u16(writer: BytesWriter, value: i64) -> None:
    """Append an unsigned 16-bit integer, 0..65535."""
    write_i16_be(writer, i16(value if value < 0x8000 else value - 0x10000))


def write_u32(writer: BytesWriter, value: i64) -> None:
    """Append an unsigned 32-bit integer, 0..2**32-1."""
    write_i32_be(writer, i32(value if value < 0x80000000 else value - 0x100000000))


def write_s64(writer: BytesWriter, value: i64) -> None:
    """Append a 64-bit integer; the octets of a non-negative one are those of the unsigned type."""
    write_i64_be(writer, value)


def write_shortstr(writer: BytesWriter, value: bytes) -> None:
    """Append a short string; at most 255 octets, the rest is cut off (only texts of ours can be longer)."""
    if len(value) > 255:
        value = value[:255]
    writer.append(u8(i64(len(value))))
    writer.write(value)


def write_longstr(writer: BytesWriter, value: bytes) -> None:
    """Append a long string: four octets of length, then `value`."""
    write_u32(writer, i64(len(value)))
    writer.write(value)


def text(name: bytes) -> str:
    """Decode a name from the wire for texts and JSON; octets that are not UTF-8 survive as surrogates."""
    return name.decode("utf-8", "surrogateescape")


def octets(name: str) -> bytes:
    """Encode what `text` decoded."""
    return name.encode("utf-8", "surrogateescape")


def erlang_binary(data: bytes) -> str:
    """Render octets as RabbitMQ's error texts show them: `<<0,10>>`, or `<<"text">>` if all are printable.

    What would not fit into a reply text anyway is left out.
    """
    if len(data) > SHOWN_OCTETS_MAX:
        data = data[:SHOWN_OCTETS_MAX]
    if data and all(32 <= octet < 127 for octet in data):
        return '<<"' + data.decode("ascii").replace("\\", "\\\\").replace('"', '\\"') + '">>'
    return "<<" + ",".join([str(octet) for octet in data]) + ">>"
