"""A channel fed with bytes: replies, contents, closes."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from tests.client.pipe import Pipe, content, delivery, frames_in, method, methods_in

from supersoniq.amqp.spec import (
    BASIC_ACK,
    BASIC_CANCEL,
    BASIC_CANCEL_OK,
    BASIC_CONSUME_OK,
    BASIC_NACK,
    BASIC_QOS_OK,
    BASIC_RETURN,
    CHANNEL_CLOSE,
    CHANNEL_CLOSE_OK,
    CHANNEL_FLOW,
    CHANNEL_FLOW_OK,
    CONFIRM_SELECT_OK,
    EXCHANGE_DECLARE_OK,
    EXCHANGE_DELETE_OK,
    QUEUE_BIND_OK,
    QUEUE_DECLARE_OK,
    QUEUE_DELETE_OK,
    QUEUE_PURGE_OK,
    QUEUE_UNBIND_OK,
)
from supersoniq.client.address import Address
from supersoniq.client.channel import Channel
from supersoniq.client.connection import Connection
from supersoniq.client.errors import ChannelClosed, ClientError, ConnectionLost
from supersoniq.client.listener import Listener
from supersoniq.client.wire import Wire


class Heard(Listener):
    """Notes what it hears."""

    def __init__(self) -> None:
        self.deliveries: list[tuple[int, bytes]] = []
        self.confirms: list[tuple[int, bool, bool]] = []
        self.cancels: list[bytes] = []
        self.closes: list[ClientError] = []

    def delivered(self, channel: int, delivery_tag: int, data: bytes, start: int, end: int) -> None:
        self.deliveries.append((delivery_tag, data[start:end]))

    def confirmed(self, channel: int, delivery_tag: int, multiple: bool, accepted: bool) -> None:
        self.confirms.append((delivery_tag, multiple, accepted))

    def cancelled(self, channel: int, consumer_tag: bytes) -> None:
        self.cancels.append(consumer_tag)

    def channel_closed(self, channel: int, error: ClientError) -> None:
        self.closes.append(error)


class Bench:
    """Channel 1 of a connection that was never opened, its transport, and its listener."""

    def __init__(self) -> None:
        self.heard = Heard()
        self.pipe = Pipe()
        self.wire = Wire()
        self.wire.attach(self.pipe)
        self.channel = Channel(self.wire, 1, self.heard)

    def feed(self, data: bytes) -> None:
        """Hand frames to the channel as its connection does."""
        for kind, _, payload in frames_in(data):
            if kind == "header":
                self.channel.header(payload, 0, len(payload))
            elif kind == "body":
                self.channel.body(payload, 0, len(payload))
            else:
                assert isinstance(kind, int)
                whole = kind.to_bytes(4) + payload
                self.channel.method(whole, 0, len(whole))


def run(test: Callable[[Bench], Coroutine[Any, Any, None]]) -> None:
    """Run `test` with a bench of its own."""

    async def inner() -> None:
        await test(Bench())

    asyncio.run(inner())


async def answered(bench: Bench, call: Coroutine[Any, Any, Any], *answers: bytes) -> Any:
    """Start `call`, feed the answers, return its result."""
    task = asyncio.create_task(call)
    await asyncio.sleep(0)
    for answer in answers:
        bench.feed(answer)
    return await task


def test_bodies_in_any_number_of_pieces_are_delivered_whole() -> None:
    async def test(bench: Bench) -> None:
        bench.feed(delivery(1, 1) + delivery(1, 2, b"one") + delivery(1, 3, b"in ", b"three ", b"pieces"))
        assert bench.heard.deliveries == [(1, b""), (2, b"one"), (3, b"in three pieces")]

    run(test)


def test_returned_message_is_counted_and_not_taken_for_a_delivery() -> None:
    async def test(bench: Bench) -> None:
        bench.feed(method(1, BASIC_RETURN, b"\x01\x38\x00\x00\x00") + content(1, b"body"))
        assert bench.channel.returned_count == 1
        assert not bench.heard.deliveries

    run(test)


def test_confirms_are_heard_with_multiple_and_verdict() -> None:
    async def test(bench: Bench) -> None:
        bench.feed(
            method(1, BASIC_ACK, (7).to_bytes(8) + b"\x01") + method(1, BASIC_NACK, (8).to_bytes(8) + b"\x00")
        )
        assert bench.heard.confirms == [(7, True, True), (8, False, False)]

    run(test)


def test_consumer_cancelled_by_the_server_is_heard() -> None:
    async def test(bench: Bench) -> None:
        bench.feed(method(1, BASIC_CANCEL, b"\x03tag\x01"))
        assert bench.heard.cancels == [b"tag"]

    run(test)


def test_flow_of_the_server_is_answered_with_what_it_asked() -> None:
    async def test(bench: Bench) -> None:
        bench.feed(method(1, CHANNEL_FLOW, b"\x00"))
        bench.wire.flush()
        assert frames_in(bench.pipe.written) == [(CHANNEL_FLOW_OK, 1, b"\x00")]

    run(test)


def test_replies_go_to_the_calls_in_their_order() -> None:
    async def test(bench: Bench) -> None:
        one = asyncio.create_task(bench.channel.queue_declare("a"))
        two = asyncio.create_task(bench.channel.queue_declare("b"))
        await asyncio.sleep(0)
        bench.feed(method(1, QUEUE_DECLARE_OK, b"\x01a" + (5).to_bytes(4) + (2).to_bytes(4)))
        bench.feed(method(1, QUEUE_DECLARE_OK, b"\x01b" + bytes(8)))
        first, second = await one, await two
        assert (first.name, first.message_count, first.consumer_count, second.name) == ("a", 5, 2, "b")

    run(test)


EMPTY_REPLIES: list[tuple[Callable[[Channel], Coroutine[Any, Any, Any]], int]] = [
    (lambda channel: channel.qos(10, whole_channel=True), BASIC_QOS_OK),
    (lambda channel: channel.confirm_select(), CONFIRM_SELECT_OK),
    (lambda channel: channel.exchange_declare("x", "topic", durable=True), EXCHANGE_DECLARE_OK),
    (lambda channel: channel.exchange_delete("x"), EXCHANGE_DELETE_OK),
    (lambda channel: channel.queue_bind("q", "x", "key"), QUEUE_BIND_OK),
    (lambda channel: channel.queue_unbind("q", "x", "key"), QUEUE_UNBIND_OK),
    (lambda channel: channel.cancel("tag"), BASIC_CANCEL_OK),
]


@pytest.mark.parametrize(("call", "reply"), EMPTY_REPLIES)
def test_call_ends_with_its_reply(call: Callable[[Channel], Coroutine[Any, Any, Any]], reply: int) -> None:
    async def test(bench: Bench) -> None:
        await answered(bench, call(bench.channel), method(1, reply, b"\x03tag"))
        assert len(frames_in(bench.pipe.written)) == 1

    run(test)


def test_counts_and_names_come_out_of_replies() -> None:
    async def test(bench: Bench) -> None:
        channel = bench.channel
        assert (
            await answered(bench, channel.queue_purge("q"), method(1, QUEUE_PURGE_OK, (3).to_bytes(4))) == 3
        )
        assert (
            await answered(bench, channel.queue_delete("q"), method(1, QUEUE_DELETE_OK, (4).to_bytes(4))) == 4
        )
        assert await answered(bench, channel.consume("q"), method(1, BASIC_CONSUME_OK, b"\x03tag")) == "tag"
        assert await answered(bench, channel.flow(True), method(1, CHANNEL_FLOW_OK, b"\x01")) is True

    run(test)


def test_wrong_reply_fails_the_call() -> None:
    async def test(bench: Bench) -> None:
        with pytest.raises(ConnectionLost, match="answered with method"):
            await answered(bench, bench.channel.qos(1), method(1, CONFIRM_SELECT_OK))

    run(test)


def test_reply_that_nobody_waits_for_is_dropped() -> None:
    async def test(bench: Bench) -> None:
        bench.feed(method(1, BASIC_QOS_OK))

    run(test)


def test_close_by_the_server_is_answered_heard_and_raised() -> None:
    async def test(bench: Bench) -> None:
        close = method(1, CHANNEL_CLOSE, (404).to_bytes(2) + b"\x04gone" + bytes(4))
        with pytest.raises(ChannelClosed, match="404 gone"):
            await answered(bench, bench.channel.qos(1), close)
        bench.wire.flush()
        assert methods_in(bench.pipe.written)[-1] == CHANNEL_CLOSE_OK
        assert [str(error) for error in bench.heard.closes] == ["404 gone"]
        assert bench.channel.is_closed

    run(test)


def test_call_on_a_closed_channel_raises_why_and_leaves_what_others_appended() -> None:
    async def test(bench: Bench) -> None:
        bench.channel.ack(1, False)
        bench.channel.fail(ConnectionLost("it is over"))
        with pytest.raises(ConnectionLost, match="it is over"):
            await bench.channel.qos(1)
        bench.wire.flush()
        assert methods_in(bench.pipe.written) == [BASIC_ACK]

    run(test)


def test_close_twice_closes_once() -> None:
    async def test(bench: Bench) -> None:
        await answered(bench, bench.channel.close(), method(1, CHANNEL_CLOSE_OK))
        await bench.channel.close()
        assert methods_in(bench.pipe.written) == [CHANNEL_CLOSE]

    run(test)


def test_connection_hands_frames_to_the_channel_of_their_number() -> None:
    async def test(bench: Bench) -> None:
        connection = Connection(Address(), 0, bench.heard)
        connection.connection_made(Pipe())
        tasks = [asyncio.create_task(connection.channel()) for _ in range(2)]
        await asyncio.sleep(0)
        connection.data_received(method(1, 0x0014000B, bytes(4)) + method(2, 0x0014000B, bytes(4)))
        assert [(await task).number for task in tasks] == [1, 2]
        connection.data_received(delivery(2, 1, b"two") + delivery(1, 1, b"one") + delivery(9, 1, b"nobody"))
        assert bench.heard.deliveries == [(1, b"two"), (1, b"one")]

    run(test)


def test_frame_reader_takes_a_channel_s_acks() -> None:
    async def test(bench: Bench) -> None:
        bench.channel.ack(258, True)
        bench.wire.flush()
        assert frames_in(bench.pipe.written) == [(BASIC_ACK, 1, (258).to_bytes(8) + b"\x01")]

    run(test)
