"""Moving: where dead letters came from, and what they say no more."""

from tests.fakes import message

from supersoniq.broker.deaths import REJECTED, death_of
from supersoniq.broker.message import Entry
from supersoniq.management.moving import Target, cleaned, exchange_of, origin_of


def test_origin_of_a_dead_letter_is_known() -> None:
    dead = death_of(message(b"x", b"e", b"key"), b"work", REJECTED, 1, b"", b"dead").message
    entry = Entry(dead, 1)
    assert origin_of(entry) == Target(b"", b"work")
    assert exchange_of(entry) == Target(b"e", b"key")
    again = cleaned(dead, Target(b"", b"work"))
    assert (again.exchange, again.routing_key, again.body) == (b"", b"work", b"x")
    assert b"death" not in again.header


def test_message_that_has_not_died_has_none() -> None:
    entry = Entry(message(), 1)
    assert origin_of(entry) is None
    assert exchange_of(entry) is None
