"""Priorities: the highest goes first, and the order of arrival counts among equals."""

from __future__ import annotations

from random import Random

import pytest
from tests.conformance.codec import Basic
from tests.conformance.names import Names
from tests.conformance.test_expiry import declare
from tests.conformance.wire import Wire, WireChannel


@pytest.mark.rule("queue.declare", "max-priority")
@pytest.mark.parametrize("durable", [False, True])
def test_highest_priority_goes_first(ch: WireChannel, names: Names, durable: bool) -> None:
    q = declare(ch, names.q, durable, max_priority=5)
    for priority in (None, 1, 9, 5, 3, 0):
        properties = {"delivery_mode": 2} if priority is None else {"delivery_mode": 2, "priority": priority}
        ch.enqueue(q, b"%d" % (-1 if priority is None else priority), properties=properties)
    assert ch.drain(q) == [b"9", b"5", b"3", b"1", b"-1", b"0"]


def test_order_of_arrival_counts_in_each_level(ch: WireChannel, names: Names) -> None:
    q = declare(ch, names.q, max_priority=10)
    random = Random(1)
    sent = [(random.randrange(12), number) for number in range(300)]
    for priority, number in sent:
        ch.publish(b"%d" % number, q, properties={"priority": priority})
    ch.enqueue(q, b"300", properties={"priority": 0})
    wanted = sorted(sent, key=lambda pair: (-min(pair[0], 10), pair[1]))
    assert ch.drain(q) == [b"%d" % number for _, number in wanted] + [b"300"]


def test_requeued_message_goes_back_to_its_place(ch: WireChannel, wire: Wire, names: Names) -> None:
    q = declare(ch, names.q, max_priority=3)
    for body, priority in ((b"a", 1), (b"b", 2), (b"c", 1), (b"d", 2)):
        ch.enqueue(q, body, properties={"priority": priority})
    holder = wire.channel()
    tags = []
    for _ in range(3):
        holder >> Basic.get(queue=q)
        tags.append((holder << Basic.get_ok()).delivery_tag)
    for tag in (tags[2], tags[0], tags[1]):
        holder >> Basic.nack(delivery_tag=tag, requeue=True)
    holder.call(Basic.qos())
    assert ch.drain(q) == [b"b", b"d", b"a", b"c"]


def test_new_message_of_higher_priority_overtakes(ch: WireChannel, wire: Wire, names: Names) -> None:
    q = declare(ch, names.q, max_priority=3)
    ch.enqueue(q, b"low 1", b"low 2")
    consumer = wire.channel()
    consumer.call(Basic.qos(prefetch_count=1))
    consumer.call(Basic.consume(queue=q))
    first = consumer << Basic.deliver(body=b"low 1")
    ch.enqueue(q, b"high", properties={"priority": 3})
    consumer >> Basic.ack(delivery_tag=first.delivery_tag)
    second = consumer << Basic.deliver(body=b"high")
    consumer >> Basic.ack(delivery_tag=second.delivery_tag)
    consumer << Basic.deliver(body=b"low 2")


def test_limit_drops_what_would_be_delivered_next(ch: WireChannel, names: Names) -> None:
    q = declare(ch, names.q, max_priority=3, max_length=2)
    for body, priority in ((b"low", 0), (b"high", 3), (b"middle", 1)):
        ch.enqueue(q, body, properties={"priority": priority})
    assert ch.drain(q) == [b"middle", b"low"]
