"""HTTP: what the server says of itself, connections that stay open, and those that end with the node."""

import asyncio
import http.client
import socket
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from tests.management.api import Api

from supersoniq import Broker
from supersoniq.management.http import Http


def test_connection_serves_several_requests(api: Api) -> None:
    connection = http.client.HTTPConnection(urlsplit(api.url).netloc, timeout=30)
    for _ in range(3):
        connection.request("GET", "/api/whoami", headers={"Authorization": "Basic Z3Vlc3Q6Z3Vlc3Q="})
        response = connection.getresponse()
        assert (response.status, response.getheader("server")) == (200, "SupersoniQ")
        assert response.read()
        assert connection.sock is not None
    connection.close()


def test_node_stops_though_a_client_stays_connected() -> None:
    with Broker(management="on", shutdown_grace_ms=100) as broker:
        address = broker.node.management_addresses[0]
        client = socket.create_connection(address, timeout=30)
        client.sendall(b"GET /api/whoami HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 401")
    assert client.recv(1000) == b""
    client.close()


def test_answer_has_the_date(api: Api) -> None:
    for path in ("/api/whoami", "/api/nope"):
        date = parsedate_to_datetime(api.ask("GET", path).headers["date"])
        assert abs((datetime.now(UTC) - date).total_seconds()) < 30


@pytest.mark.parametrize("sent", [b"", b"GET /api/whoami HTTP/1.1\r\nHos"])
def test_connection_without_a_whole_request_is_closed(sent: bytes) -> None:
    asyncio.run(asyncio.wait_for(left_alone(sent), 30))


async def left_alone(sent: bytes) -> None:
    http = Http(nothing, head_seconds=0.05)
    server = await asyncio.get_running_loop().create_server(http.remote, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(sent)
        assert await reader.read() == b""
        writer.close()


def test_answer_may_take_longer_than_a_request() -> None:
    asyncio.run(asyncio.wait_for(answered_late(), 30))


async def answered_late() -> None:
    http = Http(late, head_seconds=0.05)
    server = await asyncio.get_running_loop().create_server(http.remote, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        for _ in range(2):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await reader.readuntil(b"late")).startswith(b"HTTP/1.1 200")
        writer.close()


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("no request came")


async def late(scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.sleep(0.15)
    await Response("late")(scope, receive, send)
