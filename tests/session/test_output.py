"""What leaves: one piece a turn, large bodies as they are, no frame above the limit, no more when full."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance.codec import Basic, Queue
from tests.definitions import brief
from tests.fakes import FakeTransport
from tests.session.script import ChannelScript, Client, Node, octets_of

from supersoniq.session.output import EARLY_BYTES, EARLY_PIECES_BYTES, LARGE_BODY_BYTES

BEAT = b"\x08\x00\x00\x00\x00\x00\x00\xce"


@pytest.fixture
def node() -> Node:
    node = Node()
    node.queue()
    return node


def consuming(node: Node, **tuning: int) -> ChannelScript:
    return node.client(**tuning).channel().consume(no_ack=True)


def bytes_written(transport: FakeTransport) -> int:
    return sum([len(data) for data in transport.writes])


def test_frames_of_one_turn_leave_in_one_piece(node: Node) -> None:
    consumer = consuming(node)
    before = len(consumer.client.transport.writes)
    node.channel().publish(*[b"x"] * 100)
    assert len(consumer.client.transport.writes) == before + 1
    assert len(consumer.bodies()) == 100


def test_large_body_is_passed_on_as_the_bytes_it_is(node: Node) -> None:
    consumers = [consuming(node) for _ in range(2)]
    node.channel() >> octets_of(1, Basic.publish(routing_key="q", body=bytes(LARGE_BODY_BYTES)))
    large = [
        data for each in consumers for data in each.client.transport.writes if len(data) == LARGE_BODY_BYTES
    ]
    assert large == [bytes(LARGE_BODY_BYTES)]
    delivered = [each for each in consumers if not each.client.is_quiet()]
    delivered[0] << Basic.deliver(body=bytes(LARGE_BODY_BYTES))


def test_same_large_body_for_many_is_one_object(node: Node) -> None:
    channels = []
    for name in (b"a", b"b"):
        queue = node.queue(name)
        node.vhost.bind(b"amq.fanout", queue, b"", {})
        channels.append(node.channel().consume(name.decode(), no_ack=True))
    node.channel().publish(bytes(LARGE_BODY_BYTES), exchange="amq.fanout")
    pieces = [
        data for each in channels for data in each.client.transport.writes if len(data) == LARGE_BODY_BYTES
    ]
    assert len(pieces) == 2
    assert pieces[0] is pieces[1]


def test_small_body_is_copied(node: Node) -> None:
    consumer = consuming(node)
    before = len(consumer.client.transport.writes)
    node.channel().publish(bytes(LARGE_BODY_BYTES - 1))
    assert len(consumer.client.transport.writes) == before + 1


@pytest.mark.parametrize(
    ("frame_max", "size"),
    [
        (4096, 4088),
        (4096, 4089),
        (4096, 10_000),
        (4096, 40_000),
        (20_000, 19_992),
        (20_000, 45_000),
        (131_072, 300_000),
    ],
)
def test_no_frame_is_larger_than_agreed(node: Node, frame_max: int, size: int) -> None:
    consumer = consuming(node, frame_max=frame_max)
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    node.channel().publish(body)
    delivered = consumer << Basic.deliver(body=body)
    whole, rest = divmod(size, frame_max - 8)
    assert delivered.fragments == [frame_max - 8] * whole + [rest] * (rest > 0)


@brief
@given(st.lists(st.sampled_from([0, 1, 4087, 4088, 4089, 9000, LARGE_BODY_BYTES, 20_000]), max_size=8))
def test_small_and_large_bodies_keep_their_order(sizes: list[int]) -> None:
    node = Node()
    node.queue()
    consumer = consuming(node, frame_max=4096)
    bodies = [bytes([number]) * size for number, size in enumerate(sizes)]
    node.channel().publish(*bodies)
    assert consumer.bodies() == bodies


def test_what_is_much_leaves_before_the_turn_ends(node: Node) -> None:
    consumer = consuming(node)
    transport = consumer.client.transport
    before = bytes_written(transport)
    feed_many(node)
    assert not consumer.client.session.output.is_full
    assert node.vhost.queues[b"q"].ready_count == 0
    assert bytes_written(transport) - before > 1_000_000 - EARLY_BYTES
    assert max([len(data) for data in transport.writes]) < EARLY_BYTES + 2 * 10_100
    node.end_turn()
    assert len(consumer.bodies()) == 100


@pytest.mark.parametrize("body_bytes", [10_000, LARGE_BODY_BYTES])
def test_transport_without_room_stops_the_consumer_in_the_middle_of_a_turn(
    node: Node, body_bytes: int
) -> None:
    consumer = consuming(node)
    transport = consumer.client.transport
    transport.room_bytes = 200_000
    feed_many(node, body_bytes)
    assert consumer.client.session.output.is_full
    delivered = 100 - node.vhost.queues[b"q"].ready_count
    early_bytes = EARLY_BYTES if body_bytes < LARGE_BODY_BYTES else EARLY_PIECES_BYTES
    assert 200_000 <= delivered * (body_bytes + 100) < 200_000 + 2 * early_bytes
    node.end_turn()
    assert len(consumer.bodies()) == delivered
    transport.room_bytes = None
    consumer.client.session.output.resume()
    node.end_turn()
    assert len(consumer.bodies()) == 100 - delivered


def test_output_that_is_held_is_full_at_the_limit_until_it_may_leave() -> None:
    node = Node(has_prompt_store=False)
    node.queue()
    consumer = consuming(node)
    transport = consumer.client.transport
    consumer >> Queue.declare(queue="lasting", durable=True)
    before = bytes_written(transport)
    feed_many(node)
    node.end_turn()
    assert consumer.client.session.output.is_full
    assert bytes_written(transport) == before
    delivered = 100 - node.vhost.queues[b"q"].ready_count
    assert EARLY_BYTES <= delivered * 10_100 < EARLY_BYTES + 2 * 10_100
    node.sync()
    consumer << Queue.declare_ok(queue="lasting")
    assert len(consumer.bodies()) == 100


def feed_many(node: Node, body_bytes: int = 10_000) -> None:
    """Publish 100 messages in a turn that does not end."""
    publisher = node.client()
    publisher.channel()
    publisher.session.feed(octets_of(1, Basic.publish(routing_key="q", body=bytes(body_bytes))) * 100)


@pytest.mark.parametrize("body_bytes", [10, 10_000, 40_000])
def test_buffer_is_given_back_when_it_is_not_needed_any_more(node: Node, body_bytes: int) -> None:
    """What it holds meanwhile is not lost by that."""
    consumer = consuming(node)
    publisher = node.channel()
    for _ in range(3):
        publisher.publish(*[bytes(body_bytes)] * 20)
        assert len(consumer.bodies()) == 20
        consumer.client.session.output.octets(BEAT)
        for _ in range(4):
            consumer.client.session.tick()
        node.end_turn()
        assert consumer.client.next_frame(0).kind == 8
    node.tick(4)
    publisher.publish(b"after")
    assert consumer.bodies() == [b"after"]


def test_client_that_does_not_read_is_sent_no_more_than_the_limit(node: Node) -> None:
    reading, stalled = consuming(node), consuming(node)
    stalled.client.session.output.pause()
    before = bytes_written(stalled.client.transport)
    node.channel().publish(*[bytes(1000)] * 1000)
    assert len(reading.bodies()) == 1000
    assert bytes_written(stalled.client.transport) == before


def test_client_that_reads_again_gets_what_waited(node: Node) -> None:
    consumer = consuming(node)
    consumer.client.session.output.pause()
    node.channel().publish(b"1", b"2")
    assert consumer.client.is_quiet()
    consumer.client.session.output.resume()
    node.end_turn()
    assert consumer.bodies() == [b"1", b"2"]


def test_pause_in_the_middle_of_a_turn_outlasts_the_turn(node: Node) -> None:
    consumer = consuming(node)
    output = consumer.client.session.output
    publisher = node.client()
    publisher.channel()
    publisher.session.feed(octets_of(1, Basic.publish(routing_key="q", body=b"1")))
    output.pause()
    node.end_turn()
    assert output.is_full
    publisher.feed(octets_of(1, Basic.publish(routing_key="q", body=b"2")))
    assert consumer.bodies() == [b"1"]
    output.resume()
    node.end_turn()
    assert consumer.bodies() == [b"2"]


def test_answers_still_reach_a_client_that_is_full(node: Node) -> None:
    channel = node.channel()
    channel.client.session.output.pause()
    channel >> Basic.qos()
    channel << Basic.qos_ok()


def test_was_used_tells_whether_something_left(node: Node) -> None:
    output = node.client().session.output
    output.was_used = False
    output.run()
    assert not output.was_used
    output.heartbeat()
    output.run()
    assert output.was_used


def test_nothing_leaves_before_the_turn_ends(node: Node) -> None:
    client: Client = node.client()
    before = bytes_written(client.transport)
    client.session.output.heartbeat()
    assert bytes_written(client.transport) == before
    node.end_turn()
    assert bytes_written(client.transport) == before + 8


def test_flush_and_close_sends_what_was_written_first(node: Node) -> None:
    client = node.client()
    client.session.output.octets(b"last words")
    client.session.output.flush_and_close()
    assert client.transport.writes[-1] == b"last words"
    assert client.transport.is_closed
