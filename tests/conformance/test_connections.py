"""Connections: the handshake step by step, logins, tuning, virtual hosts, and closing from both ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.conformance.codec import PROTOCOL_HEADER, Basic, Connection, Method, Queue, table
from tests.conformance.names import Names
from tests.conformance.wire import Wire, WireChannel, connection_closed

Dial = Callable[[], Wire]
CAPABILITIES = (
    "publisher_confirms", "exchange_exchange_bindings", "basic.nack", "consumer_cancel_notify",
    "connection.blocked", "consumer_priorities", "authentication_failure_close", "per_consumer_qos",
    "direct_reply_to",
)  # fmt: skip
REFUSED = "Login was refused using authentication mechanism {}. For details see the broker logfile."


@pytest.mark.rule("connection.start", "server-properties")
def test_start_announces_mechanisms_locale_and_every_capability(dial: Dial) -> None:
    start = dial().start()
    assert (start.version_major, start.version_minor) == (0, 9)
    assert {b"PLAIN", b"AMQPLAIN"} <= set(start.mechanisms.split(b" "))
    assert start.locales == b"en_US"
    assert start.server_properties["capabilities"] == dict.fromkeys(CAPABILITIES, True)


@pytest.mark.rule("connection.start", "server-properties")
def test_start_says_who_answers(dial: Dial) -> None:
    server_properties = dial().start().server_properties
    for name in ("product", "version", "platform", "copyright", "information", "cluster_name"):
        assert isinstance(server_properties[name], str), name
        assert server_properties[name], name


@pytest.mark.rule("connection.tune", "proposal")
def test_tune_proposes_rabbitmqs_limits(dial: Dial) -> None:
    wire = dial()
    wire.start()
    wire.login()
    wire << Connection.tune(channel_max=2047, frame_max=131072, heartbeat=60)


@pytest.mark.rule("connection.open", "reply")
def test_open_ok_carries_an_empty_short_string(dial: Dial) -> None:
    wire = dial()
    wire.start()
    wire.login() << Connection.tune()
    wire >> Connection.tune_ok(channel_max=2047, frame_max=131072) >> Connection.open(virtual_host="/")
    wire << Connection.open_ok(reserved_1="")


@pytest.mark.rule("connection.start-ok", "pipelining")
def test_client_may_pipeline_its_part_of_the_handshake(dial: Dial) -> None:
    wire = dial()
    wire.write(PROTOCOL_HEADER)
    wire.login() >> Connection.tune_ok(channel_max=10, frame_max=8192) >> Connection.open(virtual_host="/")
    expected = ["connection.start", "connection.tune", "connection.open_ok"]
    assert [wire.zero.next().name for _ in expected] == expected


LOGINS = {
    "plain": ("PLAIN", b"\0guest\0guest"),
    "amqplain": ("AMQPLAIN", table({"LOGIN": "guest", "PASSWORD": "guest"})[4:]),
}
BAD_LOGINS = {
    "plain-password": ("PLAIN", b"\0guest\0wrong"),
    "plain-user": ("PLAIN", b"\0nobody\0guest"),
    "plain-empty": ("PLAIN", b"\0guest\0"),
    "amqplain-password": ("AMQPLAIN", table({"LOGIN": "guest", "PASSWORD": "wrong"})[4:]),
}
MALFORMED = {
    "plain": ("PLAIN", b"guest"),
    "amqplain": ("AMQPLAIN", b"junk"),
    "unknown": ("FOO", b""),
}


@pytest.mark.rule("connection.start-ok", "mechanism")
@pytest.mark.parametrize("name", LOGINS)
def test_right_password_is_let_in(name: str, dial: Dial) -> None:
    mechanism, response = LOGINS[name]
    wire = dial()
    wire.start()
    wire.login(mechanism=mechanism, response=response) << Connection.tune()


@pytest.mark.rule("connection.start-ok", "refused")
@pytest.mark.parametrize("name", BAD_LOGINS)
def test_wrong_login_is_told_when_the_client_can_be_told(name: str, dial: Dial) -> None:
    mechanism, response = BAD_LOGINS[name]
    wire = dial()
    wire.start()
    wire.login(mechanism=mechanism, response=response)
    wire << connection_closed(403, REFUSED.format(mechanism), 0, 0)
    wire >> Connection.close_ok()


@pytest.mark.slow
@pytest.mark.rule("connection.start-ok", "refused")
def test_wrong_login_of_a_client_without_the_capability_ends_in_a_closed_socket(dial: Dial) -> None:
    wire = dial()
    wire.start()
    wire.login(response=b"\0guest\0wrong", capabilities={})
    assert wire.ended() == b""


@pytest.mark.slow
@pytest.mark.rule("connection.start-ok", "malformed")
@pytest.mark.parametrize("name", MALFORMED)
def test_login_that_makes_no_sense_gets_no_further(name: str, dial: Dial) -> None:
    """RabbitMQ 3.10 drops the socket, 4.x says 503 first: neither of them tunes."""
    mechanism, response = MALFORMED[name]
    wire = dial()
    wire.start()
    wire.login(mechanism=mechanism, response=response)
    assert_refused(wire)


@pytest.mark.slow
@pytest.mark.rule("connection.tune-ok", "limits")
@pytest.mark.parametrize(
    ("channel_max", "frame_max"),
    [(2047, 4095), (2047, 131073), (2047, 0), (2048, 131072), (0, 131072)],
    ids=["frame-low", "frame-high", "frame-unlimited", "channels-high", "channels-unlimited"],
)
def test_tuning_beyond_the_limits_is_refused(channel_max: int, frame_max: int, dial: Dial) -> None:
    wire = dial()
    wire.start()
    wire.login() << Connection.tune()
    (
        wire
        >> Connection.tune_ok(channel_max=channel_max, frame_max=frame_max)
        >> Connection.open(virtual_host="/")
    )
    assert_refused(wire, 530)


def assert_refused(wire: Wire, *codes: int) -> None:
    """The socket is closed in time, at most after a `connection.close`."""
    try:
        received = wire.zero.next()
    except AssertionError:
        return
    assert received.name == "connection.close"
    assert not codes or received.reply_code in codes
    wire >> Connection.close_ok()


@pytest.mark.rule("connection.tune-ok", "limits")
def test_smallest_frame_max_of_the_specification_is_accepted(connect: Callable[..., Wire]) -> None:
    connect(frame_max=4096).channel().call(Basic.qos())


@pytest.mark.rule("connection.open", "missing-vhost")
def test_unknown_virtual_host_is_refused(dial: Dial) -> None:
    wire = dial()
    wire.start()
    wire.login() << Connection.tune()
    wire >> Connection.tune_ok(channel_max=2047, frame_max=131072) >> Connection.open(virtual_host="nope")
    wire << connection_closed(530, "vhost nope not found", 10, 40)
    wire >> Connection.close_ok()


@pytest.mark.rule("connection", "state")
@pytest.mark.parametrize(
    ("method", "ids"),
    [
        (Connection.tune_ok(), (10, 31)), (Connection.open(virtual_host="/"), (10, 40)),
        (Connection.start_ok(), (10, 11)), (Basic.qos(), (60, 10)),
    ],
    ids=lambda value: getattr(value, "name", None),
)  # fmt: skip
def test_method_that_does_not_belong_there_closes_the_connection(
    method: Method, ids: tuple[int, int], wire: Wire
) -> None:
    wire >> method
    wire << connection_closed(504, "unexpected method in connection state running", *ids)
    wire >> Connection.close_ok()


@pytest.mark.slow
@pytest.mark.rule("connection", "state")
def test_handshake_out_of_order_gets_no_further(dial: Dial) -> None:
    wire = dial()
    wire.start()
    wire >> Connection.open(virtual_host="/")
    assert_refused(wire)


@pytest.mark.slow
@pytest.mark.rule("connection", "handshake-timeout")
@pytest.mark.parametrize("says_header", [False, True], ids=["mute", "start-only"])
def test_connection_that_is_never_opened_is_dropped_after_ten_seconds(says_header: bool, dial: Dial) -> None:
    wire = dial()
    if says_header:
        wire.start()
    wire.ended(14)


@pytest.mark.rule("connection.close", "client")
def test_close_is_answered_and_the_socket_ends_with_the_clients(wire: Wire) -> None:
    wire >> Connection.close(reply_code=200, reply_text="bye")
    wire << Connection.close_ok()


@pytest.mark.rule("connection.close", "client")
def test_close_ends_everything_that_was_open(
    wire: Wire, ch: WireChannel, q: str, connect: Callable[..., Wire], names: Names
) -> None:
    exclusive = names()
    ch.publish(b"m", q)
    ch.call(Queue.declare(queue=exclusive, exclusive=True))
    ch.call(Basic.consume(queue=q))
    ch << Basic.deliver(redelivered=False)
    wire.close()
    other = connect().channel()
    other.call(Queue.declare(queue=exclusive, exclusive=True))
    other >> Basic.get(queue=q)
    other << Basic.get_ok(redelivered=True)


@pytest.mark.rule("connection.close", "server")
def test_everything_but_close_ok_is_ignored_after_the_servers_close(
    wire: Wire, ch: WireChannel, q: str
) -> None:
    ch >> Basic.recover(requeue=False)
    ch.publish(b"ignored", q)
    WireChannel(wire, 99) >> Basic.ack(delivery_tag=5)
    wire << connection_closed(540, "requeue=false", 60, 110)
    WireChannel(wire, 99) >> Basic.ack(delivery_tag=5)
    wire >> Connection.close_ok()
    assert wire.ended() == b""


@pytest.mark.rule("connection.close", "crossing")
def test_close_instead_of_close_ok_is_answered(wire: Wire, ch: WireChannel) -> None:
    ch >> Basic.recover(requeue=False)
    wire << Connection.close(reply_code=540)
    wire >> Connection.close()
    wire << Connection.close_ok()


@pytest.mark.rule("connection", "lost")
@pytest.mark.parametrize("end", ["drop", "reset"])
def test_lost_connection_gives_back_messages_and_names(
    end: str, ch: WireChannel, q: str, connect: Callable[..., Wire], names: Names
) -> None:
    exclusive = names()
    lost = connect()
    consumer = lost.channel()
    consumer.call(Queue.declare(queue=exclusive, exclusive=True))
    consumer.call(Basic.consume(queue=q))
    for number in range(3):
        ch.publish(b"%d" % number, q)
    assert consumer.bodies(3) == [b"0", b"1", b"2"]
    getattr(lost, end)()
    ch.call(Basic.consume(queue=q))
    assert [(ch << Basic.deliver(redelivered=True)).body for _ in range(3)] == [b"0", b"1", b"2"]


@pytest.mark.rule("connection.update-secret", "unchanged")
def test_update_secret_is_answered_for_ordinary_users(wire: Wire) -> None:
    wire.zero.call(Connection.update_secret(new_secret="guest", reason="because"))


@pytest.mark.rule("connection.start-ok", "client-properties")
def test_client_properties_may_hold_anything(connect: Callable[..., Wire]) -> None:
    wire = connect(product="x" * 1000, connection_name="me", nested={"a": [1, None, {"b": 2.5}]}, flag=True)
    wire.channel().call(Basic.qos())


@pytest.mark.rule("basic.cancel", "capability")
def test_client_without_the_capability_is_not_told_of_a_cancelled_consumer(
    connect: Callable[..., Wire], ch: WireChannel, q: str
) -> None:
    plain = connect(capabilities={}).channel()
    plain.call(Basic.consume(queue=q))
    ch.call(Queue.delete(queue=q))
    plain.quiet()
    plain.call(Basic.qos())
