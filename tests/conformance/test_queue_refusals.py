"""Refused queue methods: scope, code, text, class and method, and who meets a lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.conformance.codec import (
    IDS,
    Basic,
    Channel,
    Confirm,
    Method,
    Queue,
)
from tests.conformance.names import Names
from tests.conformance.refusals import Row, check, declare, named, table
from tests.conformance.wire import Wire, WireChannel, channel_closed

MISSING_QUEUE = "no queue '$q' in vhost '/'"
MISSING_EXCHANGE = "no exchange '$x' in vhost '/'"
PASSIVE = ("queue.declare", "passive-missing")
LOCKED = (
    "cannot obtain exclusive access to locked queue '$q' in vhost '/'. It could be originally declared on "
    "another connection or the exclusive property value does not match that of the original declaration."
)


def redeclared(before: dict[str, Any], after: dict[str, Any], argument: str, difference: str) -> Row:
    """A second declaration that contradicts the first one."""
    rule = ("queue.declare", "equivalence")
    text = f"inequivalent arg '{argument}' for queue '$q' in vhost '/': {difference}"
    return Row(rule, declare(**after), 406, text, (declare(**before),))


def having(name: str, value: object) -> dict[str, Any]:
    return {"arguments": {name: value}}


DLX, TTL = "x-dead-letter-exchange", "x-message-ttl"
ROWS = [
    Row(PASSIVE, declare(passive=True), 404, MISSING_QUEUE),
    Row(PASSIVE, Queue.declare(passive=True), 404, "no queue '' in vhost '/'"),
    redeclared({}, {"durable": True}, "durable", "received 'true' but current is 'false'"),
    redeclared({"durable": True}, {}, "durable", "received 'false' but current is 'true'"),
    redeclared({}, {"auto_delete": True}, "auto_delete", "received 'true' but current is 'false'"),
    redeclared({}, having(TTL, 5), TTL, "received the value '5' of type 'signedint' but current is none"),
    redeclared(having(TTL, 5), {}, TTL, "received none but current is the value '5' of type 'signedint'"),
    redeclared(having(TTL, 5), having(TTL, 6), TTL, "received '6' but current is '5'"),
    redeclared(having(DLX, "a"), having(DLX, "b"), DLX, "received 'b' but current is 'a'"),
    redeclared(having(DLX, "a"), {}, DLX, "received none but current is the value 'a' of type 'longstr'"),
    Row(("queue.declare", "exclusive"), declare(exclusive=True), 405, LOCKED, (declare(),)),
    Row(("queue.declare", "exclusive"), declare(), 405, LOCKED, (declare(exclusive=True),)),
    Row(
        ("queue.declare", "reserved"),
        Queue.declare(queue="amq.$q"),
        403,
        "queue name 'amq.$q' contains reserved prefix 'amq.*'",
    ),
    Row(
        ("queue.declare", "generated"),
        Queue.declare(queue="amq.gen-$q"),
        403,
        "queue name 'amq.gen-$q' contains reserved prefix 'amq.*'",
    ),
    Row(("queue.purge", "missing"), Queue.purge(queue="$q"), 404, MISSING_QUEUE),
    Row(("queue.bind", "missing-queue"), Queue.bind(queue="$q", exchange="amq.direct"), 404, MISSING_QUEUE),
    Row(("basic.get", "missing"), Basic.get(queue="$q"), 404, MISSING_QUEUE),
    Row(("basic.consume", "missing"), Basic.consume(queue="$q"), 404, MISSING_QUEUE),
    Row(
        ("queue.bind", "missing-exchange"),
        Queue.bind(queue="$q", exchange="$x"),
        404,
        MISSING_EXCHANGE,
        (declare(),),
    ),
    Row(
        ("queue.delete", "if-unused"),
        Queue.delete(queue="$q", if_unused=True),
        406,
        "queue '$q' in vhost '/' in use",
        (declare(), Basic.consume(queue="$q")),
    ),
    Row(
        ("queue.delete", "if-empty"),
        Queue.delete(queue="$q", if_empty=True),
        406,
        "queue '$q' in vhost '/' not empty",
        (declare(), Confirm.select(), Basic.publish(routing_key="$q")),
    ),
    *(
        Row((act.name, "no-queue-yet"), act, 404, "no previously declared queue")
        for act in (
            Queue.bind(exchange="amq.direct"),
            Queue.unbind(exchange="amq.direct"),
            Queue.purge(),
            Queue.delete(),
            Basic.get(),
            Basic.consume(),
        )
    ),
]


@table(*ROWS)
def test_refusal_says_scope_code_text_class_and_method(
    row: Row, wire: Wire, ch: WireChannel, names: Names
) -> None:
    check(row, wire, ch, names)


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(act, marks=pytest.mark.rule(act.name, "exclusive"), id=act.name)
        for act in (
            Queue.declare(queue="$q", exclusive=True),
            Basic.get(queue="$q"),
            Basic.consume(queue="$q"),
            Queue.purge(queue="$q"),
            Queue.delete(queue="$q"),
            Queue.bind(queue="$q", exchange="amq.direct"),
            Queue.unbind(queue="$q", exchange="amq.direct"),
        )
    ]
    + [pytest.param(Queue.declare(queue="$q", passive=True), marks=pytest.mark.rule(*PASSIVE), id="passive")],
)
def test_exclusive_queue_is_locked_for_other_connections(
    act: Method, ch: WireChannel, connect: Callable[..., Wire], names: Names
) -> None:
    ch.call(Queue.declare(queue=names.q, exclusive=True))
    ch.call(Queue.bind(queue=names.q, exchange="amq.direct"))
    stranger = connect().channel()
    stranger >> named(act, names)
    stranger << channel_closed(405, named(LOCKED, names), *IDS[act.name])
    stranger >> Channel.close_ok()


@pytest.mark.rule("queue.unbind", "exclusive")
def test_unbinding_what_is_not_bound_never_meets_the_lock(
    ch: WireChannel, connect: Callable[..., Wire], names: Names
) -> None:
    ch.call(Queue.declare(queue=names.q, exclusive=True))
    connect().channel().call(Queue.unbind(queue=names.q, exchange="amq.direct"))


@pytest.mark.rule("basic.publish", "exclusive")
def test_exclusive_queue_takes_messages_from_other_connections(
    ch: WireChannel, connect: Callable[..., Wire], names: Names
) -> None:
    ch.call(Queue.declare(queue=names.q, exclusive=True))
    stranger = connect().channel()
    stranger.call(Confirm.select())
    stranger.publish(b"hello", names.q)
    stranger << Basic.ack(delivery_tag=1)
    assert ch.drain(names.q) == [b"hello"]
