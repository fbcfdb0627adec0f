"""Exchanges: predeclared ones, lifetimes, exchange-to-exchange bindings and alternate exchanges."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.conformance.codec import Basic, Channel, Exchange, Queue
from tests.conformance.names import Names
from tests.conformance.wire import Wire, WireChannel, channel_closed

PREDECLARED = {
    "amq.direct": "direct",
    "amq.fanout": "fanout",
    "amq.topic": "topic",
    "amq.headers": "headers",
    "amq.match": "headers",
}


@pytest.fixture
def bound(ch: WireChannel, q: str, names: Names) -> Callable[..., None]:
    """Declares an exchange and binds the test's queue to it."""

    def declare(
        exchange: str = names.x, type: str = "direct", routing_key: str = "k", **more: object
    ) -> None:
        ch.call(Exchange.declare(exchange=exchange, type=type, **more))
        ch.call(Queue.bind(queue=q, exchange=exchange, routing_key=routing_key))

    return declare


def is_gone(ch: WireChannel, exchange: str) -> bool:
    """Ask for `exchange`, and leave `ch` open whatever the answer is."""
    ch >> Exchange.declare(exchange=exchange, passive=True)
    reply = ch.next()
    if reply.name == "exchange.declare_ok":
        return False
    assert reply.reply_code == 404
    ch >> Channel.close_ok()
    ch.call(Channel.open())
    return True


@pytest.mark.rule("exchange.declare", "predeclared")
@pytest.mark.parametrize("name", PREDECLARED)
def test_predeclared_exchanges_exist_and_may_be_redeclared_as_they_are(name: str, ch: WireChannel) -> None:
    ch.call(Exchange.declare(exchange=name, passive=True))
    ch.call(Exchange.declare(exchange=name, type=PREDECLARED[name], durable=True))


@pytest.mark.rule("exchange.declare", "predeclared")
def test_trace_exchange_is_an_internal_topic_exchange(ch: WireChannel) -> None:
    ch.call(Exchange.declare(exchange="amq.rabbitmq.trace", type="topic", durable=True, internal=True))
    ch.publish(b"", "k", exchange="amq.rabbitmq.trace")
    text = "cannot publish to internal exchange 'amq.rabbitmq.trace' in vhost '/'"
    ch << channel_closed(403, text, 60, 40)
    ch >> Channel.close_ok()


@pytest.mark.rule("exchange.declare", "passive")
def test_passive_declaration_compares_nothing(ch: WireChannel, names: Names) -> None:
    ch.call(Exchange.declare(exchange=names.x, type="direct"))
    ch.call(
        Exchange.declare(exchange=names.x, type="no-such-type", passive=True, durable=True, internal=True)
    )


@pytest.mark.rule("exchange.declare", "default-passive")
def test_default_exchange_may_not_even_be_asked_for(ch: WireChannel) -> None:
    ch >> Exchange.declare(exchange="", passive=True)
    ch << channel_closed(403, "operation not permitted on the default exchange", 40, 10)
    ch >> Channel.close_ok()


@pytest.mark.rule("exchange.declare", "equivalence")
def test_unknown_arguments_are_not_compared(ch: WireChannel, names: Names) -> None:
    ch.call(Exchange.declare(exchange=names.x, type="direct", arguments={"x-mine": 1}))
    ch.call(Exchange.declare(exchange=names.x, type="direct", arguments={"x-mine": 2, "x-yours": None}))
    ch.call(Exchange.declare(exchange=names.x, type="direct"))


@pytest.mark.rule("exchange.declare", "equivalence")
def test_identical_redeclaration_is_accepted(ch: WireChannel, names: Names) -> None:
    flags = {"durable": True, "auto_delete": True, "internal": True}
    arguments = {"alternate-exchange": "somewhere"}
    for _ in range(2):
        ch.call(Exchange.declare(exchange=names.x, type="topic", arguments=arguments, **flags))


@pytest.mark.rule("exchange.declare", "nowait")
def test_nowait_methods_are_not_answered(ch: WireChannel, q: str, names: Names) -> None:
    other = names("x")
    ch >> Exchange.declare(exchange=names.x, type="fanout", nowait=True)
    ch >> Exchange.declare(exchange=other, type="fanout", nowait=True)
    ch >> Exchange.bind(destination=other, source=names.x, nowait=True)
    ch >> Queue.bind(queue=q, exchange=other, nowait=True)
    ch.publish(b"a", exchange=names.x)
    assert ch.drain(q) == [b"a"]
    ch >> Exchange.unbind(destination=other, source=names.x, nowait=True)
    ch.publish(b"b", exchange=names.x)
    assert ch.drain(q) == []
    ch >> Exchange.delete(exchange=names.x, nowait=True)
    assert is_gone(ch, names.x)


@pytest.mark.rule("exchange.declare", "nowait")
def test_errors_of_nowait_methods_close_the_channel(ch: WireChannel) -> None:
    ch >> Exchange.declare(exchange="amq.direct", type="fanout", durable=True, nowait=True)
    ch << Channel.close(reply_code=406, class_id=40, method_id=10)
    ch >> Channel.close_ok()


@pytest.mark.rule("exchange.declare", "line-breaks")
def test_line_breaks_are_removed_from_names(ch: WireChannel, names: Names) -> None:
    ch.call(Exchange.declare(exchange=names.x + "\r\n", type="direct"))
    assert not is_gone(ch, names.x)


@pytest.mark.rule("exchange.declare", "auto-delete")
def test_auto_delete_exchange_goes_with_its_last_binding(ch: WireChannel, q: str, names: Names) -> None:
    ch.call(Exchange.declare(exchange=names.x, type="direct", auto_delete=True))
    assert not is_gone(ch, names.x)
    for key in ("a", "b"):
        ch.call(Queue.bind(queue=q, exchange=names.x, routing_key=key))
    ch.call(Queue.unbind(queue=q, exchange=names.x, routing_key="a"))
    assert not is_gone(ch, names.x)
    ch.call(Queue.unbind(queue=q, exchange=names.x, routing_key="b"))
    assert is_gone(ch, names.x)


@pytest.mark.rule("exchange.declare", "auto-delete")
def test_auto_delete_exchange_goes_with_its_last_queue(
    ch: WireChannel, bound: Callable[..., None], q: str, names: Names
) -> None:
    bound(auto_delete=True)
    ch.call(Queue.delete(queue=q))
    assert is_gone(ch, names.x)


@pytest.mark.rule("exchange.declare", "auto-delete")
def test_auto_delete_counts_bindings_from_it_only_and_follows_chains(
    ch: WireChannel, bound: Callable[..., None], q: str, names: Names
) -> None:
    upper, lower = names("x"), names.x
    ch.call(Exchange.declare(exchange=upper, type="direct", auto_delete=True))
    bound(lower, auto_delete=True)
    ch.call(Exchange.bind(destination=lower, source=upper))
    ch.call(Queue.delete(queue=q))
    assert is_gone(ch, lower)
    assert is_gone(ch, upper)


@pytest.mark.rule("exchange.delete", "if-unused")
def test_exchange_that_is_only_a_destination_is_unused(ch: WireChannel, names: Names) -> None:
    ch.call(Exchange.declare(exchange=names.x, type="direct"))
    ch.call(Exchange.bind(destination=names.x, source="amq.direct", routing_key=names.x))
    ch.call(Exchange.delete(exchange=names.x, if_unused=True))
    assert is_gone(ch, names.x)


@pytest.mark.rule("exchange.declare", "internal")
def test_internal_exchange_routes_what_another_exchange_sends(
    ch: WireChannel, bound: Callable[..., None], q: str, names: Names
) -> None:
    outer = names("x")
    bound(internal=True)
    ch.call(Exchange.declare(exchange=outer, type="fanout"))
    ch.call(Exchange.bind(destination=names.x, source=outer))
    ch.publish(b"in", "k", exchange=outer)
    assert ch.drain(q) == [b"in"]


@pytest.mark.rule("exchange.bind", "routing")
def test_chain_of_exchanges_applies_each_ones_own_rule(
    ch: WireChannel, bound: Callable[..., None], q: str, names: Names
) -> None:
    source = names("x")
    bound(type="topic", routing_key="a.#")
    ch.call(Exchange.declare(exchange=source, type="direct"))
    for key in ("a.b", "c.d"):
        ch.call(Exchange.bind(destination=names.x, source=source, routing_key=key))
    for key in ("a.b", "c.d", "a.x"):
        ch.publish(key.encode(), key, exchange=source)
    assert ch.drain(q) == [b"a.b"]


@pytest.mark.rule("exchange.bind", "routing")
def test_delivery_names_the_exchange_that_was_published_to(
    ch: WireChannel, bound: Callable[..., None], q: str, names: Names
) -> None:
    source = names("x")
    bound(type="fanout")
    ch.call(Exchange.declare(exchange=source, type="fanout"))
    ch.call(Exchange.bind(destination=names.x, source=source))
    ch.publish(b"a", "key", exchange=source)
    ch >> Basic.get(queue=q, no_ack=True)
    ch << Basic.get_ok(exchange=source, routing_key="key")


@pytest.mark.rule("exchange.bind", "cycles")
def test_cycle_of_exchanges_delivers_once(ch: WireChannel, q: str, names: Names) -> None:
    ring = [names("x") for _ in range(3)]
    for exchange in ring:
        ch.call(Exchange.declare(exchange=exchange, type="fanout"))
        ch.call(Queue.bind(queue=q, exchange=exchange))
    for index, exchange in enumerate(ring):
        ch.call(Exchange.bind(destination=exchange, source=ring[index - 1]))
    ch.call(Exchange.bind(destination=ring[0], source=ring[0]))
    for exchange in ring:
        ch.publish(exchange.encode(), exchange=exchange)
    assert ch.drain(q) == [exchange.encode() for exchange in ring]


@pytest.mark.rule("exchange.bind", "duplicates")
def test_queue_reached_on_several_ways_gets_one_copy(ch: WireChannel, q: str, names: Names) -> None:
    top, *middle = names.x, names("x"), names("x")
    for exchange in (top, *middle):
        ch.call(Exchange.declare(exchange=exchange, type="fanout"))
        ch.call(Queue.bind(queue=q, exchange=exchange))
    for exchange in middle:
        ch.call(Exchange.bind(destination=exchange, source=top))
        ch.call(Exchange.bind(destination=exchange, source=top))
    ch.publish(b"once", exchange=top)
    assert ch.drain(q) == [b"once"]
    for exchange in middle:
        ch.call(Exchange.unbind(destination=exchange, source=top))
    ch.call(Queue.unbind(queue=q, exchange=top))
    ch.publish(b"lost", exchange=top)
    assert ch.drain(q) == []


@pytest.mark.rule("exchange.delete", "bindings")
def test_deleted_exchange_takes_its_bindings_along(
    ch: WireChannel, bound: Callable[..., None], q: str, names: Names
) -> None:
    source = names("x")
    bound()
    ch.call(Exchange.declare(exchange=source, type="fanout"))
    ch.call(Exchange.bind(destination=names.x, source=source))
    ch.call(Exchange.delete(exchange=names.x))
    ch.call(Exchange.declare(exchange=names.x, type="direct"))
    ch.publish(b"lost", "k", exchange=names.x).publish(b"lost", "k", exchange=source)
    assert ch.drain(q) == []
    ch.call(Exchange.delete(exchange=source, if_unused=True))


def alternate(ch: WireChannel, exchange: str, to: str, type: str = "direct") -> None:
    ch.call(Exchange.declare(exchange=exchange, type=type, arguments={"alternate-exchange": to}))


@pytest.mark.rule("exchange.declare", "alternate-exchange")
def test_alternate_exchange_gets_what_found_no_queue(
    ch: WireChannel, bound: Callable[..., None], q: str, names: Names
) -> None:
    first = names("x")
    bound()
    alternate(ch, first, names.x)
    ch.publish(b"a", "k", exchange=first).publish(b"b", "other", exchange=first)
    ch >> Basic.get(queue=q, no_ack=True)
    ch << Basic.get_ok(body=b"a", exchange=first, routing_key="k")
    assert ch.drain(q) == []


@pytest.mark.rule("exchange.declare", "alternate-exchange")
def test_alternate_exchange_is_left_alone_when_a_queue_was_found(
    ch: WireChannel, bound: Callable[..., None], q: str, names: Names
) -> None:
    other, spare = names(), names("x")
    bound(names.x, arguments={"alternate-exchange": spare})
    ch.call(Exchange.declare(exchange=spare, type="fanout"))
    ch.call(Queue.declare(queue=other))
    ch.call(Queue.bind(queue=other, exchange=spare))
    ch.publish(b"a", "k", exchange=names.x).publish(b"b", "unknown", exchange=names.x)
    assert ch.drain(q) == [b"a"]
    assert ch.drain(other) == [b"b"]


@pytest.mark.rule("exchange.declare", "alternate-exchange")
def test_alternate_exchanges_form_chains_and_cycles_end(
    ch: WireChannel, q: str, bound: Callable[..., None], names: Names
) -> None:
    one, two, last = names("x"), names("x"), names.x
    alternate(ch, one, two)
    alternate(ch, two, last)
    bound(last, routing_key="k", arguments={"alternate-exchange": one})
    ch.publish(b"a", "k", exchange=one).publish(b"b", "k", exchange=two)
    ch.publish(b"endless", "unknown", exchange=one)
    assert ch.drain(q) == [b"a", b"b"]


@pytest.mark.rule("exchange.declare", "alternate-exchange")
def test_missing_alternate_exchange_drops_the_message(ch: WireChannel, names: Names) -> None:
    alternate(ch, names.x, "conformance.no-such-exchange")
    ch.publish(b"lost", "k", exchange=names.x)
    ch.call(Basic.qos())


@pytest.mark.rule("basic.publish", "mandatory")
def test_mandatory_message_is_returned_only_when_the_alternate_exchange_found_no_queue_either(
    ch: WireChannel, bound: Callable[..., None], q: str, names: Names
) -> None:
    first = names("x")
    bound()
    alternate(ch, first, names.x)
    ch.publish(b"found", "k", exchange=first, mandatory=True)
    ch.publish(b"lost", "unknown", exchange=first, mandatory=True)
    ch << Basic.return_(body=b"lost", exchange=first, routing_key="unknown", reply_code=312)
    assert ch.drain(q) == [b"found"]


@pytest.mark.rule("exchange.declare", "default")
def test_default_exchange_routes_by_queue_name(wire: Wire, ch: WireChannel, q: str) -> None:
    ch.publish(b"a", q).publish(b"b", q + "x")
    ch >> Basic.get(queue=q, no_ack=True)
    ch << Basic.get_ok(body=b"a", exchange="", routing_key=q)
    assert ch.drain(q) == []
