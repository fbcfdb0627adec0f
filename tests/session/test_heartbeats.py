"""Heartbeats leave where nothing else does, and a client that sends nothing for too long is dropped."""

import pytest
from tests.conformance.codec import Basic
from tests.session.script import Client, Frame, Node

from supersoniq.session.heartbeats import SILENT_HALVES_MAX

HEARTBEAT = Frame(8, 0, b"")
BEAT = b"\x08\x00\x00\x00\x00\x00\x00\xce"


@pytest.fixture
def node() -> Node:
    return Node()


def beats(client: Client) -> int:
    client.take_frames()
    return client.log.count(HEARTBEAT)


def test_idle_connection_is_sent_a_heartbeat_every_half_interval(node: Node) -> None:
    client = node.client(heartbeat=10)  # half of it is ten ticks
    node.tick(10)
    counts = []
    for _ in range(4):
        client >> BEAT
        before = beats(client)
        node.tick(10)
        counts.append(beats(client) - before)
    assert counts == [1, 1, 1, 1]


def test_busy_connection_is_sent_no_heartbeats(node: Node) -> None:
    client = node.client(heartbeat=2)
    channel = client.channel()
    for _ in range(10):
        node.tick()
        channel >> Basic.qos()
    assert beats(client) == 0


def test_client_that_is_silent_for_too_long_is_dropped(node: Node) -> None:
    client = node.client(heartbeat=2)
    node.tick(2)  # the handshake counts for the first half
    node.tick(2 * SILENT_HALVES_MAX - 1)
    assert not client.transport.is_aborted
    node.tick()
    assert client.transport.is_aborted


def test_any_traffic_counts_as_a_heartbeat(node: Node) -> None:
    client = node.client(heartbeat=1)
    for _ in range(5 * SILENT_HALVES_MAX):
        client >> BEAT[:4] >> BEAT[4:]
        node.tick()
    assert not client.transport.is_aborted


def test_blocked_client_is_not_expected_to_speak(node: Node) -> None:
    client = node.client(heartbeat=1)
    node.context.alarm.is_on = True
    client.channel().publish(b"x")
    node.tick(10 * SILENT_HALVES_MAX)
    assert not client.transport.is_aborted


def test_no_heartbeats_where_none_were_agreed(node: Node) -> None:
    client = node.client(heartbeat=0)
    node.tick(1000)
    assert beats(client) == 0
    assert not client.transport.is_aborted
