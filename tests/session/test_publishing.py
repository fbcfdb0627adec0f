"""Method, header and bodies become one message; what does not fit together is refused with the right code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance import codec
from tests.conformance.codec import Basic, Channel, Confirm, Connection, Exchange, Queue, Tx
from tests.definitions import brief, cut
from tests.session.script import ChannelScript, Node, frame, header_payload, method_frame, octets_of

from supersoniq.session.context import Limits
from supersoniq.session.publishing import EXPIRATION_MS_MAX, HARD_BODY_BYTES_MAX

PUBLISH = method_frame(1, Basic.publish(routing_key="q"))
EVERY_PROPERTY = {
    "content_type": "text/plain",
    "content_encoding": "utf-8",
    "headers": {"a": 1, "b": {"c": [True, None, "x"]}, "d": codec.Typed("D", (2, 1999))},
    "delivery_mode": 2,
    "priority": 9,
    "correlation_id": "correlation",
    "reply_to": "somewhere",
    "expiration": "60000",
    "message_id": "id",
    "timestamp": 2**64 - 1,
    "type": "type",
    "user_id": "guest",
    "app_id": "app",
    "cluster_id": "cluster",
}


@pytest.fixture
def node() -> Node:
    node = Node()
    node.queue()
    return node


@pytest.fixture
def channel(node: Node) -> ChannelScript:
    return node.channel()


def got(channel: ChannelScript, queue: str = "q") -> codec.Method:
    channel >> Basic.get(queue=queue, no_ack=True)
    return channel << Basic.get_ok()


def is_empty(node: Node, queue: bytes = b"q") -> bool:
    return node.vhost.queues[queue].ready_count == 0


def test_delivery_carries_the_octets_of_the_publish(node: Node, channel: ChannelScript) -> None:
    consumer = node.channel().consume(tag="ctag")
    properties = codec.encode_properties(EVERY_PROPERTY)
    channel >> PUBLISH + frame(2, 1, header_payload(4, properties)) + frame(3, 1, b"body")
    consumer.client.take_frames()
    method, header, body = consumer.client.log[-3:]
    assert (
        method.payload == b"\x00\x3c\x00\x3c" + b"\x04ctag" + (1).to_bytes(8) + b"\x00" + b"\x00" + b"\x01q"
    )
    assert header.payload == header_payload(4, properties)
    assert body.payload == b"body"


@brief
@given(
    st.binary(max_size=40),
    st.lists(st.integers(0, 200), max_size=6),
    st.lists(st.integers(0, 40), max_size=4),
)
def test_message_is_the_same_however_it_is_cut(
    body: bytes, stream_places: list[int], places: list[int]
) -> None:
    node = Node()
    queue = node.queue()
    client = node.client()
    client.channel()
    stream = PUBLISH + frame(2, 1, header_payload(len(body)))
    for piece in cut(body, places):
        stream += frame(3, 1, piece)
    for piece in cut(stream, stream_places):
        client.feed(piece)
    entry = queue.take(True)
    assert entry is not None
    assert entry.message.body == body


def test_body_frames_may_be_empty(node: Node, channel: ChannelScript) -> None:
    channel >> PUBLISH + frame(2, 1, header_payload(2))
    channel >> frame(3, 1, b"") + frame(3, 1, b"a") + frame(3, 1, b"") + frame(3, 1, b"b")
    assert got(channel).body == b"ab"


def test_nothing_is_published_before_the_last_octet(node: Node, channel: ChannelScript) -> None:
    channel >> PUBLISH + frame(2, 1, header_payload(4)) + frame(3, 1, b"abc")
    assert is_empty(node)
    channel >> frame(3, 1, b"d")
    assert got(channel).body == b"abcd"


def test_message_without_body_needs_no_body_frame(channel: ChannelScript) -> None:
    channel >> PUBLISH + frame(2, 1, header_payload(0))
    assert got(channel).body == b""


@pytest.mark.parametrize(
    ("data", "code", "text"),
    [
        (
            PUBLISH + PUBLISH,
            505,
            "expected content header for class 60, got non content header frame instead",
        ),
        (
            PUBLISH + frame(3, 1, b"x"),
            505,
            "expected content header for class 60, got non content header frame instead",
        ),
        (frame(2, 1, header_payload(0)), 505, "expected method frame, got non method frame instead"),
        (frame(3, 1, b"x"), 505, "expected method frame, got non method frame instead"),
        (
            PUBLISH + frame(2, 1, header_payload(1)) + frame(2, 1, header_payload(1)),
            505,
            "expected content body, got non content body frame instead",
        ),
        (
            PUBLISH + frame(2, 1, header_payload(1)) + PUBLISH,
            505,
            "expected content body, got non content body frame instead",
        ),
        (
            PUBLISH + frame(2, 1, header_payload(0, class_id=50)),
            505,
            "expected content header for class 60, got one for class 50 instead",
        ),
        (PUBLISH + frame(2, 1, header_payload(1)) + frame(3, 1, b"xy"), 501, ""),
        (PUBLISH + frame(2, 1, header_payload(HARD_BODY_BYTES_MAX + 1)), 501, "content body size"),
        (PUBLISH + frame(2, 1, header_payload(2**63)), 501, "content body size"),
        (PUBLISH + frame(2, 1, header_payload(0)[:13]), 501, ""),
        (PUBLISH + frame(2, 1, header_payload(0, b"\x80\x00")), 501, ""),
        (PUBLISH + frame(2, 1, header_payload(0, b"\x00\x00x")), 501, ""),
        (PUBLISH + frame(2, 1, header_payload(0, b"\x20\x00\x00\x00\x00\x03\x01n!")), 502, ""),
        (method_frame(1, Basic.publish(immediate=True)), 540, "immediate=true"),
    ],
)
def test_content_out_of_order_closes_the_connection(
    node: Node, channel: ChannelScript, data: bytes, code: int, text: str
) -> None:
    channel >> data
    close = channel.client << Connection.close(reply_code=code)
    assert text in close.reply_text
    assert is_empty(node)


@pytest.mark.parametrize("size", range(1, len(PUBLISH) - 8 - 4))
def test_publish_cut_short_is_a_frame_error(channel: ChannelScript, size: int) -> None:
    payload = PUBLISH[7:-1][: size + 3]
    channel >> frame(1, 1, payload)
    channel.client << Connection.close(reply_code=501)


def test_header_that_was_refused_is_refused_again(node: Node) -> None:
    for _ in range(2):
        channel = node.channel()
        channel >> PUBLISH + frame(2, 1, header_payload(0, b"\x80\x00"))
        channel.client << Connection.close(reply_code=501)


def test_too_large_message_closes_the_channel_only() -> None:
    node = Node(Limits(message_bytes_max=5))
    node.queue()
    channel = node.channel()
    channel.publish(b"123456")
    text = channel.closed_with(406).reply_text
    assert text == "PRECONDITION_FAILED - message size 6 is larger than configured max size 5"
    assert channel.client.is_quiet()


@pytest.mark.parametrize("exchange", ["missing", "amq.rabbitmq.trace"])
def test_exchange_that_takes_none_closes_the_channel(channel: ChannelScript, exchange: str) -> None:
    channel >> Basic.publish(exchange=exchange, routing_key="q", body=b"x")
    channel.closed_with(404 if exchange == "missing" else 403)


def test_unroutable_mandatory_message_comes_back(channel: ChannelScript) -> None:
    channel >> Basic.publish(
        exchange="amq.direct", routing_key="k", mandatory=True, body=b"x", properties={"type": "t"}
    )
    channel << Basic.return_(
        reply_code=312,
        reply_text="NO_ROUTE",
        exchange="amq.direct",
        routing_key="k",
        body=b"x",
        properties={"type": "t"},
    )


def test_unroutable_message_that_is_not_mandatory_is_dropped(channel: ChannelScript) -> None:
    channel.publish(b"x", key="nobody")
    assert channel.client.is_quiet()


def test_return_comes_before_the_confirm(channel: ChannelScript) -> None:
    channel >> Confirm.select(nowait=True)
    channel.publish(b"x", key="nobody", mandatory=True)
    assert channel.client.method_names() == ["basic.return", "basic.ack"]


def test_route_is_found_again_when_bindings_change(node: Node, channel: ChannelScript) -> None:
    channel.publish(b"1", key="later")
    channel >> Queue.declare(queue="later", nowait=True)
    channel.publish(b"2", key="later")
    assert got(channel, "later").body == b"2"
    channel >> Queue.delete(queue="later", nowait=True)
    channel.publish(b"3", key="later", mandatory=True)
    channel << Basic.return_(body=b"3")


def test_headers_exchange_looks_at_each_message(node: Node, channel: ChannelScript) -> None:
    for number in (1, 2):
        channel >> Queue.declare(queue=f"q{number}", nowait=True)
        channel >> Queue.bind(
            queue=f"q{number}", exchange="amq.headers", nowait=True, arguments={"n": number}
        )
    for number in (1, 2, 1):
        channel.publish(b"%d" % number, exchange="amq.headers", properties={"headers": {"n": number}})
    assert [node.vhost.queues[name].ready_count for name in (b"q1", b"q2")] == [2, 1]


# Properties that the broker acts on


@pytest.mark.parametrize(
    ("expiration", "reason"),
    [
        ("", "no_integer"),
        ("soon", "no_integer"),
        ("-1", "{value_negative,-1}"),
        ("10s", '{leftover_string,"s"}'),
        (str(EXPIRATION_MS_MAX + 1), f"{{value_too_large,{EXPIRATION_MS_MAX + 1}}}"),
        ("9" * 255, "{value_too_large,"),
    ],
)
def test_invalid_expiration_is_refused(channel: ChannelScript, expiration: str, reason: str) -> None:
    channel.publish(b"x", properties={"expiration": expiration})
    text = channel.closed_with(406).reply_text
    assert text.startswith(f"PRECONDITION_FAILED - invalid expiration '{expiration}': {reason}"[:250])


@pytest.mark.parametrize("expiration", ["60000", "+5", str(EXPIRATION_MS_MAX)])
def test_expiration_in_milliseconds_is_kept(channel: ChannelScript, expiration: str) -> None:
    channel.publish(b"x", properties={"expiration": expiration})
    assert got(channel).properties == {"expiration": expiration}


def test_user_id_must_be_the_users_own(channel: ChannelScript) -> None:
    channel.publish(b"x", properties={"user_id": "guest"})
    assert got(channel).body == b"x"
    channel.publish(b"x", properties={"user_id": "ann"})
    text = channel.closed_with(406).reply_text
    assert text.endswith("user_id property set to 'ann' but authenticated user was 'guest'")


def test_cc_and_bcc_add_queues_and_bcc_is_taken_out(node: Node, channel: ChannelScript) -> None:
    node.queue(b"cc")
    node.queue(b"bcc")
    headers = {"CC": ["cc", "q"], "BCC": ["bcc"], "other": 1}
    channel.publish(b"x", properties={"headers": headers, "type": "t"})
    for name in ("q", "cc", "bcc"):
        message = got(channel, name)
        assert message.properties == {"headers": {"CC": ["cc", "q"], "other": 1}, "type": "t"}
        assert message.routing_key == "q"
        assert is_empty(node, name.encode())


@pytest.mark.parametrize("name", ["CC", "BCC"])
def test_cc_must_be_an_array(channel: ChannelScript, name: str) -> None:
    channel.publish(b"x", properties={"headers": {name: "q"}})
    text = channel.closed_with(406).reply_text
    assert text.endswith(f'{{unacceptable_type_in_header,"{name}",longstr}}')


def test_headers_without_cc_are_not_touched(channel: ChannelScript) -> None:
    octets = codec.encode_properties({"headers": {"xCC": 1}})
    channel >> PUBLISH + frame(2, 1, header_payload(0, octets))
    got(channel)
    channel.client.take_frames()
    assert channel.client.log[-1].payload == header_payload(0, octets)


# Alarms


def test_publisher_is_blocked_by_an_alarm_and_let_on_after_it(node: Node, channel: ChannelScript) -> None:
    node.context.alarm.is_on, node.context.alarm.reason = True, b"low on memory"
    channel.publish(b"x", b"y")
    channel.client << Connection.blocked(reason="low on memory")
    assert channel.client.is_quiet()
    assert not channel.client.transport.is_reading
    node.context.alarm.is_on = False
    channel.client.session.client.unblock()
    node.end_turn()
    channel.client << Connection.unblocked()
    assert channel.client.transport.is_reading
    assert node.vhost.queues[b"q"].ready_count == 2


def test_client_that_cannot_be_told_is_blocked_silently(node: Node) -> None:
    channel = node.client(capabilities={}).channel()
    node.context.alarm.is_on = True
    channel.publish(b"x")
    assert channel.client.is_quiet()
    assert not channel.client.transport.is_reading


def test_consumers_and_acks_go_on_during_an_alarm(node: Node, channel: ChannelScript) -> None:
    channel.publish(b"x")
    node.context.alarm.is_on = True
    consumer = node.channel().consume()
    consumer << Basic.deliver(delivery_tag=1)
    consumer >> Basic.ack(delivery_tag=1)
    assert consumer.client.transport.is_reading
    assert int(node.vhost.queues[b"q"].unacked_count) == 0


def test_publish_in_a_transaction_waits_for_the_commit(node: Node, channel: ChannelScript) -> None:
    channel >> Tx.select()
    channel << Tx.select_ok()
    channel.publish(b"x")
    assert is_empty(node)
    channel >> Exchange.declare(exchange="e", type="fanout", nowait=True) >> Tx.commit()
    channel << Tx.commit_ok()
    assert not is_empty(node)


def test_persistent_message_reaches_the_store_in_durable_queues_only(
    node: Node, channel: ChannelScript
) -> None:
    durable = node.queue(b"durable", durable=True)
    for key in ("durable", "q"):
        channel >> octets_of(1, Basic.publish(routing_key=key, body=b"x", properties={"delivery_mode": 2}))
        channel >> octets_of(1, Basic.publish(routing_key=key, body=b"x", properties={"delivery_mode": 1}))
    assert [queues for _, queues in node.store.appended] == [[durable.kept]]


def test_empty_pieces_of_a_body_are_not_kept(node: Node) -> None:
    client = node.client()
    channel = client.channel()
    channel.consume(no_ack=True)
    client.feed(PUBLISH + frame(2, 1, header_payload(3)) + frame(3, 1, b"") * 1000 + frame(3, 1, b"ab"))
    assert node.context.buffered.body_bytes == 2
    client.feed(frame(3, 1, b"c"))
    assert channel.bodies() == [b"abc"]
    assert node.context.buffered.body_bytes == 0


def test_bodies_that_wait_for_a_commit_or_for_their_rest_are_counted(node: Node) -> None:
    client = node.client()
    channel = client.channel()
    channel >> Tx.select()
    channel << Tx.select_ok()
    channel.publish(b"12345", b"678")
    assert node.context.buffered.body_bytes == 8
    channel >> Tx.rollback()
    assert node.context.buffered.body_bytes == 0
    channel.publish(b"12345")
    channel >> Channel.close()
    assert node.context.buffered.body_bytes == 0
