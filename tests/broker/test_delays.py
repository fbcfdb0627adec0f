"""What a header says of a delay, and what becomes of it when the message is due."""

import pytest

from supersoniq.amqp.errors import PreconditionFailed
from supersoniq.amqp.properties import Properties, headers_property, shortstr_property
from supersoniq.amqp.spec import FLAG_MESSAGE_ID
from supersoniq.amqp.tables import Field, Table, field, table_of
from supersoniq.broker.delays import (
    DELAY_MS_MAX,
    check_same_delay,
    copies_of,
    delay_of,
    due_header,
    expiration_of,
    have_delay,
    underlying_kind,
)
from supersoniq.broker.exchanges.fanout import FanoutExchange

NOW = 1_700_000_000_000
WIDEST = {"b": 127, "B": 255, "s": 32_767, "u": 65_535, "I": 2**31 - 1, "i": 2**32 - 1}


def header_of(table: Table) -> bytes:
    properties = Properties()
    properties.values[FLAG_MESSAGE_ID] = b"id"
    properties.change_headers(table)
    return properties.content_header(7)


def header(**headers: object) -> bytes:
    return header_of(table_of({name.replace("_", "-"): value for name, value in headers.items()}))


@pytest.mark.parametrize("kind", "bBsuIilL")
def test_delay_is_an_integer_of_any_type(kind: str) -> None:
    widest = WIDEST.get(kind, DELAY_MS_MAX)
    for delay_ms in (1, widest):
        assert delay_of(header_of({b"x-delay": Field(ord(kind), delay_ms)}), NOW) == delay_ms


@pytest.mark.parametrize(
    "value", [0, -1, -(2**40), "5000", b"1", 5.5, True, None, [5_000], {"x-delay": 5_000}]
)
def test_anything_else_is_no_delay(value: object) -> None:
    assert delay_of(header(x_delay=value), NOW) == 0


def test_delay_elsewhere_in_the_headers_does_not_count() -> None:
    assert delay_of(header(a={"x-delay": 5}, b="\x07x-delayI\0\0\0\5", c=["x-delay"]), NOW) == 0


def test_time_of_delivery_counts_where_there_is_no_delay() -> None:
    assert delay_of(header(x_deliver_at=NOW + 5), NOW) == 5
    assert delay_of(header(x_deliver_at=NOW - 5), NOW) == 0
    assert delay_of(header(x_deliver_at="soon"), NOW) == 0
    assert delay_of(header(x_delay=7, x_deliver_at=NOW + 5), NOW) == 7
    assert delay_of(header(x_delay=-7, x_deliver_at=NOW + 5), NOW) == 0


def test_more_than_ten_years_is_refused() -> None:
    for headers in ({"x_delay": DELAY_MS_MAX}, {"x_deliver_at": NOW + DELAY_MS_MAX}):
        assert delay_of(header(**headers), NOW) == DELAY_MS_MAX
    with pytest.raises(PreconditionFailed, match=f"invalid header 'x-delay': .*{DELAY_MS_MAX + 1}"):
        delay_of(header(x_delay=DELAY_MS_MAX + 1), NOW)
    with pytest.raises(PreconditionFailed, match=r"invalid header 'x-deliver-at'"):
        delay_of(header(x_deliver_at=NOW + DELAY_MS_MAX + 1), NOW)


@pytest.mark.parametrize("kind", "bBsuIilL")
def test_delay_of_a_due_message_is_negative_and_all_else_as_it_was(kind: str) -> None:
    delay_ms = WIDEST.get(kind, DELAY_MS_MAX)
    had = header_of({b"a": field("x"), b"x-delay": Field(ord(kind), delay_ms), b"z": field(1)})
    due = due_header(had)
    headers = headers_property(due)
    assert {name: each.value for name, each in headers.items()} == {
        b"a": b"x",
        b"x-delay": -delay_ms,
        b"z": 1,
    }
    assert shortstr_property(due, FLAG_MESSAGE_ID) == b"id"
    assert due[:12] == had[:12]
    assert delay_of(due, NOW) == 0
    assert due_header(due) == due


@pytest.mark.parametrize("headers", [{}, {"x_delay": "5000"}, {"x_deliver_at": NOW}, {"CC": ["a"]}])
def test_header_without_a_delay_stays_as_it_is(headers: dict[str, object]) -> None:
    assert due_header(header(**headers)) == header(**headers)


def test_copies_are_those_of_both_headers_and_only_one_is_told() -> None:
    had = header(CC=["a", 1, "b"], BCC=["c"])
    assert copies_of(had) == [b"a", b"b", b"c"]
    assert copies_of(header(CC="a")) == []
    assert list(headers_property(due_header(had))) == [b"CC"]


def test_expiration_is_that_of_the_properties() -> None:
    properties = Properties()
    assert expiration_of(properties.content_header(0)) == -1
    properties.values[1 << 8] = b"60000"
    assert expiration_of(properties.content_header(0)) == 60_000


# Exchanges


def test_exchange_says_how_it_routes() -> None:
    assert underlying_kind(b"e", "x-delayed-message", table_of({"x-delayed-type": "topic"})) == "topic"
    assert underlying_kind(b"e", "topic", table_of({"x-delayed-exchange": True})) == "topic"
    assert underlying_kind(b"e" * 255, "topic", {}) == "topic"


@pytest.mark.parametrize("underlying", [None, 1, True, "x-delayed-message"])
def test_exchange_that_does_not_say_so_is_refused(underlying: object) -> None:
    arguments = {} if underlying is None else table_of({"x-delayed-type": underlying})
    with pytest.raises(PreconditionFailed, match="'x-delayed-type' must be an existing exchange type"):
        underlying_kind(b"e", "x-delayed-message", arguments)


def test_delayed_exchange_declared_again_routes_by_the_same_type() -> None:
    arguments = table_of({"x-delayed-type": "fanout"})
    exchange = FanoutExchange(b"e", True, False, False, arguments)
    check_same_delay("/", exchange, {})
    have_delay(exchange, "fanout")
    assert not exchange.delays
    have_delay(exchange, "x-delayed-message")
    assert exchange.delays
    check_same_delay("/", exchange, arguments)
    for other, received in (({}, "none"), (table_of({"x-delayed-type": "topic"}), "'topic'")):
        with pytest.raises(PreconditionFailed) as caught:
            check_same_delay("/", exchange, other)
        assert caught.value.text == (
            "inequivalent arg 'x-delayed-type' for exchange 'e' in vhost '/': "
            f"received {received} but current is 'fanout'"
        )
