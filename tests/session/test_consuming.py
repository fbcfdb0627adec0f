"""Consumers of a channel: how much each may hold, in which order they are served, and how they end."""

import pytest
from tests.conformance.codec import Basic, Channel, Connection, Method, Queue
from tests.session.script import ChannelScript, Node, octets_of

from supersoniq.amqp.tables import table_of


@pytest.fixture
def node() -> Node:
    node = Node()
    node.queue()
    return node


@pytest.fixture
def channel(node: Node) -> ChannelScript:
    return node.channel()


def backlog(node: Node, count: int) -> None:
    node.channel().publish(*[b"%d" % number for number in range(count)])


def taken(channel: ChannelScript) -> int:
    return len(channel.bodies())


def test_delivery_says_who_gets_what(node: Node, channel: ChannelScript) -> None:
    channel.consume(tag="mine")
    node.channel().publish(b"x")
    channel << Basic.deliver(
        consumer_tag="mine", delivery_tag=1, redelivered=False, exchange="", routing_key="q", body=b"x"
    )


def test_deliveries_come_after_consume_ok(node: Node, channel: ChannelScript) -> None:
    backlog(node, 2)
    channel >> Basic.consume(queue="q", consumer_tag="c")
    assert channel.client.method_names() == ["basic.consume_ok", "basic.deliver", "basic.deliver"]


def test_consumer_without_a_tag_gets_one(node: Node, channel: ChannelScript) -> None:
    channel >> Basic.consume(queue="q")
    ok = channel << Basic.consume_ok()
    assert ok.consumer_tag.startswith("amq.ctag-")
    assert len(ok.consumer_tag) == len("amq.ctag-") + 22


def test_tag_cannot_be_used_twice_on_a_channel(channel: ChannelScript) -> None:
    channel.consume()
    channel >> Basic.consume(queue="q", consumer_tag="c")
    close = channel.client << Connection.close(reply_code=530)
    assert close.reply_text == "NOT_ALLOWED - attempt to reuse consumer tag 'c'"


def test_tag_can_be_used_on_another_channel_and_again_after_cancel(channel: ChannelScript) -> None:
    channel.consume()
    channel.client.channel(2).consume()
    channel >> Basic.cancel(consumer_tag="c")
    channel << Basic.cancel_ok(consumer_tag="c")
    channel.consume()


def test_consume_without_wait_is_not_answered(node: Node, channel: ChannelScript) -> None:
    channel >> Basic.consume(queue="q", consumer_tag="c", nowait=True)
    assert channel.client.is_quiet()
    backlog(node, 1)
    channel << Basic.deliver(consumer_tag="c")


def test_missing_queue_is_not_found(channel: ChannelScript) -> None:
    channel >> Basic.consume(queue="missing")
    channel.closed_with(404)


def test_exclusive_consumer_is_alone(node: Node, channel: ChannelScript) -> None:
    channel.consume(exclusive=True)
    other = node.channel()
    other >> Basic.consume(queue="q")
    text = other.closed_with(403).reply_text
    assert text == "ACCESS_REFUSED - queue 'q' in vhost '/' in exclusive use"


def test_exclusive_consumer_does_not_come_to_others(node: Node, channel: ChannelScript) -> None:
    channel.consume()
    other = node.channel()
    other >> Basic.consume(queue="q", exclusive=True)
    other.closed_with(403)


def test_consumer_priority_must_be_a_number(channel: ChannelScript) -> None:
    channel >> Basic.consume(queue="q", arguments={"x-priority": "high"})
    channel.closed_with(406)


def test_higher_priority_is_served_first_up_to_its_prefetch(node: Node) -> None:
    low, high = node.channel().consume(), node.channel().qos(2)
    high.consume(arguments={"x-priority": 10})
    backlog(node, 5)
    assert (high.bodies(), low.bodies()) == ([b"0", b"1"], [b"2", b"3", b"4"])


def test_consumers_of_one_channel_take_turns(node: Node, channel: ChannelScript) -> None:
    channel.consume(tag="a").consume(tag="b")
    backlog(node, 4)
    tags = [(channel << Basic.deliver()).consumer_tag for _ in range(4)]
    assert tags == ["a", "b", "a", "b"]


# How often a message came back


def quorum(node: Node, **arguments: object) -> None:
    named = {"x-" + key.replace("_", "-"): value for key, value in arguments.items()}
    node.vhost.declare_queue(b"quorum", True, False, False, table_of({"x-queue-type": "quorum", **named}), 0)


def test_quorum_queue_says_how_often_a_message_came_back(node: Node, channel: ChannelScript) -> None:
    quorum(node)
    channel.publish(b"x", key="quorum", properties={"headers": {"mine": "stays"}, "type": "t"}).consume(
        "quorum"
    )
    assert (channel << Basic.deliver(redelivered=False)).properties["headers"] == {"mine": "stays"}
    for tag in (1, 2):
        channel >> Basic.nack(delivery_tag=tag, requeue=True)
        again = channel << Basic.deliver(redelivered=True, body=b"x")
        assert again.properties == {"headers": {"mine": "stays", "x-delivery-count": tag}, "type": "t"}


def test_fetched_message_says_it_too(node: Node, channel: ChannelScript) -> None:
    quorum(node)
    channel.publish(b"x", key="quorum")
    channel >> Basic.get(queue="quorum")
    first = channel << Basic.get_ok(redelivered=False)
    assert first.properties == {}
    channel >> Basic.nack(delivery_tag=first.delivery_tag, requeue=True) >> Basic.get(queue="quorum")
    assert (channel << Basic.get_ok(redelivered=True)).properties == {"headers": {"x-delivery-count": 1}}


def test_count_is_not_kept_in_the_message(node: Node, channel: ChannelScript) -> None:
    quorum(node, dead_letter_exchange="", dead_letter_routing_key="q", delivery_limit=1)
    channel.publish(b"x", key="quorum").consume("quorum")
    for tag in (1, 2):
        channel << Basic.deliver(delivery_tag=tag)
        channel >> Basic.nack(delivery_tag=tag, requeue=True)
    channel >> Basic.get(queue="q", no_ack=True)
    headers = (channel << Basic.get_ok()).properties["headers"]
    assert [death["reason"] for death in headers["x-death"]] == ["delivery_limit"]
    assert "x-delivery-count" not in headers


def test_classic_queue_does_not_say_it(node: Node, channel: ChannelScript) -> None:
    channel.consume().publish(b"x")
    channel << Basic.deliver()
    channel >> Basic.nack(delivery_tag=1, requeue=True)
    assert (channel << Basic.deliver(redelivered=True)).properties == {}


# Single active consumer


def test_exclusive_consumer_is_refused_where_one_is_active_anyway(node: Node, channel: ChannelScript) -> None:
    single = table_of({"x-single-active-consumer": True})
    node.vhost.declare_queue(b"single", False, False, False, single, 0)
    channel >> Basic.consume(queue="single", exclusive=True)
    assert channel.closed_with(403).reply_text.endswith("queue 'single' in vhost '/' in exclusive use")


def test_next_consumer_takes_over_when_the_active_one_is_cancelled(
    node: Node, channel: ChannelScript
) -> None:
    single = table_of({"x-single-active-consumer": True})
    node.vhost.declare_queue(b"single", False, False, False, single, 0)
    channel.qos(1).consume("single", tag="first")
    other = node.channel().consume("single", tag="second")
    channel.publish(b"1", b"2", key="single")
    assert (channel.bodies(), other.bodies()) == ([b"1"], [])
    channel >> Basic.cancel(consumer_tag="first", nowait=True)
    assert other.bodies() == [b"2"]


# Prefetch


def test_prefetch_limits_each_consumer(node: Node, channel: ChannelScript) -> None:
    channel.qos(2).consume(tag="a").consume(tag="b")
    backlog(node, 10)
    assert taken(channel) == 4


def test_prefetch_counts_for_consumers_that_come_later(node: Node, channel: ChannelScript) -> None:
    channel.consume(tag="unlimited").qos(1).consume(tag="limited")
    backlog(node, 10)
    tags = [(channel << Basic.deliver()).consumer_tag for _ in range(10)]
    assert tags.count("limited") == 1


def test_global_prefetch_limits_the_channel_at_once(node: Node, channel: ChannelScript) -> None:
    channel.consume(tag="a").consume(tag="b").qos(3, is_global=True)
    backlog(node, 10)
    assert taken(channel) == 3


def test_both_scopes_hold(node: Node, channel: ChannelScript) -> None:
    channel.qos(2).consume(tag="a").qos(5).consume(tag="b").qos(6, is_global=True)
    backlog(node, 20)
    tags = [(channel << Basic.deliver()).consumer_tag for _ in range(6)]
    assert channel.client.is_quiet()
    assert (tags.count("a"), tags.count("b")) == (2, 4)


def test_limit_per_consumer_takes_the_channels_limit_away(node: Node, channel: ChannelScript) -> None:
    channel.qos(1, is_global=True).consume()
    backlog(node, 5)
    assert taken(channel) == 1
    channel.qos(3)
    assert taken(channel) == 4


def test_raised_limit_lets_more_come_at_once(node: Node, channel: ChannelScript) -> None:
    channel.qos(1, is_global=True).consume()
    backlog(node, 5)
    assert taken(channel) == 1
    channel >> Basic.qos(prefetch_count=3, global_=True)
    channel << Basic.qos_ok()
    assert taken(channel) == 2


def test_lowered_limit_waits_until_enough_is_settled(node: Node, channel: ChannelScript) -> None:
    channel.qos(4, is_global=True).consume()
    backlog(node, 10)
    assert taken(channel) == 4
    channel.qos(2, is_global=True)
    channel >> Basic.ack(delivery_tag=2, multiple=True)
    assert taken(channel) == 0
    channel >> Basic.ack(delivery_tag=3)
    assert taken(channel) == 1


def test_zero_is_no_limit(node: Node, channel: ChannelScript) -> None:
    channel.qos(0).qos(0, is_global=True).consume()
    backlog(node, 50)
    assert taken(channel) == 50


def test_no_ack_consumer_knows_no_limit(node: Node, channel: ChannelScript) -> None:
    channel.qos(1).qos(1, is_global=True).consume(no_ack=True)
    backlog(node, 10)
    assert taken(channel) == 10
    assert int(node.vhost.queues[b"q"].unacked_count) == 0


def test_fetched_messages_do_not_count(node: Node, channel: ChannelScript) -> None:
    channel.qos(1, is_global=True)
    backlog(node, 3)
    channel >> Basic.get(queue="q")
    channel << Basic.get_ok()
    channel.consume()
    assert taken(channel) == 1


@pytest.mark.parametrize(
    "settle", [Basic.ack(delivery_tag=1), Basic.nack(delivery_tag=1), Basic.reject(delivery_tag=1)]
)
def test_settling_makes_room(node: Node, channel: ChannelScript, settle: Method) -> None:
    channel.qos(1).consume()
    backlog(node, 3)
    assert channel.bodies() == [b"0"]
    channel >> settle
    assert channel.bodies() == [b"1"]


def test_cancelled_consumer_gives_its_room_back_when_it_settles(node: Node, channel: ChannelScript) -> None:
    channel.qos(1, is_global=True).consume(tag="a")
    backlog(node, 2)
    assert taken(channel) == 1
    channel >> Basic.cancel(consumer_tag="a", nowait=True)
    channel.consume(tag="b")
    assert taken(channel) == 0
    channel >> Basic.ack(delivery_tag=1)
    assert taken(channel) == 1


# Ends


def test_cancelled_consumer_gets_nothing_more_and_may_still_ack(node: Node, channel: ChannelScript) -> None:
    channel.consume()
    backlog(node, 1)
    channel << Basic.deliver()
    channel >> Basic.cancel(consumer_tag="c")
    channel << Basic.cancel_ok(consumer_tag="c")
    backlog(node, 1)
    assert channel.client.is_quiet()
    channel >> Basic.ack(delivery_tag=1)
    assert int(node.vhost.queues[b"q"].unacked_count) == 0


def test_unknown_consumer_can_be_cancelled(channel: ChannelScript) -> None:
    channel >> Basic.cancel(consumer_tag="nobody")
    channel << Basic.cancel_ok(consumer_tag="nobody")


def test_consumer_is_told_when_its_queue_is_deleted(node: Node, channel: ChannelScript) -> None:
    channel.consume()
    node.channel() >> Queue.delete(queue="q")
    channel << Basic.cancel(consumer_tag="c", nowait=True)
    node.queue()
    channel.consume()


def test_client_that_cannot_be_told_is_not(node: Node) -> None:
    channel = node.client(capabilities={}).channel().consume()
    node.channel() >> Queue.delete(queue="q")
    assert channel.client.is_quiet()


def test_deleting_ones_own_queue_is_answered_before_the_cancel(channel: ChannelScript) -> None:
    channel.consume()
    channel >> Queue.delete(queue="q")
    assert channel.client.method_names() == ["queue.delete_ok", "basic.cancel"]


def test_channel_that_closed_is_told_nothing_of_its_queue(node: Node, channel: ChannelScript) -> None:
    channel.consume()
    channel >> octets_of(1, Queue.delete(queue="q", nowait=True)) + octets_of(1, Channel.close())
    assert channel.client.method_names()[-1] == "channel.close_ok"


# Direct reply-to


def test_reply_reaches_the_one_who_asked(node: Node, channel: ChannelScript) -> None:
    server = node.channel().consume(no_ack=True)
    channel.consume("amq.rabbitmq.reply-to", no_ack=True)
    channel.publish(b"ask", properties={"reply_to": "amq.rabbitmq.reply-to", "type": "t"})
    asked = server << Basic.deliver(body=b"ask")
    reply_to = asked.properties["reply_to"]
    assert reply_to.startswith("amq.rabbitmq.reply-to.")
    assert asked.properties["type"] == "t"
    server.publish(b"answer", key=reply_to)
    channel << Basic.deliver(body=b"answer", consumer_tag="c")


def test_replies_need_a_consumer(channel: ChannelScript) -> None:
    channel.publish(b"ask", properties={"reply_to": "amq.rabbitmq.reply-to"})
    assert channel.closed_with(406).reply_text.endswith("fast reply consumer does not exist")


def test_reply_consumer_cannot_acknowledge(channel: ChannelScript) -> None:
    channel >> Basic.consume(queue="amq.rabbitmq.reply-to")
    assert channel.closed_with(406).reply_text.endswith("reply consumer cannot acknowledge")


def test_channel_has_one_reply_consumer_at_a_time(channel: ChannelScript) -> None:
    channel.consume("amq.rabbitmq.reply-to", no_ack=True)
    channel >> Basic.cancel(consumer_tag="c")
    channel << Basic.cancel_ok()
    channel.consume("amq.rabbitmq.reply-to", no_ack=True)
    channel >> Basic.consume(queue="amq.rabbitmq.reply-to", consumer_tag="d", no_ack=True)
    assert channel.closed_with(406).reply_text.endswith("reply consumer already set")


def test_reply_queue_goes_with_its_channel(node: Node, channel: ChannelScript) -> None:
    channel.consume("amq.rabbitmq.reply-to", no_ack=True)
    assert len(node.vhost.queues) == 2
    channel >> Channel.close()
    assert set(node.vhost.queues) == {b"q"}


def test_replies_can_be_consumed_again_when_somebody_deleted_the_queue(
    node: Node, channel: ChannelScript
) -> None:
    channel.consume("amq.rabbitmq.reply-to", no_ack=True)
    (name,) = set(node.vhost.queues) - {b"q"}
    node.vhost.delete_queue(node.vhost.queues[name], False, False)
    node.end_turn()
    channel << Basic.cancel(consumer_tag="c")
    channel.consume("amq.rabbitmq.reply-to", no_ack=True)


def test_consumer_that_takes_the_tag_of_one_that_is_gone_is_not_cancelled(node: Node) -> None:
    """In one read: the old one's cancel comes before the answer to the new one's consume."""
    node.queue(b"other")
    client = node.client()
    channel = client.channel()
    channel.consume(tag="c")
    client.feed(
        octets_of(1, Queue.delete(queue="q")) + octets_of(1, Basic.consume(queue="other", consumer_tag="c"))
    )
    assert client.method_names()[-3:] == ["queue.delete_ok", "basic.cancel", "basic.consume_ok"]


@pytest.mark.parametrize(
    "operation",
    [
        Basic.consume(queue="NAME"),
        Basic.get(queue="NAME"),
        Queue.purge(queue="NAME"),
        Queue.delete(queue="NAME"),
    ],
    ids=["consume", "get", "purge", "delete"],
)
def test_queue_of_direct_reply_to_is_nobodys_to_use(node: Node, operation: Method) -> None:
    asking = node.channel()
    asking.consume("amq.rabbitmq.reply-to", no_ack=True)
    (name,) = [
        name
        for vhost in node.context.vhosts.values()
        for name in vhost.queues
        if name.startswith(b"amq.rabbitmq.reply-to.")
    ]
    operation.fields["queue"] = name.decode()
    answering = node.channel()
    answering >> operation
    answering.closed_with(404)
