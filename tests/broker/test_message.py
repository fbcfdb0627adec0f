"""A message's address is its exchange and routing key, found again in its octets."""

from hypothesis import given
from hypothesis import strategies as st
from tests.definitions import thorough
from tests.fakes import NO_PROPERTIES, message

from supersoniq.broker.message import DELIVERY_COUNT_MAX, EXPIRES_AT_MAX, Entry, Message, address_of

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


def state(entry: Entry) -> tuple[int, int, bool]:
    return int(entry.delivery_count), int(entry.expires_at), entry.is_ready


counts = st.integers(0, DELIVERY_COUNT_MAX)
times = st.integers(0, EXPIRES_AT_MAX)


@thorough
@given(counts, times, st.booleans(), counts, times, st.booleans())
def test_what_an_entry_has_in_one_word_is_kept_apart(
    count: int, at: int, ready: bool, later_count: int, later_at: int, later_ready: bool
) -> None:
    entry = Entry(message(), 1)
    entry.delivery_count, entry.expires_at, entry.is_ready = count, at, ready
    assert state(entry) == (count, at, ready)
    entry.is_ready = later_ready
    assert state(entry) == (count, at, later_ready)
    entry.expires_at = later_at
    assert state(entry) == (count, later_at, later_ready)
    entry.delivery_count = later_count
    assert state(entry) == (later_count, later_at, later_ready)


def test_what_an_entry_counts_has_an_end() -> None:
    entry = Entry(message(), 1)
    entry.delivery_count = DELIVERY_COUNT_MAX
    entry.delivery_count += 1
    entry.expires_at = EXPIRES_AT_MAX + 1
    assert state(entry) == (DELIVERY_COUNT_MAX, EXPIRES_AT_MAX, False)


def test_message_is_stored_nowhere_at_first() -> None:
    assert message(persistent=True).stored == 0
