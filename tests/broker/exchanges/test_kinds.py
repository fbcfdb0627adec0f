"""Each type of exchange is made by its name."""

import pytest
from tests.broker.exchanges.test_consistent_hash import content_header

from supersoniq.amqp.tables import table_of
from supersoniq.broker.exchanges.base import Binding, Destination
from supersoniq.broker.exchanges.kinds import KINDS, new_exchange


@pytest.mark.parametrize("kind", KINDS)
def test_exchange_is_what_it_was_declared_as(kind: str) -> None:
    arguments = table_of({"alternate-exchange": "other"})
    exchange = new_exchange(kind, b"e", True, False, True, arguments)
    assert (exchange.kind, exchange.name, exchange.alternate) == (kind, b"e", b"other")
    assert (exchange.durable, exchange.auto_delete, exchange.internal) == (True, False, True)
    exchange.check_arguments()


@pytest.mark.parametrize("kind", KINDS)
def test_message_is_matched_with_a_binding_of_its_key_until_that_is_gone(kind: str) -> None:
    exchange = new_exchange(kind, b"e", False, False, False, {})
    queue = Destination(b"q", False)
    exchange.bind(Binding(exchange, queue, b"1", {}))
    into: list[Destination] = []
    exchange.match(b"1", content_header(), into)
    assert into == [queue]
    exchange.unbind(Binding(exchange, queue, b"1", {}))
    exchange.match(b"1", content_header(), into)
    assert into == [queue]


@pytest.mark.parametrize("kind", KINDS)
def test_exchange_that_keeps_nothing_has_nothing_for_what_is_bound(kind: str) -> None:
    exchange = new_exchange(kind, b"e", False, False, False, {})
    assert exchange.keeps == (kind == "x-recent-history")
    assert exchange.kept() == []
