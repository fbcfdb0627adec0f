"""The conversation as a whole: its first octets, its errors, its end, and its clock."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance.codec import PROTOCOL_HEADER, Basic, Channel, Confirm, Connection, Queue, Tx
from tests.definitions import brief, cut
from tests.session.script import Frame, Node, frame, header_payload, method_frame, octets_of

from supersoniq.session.connection import CLOSING_TICKS
from supersoniq.session.context import Limits

HEARTBEAT = Frame(8, 0, b"")
BEAT = b"\x08\x00\x00\x00\x00\x00\x00\xce"


@pytest.fixture
def node() -> Node:
    return Node()


# The first octets


@pytest.mark.parametrize(
    "header", [b"AMQP\x00\x00\x09\x00", b"AMQP\x01\x01\x08\x00", b"AMQP\x03\x01\x00\x00", b"GET / HT"]
)
def test_wrong_header_is_answered_with_the_right_one(node: Node, header: bytes) -> None:
    client = node.stranger() >> header
    assert client.transport.writes == [PROTOCOL_HEADER]
    assert client.transport.is_closed


def test_wrong_header_is_answered_at_its_first_wrong_octet(node: Node) -> None:
    client = node.stranger() >> b"AMQX"
    assert client.transport.is_closed


def test_header_may_come_octet_by_octet(node: Node) -> None:
    client = node.stranger()
    for octet in PROTOCOL_HEADER:
        assert client.transport.writes == []
        client >> bytes([octet])
    client << Connection.start()


def test_ping_is_answered_pong(node: Node) -> None:
    client = node.stranger() >> b"PI" >> b"NG\r\n"
    assert client.transport.writes == [b"PONG\r\n"]
    assert client.transport.is_closed


def test_client_that_does_not_close_after_the_end_is_dropped(node: Node) -> None:
    client = node.stranger() >> b"PING\r\n"
    node.tick(CLOSING_TICKS - 1)
    assert not client.transport.is_aborted
    node.tick()
    assert client.transport.is_aborted


# Closing


def test_client_closes(node: Node) -> None:
    client = node.client()
    client >> Connection.close(reply_code=200, reply_text="bye")
    client << Connection.close_ok()
    assert client.transport.is_closed
    assert client.is_quiet()


def test_nothing_is_said_after_close_ok(node: Node) -> None:
    client = node.client()
    channel = client.channel()
    data = method_frame(0, Connection.close(reply_code=200))
    client.feed(data + data + octets_of(1, Queue.declare(queue="q")) + BEAT)
    client.feed(data)
    client << Connection.close_ok()
    assert client.is_quiet()
    assert not client.transport.is_aborted
    assert b"q" not in channel.node.vhost.queues


def test_frames_after_close_are_no_reason_to_drop_the_answer(node: Node) -> None:
    client = node.client()
    client.channel()
    late = octets_of(1, Basic.publish(routing_key="q", body=b"late")) + octets_of(
        1, Basic.ack(delivery_tag=1)
    )
    client.feed(method_frame(0, Connection.close(reply_code=200)) + late)
    client << Connection.close_ok()
    assert not client.transport.is_aborted


def test_error_closes_with_code_text_and_method(node: Node) -> None:
    client = node.client()
    channel = client.channel()
    channel >> method_frame(1, Basic.recover(requeue=False))
    client << Connection.close(
        reply_code=540, reply_text="NOT_IMPLEMENTED - requeue=false", class_id=60, method_id=110
    )
    client >> Connection.close_ok()
    assert client.transport.is_closed


def test_text_longer_than_255_octets_is_shortened(node: Node) -> None:
    client = node.client()
    channel = client.channel()
    channel >> Queue.declare(queue="q" * 255, passive=True)
    closed = channel.closed_with(404)
    assert len(closed.reply_text) == 255


def test_name_that_is_not_utf8_comes_back_as_it_was(node: Node) -> None:
    client = node.client()
    channel = client.channel()
    channel >> Queue.declare(queue=b"\xff\xfe", passive=True)
    closed = channel.closed_with(404)
    assert "'\udcff\udcfe'" in closed.reply_text


def test_while_closing_everything_but_the_answer_is_dropped(node: Node) -> None:
    client = node.client()
    client.channel()
    client >> Connection.start_ok()
    client << Connection.close(reply_code=504)
    (
        client
        >> octets_of(1, Queue.declare(queue="q"))
        >> octets_of(1, Basic.publish(routing_key="q", body=b"x"))
    )
    client >> BEAT >> Connection.open(virtual_host="/")
    assert client.is_quiet()
    assert not client.transport.is_closed
    assert not node.vhost.queues
    client >> Connection.close_ok()
    assert client.transport.is_closed


def test_both_may_close_at_once(node: Node) -> None:
    client = node.client()
    client >> Connection.start_ok()
    client << Connection.close(reply_code=504)
    client >> Connection.close(reply_code=200)
    client << Connection.close_ok()
    assert client.transport.is_closed


def test_client_that_does_not_answer_a_close_is_dropped(node: Node) -> None:
    client = node.client()
    client >> Connection.start_ok()
    node.tick(CLOSING_TICKS - 1)
    assert not client.transport.is_aborted
    node.tick()
    assert client.transport.is_aborted


@brief
@given(st.lists(st.integers(0, 300), max_size=6))
def test_error_in_a_stream_is_answered_the_same_wherever_the_stream_is_cut(places: list[int]) -> None:
    """What follows the method at fault was sent before the client could know, and must not be misread."""
    client = Node().client()
    client.channel()
    fault = octets_of(1, Basic.publish(routing_key="q", immediate=True, body=b"a" * 20))
    for piece in cut(fault + octets_of(1, Basic.publish(routing_key="q", body=b"b" * 50)), places):
        client.feed(piece)
    client << Connection.close(reply_code=540)
    assert not client.transport.is_aborted
    client >> Connection.close_ok()
    assert client.transport.is_closed
    assert not client.transport.is_aborted


def test_forced_close_is_320_with_the_reason(node: Node) -> None:
    client = node.client()
    client.session.force_close("broker forced connection closure with reason 'shutdown'")
    node.end_turn()
    close = client << Connection.close(reply_code=320, class_id=0, method_id=0)
    assert close.reply_text == "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'"
    client.session.force_close("again")
    node.end_turn()
    assert client.is_quiet()


def test_forced_close_drops_who_has_not_said_anything(node: Node) -> None:
    client = node.stranger()
    client.session.force_close("shutdown")
    assert client.transport.is_aborted


def test_forced_close_lets_a_blocked_client_answer(node: Node) -> None:
    client = node.client()
    node.context.alarm.is_on = True
    client.channel().publish(b"x")
    assert not client.transport.is_reading
    client.session.force_close("shutdown")
    assert client.transport.is_reading


def test_crash_is_541_and_logged(node: Node, caplog: pytest.LogCaptureFixture) -> None:
    client = node.client()
    try:
        raise ZeroDivisionError("a bug")
    except ZeroDivisionError:
        client.session.crash()
    node.end_turn()
    client << Connection.close(reply_code=541)
    assert "ZeroDivisionError: a bug" in caplog.text


# What an end brings about


def test_lost_connection_requeues_what_it_held_and_deletes_its_queues(node: Node) -> None:
    client = node.client()
    channel = client.channel()
    node.queue(b"shared")
    channel.publish(b"a", b"b", key="shared").consume("shared")
    channel << Basic.deliver(body=b"a")
    channel >> Queue.declare(queue="mine", exclusive=True)
    client.session.lost()
    node.end_turn()
    assert set(node.vhost.queues) == {b"shared"}
    other = node.channel().consume("shared")
    assert (other << Basic.deliver(body=b"a")).redelivered
    other << Basic.deliver(body=b"b")


def test_lost_connection_is_logged_unless_it_was_closed(node: Node, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    polite, rude = node.client(), node.client()
    polite >> Connection.close(reply_code=200)
    polite.session.lost()
    assert not caplog.records
    rude.session.lost()
    assert "lost without a close" in caplog.text


def test_exclusive_queues_are_gone_before_close_ok(node: Node) -> None:
    client = node.client()
    client.channel() >> Queue.declare(queue="mine", exclusive=True)
    client.session.feed(method_frame(0, Connection.close(reply_code=200)))
    assert not node.vhost.queues


def test_deliveries_stop_when_the_connection_is_closed(node: Node) -> None:
    node.queue()
    client = node.client()
    client.channel().consume()
    client >> Connection.start_ok()
    client << Connection.close()
    node.channel().publish(b"later")
    assert client.is_quiet()
    assert node.vhost.queues[b"q"].ready_count == 1


# Channel 0 and the others


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (method_frame(0, Queue.declare(queue="q")), 504),
        (method_frame(0, Channel.open()), 504),
        (method_frame(0, Connection.open(virtual_host="/")), 504),
        (method_frame(7, Queue.declare(queue="q")), 504),
        (method_frame(7, Channel.close()), 504),
        (method_frame(7, Channel.close_ok()), 504),
        (frame(2, 7, header_payload(0)), 504),
        (frame(3, 7, b"body"), 504),
        (frame(2, 0, header_payload(0)), 505),
        (frame(3, 0, b"body"), 505),
        (frame(8, 1, b""), 505),
        (frame(1, 1, b""), 501),
        (frame(1, 1, b"\x00\x3c\x00"), 501),
        (frame(5, 0, b""), 501),
        (frame(1, 1, b"\x00\x3c\x00\x63"), 503),
        (frame(1, 1, b"\x00\x63\x00\x0a"), 503),
        (method_frame(1, Tx.select_ok()), 503),
        (method_frame(1, Channel.open()), 504),
    ],
)
def test_frame_that_does_not_fit_closes_the_connection(node: Node, data: bytes, code: int) -> None:
    client = node.client()
    client.channel(1)
    client >> data
    client << Connection.close(reply_code=code)


def test_update_secret_is_answered(node: Node) -> None:
    client = node.client() >> Connection.update_secret(new_secret=b"s", reason="rotation")
    client << Connection.update_secret_ok()


def test_no_more_channels_than_agreed(node: Node) -> None:
    client = node.client(channel_max=2)
    first = client.channel(1)
    client.channel(100)
    client >> octets_of(3, Channel.open())
    close = client << Connection.close(reply_code=530)
    assert "number of channels opened (2) has reached the negotiated channel_max (2)" in close.reply_text
    assert first.number == 1


def test_closed_channel_makes_room_for_another(node: Node) -> None:
    client = node.client(channel_max=1)
    first = client.channel(1)
    first >> Channel.close()
    first << Channel.close_ok()
    client.channel(2)


def test_channels_interleave(node: Node) -> None:
    node.queue()
    client = node.client()
    one, two = client.channel(1), client.channel(2)
    one_frames = octets_of(1, Basic.publish(routing_key="q", body=b"one"))
    two_frames = octets_of(2, Basic.publish(routing_key="q", body=b"two"))
    size = len(method_frame(1, Basic.publish(routing_key="q")))
    client.feed(one_frames[:size] + two_frames + one_frames[size:])
    two >> Basic.get(queue="q", no_ack=True)
    two << Basic.get_ok(body=b"two")
    one >> Basic.get(queue="q", no_ack=True)
    one << Basic.get_ok(body=b"one")


def test_error_in_content_names_the_publish_though_another_channel_spoke_in_between(node: Node) -> None:
    client = node.client()
    one = client.channel(1)
    client.channel(2)
    publish = octets_of(1, Basic.publish(exchange="missing", routing_key="q", body=b"one"))
    size = len(method_frame(1, Basic.publish(exchange="missing", routing_key="q")))
    client.feed(publish[:size] + octets_of(2, Confirm.select()) + publish[size:])
    closed = one.closed_with(404)
    assert (closed.class_id, closed.method_id) == (60, 40)


def test_connections_have_different_ids(node: Node) -> None:
    first, second = node.client(), node.client()
    assert first.session.id != second.session.id
    assert first.session.id != 0


def test_message_size_limit_is_that_of_the_node() -> None:
    channel = Node(Limits(message_bytes_max=10)).channel()
    channel.publish(b"x" * 10).publish(b"x" * 11)
    channel.closed_with(406)
