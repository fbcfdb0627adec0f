"""Channels: opening, closing from both ends, numbers, limits, flow, and the access class."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.conformance.codec import Access, Basic, Channel, Confirm, Connection, Exchange, Method, Queue
from tests.conformance.names import Names
from tests.conformance.wire import Wire, WireChannel, channel_closed, connection_closed


@pytest.mark.rule("channel.open", "reply")
def test_open_ok_carries_an_empty_long_string(wire: Wire) -> None:
    channel = WireChannel(wire, 1)
    channel >> Channel.open()
    assert wire.read_frame().payload == b"\x00\x14\x00\x0b\x00\x00\x00\x00"


@pytest.mark.rule("channel", "unopened")
def test_method_on_an_unopened_channel_closes_the_connection(wire: Wire) -> None:
    WireChannel(wire, 7) >> Queue.declare()
    wire << connection_closed(504, "expected 'channel.open'", 50, 10)
    wire >> Connection.close_ok()


@pytest.mark.rule("channel.open", "state")
def test_second_open_closes_the_connection(wire: Wire, ch: WireChannel) -> None:
    ch >> Channel.open()
    wire << connection_closed(504, "second 'channel.open' seen", 20, 10)
    wire >> Connection.close_ok()


@pytest.mark.rule("channel", "zero")
def test_channel_method_on_channel_zero_closes_the_connection(wire: Wire) -> None:
    wire >> Queue.declare()
    wire << connection_closed(504, "unexpected method in connection state running", 50, 10)
    wire >> Connection.close_ok()


@pytest.mark.rule("channel.close", "discard")
def test_everything_is_discarded_between_the_servers_close_and_close_ok(
    wire: Wire, ch: WireChannel, q: str, names: Names
) -> None:
    ch >> Exchange.declare(exchange=names.x, passive=True)
    ch << channel_closed(404, f"no exchange '{names.x}' in vhost '/'", 40, 10)
    ch.publish(b"lost", q)
    ch >> Queue.delete(queue=q) >> Basic.ack(delivery_tag=77) >> Channel.flow(active=True)
    ch.quiet()
    ch >> Channel.close_ok()
    ch.call(Channel.open())
    assert (ch.call(Queue.declare(queue=q, passive=True))).message_count == 0


@pytest.mark.rule("channel.close", "discard")
def test_content_that_straddles_the_servers_close_is_discarded(wire: Wire, ch: WireChannel, q: str) -> None:
    octets = ch.octets(Basic.publish(routing_key=q, body=b"straddles"))
    wire.write(ch.octets(Basic.ack(delivery_tag=9)) + octets[:40])
    ch << channel_closed(406, "unknown delivery tag 9", 60, 80)
    wire.write(octets[40:])
    ch >> Channel.close_ok()
    ch.call(Channel.open())
    assert ch.drain(q) == []


@pytest.mark.rule("channel.close", "crossing")
def test_close_that_crosses_the_servers_close_is_answered(ch: WireChannel, names: Names) -> None:
    ch >> Queue.declare(queue=names.q, passive=True) >> Channel.close()
    ch << Channel.close(reply_code=404)
    ch << Channel.close_ok()
    ch >> Channel.close_ok()


@pytest.mark.rule("channel.close", "reuse")
def test_channel_number_is_free_after_close_ok_and_starts_afresh(ch: WireChannel, q: str) -> None:
    ch.publish(b"a", q).publish(b"b", q)
    ch >> Basic.get(queue=q) >> Basic.get(queue=q)
    ch << Basic.get_ok(delivery_tag=1)
    ch << Basic.get_ok(delivery_tag=2)
    ch.call(Channel.close())
    ch.call(Channel.open())
    ch >> Basic.get(queue=q)
    ch << Basic.get_ok(delivery_tag=1, redelivered=True, body=b"a")


@pytest.mark.rule("channel.close", "requeue")
def test_unacked_messages_are_ready_again_when_close_ok_arrives(
    ch: WireChannel, q: str, connect: Callable[..., Wire]
) -> None:
    other = connect().channel()
    other.call(Basic.consume(queue=q))
    for number in range(20):
        ch.publish(b"%d" % number, q)
    other.bodies(20)
    other.call(Channel.close())
    assert ch.call(Queue.declare(queue=q, passive=True)).message_count == 20


@pytest.mark.rule("channel", "channel-max")
def test_channel_max_limits_the_count_not_the_number(connect: Callable[..., Wire]) -> None:
    wire = connect(channel_max=2)
    wire.channel(5)
    wire.channel(9)
    WireChannel(wire, 1) >> Channel.open()
    text = "number of channels opened (2) has reached the negotiated channel_max (2)"
    wire << connection_closed(530, text, 0, 0)
    wire >> Connection.close_ok()


@pytest.mark.rule("channel", "channel-max")
def test_closed_channels_do_not_count(connect: Callable[..., Wire]) -> None:
    wire = connect(channel_max=2)
    for _ in range(3):
        for number in (1, 2):
            wire.channel(number)
        for number in (1, 2):
            WireChannel(wire, number).call(Channel.close())


@pytest.mark.rule("channel", "pipelining")
def test_pipelined_methods_are_answered_in_order(ch: WireChannel, names: Names) -> None:
    ch >> Queue.declare(queue=names.q) >> Queue.bind(queue=names.q, exchange="amq.fanout") >> Confirm.select()
    (
        ch
        >> Basic.qos(prefetch_count=1)
        >> Queue.purge(queue=names.q)
        >> Queue.delete(queue=names.q)
        >> Channel.close()
    )
    expected = (
        "queue.declare_ok", "queue.bind_ok", "confirm.select_ok", "basic.qos_ok", "queue.purge_ok",
        "queue.delete_ok", "channel.close_ok",
    )  # fmt: skip
    assert tuple(ch.next().name for _ in expected) == expected


@pytest.mark.rule("channel", "independence")
def test_error_on_one_channel_leaves_the_others_alone(
    wire: Wire, ch: WireChannel, q: str, names: Names
) -> None:
    failing = wire.channel()
    failing.publish(b"", "k", exchange=names.x)
    failing << channel_closed(404, f"no exchange '{names.x}' in vhost '/'", 60, 40)
    failing >> Channel.close_ok()
    ch.publish(b"fine", q)
    assert ch.drain(q) == [b"fine"]


@pytest.mark.rule("channel", "late-ack")
@pytest.mark.oracle_differs("504 as soon as the channel is forgotten; LavinMQ forgives: clients race here")
@pytest.mark.parametrize(
    "late",
    [Basic.ack(delivery_tag=1), Basic.nack(delivery_tag=1), Basic.reject(delivery_tag=1)],
    ids=lambda m: m.name,
)
def test_settlement_on_a_just_closed_channel_is_forgiven(late: Method, wire: Wire, ch: WireChannel) -> None:
    other = wire.channel()
    other.call(Channel.close())
    other >> late
    ch.call(Basic.qos())


@pytest.mark.rule("channel.flow", "active")
def test_flow_active_is_answered(ch: WireChannel) -> None:
    ch >> Channel.flow(active=True)
    ch << Channel.flow_ok(active=True)


@pytest.mark.oracle_differs("540 NOT_IMPLEMENTED - active=false")
@pytest.mark.rule("channel.flow", "pause")
def test_flow_pauses_and_resumes_deliveries_of_one_channel(wire: Wire, ch: WireChannel, q: str) -> None:
    ch.call(Basic.consume(queue=q, no_ack=True))
    ch >> Channel.flow(active=False)
    ch << Channel.flow_ok(active=False)
    publisher = wire.channel()
    publisher.publish(b"a", q).publish(b"b", q)
    ch.quiet()
    ch >> Channel.flow(active=True)
    ch << Channel.flow_ok(active=True)
    assert ch.bodies(2) == [b"a", b"b"]


@pytest.mark.oracle_differs("540 NOT_IMPLEMENTED - active=false")
@pytest.mark.rule("channel.flow", "get")
def test_paused_channel_may_get_and_other_channels_receive(wire: Wire, ch: WireChannel, q: str) -> None:
    ch >> Channel.flow(active=False)
    ch << Channel.flow_ok(active=False)
    ch.publish(b"a", q).publish(b"b", q)
    ch >> Basic.get(queue=q, no_ack=True)
    ch << Basic.get_ok(body=b"a")
    other = wire.channel()
    other.call(Basic.consume(queue=q, no_ack=True))
    assert other.bodies(1) == [b"b"]


@pytest.mark.rule("access.request", "ticket")
def test_access_request_is_answered_with_ticket_one(ch: WireChannel) -> None:
    ch >> Access.request(realm="/data", active=True, write=True, read=True)
    ch << Access.request_ok(ticket=1)
