"""The socket's side of a session: fairness, gathering, backpressure, and an end without accidents."""

import pytest
from mypy_extensions import i64
from tests.conformance.codec import PROTOCOL_HEADER, Basic, Channel, Connection
from tests.fakes import FakeStore
from tests.server.fake_loop import FakeLoop, FakeSocket
from tests.session.script import Node, frames_in, method_frame, octets_of

from supersoniq.broker.message import Message
from supersoniq.broker.ports import QueueStore
from supersoniq.server.pulse import Pulse
from supersoniq.server.transport import (
    FULL_READ_BYTES,
    FULL_READS_MAX,
    SHORT_READ_BYTES,
    SHORT_READS_COUNTED,
    SHORT_READS_SECONDS,
    TURNS_PER_SECOND_BUSY,
    UNREAD_ANSWERS_BYTES_MAX,
    WRITE_BUFFER_BYTES,
    SocketTransport,
)

BEAT = b"\x08\x00\x00\x00\x00\x00\x00\xce"


class BrokenStore(FakeStore):
    """Fails as no store should."""

    def append(self, message: Message, queues: list[QueueStore]) -> i64:
        raise ZeroDivisionError("a bug")


class Wire:
    """A transport between a session and a fake socket."""

    def __init__(
        self, node: Node | None = None, peer: object = ("127.0.0.1", 50000), can_write_eof: bool = True
    ):
        self.node = node or Node()
        self.loop = FakeLoop()
        self.transports: set[SocketTransport] = set()
        self.pulse = Pulse(self.node.turn, self.loop.as_loop())
        self.transport = SocketTransport(self.node.context, self.pulse, self.transports, self.loop.as_loop())
        self.socket = FakeSocket(peer, can_write_eof)
        self.transport.connection_made(self.socket)

    def open(self) -> "Wire":
        """Shake hands, and open channel 1."""
        self.transport.data_received(PROTOCOL_HEADER)
        for method in (
            Connection.start_ok(mechanism="PLAIN", response=b"\0guest\0guest", locale="en_US"),
            Connection.tune_ok(channel_max=2047, frame_max=131072),
            Connection.open(virtual_host="/"),
        ):
            self.transport.data_received(method_frame(0, method))
        self.transport.data_received(method_frame(1, Channel.open()))
        return self

    def read(self, size: int) -> None:
        """A read of `size` octets, all of them heartbeats."""
        self.transport.data_received(BEAT * (size // 8))


@pytest.fixture
def wire() -> Wire:
    return Wire().open()


def test_session_is_fed_and_its_answer_written() -> None:
    wire = Wire()
    wire.transport.data_received(PROTOCOL_HEADER)
    frames, _ = frames_in(b"".join(wire.socket.writes))
    assert len(frames) == 1
    assert wire.socket.limit == WRITE_BUFFER_BYTES


def test_transport_is_known_as_long_as_its_socket_lives(wire: Wire) -> None:
    assert wire.transports == {wire.transport}
    wire.transport.connection_lost(None)
    assert wire.transports == set()


@pytest.mark.parametrize(
    ("peer", "address", "is_local"),
    [
        (("127.0.0.1", 7), "127.0.0.1:7", True),
        (("127.8.9.1", 7), "127.8.9.1:7", True),
        (("::1", 7, 0, 0), "[::1]:7", True),
        (("::ffff:127.0.0.1", 7, 0, 0), "[::ffff:127.0.0.1]:7", True),
        (("10.0.0.1", 7), "10.0.0.1:7", False),
        (("::ffff:10.0.0.1", 7, 0, 0), "[::ffff:10.0.0.1]:7", False),
        ("", "local socket", True),
        (None, "local socket", True),
    ],
)
def test_peer_is_described(peer: object, address: str, is_local: bool) -> None:
    wire = Wire(peer=peer)
    assert wire.transport.connection is not None
    assert wire.transport.connection.client.address == address
    wire.transport.data_received(PROTOCOL_HEADER)
    properties = {"capabilities": {"authentication_failure_close": True}}
    login = Connection.start_ok(client_properties=properties, mechanism="PLAIN", response=b"\0guest\0guest")
    wire.transport.data_received(method_frame(0, login))
    frames, _ = frames_in(b"".join(wire.socket.writes))
    tune, close = b"\x00\x0a\x00\x1e", b"\x00\x0a\x00\x32"
    assert frames[-1].payload[:4] == (tune if is_local else close)


# Fairness


def test_flood_lets_others_have_their_turn(wire: Wire) -> None:
    for _ in range(FULL_READS_MAX - 1):
        wire.read(FULL_READ_BYTES)
        assert wire.socket.is_reading_now
    wire.read(FULL_READ_BYTES)
    assert not wire.socket.is_reading_now
    wire.loop.run()
    assert wire.socket.is_reading_now


def test_full_reads_with_shorter_ones_between_are_no_flood(wire: Wire) -> None:
    for _ in range(10):
        wire.read(FULL_READ_BYTES)
        wire.read(FULL_READ_BYTES // 2)
    assert wire.socket.is_reading_now
    assert wire.loop.soon == []


def test_blocked_client_is_not_read_on_by_fairness(wire: Wire) -> None:
    for _ in range(FULL_READS_MAX):
        wire.read(FULL_READ_BYTES)
    wire.transport.pause_reading()
    wire.loop.run()
    assert not wire.socket.is_reading_now
    wire.transport.resume_reading()
    assert wire.socket.is_reading_now


# Short reads


BUSY_SECONDS = SHORT_READS_COUNTED / TURNS_PER_SECOND_BUSY / 2
ENOUGH = SHORT_READS_COUNTED - 1  # the read that opened the channel counts, too


def short_reads(wire: Wire, count: int, seconds: float, size: int = 64, other_turns: int = 0) -> None:
    """Reads at even distances, with so many turns for others between them."""
    for _ in range(count):
        wire.loop.now += seconds / count
        wire.read(size)
        for _ in range(other_turns):
            wire.pulse.end_turn()


def test_fast_short_reads_are_gathered(wire: Wire) -> None:
    short_reads(wire, ENOUGH, BUSY_SECONDS)
    assert not wire.socket.is_reading_now
    wire.loop.run()
    assert wire.socket.is_reading_now


def test_short_reads_are_gathered_when_all_clients_together_keep_the_node_busy(wire: Wire) -> None:
    short_reads(wire, ENOUGH, 5 * BUSY_SECONDS, other_turns=9)
    assert not wire.socket.is_reading_now


def test_short_reads_of_an_idle_node_are_not_gathered(wire: Wire) -> None:
    short_reads(wire, ENOUGH, 5 * BUSY_SECONDS)
    assert wire.socket.is_reading_now
    assert wire.loop.later == []


def test_slow_short_reads_are_not_gathered_however_busy_the_node_is(wire: Wire) -> None:
    short_reads(wire, ENOUGH, 2 * SHORT_READS_SECONDS, other_turns=100)
    assert wire.socket.is_reading_now
    assert wire.loop.later == []


def test_longer_reads_are_not_gathered(wire: Wire) -> None:
    short_reads(wire, 3 * SHORT_READS_COUNTED, 0.0, size=SHORT_READ_BYTES)
    assert wire.socket.is_reading_now
    assert wire.loop.later == []


def test_client_that_is_sent_something_is_not_made_to_wait(wire: Wire) -> None:
    for _ in range(5):
        short_reads(wire, ENOUGH - 1, 0.0)
        wire.transport.data_received(method_frame(1, Basic.qos()))
    assert wire.socket.is_reading_now
    assert wire.loop.later == []


def test_gathering_goes_on_as_long_as_it_brings_more_than_single_reads(wire: Wire) -> None:
    short_reads(wire, ENOUGH, BUSY_SECONDS, size=64)
    for _ in range(5):
        wire.loop.run()
        wire.read(128)
        assert not wire.socket.is_reading_now


def test_gathering_stops_when_it_brings_no_more_than_single_reads(wire: Wire) -> None:
    short_reads(wire, ENOUGH, BUSY_SECONDS, size=64)
    wire.loop.run()
    wire.read(120)
    assert wire.socket.is_reading_now
    assert wire.loop.later == []


def test_gathering_does_not_read_from_a_blocked_client(wire: Wire) -> None:
    short_reads(wire, ENOUGH, BUSY_SECONDS)
    wire.transport.pause_reading()
    wire.loop.run()
    assert not wire.socket.is_reading_now


def test_gathering_does_not_outlive_the_socket(wire: Wire) -> None:
    short_reads(wire, ENOUGH, BUSY_SECONDS)
    wire.transport.connection_lost(None)
    wire.loop.run()
    assert not wire.socket.is_reading_now


# Backpressure


def test_full_socket_pauses_the_consumers_of_its_client_only() -> None:
    node = Node()
    node.queue()
    one, other = Wire(node).open(), Wire(node).open()
    consume = method_frame(1, Basic.consume(queue="q", no_ack=True))
    one.transport.data_received(consume)
    other.transport.data_received(consume)
    one.transport.pause_writing()
    count = len(one.socket.writes)
    node.channel().publish(*[b"x"] * 10)
    assert len(one.socket.writes) == count
    assert node.vhost.queues[b"q"].ready_count == 0


def test_socket_with_room_again_gets_what_waited() -> None:
    node = Node()
    node.queue()
    wire = Wire(node).open()
    wire.transport.data_received(method_frame(1, Basic.consume(queue="q", no_ack=True)))
    wire.transport.pause_writing()
    node.channel().publish(b"x" * 50)
    wire.transport.resume_writing()
    assert b"x" * 50 in b"".join(wire.socket.writes)


@pytest.mark.parametrize(
    ("unread", "is_read"), [(UNREAD_ANSWERS_BYTES_MAX, True), (UNREAD_ANSWERS_BYTES_MAX + 1, False)]
)
def test_client_that_leaves_too_many_answers_unread_is_not_read(
    wire: Wire, unread: int, is_read: bool
) -> None:
    wire.transport.pause_writing()
    wire.socket.buffered_bytes = unread
    wire.transport.data_received(method_frame(1, Basic.qos()))
    assert wire.socket.is_reading_now == is_read


def test_client_that_reads_its_answers_is_read_again(wire: Wire) -> None:
    wire.transport.pause_writing()
    wire.socket.buffered_bytes = UNREAD_ANSWERS_BYTES_MAX + 1
    wire.transport.data_received(method_frame(1, Basic.qos()))
    wire.loop.run()
    wire.transport.pause_reading()
    wire.transport.resume_reading()
    assert not wire.socket.is_reading_now
    wire.transport.resume_writing()
    assert wire.socket.is_reading_now


def test_blocked_client_that_reads_its_answers_stays_unread(wire: Wire) -> None:
    wire.transport.pause_writing()
    wire.socket.buffered_bytes = UNREAD_ANSWERS_BYTES_MAX + 1
    wire.transport.data_received(method_frame(1, Basic.qos()))
    wire.transport.pause_reading()
    wire.transport.resume_writing()
    assert not wire.socket.is_reading_now


# The end


def test_closing_ends_the_stream_and_lets_the_peer_close(wire: Wire) -> None:
    wire.transport.data_received(method_frame(0, Connection.close(reply_code=200)))
    assert wire.socket.is_ended
    assert not wire.socket.is_closed
    assert wire.transports


def test_socket_that_cannot_be_half_closed_is_closed() -> None:
    wire = Wire(can_write_eof=False).open()
    wire.transport.data_received(method_frame(0, Connection.close(reply_code=200)))
    assert wire.socket.is_closed


def test_nothing_is_written_after_close(wire: Wire) -> None:
    wire.transport.close()
    count = len(wire.socket.writes)
    wire.transport.write(b"late")
    wire.transport.write_pieces([b"late"])
    wire.transport.close()
    assert len(wire.socket.writes) == count


def test_nothing_is_done_to_a_socket_that_is_gone(wire: Wire) -> None:
    wire.transport.connection_lost(None)
    count = len(wire.socket.writes)
    wire.transport.write(b"late")
    wire.transport.write_pieces([b"late"])
    wire.transport.close()
    wire.transport.resume_reading()
    assert len(wire.socket.writes) == count
    assert not wire.socket.is_ended


def test_transport_without_a_socket_ignores_everything() -> None:
    node, loop = Node(), FakeLoop().as_loop()
    transport = SocketTransport(node.context, Pulse(node.turn, loop), set(), loop)
    transport.write(b"x")
    transport.close()
    transport.abort()
    transport.pause_reading()
    transport.pause_writing()
    transport.resume_writing()
    transport.connection_lost(None)


def test_abort_drops_the_socket(wire: Wire) -> None:
    wire.transport.abort()
    assert wire.socket.is_aborted


def test_end_of_file_closes(wire: Wire) -> None:
    assert wire.transport.eof_received() is False


def test_pausing_twice_is_undone_once(wire: Wire) -> None:
    wire.transport.pause_reading()
    wire.transport.pause_reading()
    assert not wire.socket.is_reading_now
    wire.transport.resume_reading()
    assert wire.socket.is_reading_now


def test_lost_socket_gives_back_what_its_client_held(wire: Wire) -> None:
    queue = wire.node.queue()
    wire.node.channel().publish(b"x")
    wire.transport.data_received(method_frame(1, Basic.get(queue="q")))
    assert queue.ready_count == 0
    wire.transport.connection_lost(OSError("reset by peer"))
    assert queue.ready_count == 1


def test_bug_of_ours_closes_the_connection_with_541(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    wire.node.vhost.store = BrokenStore()
    wire.node.queue(b"durable", durable=True)
    publish = Basic.publish(routing_key="durable", body=b"x", properties={"delivery_mode": 2})
    wire.transport.data_received(octets_of(1, publish))
    frames, _ = frames_in(b"".join(wire.socket.writes))
    assert frames[-1].payload[:6] == b"\x00\x0a\x00\x32" + (541).to_bytes(2)
    assert "ZeroDivisionError" in caplog.text
