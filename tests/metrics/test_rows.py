"""Rows have a value for each family of their table, in its order."""

from tests.session.script import Node

from supersoniq.broker.counters import MessageCounters
from supersoniq.broker.totals import Lengths, lengths_of
from supersoniq.metrics import families
from supersoniq.metrics.families import Family
from supersoniq.metrics.rows import (
    age_values,
    channel_values,
    connection_values,
    delivery_values,
    exchange_values,
    labels_of,
    octet_values,
    publish_values,
    queue_length_values,
)


def named(table: tuple[Family, ...], values: list[int] | list[float]) -> dict[str, float]:
    """Values by family, without those that are 0."""
    pairs = zip(table, values, strict=True)
    return {family.name: value for family, value in pairs if value}


def test_labels_are_escaped() -> None:
    assert labels_of(vhost="/", queue='a "b"\\\n') == 'vhost="/",queue="a \\"b\\"\\\\\\n"'


def test_lengths() -> None:
    lengths = Lengths()
    lengths.ready_count, lengths.unacked_count, lengths.paged_count = 10, 3, 4
    lengths.ready_body_bytes, lengths.unacked_body_bytes, lengths.paged_body_bytes = 1000, 300, 400
    lengths.consumer_count, lengths.memory_bytes = 2, 5000
    coarse, fine = queue_length_values(lengths)
    assert named(families.QUEUE_COARSE, coarse) == {
        "queue_messages_ready": 10,
        "queue_messages_unacked": 3,
        "queue_messages": 13,
    }
    assert named(families.QUEUE, fine) == {
        "queue_consumers": 2,
        "queue_process_memory_bytes": 5000,
        "queue_messages_ram": 9,
        "queue_messages_ram_bytes": 900,
        "queue_messages_ready_ram": 6,
        "queue_messages_unacked_ram": 3,
        "queue_messages_bytes": 1300,
        "queue_messages_ready_bytes": 1000,
        "queue_messages_unacked_bytes": 300,
        "queue_messages_paged_out": 4,
        "queue_messages_paged_out_bytes": 400,
    }


def test_counters() -> None:
    counters = MessageCounters()
    counters.publish, counters.confirm, counters.return_unroutable, counters.drop_unroutable = 1, 2, 3, 4
    counters.get, counters.get_no_ack, counters.deliver, counters.deliver_no_ack = 5, 6, 7, 8
    counters.redeliver, counters.ack, counters.get_empty = 9, 10, 11
    counters.publish_in, counters.publish_out = 12, 13
    assert named(families.CHANNEL_EXCHANGE, publish_values(counters)) == {
        "channel_messages_published": 1,
        "channel_messages_confirmed": 2,
        "channel_messages_unroutable_returned": 3,
        "channel_messages_unroutable_dropped": 4,
    }
    deliveries = {
        "get_ack": 5,
        "get": 6,
        "messages_delivered_ack": 7,
        "messages_delivered": 8,
        "messages_redelivered": 9,
        "messages_acked": 10,
        "get_empty": 11,
    }
    for prefix, table in (("channel", families.CHANNEL_QUEUE), ("queue", families.QUEUE_DELIVERY)):
        expected = {f"{prefix}_{name}": value for name, value in deliveries.items()}
        assert named(table, delivery_values(counters)) == expected
    assert named(families.EXCHANGE, exchange_values(counters)) == {
        "exchange_messages_published": 12,
        "exchange_messages_routed": 13,
    }


def test_channel_and_connection() -> None:
    node = Node()
    node.queue()
    script = node.channel().publish(b"a", b"b").qos(7).qos(9, is_global=True).consume()
    session = script.client.session
    session.client.traffic.received_bytes, session.client.traffic.sent_count = 100, 3
    assert named(families.CHANNEL, channel_values(session.channels[1])) == {
        "channel_consumers": 1,
        "channel_messages_unacked": 2,
        "consumer_prefetch": 7,
        "channel_prefetch": 9,
    }
    assert named(families.CONNECTION_COARSE, octet_values(session.client)) == {
        "connection_incoming_bytes": 100
    }
    assert named(families.CONNECTION, connection_values(session)) == {
        "connection_outgoing_packets": 3,
        "connection_channels": 1,
    }


def test_ages_are_0_where_there_is_nothing() -> None:
    node = Node()
    queue = node.queue()
    assert named(families.QUEUE_AGES, age_values(queue, node.clock.now, 0)) == {}
    node.channel().publish(b"a")
    found = age_values(queue, node.clock.now + 2_500, 0)
    assert named(families.QUEUE_AGES, found) == {"queue_oldest_ready_age_seconds": 2.5}
    assert queue_length_values(lengths_of([queue]))[0] == [1, 0, 1]
