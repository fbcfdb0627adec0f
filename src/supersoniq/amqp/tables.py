"""Field tables in RabbitMQ's dialect: what each type octet means, decoded and encoded without loss.

| octet | type | octet | type |
|---|---|---|---|
| t | bool | f | float, 32 bits |
| b, B | signed, unsigned octet | d | float, 64 bits |
| s, u | signed, unsigned 16 bits | D | decimal: scale octet, unsigned 32 bits |
| I, i | signed, unsigned 32 bits | S, x | long string, octets |
| l, L | signed 64 bits | A, F | array, table |
| T | timestamp, seconds, unsigned 64 bits | V | void |
"""

from typing import Final

from librt.strings import (
    BytesWriter,
    read_f32_be,
    read_f64_be,
    read_i64_be,
    write_f32_be,
    write_f64_be,
    write_i64_be,
)
from mypy_extensions import i64, u8

from supersoniq.amqp.errors import FrameError, MalformedField
from supersoniq.amqp.primitives import (
    octets,
    read_u16,
    read_u32,
    read_u64,
    text,
    write_longstr,
    write_shortstr,
    write_u8,
    write_u16,
    write_u32,
)

# Deeper tables are refused: decoding recurses, and a frame has room for thousands of levels.
DEPTH_MAX: Final = 64

KIND_NAMES: Final = {
    ord("t"): "bool",
    ord("b"): "byte",
    ord("B"): "unsignedbyte",
    ord("s"): "short",
    ord("u"): "unsignedshort",
    ord("I"): "signedint",
    ord("i"): "unsignedint",
    ord("l"): "long",
    ord("L"): "long",
    ord("f"): "float",
    ord("d"): "double",
    ord("D"): "decimal",
    ord("S"): "longstr",
    ord("x"): "binary",
    ord("A"): "array",
    ord("F"): "table",
    ord("T"): "timestamp",
    ord("V"): "void",
}
# How many octets a value has, by the octet of its type.
UNKNOWN: Final = 255
PREFIXED: Final = 254  # four octets of length stand before it


def _value_bytes() -> bytes:
    sizes = bytearray([UNKNOWN] * 256)
    for kinds, size in (
        (b"V", 0),
        (b"tbB", 1),
        (b"su", 2),
        (b"Iif", 4),
        (b"D", 5),
        (b"lLdT", 8),
        (b"SxAF", PREFIXED),
    ):
        for kind in kinds:
            sizes[kind] = size
    return bytes(sizes)


VALUE_BYTES: Final = _value_bytes()
INTEGER_KINDS: Final = b"bBsuIilL"
STRING_KINDS: Final = b"Sx"


class Field:
    """One typed value.

    `value` is bool, int, float, bytes, None, a list of fields, a table, or a pair for a decimal.
    """

    __slots__ = ("kind", "value")

    def __init__(self, kind: int, value: object) -> None:
        self.kind = kind
        self.value = value

    @property
    def kind_name(self) -> str:
        """The type's name as RabbitMQ's error texts give it."""
        return KIND_NAMES[self.kind]

    @property
    def is_integer(self) -> bool:
        """Whether it is an integer of any width."""
        return self.kind in INTEGER_KINDS

    @property
    def is_string(self) -> bool:
        """Whether it is a long string or octets."""
        return self.kind in STRING_KINDS

    def integer(self) -> int:
        """Return the value of an integer field."""
        assert isinstance(self.value, int)
        return self.value

    def octets(self) -> bytes:
        """Return the value of a string field."""
        assert isinstance(self.value, bytes)
        return self.value

    def same_class(self, other: "Field") -> bool:
        """Whether both types count as one when arguments are compared.

        Integers of any width, strings and octets.
        """
        return (
            self.kind == other.kind
            or (self.is_integer and other.is_integer)
            or (self.is_string and other.is_string)
        )

    def equals(self, other: "Field") -> bool:
        """Whether class and value are the same; nested values are compared the same way."""
        if not self.same_class(other):
            return False
        mine, theirs = self.value, other.value
        if isinstance(mine, list) and isinstance(theirs, list):
            return len(mine) == len(theirs) and all([a.equals(b) for a, b in zip(mine, theirs, strict=True)])
        if isinstance(mine, dict) and isinstance(theirs, dict):
            return same_tables(mine, theirs)
        return mine == theirs


Table = dict[bytes, Field]


def same_tables(one: Table, other: Table) -> bool:
    """Whether both have the same names with equal fields, in any order."""
    if len(one) != len(other):
        return False
    for name, field in one.items():
        match = other.get(name)
        if match is None or not field.equals(match):
            return False
    return True


def read_table(data: bytes, start: i64, end: i64, depth: int = 0) -> Table:
    """Decode the table in `data[start:end]`, its four octets of length not included.

    Of two fields with one name the last wins. Raises 501 for what is cut short, 502 for an unknown type
    or more than `DEPTH_MAX` levels.
    """
    if depth > DEPTH_MAX:
        raise MalformedField(f"table nested more than {DEPTH_MAX} levels deep")
    table: Table = {}
    at = start
    while at < end:
        size: i64 = data[at]
        if size >= end - at - 1:
            raise _cut_short()
        name = data[at + 1 : at + 1 + size]
        at += 1 + size
        stop = field_end(data, at, end)
        table[name] = _read_field(data, at, stop, depth)
        at = stop
    return table


def check_table(data: bytes, start: i64, end: i64, depth: int = 0) -> None:
    """Raise what `read_table` would, without building anything."""
    if depth > DEPTH_MAX:
        raise MalformedField(f"table nested more than {DEPTH_MAX} levels deep")
    at = start
    while at < end:
        size: i64 = data[at]
        if size >= end - at - 1:
            raise _cut_short()
        at = _check_field(data, at + 1 + size, end, depth)


def _check_field(data: bytes, at: i64, end: i64, depth: int) -> i64:
    stop = field_end(data, at, end)
    kind = data[at]
    if kind == ord("F"):
        check_table(data, at + 5, stop, depth + 1)
    elif kind == ord("A"):
        if depth >= DEPTH_MAX:
            raise MalformedField(f"table nested more than {DEPTH_MAX} levels deep")
        at += 5
        while at < stop:
            at = _check_field(data, at, stop, depth + 1)
    return stop


def field_end(data: bytes, at: i64, end: i64) -> i64:
    """Return where the field whose type octet is at `at` ends; raises 501 or 502 as `read_table` does."""
    if at >= end:
        raise _cut_short()
    size: i64 = VALUE_BYTES[data[at]]
    if size == UNKNOWN:
        raise MalformedField(f"unknown field type {data[at]}")
    if size == PREFIXED:
        if end - at < 5:
            raise _cut_short()
        size = 4 + read_u32(data, at + 1)
    if size > end - at - 1:
        raise _cut_short()
    return at + 1 + size


def _cut_short() -> FrameError:
    return FrameError("cannot decode field table: cut short")


def _read_field(data: bytes, at: i64, stop: i64, depth: int) -> Field:
    """Decode the field whose type octet is at `at` and whose end `field_end` gave as `stop`."""
    kind = data[at]
    at += 1
    if kind == ord("S") or kind == ord("x"):
        return Field(kind, data[at + 4 : stop])
    if kind == ord("F"):
        return Field(kind, read_table(data, at + 4, stop, depth + 1))
    if kind == ord("A"):
        return Field(kind, _read_array(data, at + 4, stop, depth + 1))
    if kind == ord("t"):
        return Field(kind, data[at] != 0)
    if kind == ord("V"):
        return Field(kind, None)
    if kind == ord("f"):
        return Field(kind, read_f32_be(data, at))
    if kind == ord("d"):
        return Field(kind, read_f64_be(data, at))
    if kind == ord("D"):
        return Field(kind, (data[at], int(read_u32(data, at + 1))))
    return Field(kind, _read_integer(data, at, kind))


def _read_array(data: bytes, at: i64, end: i64, depth: int) -> list[Field]:
    if depth > DEPTH_MAX:
        raise MalformedField(f"table nested more than {DEPTH_MAX} levels deep")
    fields: list[Field] = []
    while at < end:
        stop = field_end(data, at, end)
        fields.append(_read_field(data, at, stop, depth))
        at = stop
    return fields


def _read_integer(data: bytes, at: i64, kind: int) -> int:
    if kind == ord("I"):
        value = int(read_u32(data, at))
        return value if value < 0x80000000 else value - 0x100000000
    if kind == ord("i"):
        return int(read_u32(data, at))
    if kind == ord("T"):
        return read_u64(data, at)
    if kind == ord("l") or kind == ord("L"):
        return int(read_i64_be(data, at))
    if kind == ord("u"):
        return int(read_u16(data, at))
    if kind == ord("s"):
        value = int(read_u16(data, at))
        return value if value < 0x8000 else value - 0x10000
    value = data[at]
    return value - 256 if kind == ord("b") and value > 127 else value


def write_table(writer: BytesWriter, table: Table) -> None:
    """Append `table`, its four octets of length included."""
    body = BytesWriter()
    for name, field in table.items():
        write_shortstr(body, name)
        _write_field(body, field)
    write_longstr(writer, body.getvalue())


def encode_table(table: Table) -> bytes:
    """Return `table` as it stands on the wire, its four octets of length included."""
    writer = BytesWriter()
    write_table(writer, table)
    return writer.getvalue()


def _write_field(writer: BytesWriter, field: Field) -> None:
    kind, value = field.kind, field.value
    write_u8(writer, kind)
    if isinstance(value, bytes):
        write_longstr(writer, value)
    elif isinstance(value, bool):
        write_u8(writer, 1 if value else 0)
    elif isinstance(value, int):
        _write_integer(writer, kind, value)
    elif isinstance(value, float):
        if kind == ord("f"):
            write_f32_be(writer, value)
        else:
            write_f64_be(writer, value)
    elif isinstance(value, dict):
        write_table(writer, value)
    elif isinstance(value, list):
        body = BytesWriter()
        for item in value:
            _write_field(body, item)
        write_longstr(writer, body.getvalue())
    elif isinstance(value, tuple):
        write_u8(writer, value[0])
        write_u32(writer, value[1])


def _write_integer(writer: BytesWriter, kind: int, value: int) -> None:
    if kind in b"Ii":
        write_u32(writer, value & 0xFFFFFFFF)
    elif kind in b"lLT":
        write_i64_be(writer, value if value < (1 << 63) else value - (1 << 64))
    elif kind in b"su":
        write_u16(writer, value & 0xFFFF)
    else:
        writer.append(u8(value & 0xFF))


def field(value: object) -> Field:
    """Give a plain value the type RabbitMQ would: text and bytes S, small integers I, others l, and so on."""
    if value is None:
        return Field(ord("V"), None)
    if isinstance(value, bool):
        return Field(ord("t"), value)
    if isinstance(value, int):
        return Field(ord("I") if -0x80000000 <= value < 0x80000000 else ord("l"), value)
    if isinstance(value, float):
        return Field(ord("d"), value)
    if isinstance(value, str):
        return Field(ord("S"), octets(value))
    if isinstance(value, bytes):
        return Field(ord("S"), value)
    if isinstance(value, list):
        return Field(ord("A"), [field(item) for item in value])
    if isinstance(value, dict):
        return Field(ord("F"), table_of(value))
    raise TypeError(f"no field type for {type(value).__name__}")


def table_of(values: dict[str, object]) -> Table:
    """Turn plain values into a table."""
    return {octets(name): field(value) for name, value in values.items()}


def plain(table: Table) -> dict[str, object]:
    """Turn a table into plain values, for logs and JSON; octets become text."""
    return {text(name): plain_value(item) for name, item in table.items()}


def plain_value(item: Field) -> object:
    """Turn a field into a plain value."""
    value = item.value
    if isinstance(value, bytes):
        return text(value)
    if isinstance(value, dict):
        return plain(value)
    if isinstance(value, list):
        return [plain_value(each) for each in value]
    if isinstance(value, tuple):
        return value[1] / 10 ** value[0]
    return value
