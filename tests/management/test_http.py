"""HTTP: what the server says of itself, connections that stay open, and those that end with the node."""

import http.client
import socket
from urllib.parse import urlsplit

from tests.management.api import Api

from supersoniq import Broker


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
