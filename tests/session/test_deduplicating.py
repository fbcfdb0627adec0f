"""Publishing to what takes a message only once: duplicates are confirmed, and go nowhere."""

from typing import Any

import pytest
from tests.conformance.codec import Basic, Confirm, Exchange, Queue, Tx
from tests.session.script import ChannelScript, Node

ONCE = {"x-message-deduplication": True}


def value(text: object, **more: Any) -> dict[str, Any]:
    return {"headers": {"x-deduplication-header": text, **more}}


@pytest.fixture
def node() -> Node:
    return Node(has_prompt_store=True)


@pytest.fixture
def channel(node: Node) -> ChannelScript:
    """A channel; what is published to the exchange `e` goes to the queue `q`."""
    channel = node.channel()
    channel >> Exchange.declare(exchange="e", type="fanout", arguments=ONCE, nowait=True)
    channel >> Queue.declare(queue="q", nowait=True) >> Queue.bind(queue="q", exchange="e", nowait=True)
    return channel


def ready(node: Node, queue: bytes = b"q") -> int:
    return node.vhost.queues[queue].ready_count


def test_exchange_takes_a_message_once_and_confirms_all(node: Node, channel: ChannelScript) -> None:
    channel >> Confirm.select(nowait=True)
    for text in ("a", "b", "a", "a"):
        channel.publish(b"x", exchange="e", key="", properties=value(text))
    assert ready(node) == 2
    tags = [(channel << Basic.ack()).delivery_tag for _ in range(4)]
    assert tags == [1, 2, 3, 4]
    channel.publish(b"x", exchange="e", key="", properties={"headers": {"other": 1}})
    assert ready(node) == 3


def test_value_is_remembered_at_the_commit(node: Node, channel: ChannelScript) -> None:
    channel >> Tx.select()
    channel.publish(b"1", exchange="e", key="", properties=value("a"))
    channel >> Tx.rollback()
    channel.publish(b"2", exchange="e", key="", properties=value("a"))
    channel.publish(b"3", exchange="e", key="", properties=value("a"))
    assert ready(node) == 0
    channel >> Tx.commit()
    assert [entry.message.body for entry in node.vhost.queues[b"q"].in_memory()] == [b"2"]
    channel.publish(b"4", exchange="e", key="", properties=value("a"))
    channel >> Tx.commit()
    assert ready(node) == 1


def test_message_and_value_are_stored_as_a_whole(node: Node) -> None:
    channel = node.channel()
    channel >> Exchange.declare(exchange="d", type="fanout", durable=True, arguments=ONCE, nowait=True)
    channel >> Queue.declare(queue="dq", durable=True, nowait=True)
    channel >> Queue.bind(queue="dq", exchange="d", nowait=True)
    node.store.log.clear()
    properties = {**value("a"), "delivery_mode": 2}
    channel.publish(b"x", exchange="d", key="", properties=properties)
    log = node.store.log
    begin, commit = log.index("begin"), log.index("commit")
    assert len([line for line in log[begin:commit] if line.startswith("append")]) == 2


def test_queue_takes_a_message_once(node: Node) -> None:
    channel = node.channel()
    channel >> Queue.declare(queue="once", arguments=ONCE, nowait=True) >> Confirm.select(nowait=True)
    for text in ("a", "a", "b"):
        channel.publish(b"x", key="once", properties=value(text))
    assert ready(node, b"once") == 2
    assert [(channel << Basic.ack()).delivery_tag for _ in range(3)] == [1, 2, 3]


def test_message_that_is_refused_is_not_remembered(node: Node) -> None:
    channel = node.channel()
    full = {**ONCE, "x-max-length": 1, "x-overflow": "reject-publish"}
    channel >> Queue.declare(queue="full", arguments=full, nowait=True) >> Confirm.select(nowait=True)
    for text in ("a", "b"):
        channel.publish(b"x", key="full", properties=value(text))
    channel << Basic.ack(delivery_tag=1)
    channel << Basic.nack(delivery_tag=2)
    node.vhost.purge(node.vhost.queues[b"full"])
    channel.publish(b"x", key="full", properties=value("b"))
    channel << Basic.ack(delivery_tag=3)
    assert ready(node, b"full") == 1
