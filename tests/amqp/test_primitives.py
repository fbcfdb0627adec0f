"""Unsigned integers and strings survive the way through octets at every edge."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from librt.strings import BytesWriter
from tests.definitions import thorough

from supersoniq.amqp.primitives import (
    SHOWN_OCTETS_MAX,
    erlang_binary,
    octets,
    read_s64,
    read_u16,
    read_u32,
    read_u64,
    text,
    write_longstr,
    write_s64,
    write_shortstr,
    write_u8,
    write_u16,
    write_u32,
)


@pytest.mark.parametrize("value", [0, 1, 0x7F, 0x80, 0xFF])
def test_octet_is_written_unsigned(value: int) -> None:
    writer = BytesWriter()
    write_u8(writer, value)
    assert writer.getvalue() == bytes([value])


@pytest.mark.parametrize("value", [0, 1, 0x7FFF, 0x8000, 0xFFFF])
def test_u16_comes_back(value: int) -> None:
    writer = BytesWriter()
    write_u16(writer, value)
    assert writer.getvalue() == struct.pack(">H", value)
    assert read_u16(b"?" + writer.getvalue(), 1) == value


@pytest.mark.parametrize("value", [0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_u32_comes_back(value: int) -> None:
    writer = BytesWriter()
    write_u32(writer, value)
    assert writer.getvalue() == struct.pack(">I", value)
    assert read_u32(b"?" + writer.getvalue(), 1) == value


@pytest.mark.parametrize("value", [0, 1, 2**63 - 1, -1, -(2**63)])
def test_s64_comes_back(value: int) -> None:
    writer = BytesWriter()
    write_s64(writer, value)
    assert writer.getvalue() == struct.pack(">q", value)
    assert read_s64(b"?" + writer.getvalue(), 1) == value


@pytest.mark.parametrize("value", [0, 2**63 - 1, 2**63, 2**64 - 1])
def test_u64_is_read_exactly(value: int) -> None:
    assert read_u64(struct.pack(">Q", value), 0) == value


@thorough
@given(st.binary(min_size=8, max_size=8))
def test_readers_agree_with_struct(data: bytes) -> None:
    assert read_u16(data, 0) == struct.unpack_from(">H", data)[0]
    assert read_u32(data, 0) == struct.unpack_from(">I", data)[0]
    assert read_s64(data, 0) == struct.unpack(">q", data)[0]
    assert read_u64(data, 0) == struct.unpack(">Q", data)[0]


@pytest.mark.parametrize("size", range(8))
def test_reading_past_the_end_is_an_index_error(size: int) -> None:
    data = bytes(size)
    for read, width in ((read_u16, 2), (read_u32, 4), (read_s64, 8), (read_u64, 8)):
        if size < width:
            with pytest.raises(IndexError):
                read(data, 0)


def test_shortstr_has_one_octet_of_length() -> None:
    writer = BytesWriter()
    write_shortstr(writer, b"x" * 255)
    assert writer.getvalue() == b"\xff" + b"x" * 255


def test_shortstr_is_cut_at_255_octets() -> None:
    writer = BytesWriter()
    write_shortstr(writer, b"x" * 256)
    assert writer.getvalue() == b"\xff" + b"x" * 255


def test_longstr_has_four_octets_of_length() -> None:
    writer = BytesWriter()
    write_longstr(writer, b"x" * 300)
    assert writer.getvalue() == b"\x00\x00\x01\x2c" + b"x" * 300


@thorough
@given(st.binary())
def test_names_survive_text_whatever_their_octets(name: bytes) -> None:
    assert octets(text(name)) == name


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"", "<<>>"),
        (b"\x00\x0a", "<<0,10>>"),
        (b"text", '<<"text">>'),
        (b"text\n", "<<116,101,120,116,10>>"),
        (b'a"b\\c', r'<<"a\"b\\c">>'),
        (b"\x7f", "<<127>>"),
    ],
)
def test_octets_are_shown_as_erlang_does(data: bytes, shown: str) -> None:
    assert erlang_binary(data) == shown


def test_no_more_octets_are_shown_than_a_text_can_hold() -> None:
    assert erlang_binary(bytes(1_000_000)) == erlang_binary(bytes(SHOWN_OCTETS_MAX))
