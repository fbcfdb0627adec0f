"""Refused exchange methods and bindings: scope, code, text, class and method."""

from __future__ import annotations

from typing import Any

import pytest
from tests.conformance.codec import (
    Basic,
    Channel,
    Confirm,
    Exchange,
    Method,
    Queue,
    Typed,
)
from tests.conformance.names import Names
from tests.conformance.refusals import Row, check, declare, named, table
from tests.conformance.wire import Wire, WireChannel, channel_closed

MISSING_EXCHANGE = "no exchange '$x' in vhost '/'"
DEFAULT = "operation not permitted on the default exchange"
EXCHANGE = Exchange.declare(exchange="$x", type="direct")


def redeclared(name: str, after: dict[str, Any], argument: str, difference: str) -> Row:
    """A declaration that contradicts the existing exchange `name`."""
    act = Exchange.declare(exchange=name, **after)
    text = f"inequivalent arg '{argument}' for exchange '{name}' in vhost '/': {difference}"
    return Row(("exchange.declare", "equivalence"), act, 406, text, (EXCHANGE,))


TRUE = "received 'true' but current is 'false'"
ROWS = [
    Row(
        ("exchange.declare", "passive-missing"),
        Exchange.declare(exchange="$x", passive=True),
        404,
        MISSING_EXCHANGE,
    ),
    redeclared(
        "amq.direct",
        {"type": "fanout", "durable": True},
        "type",
        "received 'fanout' but current is 'direct'",
    ),
    redeclared("$x", {"type": "direct", "durable": True}, "durable", TRUE),
    redeclared("$x", {"type": "direct", "auto_delete": True}, "auto_delete", TRUE),
    redeclared("$x", {"type": "direct", "internal": True}, "internal", TRUE),
    redeclared(
        "$x",
        {"type": "direct", "arguments": {"alternate-exchange": "ae"}},
        "alternate-exchange",
        "received the value 'ae' of type 'longstr' but current is none",
    ),
    Row(
        ("exchange.declare", "alternate-exchange"),
        Exchange.declare(exchange="$x", type="direct", arguments={"alternate-exchange": 3}),
        406,
        "invalid type 'signedint' for arg 'alternate-exchange' in exchange '$x' in vhost '/'",
    ),
    Row(
        ("exchange.declare", "reserved"),
        Exchange.declare(exchange="amq.$x", type="direct"),
        403,
        "exchange name 'amq.$x' contains reserved prefix 'amq.*'",
    ),
    Row(
        ("exchange.delete", "predeclared"),
        Exchange.delete(exchange="amq.direct"),
        403,
        "deletion of system exchange 'amq.direct' in vhost '/' not allowed",
    ),
    Row(
        ("exchange.delete", "if-unused"),
        Exchange.delete(exchange="$x", if_unused=True),
        406,
        "exchange '$x' in vhost '/' in use",
        (EXCHANGE, declare(), Queue.bind(queue="$q", exchange="$x")),
    ),
    *(
        Row((act.name, "default-exchange"), act, 403, DEFAULT, (declare(), EXCHANGE))
        for act in (
            Exchange.declare(type="direct", durable=True),
            Exchange.delete(),
            Queue.bind(queue="$q"),
            Queue.unbind(queue="$q"),
            Exchange.bind(destination="$x"),
            Exchange.bind(source="$x"),
            Exchange.unbind(destination="$x"),
        )
    ),
    Row(
        ("exchange.bind", "missing-source"),
        Exchange.bind(destination="amq.direct", source="$x"),
        404,
        MISSING_EXCHANGE,
    ),
    Row(
        ("exchange.bind", "missing-destination"),
        Exchange.bind(destination="$x", source="amq.direct"),
        404,
        MISSING_EXCHANGE,
    ),
    *(
        Row(
            ("queue.bind", "x-match"),
            Queue.bind(queue="$q", exchange="amq.headers", arguments={"x-match": given}),
            406,
            text,
            (declare(),),
        )
        for given, text in (
            (
                "foo",
                'Invalid x-match field value <<"foo">>; expected all, any, all-with-x, or any-with-x',
            ),
            (
                1,
                "Invalid x-match field type signedint (value 1); expected longstr",
            ),
        )
    ),
]


@table(*ROWS)
def test_refusal_says_scope_code_text_class_and_method(
    row: Row, wire: Wire, ch: WireChannel, names: Names
) -> None:
    check(row, wire, ch, names)


@pytest.mark.oracle_differs("answers 503 and closes the connection; 406 since 4.0")
@pytest.mark.rule("exchange.declare", "unknown-type")
def test_unknown_exchange_type_closes_the_channel(ch: WireChannel, names: Names) -> None:
    ch >> Exchange.declare(exchange=names.x, type="bogus")
    ch << channel_closed(406, "unknown exchange type 'bogus'", 40, 10)
    ch >> Channel.close_ok()


IGNORED = [
    Queue.delete(queue="$q"),
    Exchange.delete(exchange="$x"),
    Queue.unbind(queue="$q", exchange="amq.direct"),
    Exchange.unbind(destination="$x", source="amq.direct"),
    Exchange.unbind(destination="amq.direct", source="$x"),
    Basic.cancel(consumer_tag="$q"),
]


@pytest.mark.parametrize(
    "act", [pytest.param(act, marks=pytest.mark.rule(act.name, "missing"), id=act.name) for act in IGNORED]
)
def test_removing_what_is_missing_succeeds(act: Method, ch: WireChannel, names: Names) -> None:
    ch.call(named(act, names))


@pytest.mark.rule("queue.unbind", "missing-exchange")
def test_unbinding_from_a_missing_exchange_succeeds(ch: WireChannel, q: str, names: Names) -> None:
    ch.call(Queue.unbind(queue=q, exchange=names.x))


@pytest.mark.rule("basic.ack", "zero")
def test_tag_zero_with_multiple_is_accepted_when_nothing_is_outstanding(ch: WireChannel) -> None:
    ch >> Basic.ack(multiple=True) >> Basic.nack(multiple=True)
    ch.call(Basic.qos())


@pytest.mark.rule("basic.publish", "cc")
def test_cc_with_values_that_are_no_strings_routes_nowhere_else(ch: WireChannel, q: str) -> None:
    ch.call(Confirm.select())
    ch.publish(b"m", "nowhere-at-all", properties={"headers": {"CC": [1, Typed("F", {}), q]}})
    ch << Basic.ack(delivery_tag=1)
    assert ch.drain(q) == [b"m"]
