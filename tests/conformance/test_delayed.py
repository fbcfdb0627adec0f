"""Delayed exchanges: messages that are routed when they are due."""

from __future__ import annotations

import time

import pytest
from tests.conformance.codec import Basic, Confirm, Exchange, Queue, Tx, Typed
from tests.conformance.names import Names
from tests.conformance.test_expiry import eventually, ready
from tests.conformance.wire import WireChannel, channel_closed, properties_of

pytestmark = pytest.mark.oracle_differs("the plugin is not there")

MORE_THAN_TEN_YEARS = 315_360_000_001


def declare(ch: WireChannel, names: Names, underlying: str = "direct", durable: bool = False) -> str:
    """Declare a delayed exchange, and a queue bound to it by the key `k`."""
    arguments = {"x-delayed-type": underlying}
    ch.call(
        Exchange.declare(exchange=names.x, type="x-delayed-message", durable=durable, arguments=arguments)
    )
    ch.call(Queue.declare(queue=names.q, durable=durable))
    ch.call(Queue.bind(queue=names.q, exchange=names.x, routing_key="k"))
    return names.x


def publish(
    ch: WireChannel, exchange: str, body: bytes, delay: object, key: str = "k", **more: object
) -> None:
    ch.publish(body, key, exchange, properties={"headers": {"x-delay": delay}}, **more)


def test_message_comes_when_it_is_due(ch: WireChannel, names: Names) -> None:
    x = declare(ch, names)
    ch.call(Basic.consume(queue=names.q, no_ack=True))
    began = time.monotonic()
    publish(ch, x, b"a", 300)
    delivery = ch << Basic.deliver(exchange=x, routing_key="k", redelivered=False)
    assert 0.299 <= time.monotonic() - began < 0.7
    assert delivery.body == b"a"
    assert properties_of(delivery) == {"headers": {"x-delay": -300}}


def test_messages_come_in_the_order_in_which_they_are_due(ch: WireChannel, names: Names) -> None:
    x = declare(ch, names)
    ch.call(Basic.consume(queue=names.q, no_ack=True))
    for delay_ms in (300, 100, 200, 0):
        publish(ch, x, b"%d" % delay_ms, delay_ms)
    assert ch.bodies(4) == [b"0", b"100", b"200", b"300"]


def test_time_of_delivery_can_be_said(ch: WireChannel, names: Names) -> None:
    x = declare(ch, names)
    ch.call(Basic.consume(queue=names.q, no_ack=True))
    at_ms = time.time_ns() // 1_000_000 + 200
    ch.publish(b"a", "k", x, properties={"headers": {"x-deliver-at": at_ms}})
    assert properties_of(ch << Basic.deliver()) == {"headers": {"x-deliver-at": at_ms}}
    assert at_ms <= time.time_ns() // 1_000_000 < at_ms + 400


@pytest.mark.parametrize("delay", [0, -5_000, "5000", 5_000.5, None, True])
def test_message_without_a_delay_is_routed_at_once(ch: WireChannel, names: Names, delay: object) -> None:
    x = declare(ch, names)
    publish(ch, x, b"a", delay)
    ch.publish(b"b", "k", x)
    assert ready(ch, names.q) == 2


@pytest.mark.parametrize("octet", list("bBsuIilL"))
def test_delay_is_an_integer_of_any_type(ch: WireChannel, names: Names, octet: str) -> None:
    x = declare(ch, names)
    publish(ch, x, b"a", Typed(octet, 100))
    assert ready(ch, names.q) == 0
    eventually(ch, names.q, 1)


def test_delay_of_more_than_ten_years_is_refused(ch: WireChannel, names: Names) -> None:
    x = declare(ch, names)
    publish(ch, x, b"a", MORE_THAN_TEN_YEARS)
    text = f"invalid header 'x-delay': {{value_too_large,{MORE_THAN_TEN_YEARS}}}"
    ch << channel_closed(406, text, 60, 40)


@pytest.mark.parametrize("underlying", ["direct", "fanout", "topic"])
def test_exchange_routes_by_its_underlying_type(ch: WireChannel, names: Names, underlying: str) -> None:
    x = declare(ch, names, underlying)
    if underlying == "topic":
        ch.call(Queue.bind(queue=names.q, exchange=x, routing_key="a.#"))
    publish(ch, x, b"a", 50, "a.b")
    publish(ch, x, b"b", 100)
    eventually(ch, names.q, 1 if underlying == "direct" else 2)


def test_what_is_bound_when_a_message_is_due_counts(ch: WireChannel, names: Names) -> None:
    x = declare(ch, names)
    late = names()
    ch.call(Queue.declare(queue=late))
    publish(ch, x, b"a", 200, "late")
    ch.call(Queue.bind(queue=late, exchange=x, routing_key="late"))
    eventually(ch, late, 1)


def test_mandatory_message_is_not_returned(ch: WireChannel, names: Names) -> None:
    x = declare(ch, names)
    publish(ch, x, b"a", 100, "nowhere", mandatory=True)
    ch.quiet(0.3)


def test_persistent_message_is_confirmed_before_it_is_due(ch: WireChannel, names: Names) -> None:
    x = declare(ch, names, durable=True)
    ch.call(Confirm.select())
    properties = {"headers": {"x-delay": 60_000}, "delivery_mode": 2}
    ch.publish(b"a", "k", x, properties=properties)
    ch << Basic.ack(delivery_tag=1)
    assert ready(ch, names.q) == 0


def test_message_of_a_transaction_waits_from_the_commit_on(ch: WireChannel, names: Names) -> None:
    x = declare(ch, names, durable=True)
    ch.call(Tx.select())
    publish(ch, x, b"a", 200)
    ch.quiet(0.3)
    assert ready(ch, names.q) == 0
    ch.call(Tx.commit())
    assert ready(ch, names.q) == 0
    eventually(ch, names.q, 1)
    publish(ch, x, b"b", 10)
    ch.call(Tx.rollback())
    ch.quiet(0.1)
    assert ready(ch, names.q) == 1


def test_copies_come_to_their_queues(ch: WireChannel, names: Names) -> None:
    x = declare(ch, names)
    blind = names()
    ch.call(Queue.declare(queue=blind))
    ch.call(Queue.bind(queue=blind, exchange=x, routing_key="blind"))
    ch.call(Basic.consume(queue=blind, no_ack=True))
    headers = {"x-delay": 100, "BCC": ["blind"]}
    ch.publish(b"a", "k", x, properties={"headers": headers})
    assert properties_of(ch << Basic.deliver()) == {"headers": {"x-delay": -100}}
    assert ready(ch, names.q) == 1


def test_message_expires_after_it_was_routed(ch: WireChannel, names: Names) -> None:
    x = declare(ch, names)
    ch.publish(b"a", "k", x, properties={"headers": {"x-delay": 200}, "expiration": "200"})
    eventually(ch, names.q, 1)
    eventually(ch, names.q, 0)


def test_exchange_of_any_type_delays_with_the_argument(ch: WireChannel, names: Names) -> None:
    ch.call(Exchange.declare(exchange=names.x, type="fanout", arguments={"x-delayed-exchange": True}))
    ch.call(Queue.declare(queue=names.q))
    ch.call(Queue.bind(queue=names.q, exchange=names.x))
    publish(ch, names.x, b"a", 150)
    assert ready(ch, names.q) == 0
    eventually(ch, names.q, 1)


def test_delayed_exchange_behind_another_just_routes(ch: WireChannel, names: Names) -> None:
    x = declare(ch, names)
    source = names("x")
    ch.call(Exchange.declare(exchange=source, type="fanout"))
    ch.call(Exchange.bind(destination=x, source=source))
    publish(ch, source, b"a", 60_000)
    assert ready(ch, names.q) == 1


def test_deleted_exchange_takes_what_waits_along(ch: WireChannel, names: Names) -> None:
    x = declare(ch, names, durable=True)
    publish(ch, x, b"a", 200)
    ch.call(Exchange.delete(exchange=x))
    declare(ch, names, durable=True)
    ch.quiet(0.4)
    assert ready(ch, names.q) == 0


@pytest.mark.parametrize("arguments", [{}, {"x-delayed-type": 1}, {"x-delayed-type": "x-delayed-message"}])
def test_exchange_needs_an_underlying_type(
    ch: WireChannel, names: Names, arguments: dict[str, object]
) -> None:
    ch >> Exchange.declare(exchange=names.x, type="x-delayed-message", arguments=arguments)
    ch << channel_closed(406, "Invalid argument, 'x-delayed-type' must be an existing exchange type", 40, 10)


def test_underlying_type_must_be_known(ch: WireChannel, names: Names) -> None:
    ch >> Exchange.declare(exchange=names.x, type="x-delayed-message", arguments={"x-delayed-type": "no"})
    ch << channel_closed(406, "unknown exchange type 'no'", 40, 10)


def test_exchange_declared_again_has_the_same_underlying_type(ch: WireChannel, names: Names) -> None:
    x = declare(ch, names)
    declare(ch, names)
    arguments = {"x-delayed-type": "topic"}
    ch >> Exchange.declare(exchange=x, type="x-delayed-message", arguments=arguments)
    text = f"inequivalent arg 'x-delayed-type' for exchange '{x}' in vhost '/': "
    ch << channel_closed(406, text + "received 'topic' but current is 'direct'", 40, 10)
