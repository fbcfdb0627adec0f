"""Consumers of quorum queues are told how often a message was delivered in vain."""

import pytest
from tests.fakes import FakeConsumer, FakeQueueStore, message, queue_of, settle_down

from supersoniq.amqp.properties import headers_property
from supersoniq.amqp.tables import plain
from supersoniq.broker.message import Entry
from supersoniq.broker.queues.counting import shown
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.queues.rules import Rules
from supersoniq.broker.turn import Turn


def counting() -> Rules:
    rules = Rules()
    rules.counts_deliveries = True
    return rules


def entry_with(count: int) -> Entry:
    entry = Entry(message(b"body", persistent=True), 1)
    entry.delivery_count = count
    return entry


@pytest.mark.parametrize("count", [1, 7])
def test_count_is_in_a_header_of_what_has_come_back(count: int) -> None:
    entry = entry_with(count)
    told = shown(counting(), entry)
    assert plain(headers_property(told.header)) == {"x-delivery-count": count}
    assert (told.body, told.address, told.persistent) == (b"body", entry.message.address, True)
    assert headers_property(entry.message.header) == {}


def test_others_are_shown_as_they_are() -> None:
    fresh, returned = entry_with(0), entry_with(3)
    assert shown(counting(), fresh) is fresh.message
    assert shown(Rules(), returned) is returned.message


def test_consumer_that_does_not_ack_is_told_too() -> None:
    turn = Turn()
    queue: Queue = queue_of(turn, FakeQueueStore())
    queue.rules.counts_deliveries = True
    first, second = FakeConsumer(room=1), FakeConsumer(no_ack=True)
    queue.subscribe(first)
    queue.enqueue(message(b"x"))
    queue.consumers.remove(first)
    queue.requeue(first.entries[0])
    queue.subscribe(second)
    settle_down(turn)
    ((told, redelivered),) = second.settled
    assert redelivered
    assert plain(headers_property(told.header)) == {"x-delivery-count": 1}
