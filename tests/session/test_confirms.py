"""Confirms come in order, coalesced, and never before the message is safe."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance.codec import Basic, Channel, Confirm, Connection, decode_method
from tests.definitions import thorough
from tests.session.script import ChannelScript, Node, method_frame, octets_of

PERSISTENT = {"delivery_mode": 2}


def confirming(node: Node) -> ChannelScript:
    channel = node.channel()
    channel >> Confirm.select()
    channel << Confirm.select_ok()
    return channel


@pytest.fixture
def node() -> Node:
    node = Node()
    node.queue()
    node.queue(b"durable", durable=True)
    return node


@pytest.fixture
def channel(node: Node) -> ChannelScript:
    return confirming(node)


def test_one_publish_is_acked_alone(channel: ChannelScript) -> None:
    channel.publish(b"x")
    channel << Basic.ack(delivery_tag=1, multiple=False)
    channel.publish(b"x")
    channel << Basic.ack(delivery_tag=2, multiple=False)


def test_publishes_of_one_turn_are_acked_together(channel: ChannelScript) -> None:
    channel.publish(b"1", b"2", b"3")
    channel << Basic.ack(delivery_tag=3, multiple=True)
    assert channel.client.is_quiet()


def test_unroutable_publish_is_acked(channel: ChannelScript) -> None:
    channel.publish(b"x", key="nobody")
    channel << Basic.ack(delivery_tag=1)


def test_counting_begins_with_the_selection(node: Node) -> None:
    channel = node.channel().publish(b"before")
    channel >> Confirm.select()
    channel << Confirm.select_ok()
    channel.publish(b"after")
    channel << Basic.ack(delivery_tag=1)


def test_channels_count_for_themselves(node: Node, channel: ChannelScript) -> None:
    other = confirming(node)
    channel.publish(b"1", b"2")
    other.publish(b"3")
    channel << Basic.ack(delivery_tag=2)
    other << Basic.ack(delivery_tag=1)


def test_stored_message_is_acked_when_it_is_safe(node: Node, channel: ChannelScript) -> None:
    channel.publish(b"1", key="durable", properties=PERSISTENT)
    assert channel.client.is_quiet()
    node.store.sync()
    channel.publish(b"2")
    channel << Basic.ack(delivery_tag=2, multiple=True)


def test_message_that_is_safe_waits_for_an_earlier_one(node: Node, channel: ChannelScript) -> None:
    channel.publish(b"1", key="durable", properties=PERSISTENT).publish(b"2")
    assert channel.client.is_quiet()


@thorough
@given(st.lists(st.sampled_from(["stored", "transient", "sync"]), max_size=25))
def test_acks_agree_with_a_list_of_publishes(steps: list[str]) -> None:
    """The oracle: a publish is acked, once and in order, as soon as it and all before it are safe."""
    node = Node()
    node.queue()
    node.queue(b"durable", durable=True)
    channel = confirming(node)
    sequences: list[int] = []  # of each publish, 0 if it needs no store
    stored = acked = 0
    for step in steps:
        if step == "sync":
            node.store.sync()
            continue
        key, properties = ("durable", PERSISTENT) if step == "stored" else ("q", {})
        stored += step == "stored"
        sequences.append(stored if step == "stored" else 0)
        channel.publish(b"x", key=key, properties=properties)
        safe = 0
        while safe < len(sequences) and sequences[safe] <= node.store.synced:
            safe += 1
        if safe > acked:
            channel << Basic.ack(delivery_tag=safe, multiple=safe - acked > 1)
            acked = safe
        assert channel.client.is_quiet()


def test_what_was_published_before_a_close_is_acked_before_its_answer(channel: ChannelScript) -> None:
    publish = octets_of(1, Basic.publish(routing_key="q", body=b"x"))
    channel >> publish + method_frame(1, Channel.close())
    assert channel.client.method_names() == ["basic.ack", "channel.close_ok"]


def test_what_was_published_before_an_error_is_acked_before_the_close(channel: ChannelScript) -> None:
    publish = octets_of(1, Basic.publish(routing_key="q", body=b"x"))
    channel >> publish + octets_of(1, Basic.publish(exchange="missing", body=b"x"))
    assert channel.client.method_names() == ["basic.ack", "channel.close"]


def test_channel_opened_anew_is_not_sent_acks_of_the_old_one(channel: ChannelScript) -> None:
    publish = octets_of(1, Basic.publish(routing_key="q", body=b"x"))
    channel >> publish + method_frame(1, Channel.close()) + method_frame(1, Channel.open())
    names = channel.client.method_names()
    assert "basic.ack" not in names[names.index("channel.open_ok") :]


def test_closed_channel_is_not_sent_an_ack_when_the_disk_has_synced(
    node: Node, channel: ChannelScript
) -> None:
    channel.publish(b"1", key="durable", properties=PERSISTENT)
    node.store.sync()
    channel >> octets_of(1, Basic.publish(routing_key="q", body=b"x")) + method_frame(1, Channel.close())
    assert channel.client.method_names() == ["basic.ack", "channel.close_ok"]


def test_nothing_follows_close_ok(channel: ChannelScript) -> None:
    publish = octets_of(1, Basic.publish(routing_key="q", body=b"x"))
    channel >> publish + method_frame(0, Connection.close(reply_code=200))
    channel.client.take_frames()
    assert decode_method(channel.client.log[-1].payload).name == "connection.close_ok"
