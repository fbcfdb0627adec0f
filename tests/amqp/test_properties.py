"""The properties of class basic, byte for byte, and the one verdict on those that cannot be decoded."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance import codec
from tests.definitions import shown_table, tables, thorough

from supersoniq.amqp.errors import FrameError, MalformedField
from supersoniq.amqp.properties import (
    Properties,
    check_properties,
    headers_property,
    is_persistent,
    property_flags,
    property_table,
    read_properties,
    shortstr_property,
    with_headers,
    with_shortstr,
)
from supersoniq.amqp.spec import (
    FLAG_CONTENT_TYPE,
    FLAG_CONTINUED,
    FLAG_EXPIRATION,
    FLAG_HEADERS,
    FLAG_REPLY_TO,
    FLAG_USER_ID,
)
from supersoniq.amqp.tables import Table, encode_table, plain, read_table, table_of

short = st.binary(max_size=255)
VALUES = {"s": short, "o": st.integers(0, 255), "q": st.integers(0, 2**64 - 1), "F": tables.map(encode_table)}
property_values = st.fixed_dictionaries(
    {}, optional={name: VALUES[kind] for name, kind in codec.PROPERTY_FIELDS}
)
SHORTSTR_NAMES = [name for name, kind in codec.PROPERTY_FIELDS if kind == "s"]


def flag_of(name: str) -> int:
    return 1 << (15 - [each for each, _ in codec.PROPERTY_FIELDS].index(name))


def header_of(values: dict[str, object], body_bytes: int = 0) -> bytes:
    """A content header's payload as the independent codec writes it."""
    return b"\x00\x3c\x00\x00" + body_bytes.to_bytes(8) + codec.encode_properties(values)


def raw_header(flags: int, octets: bytes = b"") -> bytes:
    return b"\x00\x3c\x00\x00" + bytes(8) + flags.to_bytes(2) + octets


def is_accepted(header: bytes) -> bool:
    try:
        check_properties(header)
    except (FrameError, MalformedField):
        return False
    return True


def can_be_read(header: bytes) -> bool:
    """Whether all can be read, headers included, and nothing is left over."""
    try:
        properties = read_properties(header)
        if properties.headers is not None:
            read_table(properties.headers, 4, len(properties.headers))
    except (FrameError, MalformedField):
        return False
    return properties.content_header(int.from_bytes(header[4:12])) == header


@thorough
@given(property_values, st.integers(0, 2**63 - 1))
def test_all_properties_come_back_byte_for_byte(values: dict[str, object], body_bytes: int) -> None:
    header = header_of(values, body_bytes)
    check_properties(header)
    assert read_properties(header).content_header(body_bytes) == header


@thorough
@given(property_values)
def test_each_property_is_found_in_its_place(values: dict[str, object]) -> None:
    header = header_of(values)
    found = read_properties(header)
    assert found.delivery_mode == values.get("delivery_mode")
    assert found.priority == values.get("priority")
    assert found.timestamp == values.get("timestamp")
    assert found.headers == values.get("headers")
    assert found.values == {flag_of(name): values[name] for name in SHORTSTR_NAMES if name in values}


@thorough
@given(property_values)
def test_one_property_is_found_without_reading_all(values: dict[str, object]) -> None:
    header = header_of(values)
    for name in SHORTSTR_NAMES:
        assert shortstr_property(header, flag_of(name)) == values.get(name)
    given_headers = values.get("headers", b"\x00\x00\x00\x00")
    assert isinstance(given_headers, bytes)
    expected = read_table(given_headers, 4, len(given_headers))
    assert shown_table(headers_property(header)) == shown_table(expected)


@thorough
@given(property_values)
def test_persistent_means_delivery_mode_2(values: dict[str, object]) -> None:
    header = header_of(values)
    assert is_persistent(header, property_flags(header)) == (values.get("delivery_mode") == 2)


@thorough
@given(st.integers(0, 0xFFFC).map(lambda flags: flags & 0xFFFC), st.binary(max_size=60))
def test_what_is_accepted_is_exactly_what_can_be_read(flags: int, octets: bytes) -> None:
    header = raw_header(flags, octets)
    if is_accepted(header):
        assert read_properties(header).content_header(0) == header
    else:
        assert not can_be_read(header)


@thorough
@given(property_values, st.data())
def test_header_cut_anywhere_is_refused(values: dict[str, object], data: st.DataObject) -> None:
    header = header_of(values)
    size = data.draw(st.integers(14, len(header)))
    assert is_accepted(header[:size]) == (size == len(header))


@thorough
@given(property_values, st.binary(min_size=1, max_size=5))
def test_octets_left_over_are_refused(values: dict[str, object], rest: bytes) -> None:
    assert not is_accepted(header_of(values) + rest)


@thorough
@given(st.integers(0, 0xFFFF), st.binary(max_size=40))
def test_nothing_raises_but_amqp_errors(flags: int, octets: bytes) -> None:
    header = raw_header(flags, octets)
    for read in (check_properties, read_properties, headers_property):
        with contextlib.suppress(FrameError, MalformedField):
            read(header)


def test_headers_that_are_no_table_are_refused() -> None:
    with pytest.raises(MalformedField):
        check_properties(raw_header(FLAG_HEADERS, b"\x00\x00\x00\x03\x01n!"))
    with pytest.raises(FrameError):
        check_properties(raw_header(FLAG_HEADERS, b"\x00\x00\x00\x02\x01n"))


def test_continued_flags_are_skipped() -> None:
    header = raw_header(FLAG_CONTENT_TYPE | FLAG_CONTINUED, b"\x00\x00" + b"\x04text")
    check_properties(header)
    assert shortstr_property(header, FLAG_CONTENT_TYPE) == b"text"


def test_flags_that_promise_more_flags_and_end_are_refused() -> None:
    with pytest.raises(FrameError):
        check_properties(raw_header(FLAG_CONTINUED))


@thorough
@given(property_values, tables)
def test_replaced_headers_leave_the_rest(values: dict[str, object], table: Table) -> None:
    changed = with_headers(header_of(values, 77), table)
    assert changed == header_of(values | {"headers": encode_table(table)}, 77)


@thorough
@given(property_values, short)
def test_replaced_reply_to_leaves_the_rest(values: dict[str, object], reply_to: bytes) -> None:
    changed = with_shortstr(header_of(values, 77), FLAG_REPLY_TO, reply_to)
    assert changed == header_of(values | {"reply_to": reply_to}, 77)


def test_property_that_is_not_set_is_none() -> None:
    header = header_of({"user_id": "guest"})
    assert shortstr_property(header, FLAG_USER_ID) == b"guest"
    assert shortstr_property(header, FLAG_EXPIRATION) is None


def test_properties_made_by_hand_are_written_in_wire_order() -> None:
    properties = Properties()
    properties.timestamp = 2**64 - 1
    properties.delivery_mode = 2
    properties.values[FLAG_CONTENT_TYPE] = b"text"
    properties.change_headers(table_of({"a": 1}))
    expected = {"content_type": "text", "headers": {"a": 1}, "delivery_mode": 2, "timestamp": 2**64 - 1}
    assert properties.content_header(5) == header_of(expected, 5)


def test_property_table_has_what_is_set_by_its_name() -> None:
    properties = Properties()
    properties.values[FLAG_CONTENT_TYPE] = b"text/plain"
    properties.change_headers(table_of({"a": 1}))
    properties.delivery_mode = 2
    properties.timestamp = 1 << 40
    table = property_table(properties.content_header(3))
    assert plain(table) == {
        "content_type": "text/plain", "headers": {"a": 1}, "delivery_mode": 2, "timestamp": 1 << 40,
    }  # fmt: skip
    assert list(table) == [b"content_type", b"headers", b"delivery_mode", b"timestamp"]
    assert property_table(Properties().content_header(0)) == {}
