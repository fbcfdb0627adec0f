"""Messages that begin like the one before are published by their bodies alone, and as if they were not."""

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance.codec import Basic, Channel, Confirm, Connection
from tests.definitions import thorough
from tests.session.script import Client, Node, method_frame, octets_of


@pytest.fixture
def node() -> Node:
    return Node()


def alike(node: Node) -> Client:
    """A client that has published two messages that begin alike, and may publish more such."""
    client = node.client()
    client.channel(1).publish(b"1", b"2")
    return client


def repeats(client: Client, body: bytes = b"3") -> bool:
    return client.session.repeated_frames(body, 0, len(body))


def test_third_message_alike_is_published_by_its_body(node: Node) -> None:
    queue = node.queue()
    client = alike(node)
    assert repeats(client)
    assert [entry.message.body for entry in queue.browse(0, 9)] == [b"1", b"2", b"3"]


@pytest.mark.parametrize(
    "more",
    [
        {"routing_key": "other"},
        {"routing_key": "q", "mandatory": True},
        {"routing_key": "q", "properties": {"type": "t"}},
        {"routing_key": "q", "body": b""},
        {"routing_key": "q", "body": b"long"},
    ],
)
def test_message_that_is_not_alike_has_the_next_ones_looked_at(node: Node, more: dict[str, Any]) -> None:
    client = alike(node)
    client.feed(octets_of(1, Basic.publish(**{"body": b"3", **more})))
    assert not repeats(client)


def test_message_in_pieces_has_the_next_ones_looked_at(node: Node) -> None:
    client = alike(node)
    for _ in range(2):
        client.feed(octets_of(1, Basic.publish(routing_key="q", body=b"33"), body_bytes_max=1))
        assert not repeats(client)


def test_messages_of_two_channels_in_turn_are_looked_at(node: Node) -> None:
    client = alike(node)
    client.channel(2)
    for number in (1, 2) * 3:
        client.feed(octets_of(number, Basic.publish(routing_key="q", body=b"3")))
        assert not repeats(client)


def test_methods_between_messages_change_nothing(node: Node) -> None:
    client = alike(node)
    client.feed(method_frame(1, Confirm.select()))
    assert repeats(client)


def test_channel_that_is_gone_publishes_nothing(node: Node) -> None:
    queue = node.queue()
    client = alike(node)
    client.feed(method_frame(1, Channel.close()) + octets_of(1, Basic.publish(routing_key="q", body=b"3")))
    assert not repeats(client)
    client << Connection.close(reply_code=504)
    assert queue.ready_count == 2


def test_channel_that_was_closed_for_an_error_publishes_nothing(node: Node) -> None:
    queue = node.queue()
    client = alike(node)
    published = octets_of(1, Basic.publish(routing_key="q", body=b"3"))
    client.feed(octets_of(1, Basic.publish(exchange="missing", routing_key="q", body=b"3")) + published)
    assert not repeats(client)
    assert queue.ready_count == 2


def test_exchange_that_is_deleted_is_missed_by_what_begins_alike(node: Node) -> None:
    node.vhost.declare_exchange(b"e", "fanout", False, False, False, {})
    channel = node.channel()
    channel.publish(b"1", b"2", exchange="e")
    node.vhost.delete_exchange(b"e", False)
    channel.publish(b"3", b"4", exchange="e")
    closed = channel.closed_with(404)
    assert (closed.class_id, closed.method_id) == (60, 40)


def test_connection_that_closes_publishes_nothing(node: Node) -> None:
    queue = node.queue()
    client = alike(node)
    client.feed(method_frame(0, Connection.close()) + octets_of(1, Basic.publish(routing_key="q", body=b"3")))
    assert not repeats(client)
    assert queue.ready_count == 2


drawn_messages = st.lists(
    st.tuples(
        st.integers(1, 2),
        st.sampled_from(["q", "r"]),
        st.sampled_from([b"", b"a", b"b", b"cc"]),
        st.sampled_from([None, {"type": "t"}]),
        st.booleans(),
    ),
    max_size=12,
)


@thorough
@given(drawn_messages, st.randoms(use_true_random=False))
def test_messages_are_the_same_whether_read_together_or_one_by_one(
    messages: list[tuple[int, str, bytes, Any, bool]], random: Random
) -> None:
    """The frames of two channels, shuffled into each other: what they publish is told by all at once."""
    waiting: dict[int, list[bytes]] = {1: [], 2: []}
    for channel, key, body, properties, mandatory in messages:
        publish = Basic.publish(routing_key=key, body=body, properties=properties, mandatory=mandatory)
        pieces = octets_of(channel, publish)
        size = len(method_frame(channel, publish))
        waiting[channel] += [pieces] if random.random() < 0.7 else [pieces[:size], pieces[size:]]
    stream = []
    while any(waiting.values()):
        channel = random.choice([number for number, left in waiting.items() if left])
        stream.append(waiting[channel].pop(0))
    assert outcome([b"".join(stream)]) == outcome(stream)


def outcome(pieces: list[bytes]) -> tuple[list[tuple[bytes, bytes]], list[str]]:
    node = Node()
    queue = node.queue()
    client = node.client()
    for number in (1, 2):
        client.channel(number)
    for piece in pieces:
        # Frame by frame, or all in one read: nothing is remembered of what comes in pieces.
        for part in [piece] if len(pieces) == 1 else [piece[:1], piece[1:]]:
            client.feed(part)
    entries = queue.browse(0, 100)
    return [(entry.message.header, entry.message.body) for entry in entries], client.method_names()
