"""Octets on the socket: protocol header, frames, content, and what is answered to garbage."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from tests.conformance.codec import (
    FRAME_BODY,
    FRAME_HEADER,
    FRAME_HEARTBEAT,
    FRAME_METHOD,
    PROTOCOL_HEADER,
    Basic,
    Channel,
    Confirm,
    Connection,
    Queue,
    encode_method,
    shortstr,
)
from tests.conformance.wire import Wire, WireChannel, connection_closed, frame, header_payload


@pytest.mark.rule("connection", "protocol-header")
@pytest.mark.parametrize(
    "octets",
    [
        b"AMQP\x00\x00\x09\x00", b"AMQP\x00\x01\x00\x00", b"AMQP\x03\x01\x00\x00", b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01", b"amqp\x00\x00\x09\x01",
    ],
    ids=["0-9-0", "1.0", "sasl", "http", "tls", "lower-case"],
)  # fmt: skip
def test_wrong_protocol_header_is_answered_with_ours_and_closed(
    octets: bytes, dial: Callable[[], Wire]
) -> None:
    wire = dial()
    wire.write(octets)
    assert wire.ended() == PROTOCOL_HEADER


@pytest.mark.rule("connection", "protocol-header")
def test_protocol_header_may_arrive_in_pieces(dial: Callable[[], Wire]) -> None:
    wire = dial()
    wire.write(PROTOCOL_HEADER[:3])
    wire.write(PROTOCOL_HEADER[3:])
    wire << Connection.start(version_major=0, version_minor=9)


@pytest.mark.oracle_differs("knows no PING")
@pytest.mark.rule("connection", "ping")
def test_bare_ping_is_answered_pong(dial: Callable[[], Wire]) -> None:
    wire = dial()
    wire.write(b"PING\r\n")
    assert wire.read(6) == b"PONG\r\n"


METHOD = encode_method(Basic.qos())


@pytest.mark.rule("connection", "frame-end")
def test_wrong_frame_end_closes_the_connection(wire: Wire) -> None:
    wire.frame(FRAME_METHOD, 1, struct.pack(">HH", 10, 31), b"X")
    wire << connection_closed(501, "type 1, all octets = <<0,10,0,31>>: {invalid_frame_end_marker,88}", 0, 0)
    wire >> Connection.close_ok()


@pytest.mark.rule("connection", "frame-type")
@pytest.mark.parametrize("kind", [0, 4, 9, 255])
def test_unknown_frame_type_closes_the_connection(kind: int, wire: Wire, ch: WireChannel) -> None:
    wire.frame(kind, 1, b"\x01\x02")
    wire << connection_closed(501, f"type {kind}, all octets = <<1,2>>: unknown_frame", 0, 0)
    wire >> Connection.close_ok()


@pytest.mark.rule("connection", "frame-size")
def test_oversize_frame_is_refused_by_its_first_seven_octets(wire: Wire) -> None:
    wire.write(struct.pack(">BHI", FRAME_BODY, 1, 131073))
    wire << connection_closed(501, "type 3, all octets = <<>>: {frame_too_large,131073,131064}", 0, 0)
    wire >> Connection.close_ok()


@pytest.mark.rule("connection", "frame-size")
def test_negotiated_frame_max_is_the_limit(connect: Callable[..., Wire]) -> None:
    wire = connect(frame_max=8192)
    wire.write(struct.pack(">BHI", FRAME_BODY, 1, 8193))
    wire << connection_closed(501, "type 3, all octets = <<>>: {frame_too_large,8193,8184}", 0, 0)
    wire >> Connection.close_ok()


@pytest.mark.rule("connection", "frame-size")
def test_frame_of_exactly_frame_max_is_accepted(
    connect: Callable[..., Wire], ch: WireChannel, q: str
) -> None:
    client = connect(frame_max=8192).channel()
    client.publish(b"x" * 8184, q)
    client.call(Channel.close())
    assert [len(body) for body in ch.drain(q)] == [8184]


@pytest.mark.rule("connection", "frame-split")
def test_frames_may_arrive_octet_by_octet(wire: Wire, ch: WireChannel, q: str) -> None:
    for octet in ch.octets(Basic.publish(routing_key=q, body=b"slow")):
        wire.write(bytes([octet]))
    ch >> Basic.get(queue=q, no_ack=True)
    ch << Basic.get_ok(body=b"slow")


@pytest.mark.rule("connection", "frame-split")
def test_many_frames_may_arrive_at_once(wire: Wire, ch: WireChannel, q: str) -> None:
    messages = [b"%d" % number for number in range(200)]
    octets = b"".join(ch.octets(Basic.publish(routing_key=q, body=body)) for body in messages)
    wire.write(octets + ch.octets(Basic.qos()))
    ch << Basic.qos_ok()
    assert ch.drain(q) == messages


@pytest.mark.rule("connection", "truncated-method")
def test_truncated_method_closes_the_connection_with_its_ids(wire: Wire, ch: WireChannel) -> None:
    wire.frame(FRAME_METHOD, 1, struct.pack(">HHHB", 50, 10, 0, 200) + b"abc")
    received = wire << Connection.close(reply_code=501, class_id=50, method_id=10)
    assert received.reply_text.startswith("FRAME_ERROR - cannot decode <<")
    wire >> Connection.close_ok()


@pytest.mark.oracle_differs("its reader crashes: the socket is reset without a close frame")
@pytest.mark.rule("connection", "unknown-method")
@pytest.mark.parametrize("ids", [(60, 99), (77, 10), (0, 0)], ids=str)
def test_unknown_method_is_answered_with_command_invalid_or_not_implemented(
    ids: tuple[int, int], wire: Wire, ch: WireChannel
) -> None:
    wire.frame(FRAME_METHOD, 1, struct.pack(">HH", *ids))
    received = wire << Connection.close(class_id=ids[0], method_id=ids[1])
    assert received.reply_code in (503, 540)
    wire >> Connection.close_ok()


@pytest.mark.oracle_differs("its reader crashes: the socket is reset without a close frame")
@pytest.mark.rule("connection", "table-types")
def test_unknown_table_value_type_is_answered_with_an_error(wire: Wire, ch: WireChannel) -> None:
    table = shortstr("k") + b"?x"
    payload = struct.pack(">HHH", 50, 10, 0) + shortstr("") + b"\0" + struct.pack(">I", len(table)) + table
    wire.frame(FRAME_METHOD, 1, payload)
    received = wire << Connection.close()
    assert received.reply_code in (501, 502)
    wire >> Connection.close_ok()


PUBLISH = encode_method(Basic.publish(routing_key="nowhere"))
UNEXPECTED = "expected content header for class 60, got non content header frame instead"
NO_METHOD = "expected method frame, got non method frame instead"
STATES = {
    "body-first": ([(FRAME_BODY, b"x")], NO_METHOD, 0, 0),
    "header-first": ([(FRAME_HEADER, header_payload(0))], NO_METHOD, 0, 0),
    "other-class": (
        [(FRAME_METHOD, PUBLISH), (FRAME_HEADER, header_payload(1, class_id=50))],
        "expected content header for class 60, got one for class 50 instead", 60, 40,
    ),
    "weight": ([(FRAME_METHOD, PUBLISH), (FRAME_HEADER, header_payload(1, weight=1))], UNEXPECTED, 60, 40),
    "method-for-header": ([(FRAME_METHOD, PUBLISH), (FRAME_METHOD, METHOD)], UNEXPECTED, 60, 40),
    "body-for-header": ([(FRAME_METHOD, PUBLISH), (FRAME_BODY, b"x")], UNEXPECTED, 60, 40),
    "method-for-body": (
        [(FRAME_METHOD, PUBLISH), (FRAME_HEADER, header_payload(1)), (FRAME_METHOD, METHOD)],
        "expected content body, got non content body frame instead", 60, 40,
    ),
    "header-for-body": (
        [(FRAME_METHOD, PUBLISH), (FRAME_HEADER, header_payload(1)), (FRAME_HEADER, header_payload(1))],
        "expected content body, got non content body frame instead", 60, 40,
    ),
}  # fmt: skip


@pytest.mark.rule("basic.publish", "content-order")
@pytest.mark.parametrize("name", STATES)
def test_content_out_of_order_closes_the_connection(name: str, wire: Wire, ch: WireChannel) -> None:
    frames, text, class_id, method_id = STATES[name]
    wire.write(b"".join(frame(kind, 1, payload) for kind, payload in frames))
    wire << connection_closed(505, text, class_id, method_id)
    wire >> Connection.close_ok()


@pytest.mark.oracle_differs("3.10 waits for ever; 4.x answers 501")
@pytest.mark.rule("basic.publish", "body-size")
def test_body_longer_than_its_header_said_closes_the_connection(wire: Wire, ch: WireChannel) -> None:
    wire.frame(FRAME_METHOD, 1, PUBLISH)
    wire.frame(FRAME_HEADER, 1, header_payload(3))
    wire.frame(FRAME_BODY, 1, b"four")
    received = wire << Connection.close()
    assert received.reply_code in (501, 505)
    wire >> Connection.close_ok()


@pytest.mark.rule("basic.publish", "empty-body")
def test_message_without_body_needs_no_body_frame(wire: Wire, ch: WireChannel, q: str) -> None:
    ch.publish(b"", q)
    ch.call(Basic.consume(queue=q, no_ack=True))
    assert (ch << Basic.deliver(body=b"")).fragments == []


@pytest.mark.rule("basic.publish", "fragments")
def test_body_may_come_in_fragments_of_any_size(wire: Wire, ch: WireChannel, q: str) -> None:
    wire.frame(FRAME_METHOD, 1, encode_method(Basic.publish(routing_key=q)))
    wire.frame(FRAME_HEADER, 1, header_payload(10))
    for part in (b"a", b"bcd", b"efghi", b"j"):
        wire.frame(FRAME_BODY, 1, part)
    assert ch.drain(q) == [b"abcdefghij"]


@pytest.mark.rule("basic.deliver", "fragments")
@pytest.mark.parametrize("size", [8183, 8184, 8185, 100_000])
def test_delivery_is_fragmented_by_the_receivers_frame_max(
    size: int, ch: WireChannel, q: str, connect: Callable[..., Wire]
) -> None:
    body = bytes(range(256)) * (size // 256) + b"z" * (size % 256)
    ch.publish(body, q)
    receiver = connect(frame_max=8192).channel()
    receiver.call(Basic.consume(queue=q, no_ack=True))
    received = receiver << Basic.deliver(body=body)
    assert received.fragments == [8184] * (size // 8184) + [size % 8184] * bool(size % 8184)


@pytest.mark.rule("channel", "interleaving")
def test_content_of_two_channels_may_interleave(wire: Wire, ch: WireChannel, q: str) -> None:
    wire.channel(2)
    method = encode_method(Basic.publish(routing_key=q))
    for kind, payload in ((FRAME_METHOD, method), (FRAME_HEADER, header_payload(2))):
        wire.write(frame(kind, 1, payload) + frame(kind, 2, payload))
    for first, second in ((b"a", b"x"), (b"b", b"y")):
        wire.write(frame(FRAME_BODY, 1, first) + frame(FRAME_BODY, 2, second))
    wire.zero.call(Connection.update_secret(new_secret="guest"))
    ch.call(Confirm.select())
    ch.publish(b"last", q)
    ch << Basic.ack()
    assert sorted(ch.drain(q)) == [b"ab", b"last", b"xy"]


@pytest.mark.rule("channel", "interleaving")
def test_heartbeats_and_connection_methods_may_come_between_content_frames(
    wire: Wire, ch: WireChannel, q: str
) -> None:
    wire.frame(FRAME_METHOD, 1, encode_method(Basic.publish(routing_key=q)))
    wire.frame(FRAME_HEARTBEAT, 0, b"")
    wire.frame(FRAME_HEADER, 1, header_payload(1))
    wire.zero.call(Connection.update_secret(new_secret="guest"))
    wire.frame(FRAME_BODY, 1, b"!")
    assert ch.drain(q) == [b"!"]


@pytest.mark.rule("connection", "heartbeat-channel")
def test_heartbeat_on_another_channel_closes_the_connection(wire: Wire, ch: WireChannel) -> None:
    wire.frame(FRAME_HEARTBEAT, 1, b"")
    wire << Connection.close(reply_code=505)
    wire >> Connection.close_ok()


@pytest.mark.rule("connection", "heartbeat-payload")
def test_heartbeat_with_a_payload_closes_the_connection(wire: Wire, ch: WireChannel) -> None:
    wire.frame(FRAME_HEARTBEAT, 0, b"\x01")
    wire << connection_closed(501, "type 8, all octets = <<1>>: unknown_frame", 0, 0)
    wire >> Connection.close_ok()


@pytest.mark.slow
@pytest.mark.rule("connection", "heartbeat")
def test_silent_client_is_dropped_after_about_three_intervals(connect: Callable[..., Wire]) -> None:
    wire = connect(heartbeat=1)
    sent = wire.ended(6)
    assert sent.count(frame(FRAME_HEARTBEAT, 0, b"")) >= 2


@pytest.mark.slow
@pytest.mark.rule("connection", "heartbeat")
def test_any_traffic_counts_as_heartbeat_and_server_sends_its_own(connect: Callable[..., Wire]) -> None:
    wire = connect(heartbeat=1)
    ch = wire.channel()
    for _ in range(9):
        ch.quiet(0.45)
        ch >> Basic.ack(multiple=True)
    ch.call(Basic.qos())
    assert wire.heartbeats >= 3


@pytest.mark.rule("connection", "heartbeat")
def test_server_without_heartbeat_sends_none(connect: Callable[..., Wire]) -> None:
    wire = connect(heartbeat=0)
    wire.channel().quiet(1.5)
    assert wire.heartbeats == 0


@pytest.mark.rule("channel", "reply-text")
def test_reply_text_is_cut_to_255_octets(wire: Wire, ch: WireChannel) -> None:
    name = "n" * 255
    ch >> Queue.declare(queue=name, passive=True)
    ch << Channel.close(reply_code=404, reply_text=f"NOT_FOUND - no queue '{name}"[:252] + "...")
    ch >> Channel.close_ok()


@pytest.mark.rule("basic.publish", "octets")
def test_routing_keys_are_octets_not_text(ch: WireChannel) -> None:
    ch.publish(b"raw", b"\xff\xfe", mandatory=True)
    received = ch << Basic.return_(body=b"raw")
    assert received.routing_key.encode("utf-8", "surrogateescape") == b"\xff\xfe"


@pytest.mark.oracle_differs("declared names must be UTF-8: 501 Malformed UTF-8 in shortstr")
@pytest.mark.rule("queue.bind", "octets")
def test_binding_keys_are_octets_not_text(ch: WireChannel, q: str) -> None:
    ch.call(Queue.bind(queue=q, exchange="amq.direct", routing_key=b"\xff\xfe"))
    ch.publish(b"raw", b"\xff\xfe", exchange="amq.direct")
    assert ch.drain(q) == [b"raw"]
