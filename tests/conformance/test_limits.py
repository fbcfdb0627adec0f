"""Length limits: what goes when a queue is full, and what is not let in."""

from __future__ import annotations

import pytest
from tests.conformance.codec import Basic, Confirm, Queue, Tx
from tests.conformance.names import Names
from tests.conformance.test_dead_letters import deaths_of, fetched
from tests.conformance.test_expiry import declare, eventually, ready
from tests.conformance.wire import Wire, WireChannel, channel_closed


@pytest.fixture
def confirming(wire: Wire, ch: WireChannel) -> WireChannel:
    """A channel in confirm mode."""
    channel = wire.channel()
    channel.call(Confirm.select())
    return channel


def answers(ch: WireChannel, count: int) -> list[str]:
    """What was said of each publish from 1 on, as ack or nack."""
    said: dict[int, str] = {}
    while len(said) < count:
        answer = ch.next()
        first = answer.delivery_tag if not answer.multiple else 1
        for tag in range(first, answer.delivery_tag + 1):
            said.setdefault(tag, answer.name.removeprefix("basic."))
    return [said[tag] for tag in range(1, count + 1)]


@pytest.mark.rule("queue.declare", "max-length")
def test_first_message_goes_when_there_are_too_many(ch: WireChannel, names: Names) -> None:
    q = declare(ch, names.q, max_length=3)
    ch.enqueue(q, *[b"%d" % number for number in range(10)])
    assert ch.drain(q) == [b"7", b"8", b"9"]


@pytest.mark.rule("queue.declare", "max-length-bytes")
def test_first_messages_go_when_they_are_too_large(ch: WireChannel, names: Names) -> None:
    q = declare(ch, names.q, max_length_bytes=10)
    ch.enqueue(q, b"12345", b"678", b"901")
    assert ch.drain(q) == [b"678", b"901"]
    ch.enqueue(q, b"larger than all of it")
    assert ch.drain(q) == []


def test_messages_that_are_held_do_not_count(ch: WireChannel, wire: Wire, names: Names) -> None:
    q = declare(ch, names.q, max_length=1)
    ch.enqueue(q, b"held")
    holder = wire.channel()
    holder >> Basic.get(queue=q)
    holder << Basic.get_ok(body=b"held")
    ch.enqueue(q, b"waiting")
    assert ready(ch, q) == 1


@pytest.mark.parametrize("overflow", ["drop-head", "reject-publish"])
def test_what_comes_back_is_taken_and_only_drop_head_drops_for_it(
    ch: WireChannel, wire: Wire, names: Names, overflow: str
) -> None:
    q = declare(ch, names.q, max_length=2, overflow=overflow)
    ch.enqueue(q, b"a", b"b")
    holder = wire.channel()
    holder >> Basic.get(queue=q)
    got = holder << Basic.get_ok(body=b"a")
    ch.enqueue(q, b"c")
    holder >> Basic.nack(delivery_tag=got.delivery_tag, requeue=True)
    holder.call(Basic.qos())
    assert ch.drain(q) == ([b"b", b"c"] if overflow == "drop-head" else [b"a", b"b", b"c"])


@pytest.mark.rule("queue.declare", "overflow")
def test_what_does_not_fit_is_nacked(ch: WireChannel, confirming: WireChannel, names: Names) -> None:
    q = declare(ch, names.q, max_length=2, overflow="reject-publish")
    for body in (b"1", b"2", b"3", b"4"):
        confirming.publish(body, q)
    assert answers(confirming, 4) == ["ack", "ack", "nack", "nack"]
    assert ch.drain(q) == [b"1", b"2"]
    confirming.publish(b"5", q)
    answer = confirming << Basic.ack(delivery_tag=5)
    assert not answer.multiple or answer.delivery_tag == 5


def test_what_does_not_fit_is_dropped_without_confirms(ch: WireChannel, names: Names) -> None:
    q = declare(ch, names.q, max_length=1, overflow="reject-publish")
    ch.publish(b"1", q).publish(b"2", q)
    ch.call(Basic.qos())
    eventually(ch, q, 1)
    assert ch.drain(q) == [b"1"]


def test_one_full_queue_of_several_is_enough_for_a_nack(
    ch: WireChannel, confirming: WireChannel, names: Names
) -> None:
    full = declare(ch, names(), max_length=1, overflow="reject-publish")
    free = declare(ch, names())
    for queue in (full, free):
        ch.call(Queue.bind(queue=queue, exchange="amq.fanout", routing_key=names.x))
    ch.enqueue(full, b"there")
    confirming.publish(b"new", full, properties={"headers": {"CC": [free]}})
    confirming << Basic.nack(delivery_tag=1)
    assert ch.drain(free) == [b"new"]
    assert ch.drain(full) == [b"there"]


@pytest.mark.rule("queue.declare", "overflow")
def test_refused_message_may_be_dead_lettered(ch: WireChannel, confirming: WireChannel, names: Names) -> None:
    dead = declare(ch, names("dead"))
    q = declare(
        ch,
        names.q,
        max_length=1,
        overflow="reject-publish-dlx",
        dead_letter_exchange="",
        dead_letter_routing_key=dead,
    )
    confirming.publish(b"1", q)
    confirming << Basic.ack(delivery_tag=1)
    confirming.publish(b"2", q)
    confirming << Basic.nack(delivery_tag=2)
    got = fetched(ch, dead)
    assert (got.body, deaths_of(got)[0]["reason"]) == (b"2", "maxlen")
    assert ch.drain(q) == [b"1"]


def test_transaction_that_does_not_fit_is_told(ch: WireChannel, wire: Wire, names: Names) -> None:
    q = declare(ch, names.q, max_length=1, overflow="reject-publish")
    tx = wire.channel()
    tx.call(Tx.select())
    tx.publish(b"1", q).publish(b"2", q)
    tx >> Tx.commit()
    tx << channel_closed(406, "partial tx completion", 90, 20)
    assert ch.drain(q) == [b"1"]


def test_order_of_answers_is_that_of_the_publishes(
    ch: WireChannel, confirming: WireChannel, names: Names
) -> None:
    full = declare(ch, names(), True, max_length=0, overflow="reject-publish")
    free = declare(ch, names(), True)
    wanted = []
    for number in range(60):
        queue = full if number % 3 == 0 else free
        confirming.publish(b"x", queue, properties={"delivery_mode": 1 + number % 2})
        wanted.append("nack" if queue == full else "ack")
    assert answers(confirming, 60) == wanted
