"""Terms are written as RabbitMQ 3.10.8 wrote the same values into the headers of its events."""

import pytest

from supersoniq.amqp.tables import Field, Table, field
from supersoniq.broker.erlang_terms import address_term, binary_term, float_term, table_terms


def test_table_is_a_term_for_each_field() -> None:
    table: Table = {
        b"s": Field(ord("S"), b'te"x\\t\n'),
        b"e": Field(ord("S"), b""),
        b"i": field(-1),
        b"big": field(1 << 40),
        b"b": field(True),
        b"f": field(1e100),
        b"n": field(None),
        b"l": field([1, "x", {"k": "v"}]),
        b"le": field([]),
        b"t": field({"n": {"m": 1}}),
        b"d": Field(ord("D"), (2, 125)),
        b"ts": Field(ord("T"), 1577836800),
    }
    assert table_terms(table) == [
        rb'{<<"s">>,longstr,<<"te\"x\\t\n">>}',
        b'{<<"e">>,longstr,<<>>}',
        b'{<<"i">>,signedint,-1}',
        b'{<<"big">>,long,1099511627776}',
        b'{<<"b">>,bool,true}',
        b'{<<"f">>,double,1.0e100}',
        b'{<<"n">>,void,undefined}',
        b'{<<"l">>,array,[{signedint,1},{longstr,<<"x">>},{table,[{<<"k">>,longstr,<<"v">>}]}]}',
        b'{<<"le">>,array,[]}',
        b'{<<"t">>,table,[{<<"n">>,table,[{<<"m">>,signedint,1}]}]}',
        b'{<<"d">>,decimal,{2,125}}',
        b'{<<"ts">>,timestamp,1577836800}',
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "term"),
    [
        (b"a\r\n\tb", rb'<<"a\r\n\tb">>'),
        (b"a\x1b\x7f", b"<<97,27,127>>"),
        ("ä€".encode(), b"<<195,164,226,130,172>>"),
        ("ä".encode(), b'<<"\xc3\xa4">>'),
        (b"\x00\x01\xff", b"<<0,1,255>>"),
    ],
)
def test_binary_is_text_if_all_of_it_can_be_printed(data: bytes, term: bytes) -> None:
    assert binary_term(data) == term


@pytest.mark.parametrize(
    ("value", "term"), [(0.1, "0.1"), (2.0, "2.0"), (1e100, "1.0e100"), (1.5e-7, "1.5e-7")]
)
def test_float_has_a_point_and_no_plus(value: float, term: str) -> None:
    assert float_term(value) == term


@pytest.mark.parametrize(
    ("host", "term"),
    [
        ("127.0.0.1", "{127,0,0,1}"),
        ("::1", "{0,0,0,0,0,0,0,1}"),
        ("2001:db8::a:1", "{8193,3512,0,0,0,0,10,1}"),
        ("1:2:3:4:5:6:7:8", "{1,2,3,4,5,6,7,8}"),
        ("::ffff:127.0.0.1", "{0,0,0,0,0,65535,32512,1}"),
        ("fe80::1%eth0", "{65152,0,0,0,0,0,0,1}"),
        ("local socket", "local socket"),
    ],
)
def test_address_is_a_tuple(host: str, term: str) -> None:
    assert address_term(host) == term
