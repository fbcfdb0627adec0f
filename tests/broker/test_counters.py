"""Counters add up, and what is gone stays counted."""

import pytest

from supersoniq.broker.counters import (
    MESSAGE_FIELDS,
    SIZE_BOUNDS,
    MessageCounters,
    SizeCounters,
    Tally,
    TrafficCounters,
    VHostCounters,
)


def counted(start: int) -> MessageCounters:
    """Counters that all differ: `start`, `start` + 1, and so on."""
    counters = MessageCounters()
    for offset, field in enumerate(MESSAGE_FIELDS):
        setattr(counters, field, start + offset)
    return counters


def test_values_stand_in_the_order_of_the_fields() -> None:
    assert counted(1).values() == list(range(1, len(MESSAGE_FIELDS) + 1))


def test_all_fields_are_added() -> None:
    counters = counted(1)
    counters.publish_confirm = 5
    other = counted(100)
    other.publish_confirm = 7
    counters.add(other)
    assert counters.values() == [101 + 2 * offset for offset in range(len(MESSAGE_FIELDS))]
    assert counters.publish_confirm == 12


def test_deliver_get_is_all_that_was_handed_out() -> None:
    counters = MessageCounters()
    counters.deliver, counters.deliver_no_ack, counters.get, counters.get_no_ack = 1, 20, 300, 4000
    counters.get_empty = counters.ack = counters.redeliver = 9
    assert counters.deliver_get == 4321


def test_tally_counts_what_is_there_and_what_is_gone_once() -> None:
    tally = Tally()
    first, second = tally.open(), tally.open()
    first.publish, second.publish = 3, 4
    tally.close(first)
    tally.close(first)
    assert tally.total().publish == 7
    assert tally.gone.publish == 3
    second.publish += 1
    assert tally.total().publish == 8


def test_tally_knows_who_has_published() -> None:
    tally = Tally()
    publisher = tally.open()
    tally.open().deliver = 5
    assert tally.publishers() == 0
    publisher.publish = 1
    assert tally.publishers() == 1
    tally.close(publisher)
    assert tally.publishers() == 0


def test_traffic_is_added() -> None:
    traffic, other = TrafficCounters(), TrafficCounters()
    other.received_bytes, other.received_count, other.sent_bytes, other.sent_count = 1, 2, 3, 4
    traffic.add(other)
    traffic.add(other)
    found = (traffic.received_bytes, traffic.received_count, traffic.sent_bytes, traffic.sent_count)
    assert found == (2, 4, 6, 8)


@pytest.mark.parametrize("place", range(len(SIZE_BOUNDS)))
def test_size_counts_in_the_smallest_bucket_that_takes_it(place: int) -> None:
    sizes = SizeCounters()
    sizes.count(SIZE_BOUNDS[place] + 1)
    if place + 1 < len(SIZE_BOUNDS):
        sizes.count(SIZE_BOUNDS[place + 1])
    expected = [0] * len(SIZE_BOUNDS)
    expected[place] = 2 if place + 1 < len(SIZE_BOUNDS) else 1
    assert sizes.larger == expected


def test_queues_that_are_gone_are_counted_by_type() -> None:
    counters = VHostCounters()
    gone = counters.queue_gone(b"classic", counted(1))
    counters.queue_gone(b"quorum", counted(100))
    assert counters.queue_gone(b"classic", counted(10)) is gone
    assert gone.publish == 11
    gone.ack += 1
    assert counters.gone_queues[b"classic"].ack == gone.ack
    assert counters.gone_queues[b"quorum"].publish == 100
    assert counters.queue_deleted == 3
