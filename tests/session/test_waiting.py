"""Who waits for room: queues that share a client or a channel's limit are served by turns."""

import pytest
from tests.conformance.codec import Basic, Channel
from tests.session.script import ChannelScript, Node

from supersoniq.session.waiting import Waiting

ROOM_BYTES = 512 * 1024


@pytest.fixture
def node() -> Node:
    return Node()


def test_nobody_waits() -> None:
    Waiting().offer()


# A queue stops at what one turn may deliver of it, or where there is no more room.
@pytest.mark.parametrize("body_bytes", [100, 10_000])
def test_queues_share_what_a_client_can_take(node: Node, body_bytes: int) -> None:
    client = node.client()
    client.session.output.pause()
    queues = [node.queue(b"q%d" % number) for number in range(8)]
    channels = [ChannelScript(client, number) >> Channel.open() for number in range(1, 5)]
    publisher = node.channel()
    count = 2 * ROOM_BYTES // body_bytes
    for number, queue in enumerate(queues):
        channels[number % 4] >> Basic.consume(queue=f"q{number}", no_ack=True)
        publisher.publish(*[bytes(body_bytes)] * count, key=f"q{number}")
        assert queue.ready_count == count
    for _ in range(len(queues)):
        client.transport.room_bytes = ROOM_BYTES
        client.session.output.resume()
        node.turn.finish()
    taken = [count - queue.ready_count for queue in queues]
    assert sum(taken) > len(queues) * count / 4
    assert min(taken) > max(taken) / 3


def test_queues_take_turns_where_the_channel_is_limited(node: Node) -> None:
    channel = node.channel().qos(2, is_global=True)
    for name in ("x", "y", "z"):
        node.queue(name.encode())
        channel.consume(queue=name, tag=name)
    for name in ("x", "y", "z"):
        node.channel().publish(*[b""] * 8, key=name)
    tags = []
    for delivery_tag in range(1, 13):
        tags.append((channel << Basic.deliver()).consumer_tag)
        channel >> Basic.ack(delivery_tag=delivery_tag)
    assert min([tags.count(tag) for tag in ("x", "y", "z")]) >= 3


def test_consumers_that_were_cancelled_are_not_remembered(node: Node) -> None:
    node.queue()
    channel = node.channel().qos(1, is_global=True)
    node.channel().publish(b"0", b"1")
    channel.consume(tag="first")
    assert len(channel.bodies()) == 1
    consuming = channel.client.session.channels[1]._consuming
    for _ in range(5):
        channel.consume(tag="again")
        assert len(consuming._window.waiting._waiters) == 2
        channel >> Basic.cancel(consumer_tag="again", nowait=True)
    assert len(consuming._window.waiting._waiters) == 1


def test_room_is_of_no_use_to_a_consumer_that_was_cancelled(node: Node) -> None:
    node.queue()
    node.queue(b"other")
    channel = node.channel().qos(1, is_global=True).consume(tag="a")
    channel.consume(queue="other", tag="b")
    node.channel().publish(b"0")
    node.channel().publish(b"x", b"y", key="other")
    assert len(channel.bodies()) == 1
    channel >> Basic.cancel(consumer_tag="b", nowait=True)
    channel >> Basic.ack(delivery_tag=1)
    assert len(channel.bodies()) == 0
    assert node.vhost.queues[b"other"].ready_count == 2
