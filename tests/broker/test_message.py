"""A message's address is its exchange and routing key, found again in its octets."""

from hypothesis import given
from hypothesis import strategies as st
from tests.definitions import thorough
from tests.fakes import NO_PROPERTIES, message

from supersoniq.broker.message import Entry, Message, address_of

shortstr = st.binary(max_size=255)


@thorough
@given(shortstr, shortstr)
def test_names_come_back_from_the_address(exchange: bytes, routing_key: bytes) -> None:
    found = Message(address_of(exchange, routing_key), NO_PROPERTIES, b"", False)
    assert found.exchange == exchange
    assert found.routing_key == routing_key


def test_address_is_two_short_strings() -> None:
    assert address_of(b"ex", b"key") == b"\x02ex\x03key"


def test_entry_is_not_redelivered_at_first() -> None:
    shared = message(b"body")
    entry = Entry(shared, 7)
    assert entry.message is shared
    assert entry.position == 7
    assert entry.delivery_count == 0
    assert not entry.redelivered


def test_entry_that_came_back_is_redelivered() -> None:
    entry = Entry(message(b"body"), 7)
    entry.delivery_count += 1
    assert entry.redelivered


def test_message_is_stored_nowhere_at_first() -> None:
    assert message(persistent=True).stored == 0
