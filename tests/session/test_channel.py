"""A channel opens, closes, refuses what it must, and is silent once it is closing."""

import pytest
from tests.conformance.codec import Basic, Channel, Confirm, Connection, Exchange, Method, Queue, Tx
from tests.session.script import ChannelScript, Node, method_frame, octets_of


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
def channel(node: Node) -> ChannelScript:
    return node.channel()


def test_channel_closes_and_its_number_can_be_used_again(channel: ChannelScript) -> None:
    channel >> Channel.close(reply_code=200)
    channel << Channel.close_ok()
    channel.client.channel(channel.number)


def test_error_closes_the_channel_alone(channel: ChannelScript) -> None:
    other = channel.client.channel(2)
    channel >> Queue.declare(queue="missing", passive=True)
    channel << Channel.close(
        reply_code=404, reply_text="NOT_FOUND - no queue 'missing' in vhost '/'", class_id=50, method_id=10
    )
    other >> Queue.declare(queue="q")
    other << Queue.declare_ok(queue="q")


def test_closing_channel_drops_all_but_the_answer(channel: ChannelScript) -> None:
    channel >> Queue.declare(queue="missing", passive=True)
    channel << Channel.close(reply_code=404)
    (
        channel
        >> Queue.declare(queue="q")
        >> Basic.publish(routing_key="q", body=b"dropped")
        >> Basic.ack(delivery_tag=1)
    )
    assert channel.client.is_quiet()
    assert not channel.node.vhost.queues
    channel >> Channel.close_ok()
    channel.client.channel(channel.number)


def test_content_on_its_way_when_a_channel_closes_is_dropped(channel: ChannelScript) -> None:
    publish = octets_of(1, Basic.publish(exchange="missing", body=b"x"))
    channel >> publish * 3
    channel.closed_with(404)
    assert channel.client.is_quiet()


def test_both_may_close_a_channel_at_once(channel: ChannelScript) -> None:
    channel >> Queue.declare(queue="missing", passive=True)
    channel << Channel.close(reply_code=404)
    channel >> Channel.close(reply_code=200)
    channel << Channel.close_ok()
    channel >> Channel.close_ok()
    channel.client.channel(channel.number)


@pytest.mark.parametrize(
    "late",
    [Basic.ack(delivery_tag=1), Basic.nack(delivery_tag=1), Basic.reject(delivery_tag=1), Channel.close_ok()],
)
def test_late_word_on_a_closed_channel_is_ignored(channel: ChannelScript, late: Method) -> None:
    channel >> Channel.close()
    channel << Channel.close_ok()
    channel >> late
    assert channel.client.is_quiet()


def test_second_close_is_answered_too(channel: ChannelScript) -> None:
    channel >> Channel.close() >> Channel.close()
    channel << Channel.close_ok()
    channel << Channel.close_ok()


def test_closed_channel_cannot_be_used(channel: ChannelScript) -> None:
    channel >> Channel.close()
    channel << Channel.close_ok()
    channel >> Queue.declare(queue="q")
    close = channel.client << Connection.close(reply_code=504)
    assert "expected 'channel.open'" in close.reply_text


def test_second_open_is_a_channel_error(channel: ChannelScript) -> None:
    channel >> Channel.open()
    close = channel.client << Connection.close(reply_code=504, class_id=20, method_id=10)
    assert close.reply_text == "CHANNEL_ERROR - second 'channel.open' seen"


def test_closing_requeues_what_was_held_and_cancels_consumers(node: Node, channel: ChannelScript) -> None:
    queue = node.queue()
    channel.publish(b"a", b"b").consume()
    assert channel.bodies() == [b"a", b"b"]
    channel >> Channel.close()
    channel << Channel.close_ok()
    assert (queue.ready_count, int(queue.unacked_count), len(queue.consumers)) == (2, 0, 0)


def test_message_that_is_not_complete_is_forgotten_with_its_channel(
    node: Node, channel: ChannelScript
) -> None:
    queue = node.queue()
    channel >> method_frame(1, Basic.publish(routing_key="q"))
    channel >> Channel.close()
    channel << Channel.close_ok()
    again = channel.client.channel(1)
    again.publish(b"whole")
    assert queue.ready_count == 1


def test_flow_pauses_deliveries_and_lets_them_go_on(node: Node, channel: ChannelScript) -> None:
    node.queue()
    channel.consume()
    channel >> Channel.flow(active=False)
    channel << Channel.flow_ok(active=False)
    channel.publish(b"a", b"b")
    assert channel.client.is_quiet()
    channel >> Channel.flow(active=True)
    channel << Channel.flow_ok(active=True)
    assert channel.bodies() == [b"a", b"b"]


def test_modes_exclude_each_other(node: Node) -> None:
    confirming, transactional = node.channel(), node.channel()
    confirming >> Confirm.select()
    confirming << Confirm.select_ok()
    confirming >> Tx.select()
    assert confirming.closed_with(406).reply_text.endswith("cannot switch from confirm to tx mode")
    transactional >> Tx.select()
    transactional << Tx.select_ok()
    transactional >> Confirm.select()
    assert transactional.closed_with(406).reply_text.endswith("cannot switch from tx to confirm mode")


def test_mode_can_be_selected_again(channel: ChannelScript) -> None:
    for _ in range(2):
        channel >> Confirm.select()
        channel << Confirm.select_ok()
    channel >> Confirm.select(nowait=True)
    assert channel.client.is_quiet()


@pytest.mark.parametrize("method", [Tx.commit(), Tx.rollback()])
def test_transaction_has_to_be_selected(channel: ChannelScript, method: Method) -> None:
    channel >> method
    assert channel.closed_with(406).reply_text.endswith("channel is not transactional")


@pytest.mark.parametrize("is_async", [False, True])
def test_recover_requeues_everything_outstanding(node: Node, channel: ChannelScript, is_async: bool) -> None:
    node.queue()
    channel.publish(b"a", b"b").consume()
    assert channel.bodies() == [b"a", b"b"]
    if is_async:
        channel >> Basic.recover_async(requeue=True)
    else:
        channel >> Basic.recover(requeue=True)
        channel << Basic.recover_ok()
    for tag, body in ((3, b"a"), (4, b"b")):
        channel << Basic.deliver(delivery_tag=tag, redelivered=True, body=body)


def test_recover_without_requeue_is_not_implemented(channel: ChannelScript) -> None:
    channel >> Basic.recover(requeue=False)
    channel.client << Connection.close(reply_code=540)


def test_prefetch_size_is_not_implemented(channel: ChannelScript) -> None:
    channel >> Basic.qos(prefetch_size=10)
    channel.client << Connection.close(reply_code=540, reply_text="NOT_IMPLEMENTED - prefetch_size!=0 (10)")


def test_get_gives_the_first_message_and_how_many_are_left(node: Node, channel: ChannelScript) -> None:
    node.queue()
    channel.publish(b"a", b"b")
    channel >> Basic.get(queue="q")
    channel << Basic.get_ok(
        delivery_tag=1, redelivered=False, exchange="", routing_key="q", message_count=1, body=b"a"
    )
    channel >> Basic.get(queue="q", no_ack=True)
    channel << Basic.get_ok(delivery_tag=2, message_count=0, body=b"b")
    channel >> Basic.get(queue="q")
    channel << Basic.get_empty()
    assert int(node.vhost.queues[b"q"].unacked_count) == 1


def test_get_from_a_missing_queue_is_not_found(channel: ChannelScript) -> None:
    channel >> Basic.get(queue="q")
    channel.closed_with(404)


def test_client_may_confirm_a_cancel(channel: ChannelScript) -> None:
    channel >> Basic.cancel_ok(consumer_tag="c")
    assert channel.client.is_quiet()


@pytest.mark.parametrize("method", [Queue.declare(queue="q"), Basic.qos(), Exchange.delete(exchange="e")])
def test_method_cut_short_is_a_frame_error(channel: ChannelScript, method: Method) -> None:
    whole = method_frame(1, method)
    payload = whole[7:-2]
    channel >> whole[:3] + len(payload).to_bytes(4) + payload + b"\xce"
    close = channel.client << Connection.close(reply_code=501)
    assert close.reply_text.startswith("FRAME_ERROR - cannot decode <<")
