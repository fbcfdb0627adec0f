"""A recent history exchange keeps the last messages that do not object."""

import pytest
from tests.conformance import codec
from tests.fakes import message

from supersoniq.amqp.errors import PreconditionFailed
from supersoniq.amqp.tables import Field, Table, encode_table, field, table_of
from supersoniq.broker.exchanges.base import Binding, Destination
from supersoniq.broker.exchanges.recent_history import RecentHistoryExchange
from supersoniq.broker.message import Message


def history(**arguments: object) -> RecentHistoryExchange:
    return history_of(table_of({name.replace("_", "-"): value for name, value in arguments.items()}))


def history_of(arguments: Table) -> RecentHistoryExchange:
    return RecentHistoryExchange(b"e", False, False, False, arguments)


def kept(exchange: RecentHistoryExchange) -> list[bytes]:
    return [each.body for each in exchange.kept()]


def with_headers(headers: Table) -> Message:
    header = b"\x00\x3c\x00\x00" + bytes(8) + codec.encode_properties({"headers": encode_table(headers)})
    return Message(b"\x01e\x00", header, b"body", False)


def test_twenty_messages_are_kept_where_nothing_else_is_said() -> None:
    exchange = history()
    for number in range(25):
        exchange.published(message(b"%d" % number))
    assert kept(exchange) == [b"%d" % number for number in range(5, 25)]


def test_last_messages_are_kept_in_order() -> None:
    exchange = history(x_recent_history_length=2)
    for body in (b"1", b"2", b"3"):
        exchange.published(message(body))
    assert kept(exchange) == [b"2", b"3"]


def test_memory_is_that_of_what_is_kept() -> None:
    exchange = history(x_recent_history_length=2)
    assert exchange.memory_bytes == 0
    exchange.published(message(b"x" * 1_000))
    one = exchange.memory_bytes
    assert one > 1_000
    for _ in range(3):
        exchange.published(message(b"x" * 2_000))
    assert exchange.memory_bytes == 2 * (one + 1_000)


def test_length_may_be_any_positive_integer() -> None:
    exchange = history(x_recent_history_length=10**18)
    exchange.check_arguments()
    exchange.published(message(b"1"))
    assert kept(exchange) == [b"1"]


@pytest.mark.parametrize("no_store", [field(False), field("true"), Field(ord("I"), 1)])
def test_message_is_kept_unless_its_header_says_true(no_store: Field) -> None:
    exchange = history()
    exchange.published(with_headers({b"x-recent-history-no-store": no_store}))
    assert kept(exchange) == [b"body"]


def test_message_that_objects_is_not_kept() -> None:
    exchange = history()
    exchange.published(with_headers({b"x-recent-history-no-store": field(True)}))
    assert kept(exchange) == []
    exchange.published(with_headers({b"about": field("x-recent-history-no-store")}))
    assert kept(exchange) == [b"body"]


@pytest.mark.parametrize(
    ("length", "shown"),
    [(0, "0"), (-1, "-1"), ("5", '<<"5">>'), (True, "true"), (5.5, "5.5")],
)
def test_length_that_is_no_positive_integer_is_refused(length: object, shown: str) -> None:
    with pytest.raises(PreconditionFailed) as caught:
        history(x_recent_history_length=length).check_arguments()
    assert (
        caught.value.text == f"Invalid argument {shown}, 'x-recent-history-length' must be a positive integer"
    )


def test_everything_goes_everywhere() -> None:
    exchange = history()
    queues = [Destination(name, False) for name in (b"z", b"a")]
    for queue in queues:
        exchange.bind(Binding(exchange, queue, b"key", {}))
    into: list[Destination] = []
    exchange.match(b"any", b"", into)
    assert into == queues


def test_routes_through_it_are_not_remembered() -> None:
    assert history().keeps
    assert not history().by_key_alone
