"""Field tables come back as they were, and what is no table is refused in one way, wherever it is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance import codec
from tests.definitions import fields, shown, shown_table, tables, thorough

from supersoniq.amqp.errors import ConnectionException, FrameError, MalformedField
from supersoniq.amqp.tables import (
    DEPTH_MAX,
    KIND_NAMES,
    Field,
    Table,
    check_table,
    encode_table,
    field,
    plain,
    read_table,
    same_tables,
    table_of,
)

KINDS = "tbBsuIilLfdDSxAFTV"


def body_of(table: Table) -> bytes:
    """The table's octets without their length."""
    return encode_table(table)[4:]


def read(body: bytes) -> Table:
    return read_table(body, 0, len(body))


def verdict_of_reading(body: bytes) -> tuple[int, str] | None:
    try:
        read_table(body, 0, len(body))
    except ConnectionException as error:
        return error.reply_code, error.text
    return None


def verdict_of_checking(body: bytes) -> tuple[int, str] | None:
    try:
        check_table(body, 0, len(body))
    except ConnectionException as error:
        return error.reply_code, error.text
    return None


def nested(kind: str, levels: int) -> bytes:
    """A table with a field of `levels` arrays or tables in each other."""
    inner = b""
    for _ in range(levels):
        name = b"" if kind == "A" else b"\x01n"
        inner = kind.encode() + len(inner).to_bytes(4) + (name + inner if inner else b"")
        if kind == "F" and len(inner) > 5:
            inner = inner[:1] + (len(inner) - 5).to_bytes(4) + inner[5:]
    return b"\x01n" + inner


@thorough
@given(tables)
def test_table_comes_back_with_types_and_order(table: Table) -> None:
    assert shown_table(read(body_of(table))) == shown_table(table)


@thorough
@given(tables)
def test_length_stands_before_the_table(table: Table) -> None:
    encoded = encode_table(table)
    assert int.from_bytes(encoded[:4]) == len(encoded) - 4


@thorough
@given(tables, st.binary(max_size=9), st.binary(max_size=9))
def test_table_is_read_in_place_and_nothing_around_it(table: Table, before: bytes, after: bytes) -> None:
    body = body_of(table)
    found = read_table(before + body + after, len(before), len(before) + len(body))
    assert shown_table(found) == shown_table(table)


@pytest.mark.parametrize("kind", "bBsuIilLT")
def test_integers_agree_with_struct_at_their_edges(kind: str) -> None:
    code = codec.NUMBERS[kind]
    bits = {"b": 8, "h": 16, "i": 32, "q": 64}[code[1].lower()]
    lowest = 0 if code[1].isupper() else -(2 ** (bits - 1))
    for value in (lowest, lowest + 1, 0, 1, lowest + 2**bits - 1):
        octets = codec.table({"n": codec.Typed(kind, value)})
        assert read(octets[4:])[b"n"].value == value
        assert encode_table({b"n": Field(ord(kind), value)}) == octets


@pytest.mark.parametrize("kind", KINDS)
def test_every_type_has_a_name(kind: str) -> None:
    assert KIND_NAMES[ord(kind)] == Field(ord(kind), None).kind_name


@thorough
@given(st.binary(max_size=60))
def test_checking_refuses_what_reading_refuses(body: bytes) -> None:
    assert verdict_of_checking(body) == verdict_of_reading(body)


@thorough
@given(tables, st.data())
def test_damaged_table_is_judged_the_same_by_both(table: Table, data: st.DataObject) -> None:
    damaged = bytearray(body_of(table))
    for _ in range(data.draw(st.integers(0, 3))):
        if damaged:
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    assert verdict_of_checking(bytes(damaged)) == verdict_of_reading(bytes(damaged))


@thorough
@given(tables)
def test_table_cut_anywhere_is_a_frame_or_syntax_error(table: Table) -> None:
    body = body_of(table)
    for size in range(len(body)):
        verdict = verdict_of_reading(body[:size])
        assert verdict is None or verdict[0] in (501, 502)


@pytest.mark.parametrize("kind", KINDS)
def test_field_cut_at_any_octet_is_a_frame_error(kind: str) -> None:
    sizes = {"V": 0, "t": 1, "b": 1, "B": 1, "s": 2, "u": 2, "I": 4, "i": 4, "f": 4, "D": 5}
    size = sizes.get(kind, 4 if kind in "SxAF" else 8)
    whole = b"\x01n" + kind.encode() + bytes(size)
    check_table(whole, 0, len(whole))
    for length in range(1, len(whole)):
        with pytest.raises(FrameError):
            read(whole[:length])


def test_value_longer_than_its_table_is_a_frame_error() -> None:
    body = b"\x01nS\x00\x00\x00\x05abcd"
    with pytest.raises(FrameError):
        read_table(body + b"e", 0, len(body))


def test_unknown_type_is_a_syntax_error() -> None:
    with pytest.raises(MalformedField, match="unknown field type 33"):
        read(b"\x01n!")


def test_last_of_two_fields_with_one_name_wins() -> None:
    assert read(b"\x01nt\x01" + b"\x01nb\x05")[b"n"].value == 5


@pytest.mark.parametrize("kind", ["A", "F"])
@pytest.mark.parametrize("levels", [DEPTH_MAX - 1, DEPTH_MAX, DEPTH_MAX + 1, DEPTH_MAX + 2, 500])
def test_reading_and_checking_agree_on_how_deep_is_too_deep(kind: str, levels: int) -> None:
    body = nested(kind, levels)
    assert verdict_of_checking(body) == verdict_of_reading(body)


@pytest.mark.parametrize("kind", ["A", "F"])
def test_depth_max_levels_are_accepted_and_one_more_refused(kind: str) -> None:
    assert verdict_of_reading(nested(kind, DEPTH_MAX)) is None
    verdict = verdict_of_reading(nested(kind, DEPTH_MAX + 1))
    assert verdict is not None
    assert verdict[0] == 502


@thorough
@given(fields, fields)
def test_equality_is_that_of_class_and_value(one: Field, other: Field) -> None:
    assert one.equals(one)
    assert one.equals(other) == other.equals(one)
    if shown(one) == shown(other):
        assert one.equals(other)


def test_integers_of_any_width_are_equal() -> None:
    assert Field(ord("b"), 5).equals(Field(ord("l"), 5))
    assert not Field(ord("b"), 5).equals(Field(ord("l"), 6))


def test_strings_and_octets_are_equal() -> None:
    assert Field(ord("S"), b"x").equals(Field(ord("x"), b"x"))


@pytest.mark.parametrize(("one", "other"), [("I", "T"), ("I", "d"), ("I", "t")])
def test_number_of_another_class_is_not_equal(one: str, other: str) -> None:
    assert not Field(ord(one), 1).equals(Field(ord(other), 1))


def test_tables_are_equal_in_any_order_and_nested() -> None:
    one = table_of({"a": 1, "b": {"c": [1, "x"]}})
    other = table_of({"b": {"c": [1, "x"]}, "a": 1})
    assert same_tables(one, other)
    assert not same_tables(one, table_of({"a": 1, "b": {"c": [1, "y"]}}))
    assert not same_tables(one, table_of({"a": 1}))


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "V"),
        (True, "t"),
        (2**31 - 1, "I"),
        (-(2**31), "I"),
        (2**31, "l"),
        (1.5, "d"),
        ("text", "S"),
        (b"octets", "S"),
        ([1], "A"),
        ({"a": 1}, "F"),
    ],
)
def test_plain_value_gets_the_type_that_rabbitmq_gives(value: object, kind: str) -> None:
    assert chr(field(value).kind) == kind


def test_value_without_a_type_is_refused() -> None:
    with pytest.raises(TypeError):
        field(object())


def test_plain_values_come_back_plain() -> None:
    values: dict[str, object] = {"a": [1, {"b": "text"}], "c": None, "d": 2.5, "e": True}
    assert plain(table_of(values)) == values


def test_decimal_becomes_a_number() -> None:
    assert plain({b"price": Field(ord("D"), (2, 1999))}) == {"price": 19.99}


@thorough
@given(tables)
def test_any_table_can_be_shown(table: Table) -> None:
    assert len(plain(table)) == len(table)
