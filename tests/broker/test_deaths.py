"""What a message says of its deaths, octet for octet where clients look."""

from typing import Any

from supersoniq.amqp.properties import Properties, headers_property, is_persistent, property_flags
from supersoniq.amqp.spec import FLAG_EXPIRATION
from supersoniq.amqp.tables import plain, table_of
from supersoniq.broker.deaths import EXPIRED, MAXLEN, REJECTED, Death, death_of
from supersoniq.broker.message import Message, address_of

NOW_MS = 1_700_000_000_500


def message_with(headers: dict[str, object] | None = None, expiration: bytes | None = None) -> Message:
    properties = Properties()
    if headers is not None:
        properties.change_headers(table_of(headers))
    if expiration is not None:
        properties.values[FLAG_EXPIRATION] = expiration
    properties.delivery_mode = 2
    return Message(address_of(b"ex", b"key"), properties.content_header(4), b"body", True)


def headers_of(death: Death) -> dict[str, Any]:
    return plain(headers_property(death.message.header))


def died(message: Message, queue: bytes = b"q", reason: bytes = EXPIRED, key: bytes | None = None) -> Death:
    return death_of(message, queue, reason, NOW_MS, b"dlx", key)


def test_first_death_is_told_in_full() -> None:
    death = died(message_with({"mine": "stays"}, b"250"))
    message = death.message
    assert (message.exchange, message.routing_key, message.body) == (b"dlx", b"key", b"body")
    assert message.persistent
    assert is_persistent(message.header, property_flags(message.header))
    assert not property_flags(message.header) & FLAG_EXPIRATION
    headers = headers_of(death)
    (entry,) = headers.pop("x-death")
    assert list(entry) == [
        "count", "reason", "queue", "time", "exchange", "routing-keys", "original-expiration",
    ]  # fmt: skip
    assert entry["count"] == 1
    assert entry["routing-keys"] == ["key"]
    assert entry["original-expiration"] == "250"
    assert headers == {
        "mine": "stays",
        "x-first-death-reason": "expired",
        "x-first-death-queue": "q",
        "x-first-death-exchange": "ex",
        "x-last-death-reason": "expired",
        "x-last-death-queue": "q",
        "x-last-death-exchange": "ex",
    }


def test_without_expiration_there_is_no_original_one() -> None:
    (entry,) = headers_of(died(message_with()))["x-death"]
    assert "original-expiration" not in entry


def test_later_deaths_are_put_in_front_and_equal_ones_counted() -> None:
    death = died(message_with())
    for queue, reason in ((b"r", MAXLEN), (b"q", EXPIRED), (b"q", REJECTED), (b"r", MAXLEN)):
        death = died(death.message, queue, reason)
    headers = headers_of(death)
    assert [(each["queue"], each["reason"], each["count"]) for each in headers["x-death"]] == [
        ("r", "maxlen", 2),
        ("q", "rejected", 1),
        ("q", "expired", 2),
    ]
    assert (headers["x-first-death-queue"], headers["x-first-death-reason"]) == ("q", "expired")
    assert (headers["x-last-death-queue"], headers["x-last-death-reason"]) == ("r", "maxlen")


def test_keys_are_the_messages_own_with_its_copies_or_the_one_that_is_given() -> None:
    message = message_with({"CC": ["c1", "c2"]})
    kept = died(message)
    assert kept.routing_keys == [b"key", b"c1", b"c2"]
    assert headers_of(kept)["CC"] == ["c1", "c2"]
    given = died(message, key=b"other")
    assert (given.routing_keys, given.message.routing_key) == ([b"other"], b"other")
    assert "CC" not in headers_of(given)
    assert headers_of(given)["x-death"][0]["routing-keys"] == ["key", "c1", "c2"]


def test_what_a_client_calls_deaths_is_left_out_unless_it_is_a_list_of_tables() -> None:
    for nonsense in ("text", 5, None, ["text", 5], {"a": 1}):
        assert len(headers_of(died(message_with({"x-death": nonsense})))["x-death"]) == 1
    odd = {"queue": 5, "reason": None, "count": "many"}
    assert len(headers_of(died(message_with({"x-death": [odd]})))["x-death"]) == 2


def test_cycle_is_one_without_a_rejection() -> None:
    there = died(message_with(), b"a")
    back = died(there.message, b"b")
    assert back.is_cycle(b"a")
    assert back.is_cycle(b"b")
    assert not back.is_cycle(b"c")
    rejected = died(died(there.message, b"b", REJECTED).message, b"c")
    assert not rejected.is_cycle(b"a")
    assert rejected.is_cycle(b"c")
    assert not died(there.message, b"a", REJECTED).is_cycle(b"a")
