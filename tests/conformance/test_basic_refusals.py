"""Refused basic, confirm and tx methods: scope, code, text, class and method."""

from __future__ import annotations

from tests.conformance.codec import (
    Basic,
    Confirm,
    Exchange,
    Queue,
    Tx,
)
from tests.conformance.names import Names
from tests.conformance.refusals import Row, check, declare, table
from tests.conformance.wire import Wire, WireChannel

MISSING_EXCHANGE = "no exchange '$x' in vhost '/'"
PASSIVE = ("queue.declare", "passive-missing")
ROWS = [
    Row(
        ("basic.consume", "exclusive"),
        Basic.consume(queue="$q"),
        403,
        "queue '$q' in vhost '/' in exclusive use",
        (declare(), Basic.consume(queue="$q", exclusive=True)),
    ),
    Row(
        ("basic.consume", "exclusive"),
        Basic.consume(queue="$q", exclusive=True),
        403,
        "queue '$q' in vhost '/' in exclusive use",
        (declare(), Basic.consume(queue="$q")),
    ),
    Row(
        ("basic.consume", "exclusive"),
        Basic.consume(queue="$q", exclusive=True),
        403,
        "queue '$q' in vhost '/' in exclusive use",
        (declare(arguments={"x-single-active-consumer": True}),),
    ),
    Row(
        ("basic.consume", "duplicate-tag"),
        Basic.consume(queue="$q", consumer_tag="t"),
        530,
        "attempt to reuse consumer tag 't'",
        (declare(), Basic.consume(queue="$q", consumer_tag="t")),
        "connection",
    ),
    Row(("basic.publish", "missing-exchange"), Basic.publish(exchange="$x"), 404, MISSING_EXCHANGE),
    Row(
        ("basic.publish", "internal"),
        Basic.publish(exchange="$x"),
        403,
        "cannot publish to internal exchange '$x' in vhost '/'",
        (Exchange.declare(exchange="$x", type="direct", internal=True),),
    ),
    Row(
        ("basic.publish", "immediate"), Basic.publish(immediate=True), 540, "immediate=true", (), "connection"
    ),
    *(
        Row(
            ("basic.publish", "expiration"),
            Basic.publish(routing_key="$q", properties={"expiration": given}),
            406,
            f"invalid expiration '{given}': {reason}",
        )
        for given, reason in (("abc", "no_integer"), ("-1", "{value_negative,-1}"), ("", "no_integer"))
    ),
    Row(
        ("basic.publish", "expiration"),
        Basic.publish(routing_key="$q", properties={"expiration": "1x"}),
        406,
        "invalid expiration '1x': {leftover_string,\"x\"}",
    ),
    Row(
        ("basic.publish", "user-id"),
        Basic.publish(routing_key="$q", properties={"user_id": "bob"}),
        406,
        "user_id property set to 'bob' but authenticated user was 'guest'",
    ),
    *(
        Row(
            ("basic.publish", "cc"),
            Basic.publish(routing_key="$q", properties={"headers": {header: given}}),
            406,
            f'invalid message: {{unacceptable_type_in_header,"{header}",{kind}}}',
        )
        for header, given, kind in (("CC", "k", "longstr"), ("BCC", 1, "signedint"))
    ),
    *(
        Row((act.name, "unknown-tag"), act, 406, f"unknown delivery tag {act.delivery_tag}")
        for act in (
            Basic.ack(delivery_tag=99),
            Basic.ack(delivery_tag=99, multiple=True),
            Basic.ack(delivery_tag=0),
            Basic.reject(delivery_tag=99),
            Basic.reject(delivery_tag=0),
            Basic.nack(delivery_tag=99),
            Basic.nack(delivery_tag=99, multiple=True),
        )
    ),
    Row(("basic.recover", "requeue"), Basic.recover(requeue=False), 540, "requeue=false", (), "connection"),
    Row(
        ("basic.qos", "prefetch-size"),
        Basic.qos(prefetch_size=10),
        540,
        "prefetch_size!=0 (10)",
        (),
        "connection",
    ),
    Row(
        ("basic.consume", "reply-to"),
        Basic.consume(queue="amq.rabbitmq.reply-to"),
        406,
        "reply consumer cannot acknowledge",
    ),
    Row(
        ("basic.consume", "reply-to"),
        Basic.consume(queue="amq.rabbitmq.reply-to", no_ack=True),
        406,
        "reply consumer already set",
        (Basic.consume(queue="amq.rabbitmq.reply-to", no_ack=True),),
    ),
    Row(
        ("basic.publish", "reply-to"),
        Basic.publish(routing_key="$q", properties={"reply_to": "amq.rabbitmq.reply-to"}),
        406,
        "fast reply consumer does not exist",
    ),
    Row(
        PASSIVE,
        Queue.declare(queue="amq.rabbitmq.reply-to.bogus", passive=True),
        404,
        "no queue 'amq.rabbitmq.reply-to.bogus' in vhost '/'",
    ),
    Row(
        ("tx.select", "confirm"),
        Tx.select(),
        406,
        "cannot switch from confirm to tx mode",
        (Confirm.select(),),
    ),
    Row(
        ("confirm.select", "tx"),
        Confirm.select(),
        406,
        "cannot switch from tx to confirm mode",
        (Tx.select(),),
    ),
    Row(("tx.commit", "not-transactional"), Tx.commit(), 406, "channel is not transactional"),
    Row(("tx.rollback", "not-transactional"), Tx.rollback(), 406, "channel is not transactional"),
]


@table(*ROWS)
def test_refusal_says_scope_code_text_class_and_method(
    row: Row, wire: Wire, ch: WireChannel, names: Names
) -> None:
    check(row, wire, ch, names)
