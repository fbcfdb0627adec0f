"""An answer that says something lasts leaves when it does; what comes after it waits behind it."""

import pytest
from tests.conformance.codec import Basic, Channel, Confirm, Connection, Exchange, Method, Queue, Tx
from tests.session.script import ChannelScript, Node, method_frame

PERSISTENT = {"delivery_mode": 2}
BEAT = b"\x08\x00\x00\x00\x00\x00\x00\xce"


@pytest.fixture
def node() -> Node:
    """A node whose store makes safe what it is told to, and has something of every kind."""
    node = Node(has_prompt_store=False)
    vhost = node.vhost
    vhost.bind(b"amq.fanout", node.queue(b"durable", durable=True), b"old", {})
    vhost.declare_exchange(b"e", "fanout", True, False, False, {})
    vhost.bind(b"amq.fanout", vhost.exchange(b"e"), b"old", {})
    node.queue()
    vhost.take_sequence()
    node.sync()
    return node


@pytest.fixture
def channel(node: Node) -> ChannelScript:
    return node.channel()


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        (Queue.declare(queue="new", durable=True), Queue.declare_ok()),
        (Queue.bind(queue="durable", exchange="amq.topic"), Queue.bind_ok()),
        (Queue.unbind(queue="durable", exchange="amq.fanout", routing_key="old"), Queue.unbind_ok()),
        (Queue.delete(queue="durable"), Queue.delete_ok()),
        (Exchange.declare(exchange="new", type="topic", durable=True), Exchange.declare_ok()),
        (Exchange.bind(destination="e", source="amq.topic"), Exchange.bind_ok()),
        (Exchange.unbind(destination="e", source="amq.fanout", routing_key="old"), Exchange.unbind_ok()),
        (Exchange.delete(exchange="e"), Exchange.delete_ok()),
    ],
)
def test_change_that_lasts_is_answered_when_it_does(
    node: Node, channel: ChannelScript, method: Method, answer: Method
) -> None:
    channel >> method
    assert channel.client.is_quiet()
    node.sync()
    channel << answer
    assert channel.client.is_quiet()


@pytest.mark.parametrize(
    "method",
    [
        Queue.declare(queue="new"),
        Queue.declare(queue="durable", durable=True),
        Queue.declare(queue="durable", passive=True),
        Queue.declare(queue="new", durable=True, exclusive=True),
        Queue.bind(queue="q", exchange="amq.fanout"),
        Queue.bind(queue="durable", exchange="amq.fanout", routing_key="old"),
        Queue.delete(queue="q"),
        Queue.purge(queue="q"),
        Exchange.declare(exchange="new", type="topic"),
        Exchange.declare(exchange="e", type="fanout", durable=True),
        Tx.select(),
        Basic.qos(),
    ],
)
def test_what_does_not_last_or_is_there_already_is_answered_at_once(
    channel: ChannelScript, method: Method
) -> None:
    channel >> method
    assert not channel.client.is_quiet()


def test_change_that_is_safe_before_the_turn_ends_is_answered_in_it(
    node: Node, channel: ChannelScript
) -> None:
    channel.client.session.feed(method_frame(1, Queue.declare(queue="new", durable=True)))
    node.sync()
    channel << Queue.declare_ok(queue="new")
    assert node.store.waiters == []


def test_everything_written_later_waits_behind_the_answer_in_order(
    node: Node, channel: ChannelScript
) -> None:
    channel.consume(no_ack=True)
    channel >> Queue.declare(queue="new", durable=True) >> Basic.qos()
    node.channel().publish(b"1", b"2")
    assert channel.client.is_quiet()
    node.sync()
    channel << Queue.declare_ok(queue="new")
    channel << Basic.qos_ok()
    assert channel.bodies() == [b"1", b"2"]


def test_other_channels_of_the_connection_wait_too_and_other_connections_do_not(node: Node) -> None:
    client = node.client()
    one, other = client.channel(1), client.channel(2)
    one >> Queue.declare(queue="new", durable=True)
    other >> Basic.qos()
    assert client.is_quiet()
    stranger = node.channel()
    stranger >> Basic.qos()
    stranger << Basic.qos_ok()
    node.sync()
    one << Queue.declare_ok()
    other << Basic.qos_ok()


def test_answer_waits_for_its_own_change_alone(node: Node, channel: ChannelScript) -> None:
    channel >> Queue.declare(queue="new", durable=True)
    first = node.store.sequence
    other = node.channel()
    other >> Queue.declare(queue="newer", durable=True)
    node.sync(first)
    channel << Queue.declare_ok(queue="new")
    assert other.client.is_quiet()
    node.sync()
    other << Queue.declare_ok(queue="newer")


def test_second_change_holds_the_first_answer_that_has_not_left(node: Node, channel: ChannelScript) -> None:
    """They are in one buffer, and the store makes both safe at about the same time."""
    channel >> Queue.declare(queue="new", durable=True)
    first = node.store.sequence
    channel >> Queue.declare(queue="newer", durable=True)
    assert len(node.store.waiters) == 1
    node.sync(first)
    assert channel.client.is_quiet()
    node.sync()
    channel << Queue.declare_ok(queue="new")
    channel << Queue.declare_ok(queue="newer")


def test_answer_stays_while_the_store_cannot_make_it_safe(node: Node, channel: ChannelScript) -> None:
    channel >> Queue.declare(queue="new", durable=True)
    for _ in range(3):
        node.refuse()
        assert channel.client.is_quiet()
    node.sync()
    channel << Queue.declare_ok(queue="new")


def test_change_without_an_answer_holds_what_comes_next(node: Node, channel: ChannelScript) -> None:
    channel >> Queue.declare(queue="new", durable=True, nowait=True) >> Basic.qos()
    assert channel.client.is_quiet()
    node.sync()
    channel << Basic.qos_ok()


def test_confirm_waits_behind_a_held_answer(node: Node, channel: ChannelScript) -> None:
    channel >> Confirm.select(nowait=True) >> Queue.declare(queue="new", durable=True)
    channel.publish(b"x")
    assert channel.client.is_quiet()
    node.sync()
    channel << Queue.declare_ok()
    channel << Basic.ack(delivery_tag=1)


@pytest.mark.parametrize("level", ["channel", "connection"])
def test_close_ok_waits_behind_a_held_answer(node: Node, channel: ChannelScript, level: str) -> None:
    channel >> Queue.declare(queue="new", durable=True)
    if level == "channel":
        channel >> Channel.close()
    else:
        channel.client >> Connection.close(reply_code=200)
    assert channel.client.is_quiet()
    assert not channel.client.transport.is_closed
    node.sync()
    assert channel.client.method_names() == ["queue.declare_ok", f"{level}.close_ok"]
    assert channel.client.transport.is_closed == (level == "connection")
    assert channel.client.transport.late == []


def test_error_waits_behind_a_held_answer(node: Node, channel: ChannelScript) -> None:
    channel >> Queue.declare(queue="new", durable=True) >> Queue.declare(queue="missing", passive=True)
    assert channel.client.is_quiet()
    node.sync()
    assert channel.client.method_names() == ["queue.declare_ok", "channel.close"]


def test_heartbeat_goes_ahead_of_what_is_held(node: Node) -> None:
    client = node.client(heartbeat=2)
    client.channel() >> Queue.declare(queue="new", durable=True)
    client.session.output.was_used = False
    before = len(client.transport.writes)
    node.tick(2)
    assert client.transport.writes[before:] == [BEAT]
    node.sync()
    client.take_frames()
    assert [each.kind for each in client.log[-2:]] == [8, 1]


def test_client_that_is_gone_is_waited_for_by_nobody(node: Node, channel: ChannelScript) -> None:
    channel >> Queue.declare(queue="new", durable=True)
    channel.client.session.lost()
    node.sync()
    assert node.store.waiters == []


def test_client_whose_answers_are_held_is_sent_no_more_than_the_limit(
    node: Node, channel: ChannelScript
) -> None:
    channel.consume(no_ack=True)
    channel >> Queue.declare(queue="new", durable=True)
    publisher = node.channel()
    for _ in range(10):
        publisher.publish(*[bytes(10_000)] * 100)
    assert channel.client.session.output.is_full
    assert node.vhost.queues[b"q"].ready_count > 900
    node.sync()
    channel << Queue.declare_ok()
    assert len(channel.bodies()) == 1000


def test_commit_is_answered_when_it_lasts(node: Node, channel: ChannelScript) -> None:
    channel >> Tx.select()
    channel << Tx.select_ok()
    channel.publish(b"x", key="durable", properties=PERSISTENT)
    channel >> Tx.commit()
    assert channel.client.is_quiet()
    assert node.vhost.queues[b"durable"].ready_count == 1
    node.sync()
    channel << Tx.commit_ok()


@pytest.mark.parametrize("key", ["q", "nobody"])
def test_commit_of_what_does_not_last_is_answered_at_once(channel: ChannelScript, key: str) -> None:
    channel >> Tx.select()
    channel << Tx.select_ok()
    channel.publish(b"x", key=key, properties=PERSISTENT)
    channel >> Tx.commit()
    channel << Tx.commit_ok()


def test_rollback_is_answered_at_once(channel: ChannelScript) -> None:
    channel >> Tx.select()
    channel << Tx.select_ok()
    channel.publish(b"x", key="durable", properties=PERSISTENT)
    channel >> Tx.rollback()
    channel << Tx.rollback_ok()
