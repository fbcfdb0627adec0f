"""A connection: its handshake and end fed by hand, and against a broker."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from tests.client.pipe import Pipe, frames_in, method, methods_in

from supersoniq.amqp.frames import HEARTBEAT
from supersoniq.amqp.properties import Properties
from supersoniq.amqp.spec import (
    CONNECTION_BLOCKED,
    CONNECTION_CLOSE,
    CONNECTION_CLOSE_OK,
    CONNECTION_OPEN,
    CONNECTION_OPEN_OK,
    CONNECTION_START,
    CONNECTION_START_OK,
    CONNECTION_TUNE,
    CONNECTION_TUNE_OK,
    CONNECTION_UNBLOCKED,
    PROTOCOL_HEADER,
)
from supersoniq.client.address import Address, parse_url
from supersoniq.client.connection import Connection, connect
from supersoniq.client.errors import ClientError, ConnectionClosed, ConnectionLost, Unreachable
from supersoniq.client.listener import Listener
from supersoniq.client.publishing import publish_frames

START = method(0, CONNECTION_START, b"\x00\x09" + bytes(4) + b"\x00\x00\x00\x05PLAIN\x00\x00\x00\x05en_US")
TUNE = method(0, CONNECTION_TUNE, (10).to_bytes(2) + (8192).to_bytes(4) + (60).to_bytes(2))
OPEN_OK = method(0, CONNECTION_OPEN_OK, b"\x00")


class Losses(Listener):
    """Notes why connections end, and bodies."""

    def __init__(self) -> None:
        self.errors: list[ClientError] = []
        self.bodies: asyncio.Queue[bytes] = asyncio.Queue()

    def lost(self, error: ClientError) -> None:
        self.errors.append(error)

    def delivered(self, channel: int, delivery_tag: int, data: bytes, start: int, end: int) -> None:
        self.bodies.put_nowait(data[start:end])


def run(
    test: Callable[[Connection, Pipe, Losses], Coroutine[Any, Any, None]], heartbeat_seconds: int = 0
) -> None:
    """Run `test` with a connection whose transport is a pipe."""

    async def inner() -> None:
        losses = Losses()
        connection = Connection(Address(user="me", password="secret", vhost="v"), heartbeat_seconds, losses)
        pipe = Pipe()
        connection.connection_made(pipe)
        await test(connection, pipe, losses)
        connection.connection_lost(None)

    asyncio.run(inner())


def test_handshake_sends_what_the_server_asks_for() -> None:
    async def test(connection: Connection, pipe: Pipe, losses: Losses) -> None:
        assert pipe.writes == [PROTOCOL_HEADER]
        connection.data_received(START)
        connection.data_received(TUNE)
        connection.data_received(OPEN_OK)
        await connection.opened
        start_ok, tune_ok, opening = frames_in(b"".join(pipe.writes[1:]))
        assert start_ok[0] == CONNECTION_START_OK
        assert start_ok[2].endswith(b"\x05PLAIN\x00\x00\x00\x0a\x00me\x00secret\x05en_US")
        assert tune_ok == (CONNECTION_TUNE_OK, 0, (10).to_bytes(2) + (8192).to_bytes(4) + (0).to_bytes(2))
        assert opening == (CONNECTION_OPEN, 0, b"\x01v\x00\x00")
        assert connection.wire.frame_max_bytes == 8192

    run(test)


def test_server_without_limits_gets_ours() -> None:
    async def test(connection: Connection, pipe: Pipe, losses: Losses) -> None:
        connection.data_received(START + method(0, CONNECTION_TUNE, bytes(8)))
        assert frames_in(b"".join(pipe.writes[1:]))[1][2] == (2047).to_bytes(2) + (131072).to_bytes(
            4
        ) + bytes(2)

    run(test)


def test_close_by_the_server_is_answered_and_fails_what_waits() -> None:
    async def test(connection: Connection, pipe: Pipe, losses: Losses) -> None:
        connection.data_received(START + TUNE + OPEN_OK)
        opening = asyncio.create_task(connection.channel())
        await asyncio.sleep(0)
        connection.data_received(method(0, CONNECTION_CLOSE, (320).to_bytes(2) + b"\x03bye" + bytes(4)))
        with pytest.raises(ConnectionClosed, match="320 bye"):
            await opening
        with pytest.raises(ConnectionClosed, match="320 bye"):
            await connection.channel()
        assert methods_in(b"".join(pipe.writes[1:]))[-1] == CONNECTION_CLOSE_OK
        assert pipe.is_closed
        assert [str(error) for error in losses.errors] == ["320 bye"]

    run(test)


def test_close_of_ours_waits_for_the_server_and_is_no_loss() -> None:
    async def test(connection: Connection, pipe: Pipe, losses: Losses) -> None:
        connection.data_received(START + TUNE + OPEN_OK)
        closing = asyncio.create_task(connection.close())
        await asyncio.sleep(0)
        assert not closing.done()
        connection.data_received(method(0, CONNECTION_CLOSE_OK))
        assert pipe.is_closed
        connection.connection_lost(None)
        await closing
        assert not losses.errors

    run(test)


def test_end_without_a_close_is_a_loss() -> None:
    async def test(connection: Connection, pipe: Pipe, losses: Losses) -> None:
        connection.data_received(START + TUNE + OPEN_OK)
        connection.connection_lost(ConnectionResetError("reset"))
        assert isinstance(losses.errors[0], ConnectionLost)
        assert "reset" in str(losses.errors[0])

    run(test)


@pytest.mark.parametrize("garbage", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"AMQP\x00\x00\x09\x00", bytes(64)])
def test_garbage_instead_of_a_handshake_is_no_server(garbage: bytes) -> None:
    async def test(connection: Connection, pipe: Pipe, losses: Losses) -> None:
        connection.data_received(garbage)
        connection.connection_lost(None)
        with pytest.raises(ClientError):
            await connection.opened

    run(test)


def test_truncated_method_ends_the_connection() -> None:
    async def test(connection: Connection, pipe: Pipe, losses: Losses) -> None:
        connection.data_received(START + TUNE + OPEN_OK)
        connection.data_received(method(0, CONNECTION_CLOSE, b"\x01"))
        assert pipe.is_aborted
        assert "not AMQP 0-9-1" in str(losses.errors[0])

    run(test)


def test_blocked_lasts_until_unblocked() -> None:
    async def test(connection: Connection, pipe: Pipe, losses: Losses) -> None:
        connection.data_received(START + TUNE + OPEN_OK + method(0, CONNECTION_BLOCKED, b"\x03low"))
        assert connection.is_blocked
        connection.data_received(method(0, CONNECTION_UNBLOCKED))
        assert not connection.is_blocked

    run(test)


def test_heartbeats_are_sent_twice_an_interval() -> None:
    async def test(connection: Connection, pipe: Pipe, losses: Losses) -> None:
        connection.data_received(START + TUNE + OPEN_OK)
        async with asyncio.timeout(5):
            while HEARTBEAT not in pipe.writes:
                await asyncio.sleep(0.01)

    run(test, heartbeat_seconds=1)


def test_message_published_is_delivered(broker_url: str) -> None:
    async def test() -> None:
        losses = Losses()
        connection = await connect(parse_url(broker_url), heartbeat_seconds=10, listener=losses)
        channel = await connection.channel()
        queue = await channel.queue_declare("", exclusive=True)
        await channel.consume(queue.name, no_ack=True)
        body = b"x" * 300_000
        header = Properties().content_header(len(body))
        frame_max_bytes = connection.wire.frame_max_bytes
        connection.wire.write(publish_frames(1, b"", queue.name.encode(), header, body, frame_max_bytes))
        assert await asyncio.wait_for(losses.bodies.get(), 5) == body
        await connection.close()
        assert not losses.errors

    asyncio.run(test())


def test_channel_number_is_free_again_after_a_close(broker_url: str) -> None:
    async def test() -> None:
        connection = await connect(parse_url(broker_url))
        first = await connection.channel()
        assert (await connection.channel()).number == 2
        await first.close()
        assert (await connection.channel()).number == 1
        await connection.close()

    asyncio.run(test())


def test_refused_login_comes_with_the_brokers_text(broker_url: str) -> None:
    address = parse_url(broker_url)
    wrong = Address(address.host, address.port, "guest", "wrong", "/")
    with pytest.raises(ConnectionClosed, match="403 ACCESS_REFUSED"):
        asyncio.run(connect(wrong))


def test_nobody_there_is_unreachable(free_port: int) -> None:
    with pytest.raises(Unreachable, match="Connection refused"):
        asyncio.run(connect(Address(port=free_port)))


def test_mute_server_is_unreachable_after_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = Address(port=mute.getsockname()[1])
        with pytest.raises(Unreachable, match="did not complete the handshake"):
            asyncio.run(connect(address, timeout_seconds=0.05))
