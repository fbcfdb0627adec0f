"""TLS on a fake socket, against a client in memory: what the session is told is the same as without TLS."""

import contextlib
import logging
import ssl
from pathlib import Path

import pytest
from tests.authority import NOW, Authority
from tests.conformance.codec import PROTOCOL_HEADER
from tests.server.fake_loop import FakeLoop, FakeSocket
from tests.session.script import Node, frames_in

from supersoniq.server.handshakes import Handshakes
from supersoniq.server.pulse import Pulse
from supersoniq.server.tls_transport import PORTION_BYTES, TLSTransport
from supersoniq.server.transport import WRITE_BUFFER_BYTES, SocketTransport
from supersoniq.tls.certificates import Certificates, TLSOptions
from supersoniq.tls.files import KeyFiles


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def certificates(authority: Authority) -> Certificates:
    files = KeyFiles(authority.issue("localhost"))
    return Certificates(TLSOptions(files, authorities=authority.path, verify="request"), NOW)


class Wire:
    """A transport between a session and a fake socket, and a client at its other end."""

    def __init__(self, certificates: Certificates, client: ssl.SSLContext) -> None:
        self.node = Node()
        self.loop = FakeLoop()
        self.transports: set[SocketTransport] = set()
        self.handshakes = Handshakes(self.loop.as_loop(), 10)
        pulse = Pulse(self.node.turn, self.loop.as_loop())
        self.session = SocketTransport(self.node.context, pulse, self.transports, self.loop.as_loop())
        self.socket = FakeSocket()
        self.transport = TLSTransport(self.session, certificates, self.handshakes)
        self.transport.connection_made(self.socket)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = client.wrap_bio(self._incoming, self._outgoing, server_hostname="localhost")

    def shake_hands(self) -> "Wire":
        """Until the session has begun."""
        while self.session.connection is None:
            with contextlib.suppress(ssl.SSLWantReadError):
                self.client.do_handshake()
            self.exchange()
        return self

    def fail(self) -> None:
        """Until the client finds that it cannot have a session, which is raised."""
        for _ in range(10):
            with contextlib.suppress(ssl.SSLWantReadError):
                self.client.do_handshake()
                self.client.read()
            self.exchange()

    def exchange(self) -> None:
        """Take octets to and fro; the loop has one round."""
        self.to_server(self._outgoing.read())
        self.loop.run()
        self.from_server()

    def to_server(self, data: bytes) -> None:
        if data:
            self.transport.data_received(data)

    def from_server(self) -> None:
        for data in self.socket.writes:
            self._incoming.write(data)
        self.socket.writes.clear()

    def encrypted(self, data: bytes) -> bytes:
        """What the client sends for this."""
        at = 0
        while at < len(data):
            at += self.client.write(data[at:])
        return self._outgoing.read()

    def heard(self) -> bytes:
        """All that the client can decrypt."""
        self.from_server()
        heard = b""
        try:
            while data := self.client.read(65536):
                heard += data
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            pass
        return heard


@pytest.fixture
def wire(certificates: Certificates, authority: Authority) -> Wire:
    return Wire(certificates, authority.client_context())


def test_session_begins_when_the_handshake_has_succeeded(wire: Wire) -> None:
    assert (wire.transports, wire.handshakes.count) == (set(), 1)
    wire.shake_hands()
    assert (wire.transports, wire.handshakes.count) == ({wire.session}, 0)
    wire.to_server(wire.encrypted(PROTOCOL_HEADER))
    frames, rest = frames_in(wire.heard())
    assert (len(frames), rest) == (1, b"")


def test_what_comes_with_the_end_of_the_handshake_is_not_lost(wire: Wire) -> None:
    while not wire.client.version():
        try:
            wire.client.do_handshake()
        except ssl.SSLWantReadError:
            wire.exchange()
    with pytest.raises(ssl.SSLWantReadError):
        wire.client.read()
    wire.to_server(wire.encrypted(PROTOCOL_HEADER))
    wire.loop.run()
    assert len(frames_in(wire.heard())[0]) == 1


def test_client_knows_what_was_agreed_on(certificates: Certificates, authority: Authority) -> None:
    ann = authority.issue("ann", file="ann.pem", common_name="ann")
    wire = Wire(certificates, authority.client_context(ann)).shake_hands()
    assert wire.session.connection is not None
    client = wire.session.connection.client
    assert client.address == "127.0.0.1:50000"
    assert client.encryption is not None
    assert client.encryption.protocol == "tlsv1.3"
    assert client.peer_certificate is not None
    assert client.peer_certificate.common_names == ["ann"]


def test_client_is_not_read_while_its_turn_in_the_handshake_has_not_come(wire: Wire) -> None:
    with pytest.raises(ssl.SSLWantReadError):
        wire.client.do_handshake()
    wire.to_server(wire._outgoing.read())
    assert not wire.socket.is_reading_now
    wire.loop.run()
    assert wire.socket.is_reading_now


@pytest.mark.parametrize("size", [1, 16_384, 16_385, PORTION_BYTES, PORTION_BYTES + 1, 1_000_000])
def test_octets_of_any_number_go_both_ways(wire: Wire, size: int) -> None:
    wire.shake_hands()
    body = bytes(size)
    wire.session.write(body)
    assert wire.heard() == body
    wire.session.write_pieces([body[:10], body[10:]])
    assert wire.heard() == body


@pytest.mark.parametrize("cut", [1, 5, 100, 16_411, 70_000])
def test_records_may_come_in_any_pieces(wire: Wire, cut: int) -> None:
    wire.shake_hands()
    sent = PROTOCOL_HEADER + b"\x08\x00\x00\x00\x00\x00\x00\xce" * 25_000
    data = wire.encrypted(sent)
    traffic = wire.session.connection.client.traffic  # type: ignore[union-attr]
    pieces = range(0, len(data), cut) if cut >= 100 else range(0, 3 * cut, cut)
    for at in pieces:
        wire.to_server(data[at : at + cut])
    wire.to_server(data[pieces[-1] + cut :])
    assert traffic.received_bytes == len(sent)


def test_paused_client_is_not_read(wire: Wire) -> None:
    wire.shake_hands()
    wire.session.pause_reading()
    assert not wire.socket.is_reading_now
    wire.session.resume_reading()
    assert wire.socket.is_reading_now


def test_backpressure_of_the_socket_reaches_the_session(wire: Wire) -> None:
    wire.transport.pause_writing()
    wire.transport.resume_writing()
    wire.shake_hands()
    assert wire.socket.limit == WRITE_BUFFER_BYTES
    assert wire.session.connection is not None
    wire.transport.pause_writing()
    assert wire.session.connection.output.is_full
    wire.transport.resume_writing()
    assert not wire.session.connection.output.is_full
    wire.socket.buffered_bytes = 7
    assert wire.transport.get_write_buffer_size() == 7


def test_closing_tells_the_client_and_leaves_its_direction_open(wire: Wire) -> None:
    wire.shake_hands()
    wire.session.write(b"goodbye")
    wire.session.close()
    assert wire.socket.is_ended
    assert not wire.socket.is_closed
    wire.from_server()
    assert wire.client.read(100) == b"goodbye"
    assert wire.client.read(100) == b""
    wire.to_server(wire.encrypted(b"who is still there?"))
    wire.session.write(b"nobody")
    assert wire.socket.writes == []


def test_client_that_ends_is_heard_to_the_end_and_closed(wire: Wire) -> None:
    wire.shake_hands()
    data = wire.encrypted(PROTOCOL_HEADER)
    with pytest.raises(ssl.SSLWantReadError):
        wire.client.unwrap()
    wire.to_server(data + wire._outgoing.read())
    assert wire.socket.is_closed
    assert len(frames_in(wire.heard())[0]) == 1
    wire.transport.connection_lost(None)
    assert wire.transports == set()


def test_client_that_vanishes_ends_the_session(wire: Wire) -> None:
    wire.shake_hands()
    assert wire.transport.eof_received() is False
    wire.transport.connection_lost(ConnectionResetError())
    assert wire.transports == set()
    wire.session.write(b"x")
    wire.transport.pause_reading()
    wire.transport.resume_reading()
    wire.transport.abort()
    wire.transport.close()
    wire.transport.write_eof()
    assert wire.socket.writes == []


def test_octets_that_make_no_sense_end_the_session(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    wire.shake_hands()
    data = bytearray(wire.encrypted(PROTOCOL_HEADER))
    data[-1] ^= 1
    with caplog.at_level(logging.WARNING):
        wire.to_server(bytes(data))
    assert wire.socket.is_aborted
    assert "TLS failed: decryption failed or bad record mac" in caplog.text


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (PROTOCOL_HEADER, "the client does not speak TLS"),
        (b"GET / HTTP/1.1\r\n\r\n", "the client speaks HTTP without TLS"),
        (b"\x16\x03\x01\x00\x05hello", "TLS handshake failed: "),
    ],
)
def test_who_does_not_speak_tls_is_told_apart(
    wire: Wire, caplog: pytest.LogCaptureFixture, said: bytes, reason: str
) -> None:
    with caplog.at_level(logging.WARNING):
        wire.to_server(said)
        wire.loop.run()
    assert f"connection 127.0.0.1:50000: TLS handshake failed: {reason}".startswith(caplog.messages[0][:40])
    assert reason in caplog.text
    assert wire.socket.is_ended
    wire.to_server(b"more")
    assert (wire.session.connection, wire.handshakes.count) == (None, 1)
    wire.loop.now = 10
    wire.handshakes.tick()
    assert wire.socket.is_aborted
    assert len(caplog.records) == 1


def test_client_with_a_wrong_certificate_hears_why(
    certificates: Certificates, authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stranger = Authority(tmp_path / "other").issue("ann", file="ann.pem")
    wire = Wire(certificates, authority.client_context(stranger))
    with caplog.at_level(logging.WARNING), pytest.raises(ssl.SSLError, match="TLSV1_ALERT_UNKNOWN_CA"):
        wire.fail()
    assert "TLS handshake failed: certificate verify failed: unable to get local issuer" in caplog.text
    assert wire.session.connection is None


def test_client_that_does_not_believe_us_is_logged(
    certificates: Certificates, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wire = Wire(certificates, Authority(tmp_path / "other").client_context())
    with caplog.at_level(logging.WARNING), pytest.raises(ssl.SSLCertVerificationError):
        wire.fail()
    wire.exchange()
    assert "TLS handshake failed: tlsv1 alert unknown ca" in caplog.text


def test_client_that_vanishes_in_the_handshake_is_forgotten(wire: Wire) -> None:
    with pytest.raises(ssl.SSLWantReadError):
        wire.client.do_handshake()
    wire.to_server(wire._outgoing.read())
    assert wire.transport.eof_received() is False
    wire.transport.connection_lost(None)
    assert wire.handshakes.count == 0
    wire.loop.run()
    assert wire.socket.writes == []
