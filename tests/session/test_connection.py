"""The conversation as a whole: its first octets, its errors, its end, and its clock."""

import logging
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance.codec import PROTOCOL_HEADER, Basic, Channel, Confirm, Connection, Queue, Tx
from tests.definitions import brief, cut, thorough
from tests.session.script import Client, Frame, Node, frame, header_payload, method_frame, octets_of

from supersoniq.session.connection import CLOSING_TICKS, SILENT_HALVES_MAX
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


# Messages that begin alike


def alike(node: Node) -> Client:
    """A client that has published two messages that begin alike, and may publish more such."""
    client = node.client()
    client.channel(1).publish(b"1", b"2")
    return client


def repeats(client: Client, body: bytes = b"3") -> bool:
    return client.session.repeated_frames(body, 0, len(body))


def test_third_message_alike_is_published_by_its_body(node: Node) -> None:
    queue = node.queue()
    client = alike(node)
    assert repeats(client)
    assert [entry.message.body for entry in queue.browse(0, 9)] == [b"1", b"2", b"3"]


@pytest.mark.parametrize(
    "more",
    [
        {"routing_key": "other"},
        {"routing_key": "q", "mandatory": True},
        {"routing_key": "q", "properties": {"type": "t"}},
        {"routing_key": "q", "body": b""},
        {"routing_key": "q", "body": b"long"},
    ],
)
def test_message_that_is_not_alike_has_the_next_ones_looked_at(node: Node, more: dict[str, Any]) -> None:
    client = alike(node)
    client.feed(octets_of(1, Basic.publish(**{"body": b"3", **more})))
    assert not repeats(client)


def test_message_in_pieces_has_the_next_ones_looked_at(node: Node) -> None:
    client = alike(node)
    for _ in range(2):
        client.feed(octets_of(1, Basic.publish(routing_key="q", body=b"33"), body_bytes_max=1))
        assert not repeats(client)


def test_messages_of_two_channels_in_turn_are_looked_at(node: Node) -> None:
    client = alike(node)
    client.channel(2)
    for number in (1, 2) * 3:
        client.feed(octets_of(number, Basic.publish(routing_key="q", body=b"3")))
        assert not repeats(client)


def test_methods_between_messages_change_nothing(node: Node) -> None:
    client = alike(node)
    client.feed(method_frame(1, Confirm.select()))
    assert repeats(client)


def test_channel_that_is_gone_publishes_nothing(node: Node) -> None:
    queue = node.queue()
    client = alike(node)
    client.feed(method_frame(1, Channel.close()) + octets_of(1, Basic.publish(routing_key="q", body=b"3")))
    assert not repeats(client)
    client << Connection.close(reply_code=504)
    assert queue.ready_count == 2


def test_channel_that_was_closed_for_an_error_publishes_nothing(node: Node) -> None:
    queue = node.queue()
    client = alike(node)
    published = octets_of(1, Basic.publish(routing_key="q", body=b"3"))
    client.feed(octets_of(1, Basic.publish(exchange="missing", routing_key="q", body=b"3")) + published)
    assert not repeats(client)
    assert queue.ready_count == 2


def test_exchange_that_is_deleted_is_missed_by_what_begins_alike(node: Node) -> None:
    node.vhost.declare_exchange(b"e", "fanout", False, False, False, {})
    channel = node.channel()
    channel.publish(b"1", b"2", exchange="e")
    node.vhost.delete_exchange(b"e", False)
    channel.publish(b"3", b"4", exchange="e")
    closed = channel.closed_with(404)
    assert (closed.class_id, closed.method_id) == (60, 40)


def test_connection_that_closes_publishes_nothing(node: Node) -> None:
    queue = node.queue()
    client = alike(node)
    client.feed(method_frame(0, Connection.close()) + octets_of(1, Basic.publish(routing_key="q", body=b"3")))
    assert not repeats(client)
    assert queue.ready_count == 2


drawn_messages = st.lists(
    st.tuples(
        st.integers(1, 2),
        st.sampled_from(["q", "r"]),
        st.sampled_from([b"", b"a", b"b", b"cc"]),
        st.sampled_from([None, {"type": "t"}]),
        st.booleans(),
    ),
    max_size=12,
)


@thorough
@given(drawn_messages, st.randoms(use_true_random=False))
def test_messages_are_the_same_whether_read_together_or_one_by_one(
    messages: list[tuple[int, str, bytes, Any, bool]], random: Random
) -> None:
    """The frames of two channels, shuffled into each other: what they publish is told by all at once."""
    waiting: dict[int, list[bytes]] = {1: [], 2: []}
    for channel, key, body, properties, mandatory in messages:
        publish = Basic.publish(routing_key=key, body=body, properties=properties, mandatory=mandatory)
        pieces = octets_of(channel, publish)
        size = len(method_frame(channel, publish))
        waiting[channel] += [pieces] if random.random() < 0.7 else [pieces[:size], pieces[size:]]
    stream = []
    while any(waiting.values()):
        channel = random.choice([number for number, left in waiting.items() if left])
        stream.append(waiting[channel].pop(0))
    assert outcome([b"".join(stream)]) == outcome(stream)


def outcome(pieces: list[bytes]) -> tuple[list[tuple[bytes, bytes]], list[str]]:
    node = Node()
    queue = node.queue()
    client = node.client()
    for number in (1, 2):
        client.channel(number)
    for piece in pieces:
        # Frame by frame, or all in one read: nothing is remembered of what comes in pieces.
        for part in [piece] if len(pieces) == 1 else [piece[:1], piece[1:]]:
            client.feed(part)
    entries = queue.browse(0, 100)
    return [(entry.message.header, entry.message.body) for entry in entries], client.method_names()


# Time


def beats(client: Client) -> int:
    client.take_frames()
    return client.log.count(HEARTBEAT)


def test_idle_connection_is_sent_a_heartbeat_every_half_interval(node: Node) -> None:
    client = node.client(heartbeat=10)  # half of it is ten ticks
    node.tick(10)
    counts = []
    for _ in range(4):
        client >> BEAT
        before = beats(client)
        node.tick(10)
        counts.append(beats(client) - before)
    assert counts == [1, 1, 1, 1]


def test_busy_connection_is_sent_no_heartbeats(node: Node) -> None:
    client = node.client(heartbeat=2)
    channel = client.channel()
    for _ in range(10):
        node.tick()
        channel >> Basic.qos()
    assert beats(client) == 0


def test_client_that_is_silent_for_too_long_is_dropped(node: Node) -> None:
    client = node.client(heartbeat=2)
    node.tick(2)  # the handshake counts for the first half
    node.tick(2 * SILENT_HALVES_MAX - 1)
    assert not client.transport.is_aborted
    node.tick()
    assert client.transport.is_aborted


def test_any_traffic_counts_as_a_heartbeat(node: Node) -> None:
    client = node.client(heartbeat=1)
    for _ in range(5 * SILENT_HALVES_MAX):
        client >> BEAT[:4] >> BEAT[4:]
        node.tick()
    assert not client.transport.is_aborted


def test_blocked_client_is_not_expected_to_speak(node: Node) -> None:
    client = node.client(heartbeat=1)
    node.context.alarm.is_on = True
    client.channel().publish(b"x")
    node.tick(10 * SILENT_HALVES_MAX)
    assert not client.transport.is_aborted


def test_no_heartbeats_where_none_were_agreed(node: Node) -> None:
    client = node.client(heartbeat=0)
    node.tick(1000)
    assert beats(client) == 0
    assert not client.transport.is_aborted


def test_connections_have_different_ids(node: Node) -> None:
    first, second = node.client(), node.client()
    assert first.session.id != second.session.id
    assert first.session.id != 0


def test_message_size_limit_is_that_of_the_node() -> None:
    channel = Node(Limits(message_bytes_max=10)).channel()
    channel.publish(b"x" * 10).publish(b"x" * 11)
    channel.closed_with(406)
