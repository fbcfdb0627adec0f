"""The properties of class basic: found in, read from and written into the payload of a content header.

    octet     0     2       4           12      14 …
           +-------+-------+-----------+-------+------------------------+
           | class | weight| body size | flags | properties that are set|
           +-------+-------+-----------+-------+------------------------+

The broker keeps and forwards these octets as they came; it looks inside only where a rule asks for it.
"""

from typing import Final

from librt.strings import BytesWriter
from mypy_extensions import i64

from supersoniq.amqp.errors import FrameError
from supersoniq.amqp.primitives import (
    read_u16,
    read_u32,
    read_u64,
    write_s64,
    write_shortstr,
    write_u8,
    write_u16,
)
from supersoniq.amqp.spec import (
    BASIC,
    FLAG_CONTENT_TYPE,
    FLAG_CONTINUED,
    FLAG_DELIVERY_MODE,
    FLAG_HEADERS,
    FLAG_PRIORITY,
    FLAG_TIMESTAMP,
)
from supersoniq.amqp.tables import Field, Table, check_table, encode_table, field, read_table

FLAGS_AT: Final = 12
VALUES_AT: Final = 14

# Wire order. All are short strings but headers (a table), delivery_mode and priority (octets) and timestamp.
FLAG_ORDER: Final = [1 << (15 - bit) for bit in range(14)]
NAMES: Final = [
    b"content_type",
    b"content_encoding",
    b"headers",
    b"delivery_mode",
    b"priority",
    b"correlation_id",
    b"reply_to",
    b"expiration",
    b"message_id",
    b"timestamp",
    b"type",
    b"user_id",
    b"app_id",
    b"cluster_id",
]


def property_flags(header: bytes) -> i64:
    """Return the flag word of a content header's payload."""
    return read_u16(header, FLAGS_AT)


def is_persistent(header: bytes, flags: i64) -> bool:
    """Whether delivery_mode is 2; raises 501 for properties that are cut short."""
    if not flags & FLAG_DELIVERY_MODE:
        return False
    at = property_at(header, flags, FLAG_DELIVERY_MODE)
    return at < i64(len(header)) and header[at] == 2


def property_at(header: bytes, flags: i64, wanted: i64) -> i64:
    """Return where the value of the property with flag `wanted` begins, or would begin."""
    at: i64 = VALUES_AT
    if flags & FLAG_CONTINUED:
        at = _after_flags(header)
    end: i64 = len(header)
    flag: i64 = FLAG_CONTENT_TYPE
    while flag > wanted:
        if flags & flag:
            at = _value_end(header, at, end, flag)
        flag >>= 1
    return at


def _after_flags(header: bytes) -> i64:
    at: i64 = FLAGS_AT
    while read_u16(header, at) & FLAG_CONTINUED:
        at += 2
        if at + 2 > i64(len(header)):
            raise _cut_short()
    return at + 2


def _value_end(header: bytes, at: i64, end: i64, flag: i64) -> i64:
    if flag == FLAG_DELIVERY_MODE or flag == FLAG_PRIORITY:
        stop = at + 1
    elif flag == FLAG_TIMESTAMP:
        stop = at + 8
    elif flag == FLAG_HEADERS:
        if end - at < 4:
            raise _cut_short()
        stop = at + 4 + read_u32(header, at)
    else:
        if at >= end:
            raise _cut_short()
        stop = at + 1 + i64(header[at])
    if stop > end:
        raise _cut_short()
    return stop


def _cut_short() -> FrameError:
    return FrameError("cannot decode content properties: cut short", BASIC, 0)


def check_properties(header: bytes) -> None:
    """Raise 501 or 502 unless the properties, headers included, can be decoded to their very end.

    Consumers get the octets as they came, so what would break a consumer is refused here.
    """
    flags = property_flags(header)
    at = property_at(header, flags, FLAG_CONTENT_TYPE)
    end: i64 = len(header)
    flag: i64 = FLAG_CONTENT_TYPE
    while flag > FLAG_CONTINUED << 1:
        if flags & flag:
            stop = _value_end(header, at, end, flag)
            if flag == FLAG_HEADERS:
                check_table(header, at + 4, stop)
            at = stop
        flag >>= 1
    if at != end and not flags & FLAG_CONTINUED:
        raise FrameError("cannot decode content properties: octets left over", BASIC, 0)


def shortstr_property(header: bytes, flag: i64) -> bytes | None:
    """Return the short string property with `flag`, None where it is not set.

    Raises 501 if it is cut short.
    """
    flags = property_flags(header)
    if not flags & flag:
        return None
    at = property_at(header, flags, flag)
    stop = _value_end(header, at, i64(len(header)), flag)
    return header[at + 1 : stop]


def headers_property(header: bytes) -> Table:
    """Return the headers table, empty where it is not set; raises 501 or 502 if it cannot be decoded."""
    flags = property_flags(header)
    if not flags & FLAG_HEADERS:
        return {}
    at = property_at(header, flags, FLAG_HEADERS)
    stop = _value_end(header, at, i64(len(header)), FLAG_HEADERS)
    return read_table(header, at + 4, stop)


class Properties:
    """All properties as values; strings as octets, headers as the table's octets with their length.

    `content_header` gives back what it was read from, octet by octet, if nothing was changed.
    """

    def __init__(self) -> None:
        self.values: dict[int, bytes] = {}
        self.headers: bytes | None = None
        self.delivery_mode: int | None = None
        self.priority: int | None = None
        self.timestamp: int | None = None

    def change_headers(self, table: Table) -> None:
        """Replace the headers."""
        self.headers = encode_table(table)

    def content_header(self, body_bytes: int) -> bytes:
        """Return the payload of a content header for these properties and a body of `body_bytes`."""
        flags = 0
        values = BytesWriter()
        for flag in FLAG_ORDER:
            if self._write(values, flag):
                flags |= flag
        writer = BytesWriter()
        write_u16(writer, BASIC)
        write_u16(writer, 0)
        write_s64(writer, body_bytes)
        write_u16(writer, flags)
        writer.write(values.getvalue())
        return writer.getvalue()

    def _write(self, writer: BytesWriter, flag: int) -> bool:
        if flag == FLAG_HEADERS:
            if self.headers is not None:
                writer.write(self.headers)
            return self.headers is not None
        if flag == FLAG_TIMESTAMP:
            if self.timestamp is not None:
                write_s64(writer, self.timestamp if self.timestamp < 1 << 63 else self.timestamp - (1 << 64))
            return self.timestamp is not None
        if flag == FLAG_DELIVERY_MODE or flag == FLAG_PRIORITY:
            octet = self.delivery_mode if flag == FLAG_DELIVERY_MODE else self.priority
            if octet is not None:
                write_u8(writer, octet)
            return octet is not None
        value = self.values.get(flag)
        if value is not None:
            write_shortstr(writer, value)
        return value is not None


def read_properties(header: bytes) -> Properties:
    """Read all properties of a content header's payload; raises 501 if they are cut short."""
    properties = Properties()
    flags = property_flags(header)
    at = property_at(header, flags, FLAG_CONTENT_TYPE)
    end: i64 = len(header)
    for flag in FLAG_ORDER:
        if not flags & flag:
            continue
        stop = _value_end(header, at, end, flag)
        if flag == FLAG_HEADERS:
            properties.headers = header[at:stop]
        elif flag == FLAG_DELIVERY_MODE:
            properties.delivery_mode = header[at]
        elif flag == FLAG_PRIORITY:
            properties.priority = header[at]
        elif flag == FLAG_TIMESTAMP:
            properties.timestamp = read_u64(header, at)
        else:
            properties.values[flag] = header[at + 1 : stop]
        at = stop
    return properties


def property_table(header: bytes) -> Table:
    """Return the properties that are set as a table, by their names; raises 501 or 502 as reading does."""
    properties = read_properties(header)
    table: Table = {}
    for flag, name in zip(FLAG_ORDER, NAMES, strict=True):
        value = _property(properties, flag)
        if value is not None:
            table[name] = value
    return table


def _property(properties: Properties, flag: int) -> Field | None:
    if flag == FLAG_HEADERS:
        octets = properties.headers
        return None if octets is None else Field(ord("F"), read_table(octets, 4, len(octets)))
    if flag == FLAG_DELIVERY_MODE:
        number = properties.delivery_mode
    elif flag == FLAG_PRIORITY:
        number = properties.priority
    elif flag == FLAG_TIMESTAMP:
        number = properties.timestamp
    else:
        value = properties.values.get(flag)
        return None if value is None else field(value)
    return None if number is None else field(number)


def with_shortstr(header: bytes, flag: int, value: bytes) -> bytes:
    """Return the content header with the short string property `flag` set to `value`."""
    properties = read_properties(header)
    properties.values[flag] = value
    return properties.content_header(read_u64(header, 4))


def with_headers(header: bytes, table: Table) -> bytes:
    """Return the content header with its headers replaced."""
    properties = read_properties(header)
    properties.change_headers(table)
    return properties.content_header(read_u64(header, 4))
