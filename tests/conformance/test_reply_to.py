"""Direct reply-to: replies without a reply queue."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.conformance.codec import Basic, Channel, Queue
from tests.conformance.wire import Wire, WireChannel, channel_closed, properties_of

REPLY_TO = "amq.rabbitmq.reply-to"
Connect = Callable[..., Wire]


@pytest.fixture
def requester(wire: Wire, ch: WireChannel) -> WireChannel:
    """A channel that consumes its replies with the tag "replies"."""
    channel = wire.channel()
    channel.call(Basic.consume(queue=REPLY_TO, consumer_tag="replies", no_ack=True))
    return channel


@pytest.fixture
def responder(connect: Connect) -> WireChannel:
    """A channel of another connection."""
    return connect().channel()


def request(requester: WireChannel, responder: WireChannel, q: str) -> str:
    """Send a request over `q` and return the address that the responder sees."""
    requester.publish(b"question", q, properties={"reply_to": REPLY_TO, "correlation_id": "7"})
    while True:
        responder >> Basic.get(queue=q, no_ack=True)
        received = responder.next()
        if received.name == "basic.get_ok":
            break
    properties = properties_of(received)
    assert properties["correlation_id"] == "7"
    return str(properties["reply_to"])


@pytest.mark.rule("basic.publish", "reply-to")
def test_reply_finds_its_way_back(requester: WireChannel, responder: WireChannel, q: str) -> None:
    address = request(requester, responder, q)
    assert address.startswith(REPLY_TO + ".")
    for _ in range(2):
        responder.publish(b"answer", address, properties={"correlation_id": "7"})
        received = requester << Basic.deliver(
            consumer_tag="replies",
            redelivered=False,
            exchange="",
            routing_key=address,
            body=b"answer",
        )
        assert properties_of(received) == {"correlation_id": "7"}


@pytest.mark.rule("basic.publish", "reply-to")
def test_each_channel_has_its_own_address(
    wire: Wire, requester: WireChannel, responder: WireChannel, q: str
) -> None:
    second = wire.channel()
    second.call(Basic.consume(queue=REPLY_TO, no_ack=True))
    first_address = request(requester, responder, q)
    second_address = request(second, responder, q)
    assert first_address != second_address
    responder.publish(b"two", second_address).publish(b"one", first_address)
    requester << Basic.deliver(body=b"one")
    second << Basic.deliver(body=b"two")


@pytest.mark.rule("basic.publish", "reply-to")
def test_other_reply_addresses_are_left_alone(requester: WireChannel, ch: WireChannel, q: str) -> None:
    requester.publish(b"m", q, properties={"reply_to": "my-own-queue"})
    requester.call(Basic.qos())
    ch >> Basic.get(queue=q, no_ack=True)
    assert properties_of(ch << Basic.get_ok())["reply_to"] == "my-own-queue"


@pytest.mark.rule("queue.declare", "reply-to")
def test_responder_may_ask_whether_the_requester_is_still_there(
    requester: WireChannel, responder: WireChannel, q: str
) -> None:
    address = request(requester, responder, q)
    for passive in (True, False):
        reply = responder.call(Queue.declare(queue=address, passive=passive))
        assert (reply.queue, reply.message_count, reply.consumer_count) == (address, 0, 1)
    requester.call(Channel.close())
    responder >> Queue.declare(queue=address, passive=True)
    responder << channel_closed(404, f"no queue '{address}' in vhost '/'", 50, 10)
    responder >> Channel.close_ok()


@pytest.mark.rule("queue.declare", "reply-to")
def test_pseudo_queue_itself_exists(requester: WireChannel) -> None:
    reply = requester.call(Queue.declare(queue=REPLY_TO, passive=True))
    assert (reply.queue, reply.message_count, reply.consumer_count) == (REPLY_TO, 0, 1)


@pytest.mark.rule("basic.cancel", "reply-to")
def test_cancelled_reply_consumer_is_gone_and_can_be_replaced(
    requester: WireChannel, responder: WireChannel, q: str
) -> None:
    requester.call(Basic.cancel(consumer_tag="replies"))
    requester.call(Basic.consume(queue=REPLY_TO, consumer_tag="again", no_ack=True))
    address = request(requester, responder, q)
    responder.publish(b"answer", address)
    requester << Basic.deliver(consumer_tag="again", body=b"answer")


@pytest.mark.rule("basic.publish", "reply-to-gone")
def test_reply_to_a_requester_that_is_gone_is_dropped(
    requester: WireChannel, responder: WireChannel, q: str
) -> None:
    address = request(requester, responder, q)
    requester.call(Channel.close())
    responder.publish(b"late", address)
    responder.call(Basic.qos())
    responder.quiet()


@pytest.mark.rule("basic.publish", "reply-to-gone")
@pytest.mark.parametrize("address", [REPLY_TO + ".bogus", REPLY_TO + ".", REPLY_TO], ids=str)
def test_invented_reply_addresses_are_unroutable(address: str, responder: WireChannel) -> None:
    responder.publish(b"lost", address)
    responder.call(Basic.qos())


@pytest.mark.rule("queue.bind", "reply-to")
def test_reply_addresses_cannot_be_bound(requester: WireChannel, responder: WireChannel, q: str) -> None:
    address = request(requester, responder, q)
    responder >> Queue.bind(queue=address, exchange="amq.direct")
    responder << Channel.close(class_id=50, method_id=20)
    responder >> Channel.close_ok()
