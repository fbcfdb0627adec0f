"""Single active consumer: one takes all, the next takes over."""

from __future__ import annotations

import pytest
from tests.conformance.codec import Basic, Channel
from tests.conformance.names import Names
from tests.conformance.test_expiry import declare
from tests.conformance.wire import Wire, WireChannel, channel_closed


@pytest.mark.rule("queue.declare", "single-active-consumer")
def test_only_the_first_consumer_gets_messages(ch: WireChannel, wire: Wire, names: Names) -> None:
    q = declare(ch, names.q, single_active_consumer=True)
    consumers = [wire.channel() for _ in range(3)]
    for consumer in consumers:
        consumer.call(Basic.consume(queue=q, no_ack=True))
    for number in range(5):
        ch.publish(b"%d" % number, q)
    assert consumers[0].bodies(5) == [b"%d" % number for number in range(5)]
    for consumer in consumers[1:]:
        consumer.quiet(0.05)


LATER = pytest.mark.oracle_differs("the next one gets nothing before something else happens")


@pytest.mark.parametrize("how", [pytest.param("cancel", marks=LATER), "close"])
def test_next_one_takes_over(ch: WireChannel, wire: Wire, names: Names, how: str) -> None:
    q = declare(ch, names.q, single_active_consumer=True)
    first, second = wire.channel(), wire.channel()
    first.call(Basic.qos(prefetch_count=1))
    tag = first.call(Basic.consume(queue=q)).consumer_tag
    second.call(Basic.consume(queue=q, no_ack=True))
    ch.enqueue(q, b"a", b"b")
    got = first << Basic.deliver(body=b"a")
    second.quiet(0.05)
    if how == "cancel":
        first.call(Basic.cancel(consumer_tag=tag))
        assert second.bodies(1) == [b"b"]
        first >> Basic.nack(delivery_tag=got.delivery_tag, requeue=True)
        assert second.bodies(1) == [b"a"]
    else:
        first.call(Channel.close())
        assert sorted(second.bodies(2)) == [b"a", b"b"]


def test_active_one_that_is_full_keeps_its_place(ch: WireChannel, wire: Wire, names: Names) -> None:
    q = declare(ch, names.q, single_active_consumer=True)
    first, second = wire.channel(), wire.channel()
    first.call(Basic.qos(prefetch_count=1))
    first.call(Basic.consume(queue=q))
    second.call(Basic.consume(queue=q))
    ch.enqueue(q, b"a", b"b", b"c")
    for body in (b"a", b"b", b"c"):
        got = first << Basic.deliver(body=body)
        second.quiet(0.05)
        first >> Basic.ack(delivery_tag=got.delivery_tag)


def test_exclusive_consumer_is_refused(ch: WireChannel, wire: Wire, names: Names) -> None:
    q = declare(ch, names.q, single_active_consumer=True)
    consumer = wire.channel()
    consumer >> Basic.consume(queue=q, exclusive=True)
    consumer << channel_closed(403, f"queue '{q}' in vhost '/' in exclusive use", 60, 20)
