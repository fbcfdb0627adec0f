"""Who comes from a proxy is asked where it is; who comes from elsewhere is let in as it stands."""

import asyncio
import logging
from ipaddress import ip_network

import pytest
from tests.server.fake_loop import FakeLoop, FakeSocket

from supersoniq.server.handshakes import Handshakes
from supersoniq.server.proxy_gate import ProxyGate
from supersoniq.server.proxy_protocol import Peer

HEADER = b"PROXY TCP4 192.0.2.1 192.0.2.9 50000 5672\r\n"


class Let:
    """A protocol that notes what it gets."""

    def __init__(self, peer: Peer | None) -> None:
        self.peer = peer
        self.transport: asyncio.Transport | None = None
        self.data = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.data += data


class Door:
    """A gate on a fake socket, for proxies in 10.0.0.0/8 and ::1."""

    def __init__(self, peer: object) -> None:
        self.loop = FakeLoop()
        self.handshakes = Handshakes(self.loop.as_loop(), 10)
        self.let: list[Let] = []
        self.socket = FakeSocket(peer)
        proxies = [ip_network("10.0.0.0/8"), ip_network("::1")]
        self.gate = ProxyGate(self.new, proxies, self.handshakes)
        self.gate.connection_made(self.socket)

    def new(self, peer: Peer | None) -> Let:
        self.let.append(Let(peer))
        return self.let[-1]


@pytest.mark.parametrize("peer", [("10.1.2.3", 7), ("::ffff:10.1.2.3", 7, 0, 0), ("::1", 7, 0, 0)], ids=str)
def test_proxy_says_who_comes(peer: object) -> None:
    door = Door(peer)
    assert (door.let, door.handshakes.count) == ([], 1)
    door.gate.data_received(HEADER[:9])
    door.gate.data_received(HEADER[9:] + b"AMQP")
    (let,) = door.let
    assert (let.peer, let.data, let.transport) == (("192.0.2.1", 50000), b"AMQP", door.socket)
    assert door.socket.protocol is let
    assert door.handshakes.count == 0


def test_proxy_that_speaks_for_itself_is_the_client() -> None:
    door = Door(("10.0.0.1", 7))
    door.gate.data_received(b"PROXY UNKNOWN\r\n")
    assert (door.let[0].peer, door.let[0].data) == (None, b"")


@pytest.mark.parametrize("peer", [("192.0.2.7", 7), ("fe80::1%eth0", 7, 0, 2), "", None])
def test_who_comes_from_elsewhere_is_let_in_at_once(peer: object) -> None:
    door = Door(peer)
    assert door.let[0].peer is None
    assert door.socket.protocol is door.let[0]
    assert door.handshakes.count == 0


def test_proxy_without_a_header_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    door = Door(("10.0.0.1", 7))
    with caplog.at_level(logging.WARNING):
        door.gate.data_received(b"AMQP\0\0\x09\x01")
    assert door.socket.is_aborted
    assert "connection 10.0.0.1:7: expected a header of the PROXY protocol, found b'AMQP" in caplog.text
    door.gate.connection_lost(None)
    assert (door.let, door.handshakes.count) == ([], 0)


def test_proxy_that_says_nothing_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    door = Door(("10.0.0.1", 7))
    door.loop.now = 10
    with caplog.at_level(logging.WARNING):
        door.handshakes.tick()
    assert door.socket.is_aborted
    assert caplog.messages == ["connection 10.0.0.1:7: handshake timeout"]
    assert door.gate.eof_received() is False
    door.gate.connection_lost(None)
    door.gate.data_received(HEADER)
    assert door.let == []
