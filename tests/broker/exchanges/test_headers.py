"""The four x-match modes against a definition with `all` and `any`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance import codec
from tests.definitions import tables, thorough

from supersoniq.amqp.errors import PreconditionFailed
from supersoniq.amqp.tables import Field, Table, encode_table, field, table_of
from supersoniq.broker.exchanges.base import Binding, Destination
from supersoniq.broker.exchanges.headers import HeadersExchange

MODES = ["all", "any", "all-with-x", "any-with-x"]


def headers_exchange() -> HeadersExchange:
    return HeadersExchange(b"headers", False, False, False, {})


def content_header(table: Table | None) -> bytes:
    values = {} if table is None else {"headers": encode_table(table)}
    return b"\x00\x3c\x00\x00" + bytes(8) + codec.encode_properties(values)


def accepts(arguments: Table, headers: Table | None) -> bool:
    exchange = headers_exchange()
    exchange.bind(Binding(exchange, Destination(b"q", False), b"ignored", arguments))
    into: list[Destination] = []
    exchange.match(b"key", content_header(headers), into)
    return bool(into)


def definition(mode: str, wanted: Table, headers: Table) -> bool:
    asked = {
        name: value
        for name, value in wanted.items()
        if name != b"x-match" and (mode.endswith("-with-x") or not name.startswith(b"x-"))
    }
    hits = [
        name in headers and (value.kind == ord("V") or value.equals(headers[name]))
        for name, value in asked.items()
    ]
    return all(hits) if mode.startswith("all") else any(hits)


header_names = st.sampled_from([b"a", b"b", b"x-c", b"x-d"])
values = st.sampled_from([1, 2, "1", True, None]).map(field)
header_tables = st.dictionaries(header_names, values, max_size=4)


@thorough
@given(st.sampled_from(MODES), header_tables, header_tables)
def test_match_agrees_with_the_definition(mode: str, wanted: Table, headers: Table) -> None:
    expected = definition(mode, wanted, headers)
    assert accepts({b"x-match": field(mode), **wanted}, headers) == expected


@thorough
@given(tables)
def test_headers_match_themselves(table: Table) -> None:
    table.pop(b"x-match", None)
    assert accepts({b"x-match": field("all-with-x"), **table}, table)


def test_absent_mode_means_all() -> None:
    assert accepts(table_of({"a": 1, "b": 2}), table_of({"a": 1, "b": 2}))
    assert not accepts(table_of({"a": 1, "b": 2}), table_of({"a": 1}))


@pytest.mark.parametrize(("mode", "expected"), [("all", True), ("any", False)])
def test_binding_that_asks_for_nothing(mode: str, expected: bool) -> None:
    assert accepts(table_of({"x-match": mode}), table_of({"a": 1})) == expected
    assert accepts(table_of({"x-match": mode}), None) == expected


def test_integers_of_another_width_match() -> None:
    assert accepts({b"n": Field(ord("l"), 5)}, {b"n": Field(ord("b"), 5)})


def test_every_matching_rule_names_its_destination() -> None:
    exchange = headers_exchange()
    queues = [Destination(b"one", False), Destination(b"two", False), Destination(b"three", False)]
    for queue, number in zip(queues, (1, 1, 2), strict=True):
        exchange.bind(Binding(exchange, queue, b"", table_of({"n": number})))
    into: list[Destination] = []
    exchange.match(b"", content_header(table_of({"n": 1})), into)
    assert into == queues[:2]


def test_unbound_rule_no_longer_matches() -> None:
    exchange = headers_exchange()
    binding = Binding(exchange, Destination(b"q", False), b"", table_of({"n": 1}))
    exchange.bind(binding)
    exchange.unbind(Binding(exchange, Destination(b"q", False), b"", table_of({"n": 1})))
    into: list[Destination] = []
    exchange.match(b"", content_header(table_of({"n": 1})), into)
    assert into == []


def test_answer_depends_on_more_than_the_key() -> None:
    assert not headers_exchange().by_key_alone


@pytest.mark.parametrize("mode", ["", "some", "ALL", "all-with", 1, None, True])
def test_unknown_mode_is_refused(mode: object) -> None:
    exchange = headers_exchange()
    with pytest.raises(PreconditionFailed, match="x-match"):
        exchange.bind(Binding(exchange, Destination(b"q", False), b"", {b"x-match": field(mode)}))
    assert not exchange.bindings
