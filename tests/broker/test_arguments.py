"""Which queue arguments are accepted, and which make a queue another one."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.definitions import fields, thorough

from supersoniq.amqp.errors import PreconditionFailed
from supersoniq.amqp.tables import Field, Table, field, table_of
from supersoniq.broker.arguments import (
    CLASSIC,
    COMMON,
    INTEGERS,
    PRIORITY_MAX,
    QUORUM,
    STREAM,
    TTL_MS_MAX,
    QueueOptions,
    check_equivalent,
    check_queue,
    shown,
)

PLACE = "for queue 'q' in vhost '/'"
KNOWN = sorted(COMMON | CLASSIC | QUORUM | STREAM)


def type_of(name: bytes) -> Table:
    """The argument without which a queue does not know the one of this name."""
    return table_of({"x-queue-type": "quorum"}) if name in QUORUM else {}


def declared(arguments: Table, durable: bool = True) -> QueueOptions:
    return check_queue(b"q", "/", durable, False, False, arguments)


def refusal(arguments: Table, durable: bool = True) -> str:
    with pytest.raises(PreconditionFailed) as caught:
        declared(arguments, durable)
    return caught.value.text


def difference(current: dict[str, object], received: dict[str, object]) -> str:
    options = declared(table_of(current))
    with pytest.raises(PreconditionFailed) as caught:
        check_equivalent(b"q", "/", options, table_of(received))
    return caught.value.text


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("x-expires", 1, TTL_MS_MAX),
        ("x-message-ttl", 0, TTL_MS_MAX),
        ("x-max-length", 0, 2**63 - 1),
        ("x-max-length-bytes", 0, 2**63 - 1),
        ("x-max-priority", 0, PRIORITY_MAX),
        ("x-queue-version", 1, 2),
    ],
)
def test_integer_is_accepted_between_its_bounds_only(name: str, low: int, high: int) -> None:
    for value in (low, high):
        declared(table_of({name: value}))
    assert name in refusal(table_of({name: low - 1}))
    if high < 2**63 - 1:
        assert name in refusal(table_of({name: high + 1}))


@pytest.mark.parametrize("name", sorted(INTEGERS))
@pytest.mark.parametrize("kind", "bBsuIilL")
def test_integer_of_any_width_is_accepted(name: bytes, kind: str) -> None:
    declared({**type_of(name), name: Field(ord(kind), 1)})


@pytest.mark.parametrize("name", sorted(INTEGERS))
@pytest.mark.parametrize("value", ["1", 1.0, True, None, [1], {}])
def test_what_is_no_integer_is_refused(name: bytes, value: object) -> None:
    expected = f"invalid arg '{name.decode()}' {PLACE}: \"expected integer, got {field(value).kind_name}\""
    assert refusal({**type_of(name), name: field(value)}) == expected


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("x-message-ttl", -1, "{value_negative,-1}"),
        ("x-message-ttl", TTL_MS_MAX + 1, f"{{value_too_large,{TTL_MS_MAX + 1}}}"),
        ("x-expires", 0, "{value_zero,0}"),
        ("x-max-priority", 256, "{max_value_exceeded,256}"),
        ("x-overflow", "drop-tail", "invalid_overflow"),
        ("x-overflow", 1, "{unacceptable_type,signedint}"),
        ("x-queue-mode", "quick", "\"unsupported queue mode 'quick'\""),
        ("x-queue-version", 3, "\"unsupported queue version '3'\""),
        ("x-single-active-consumer", "true", "{unacceptable_type,longstr}"),
        ("x-dead-letter-routing-key", 1, "{unacceptable_type,signedint}"),
        ("x-dead-letter-routing-key", "key", "routing_key_but_no_dlx_defined"),
        ("x-queue-type", 1, "{unacceptable_type,signedint}"),
        ("x-queue-type", "stream", "\"unsupported queue type 'stream'\""),
    ],
)
def test_reason_is_given_in_rabbitmqs_words(name: str, value: object, reason: str) -> None:
    assert refusal(table_of({name: value})) == f"invalid arg '{name}' {PLACE}: {reason}"


def test_dead_letter_exchange_must_be_a_name() -> None:
    expected = "invalid type 'signedint' for arg 'x-dead-letter-exchange' in queue 'q' in vhost '/'"
    assert refusal(table_of({"x-dead-letter-exchange": 1})) == expected


@pytest.mark.parametrize(
    "arguments",
    [
        {"x-overflow": "drop-head"},
        {"x-overflow": "reject-publish"},
        {"x-overflow": "reject-publish-dlx"},
        {"x-queue-mode": "lazy"},
        {"x-single-active-consumer": True},
        {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "key"},
        {"x-queue-type": "classic", "x-max-priority": 10},
        {"x-queue-type": "quorum", "x-delivery-limit": 5, "x-dead-letter-strategy": "at-least-once"},
        {"x-something-else": [1, {"a": None}]},
    ],
)
def test_combination_is_accepted(arguments: dict[str, object]) -> None:
    assert declared(table_of(arguments)).arguments.keys() == {name.encode() for name in arguments}


@pytest.mark.parametrize("name", sorted(QUORUM | STREAM))
def test_argument_of_another_type_is_refused(name: bytes) -> None:
    expected = f"invalid arg '{name.decode()}' {PLACE} of queue type rabbit_classic_queue"
    assert refusal({name: field(1)}) == expected


def test_classic_argument_is_refused_for_a_quorum_queue() -> None:
    text = refusal(table_of({"x-queue-type": "quorum", "x-max-priority": 10}))
    assert text == f"invalid arg 'x-max-priority' {PLACE} of queue type rabbit_quorum_queue"


@pytest.mark.parametrize(
    ("durable", "exclusive", "auto_delete", "named"),
    [
        (False, False, False, "non-durable"),
        (True, True, False, "exclusive-owner"),
        (True, False, True, "auto-delete"),
    ],
)
def test_quorum_queue_refuses_property(durable: bool, exclusive: bool, auto_delete: bool, named: str) -> None:
    with pytest.raises(PreconditionFailed) as caught:
        check_queue(b"q", "/", durable, exclusive, auto_delete, table_of({"x-queue-type": "quorum"}))
    assert caught.value.text == f"invalid property '{named}' {PLACE}"


def test_type_is_classic_unless_said_otherwise() -> None:
    assert declared({}).queue_type == b"classic"
    assert declared(table_of({"x-queue-type": "quorum"})).queue_type == b"quorum"


@thorough
@given(st.dictionaries(st.sampled_from(KNOWN), fields, max_size=4))
def test_any_arguments_are_accepted_or_refused_with_406(arguments: Table) -> None:
    try:
        options = declared(arguments)
    except PreconditionFailed:
        return
    check_equivalent(b"q", "/", options, arguments)


@thorough
@given(
    st.dictionaries(st.sampled_from(KNOWN), fields, max_size=4),
    st.dictionaries(st.sampled_from(KNOWN), fields, max_size=4),
)
def test_any_two_tables_can_be_compared(one: Table, other: Table) -> None:
    with contextlib.suppress(PreconditionFailed):
        check_equivalent(b"q", "/", QueueOptions(one, b"classic"), other)


def test_equal_arguments_are_equivalent_in_any_width_and_order() -> None:
    options = declared({b"x-max-length": Field(ord("l"), 5), b"x-overflow": field("drop-head")})
    check_equivalent(b"q", "/", options, {b"x-overflow": field(b"drop-head"), b"x-max-length": field(5)})


def test_timestamp_is_equivalent_to_an_integer() -> None:
    check_equivalent(
        b"q", "/", declared(table_of({"x-max-length": 5})), {b"x-max-length": Field(ord("T"), 5)}
    )


def test_arguments_that_nobody_knows_are_not_compared() -> None:
    check_equivalent(b"q", "/", declared(table_of({"x-mine": 1})), table_of({"mine": 2}))


def test_arguments_of_another_type_are_not_compared() -> None:
    check_equivalent(b"q", "/", declared({}), table_of({"x-delivery-limit": 2}))


def test_classic_by_name_and_by_default_are_the_same() -> None:
    check_equivalent(b"q", "/", declared({}), table_of({"x-queue-type": "classic"}))
    check_equivalent(b"q", "/", declared(table_of({"x-queue-type": "classic"})), {})


@pytest.mark.parametrize(
    ("current", "received", "text"),
    [
        (
            {},
            {"x-max-length": 5},
            "inequivalent arg 'x-max-length' {}: "
            "received the value '5' of type 'signedint' but current is none",
        ),
        (
            {"x-max-length": 5},
            {},
            "inequivalent arg 'x-max-length' {}: "
            "received none but current is the value '5' of type 'signedint'",
        ),
        (
            {"x-max-length": 5},
            {"x-max-length": 6},
            "inequivalent arg 'x-max-length' {}: received '6' but current is '5'",
        ),
        (
            {"x-max-length": 5},
            {"x-max-length": "5"},
            "inequivalent arg 'x-max-length' {}: received the value '5' of type 'longstr' "
            "but current is the value '5' of type 'signedint'",
        ),
        (
            {},
            {"x-queue-type": "quorum"},
            "inequivalent arg 'x-queue-type' {}: "
            "received the value 'quorum' of type 'longstr' but current is none",
        ),
    ],
)
def test_difference_is_told(current: dict[str, object], received: dict[str, object], text: str) -> None:
    assert difference(current, received) == text.format(PLACE)


@pytest.mark.parametrize(("value", "expected"), [("x", "x"), (True, "true"), (False, "false"), (7, "7")])
def test_value_is_shown_as_rabbitmq_does(value: object, expected: str) -> None:
    assert shown(field(value)) == expected


@pytest.mark.parametrize("value", [[1], {"a": 1}])
def test_nested_value_is_shown_without_addresses_of_this_process(value: object) -> None:
    assert "0x" not in shown(field(value))
