"""The page of the node as a whole."""

import pytest
from tests.conformance.codec import Basic, Confirm
from tests.metrics.reading import Read, Reader
from tests.session.script import Node

from supersoniq.amqp.tables import table_of

# All that RabbitMQ's Overview dashboard queries; names of histograms are without suffix.
OVERVIEW = [
    "rabbitmq_build_info",
    "rabbitmq_identity_info",
    "rabbitmq_channels",
    "rabbitmq_connections",
    "rabbitmq_queues",
    "rabbitmq_connections_opened_total",
    "rabbitmq_connections_closed_total",
    "rabbitmq_channels_opened_total",
    "rabbitmq_channels_closed_total",
    "rabbitmq_queues_declared_total",
    "rabbitmq_queues_created_total",
    "rabbitmq_queues_deleted_total",
    "rabbitmq_queue_messages_ready",
    "rabbitmq_queue_messages_unacked",
    "rabbitmq_global_consumers",
    "rabbitmq_global_publishers",
    "rabbitmq_global_messages_received_total",
    "rabbitmq_global_messages_received_confirm_total",
    "rabbitmq_global_messages_routed_total",
    "rabbitmq_global_messages_confirmed_total",
    "rabbitmq_global_messages_unroutable_dropped_total",
    "rabbitmq_global_messages_unroutable_returned_total",
    "rabbitmq_global_messages_delivered_total",
    "rabbitmq_global_messages_delivered_consume_auto_ack_total",
    "rabbitmq_global_messages_delivered_consume_manual_ack_total",
    "rabbitmq_global_messages_delivered_get_auto_ack_total",
    "rabbitmq_global_messages_delivered_get_manual_ack_total",
    "rabbitmq_global_messages_redelivered_total",
    "rabbitmq_global_messages_acknowledged_total",
    "rabbitmq_global_messages_get_empty_total",
    "rabbitmq_message_size_bytes_bucket",
    "rabbitmq_message_size_bytes_sum",
    "rabbitmq_message_size_bytes_count",
    "rabbitmq_disk_space_available_bytes",
    "rabbitmq_disk_space_available_limit_bytes",
    "rabbitmq_resident_memory_limit_bytes",
    "rabbitmq_process_resident_memory_bytes",
    "rabbitmq_process_max_fds",
    "rabbitmq_process_open_fds",
    "rabbitmq_erlang_uptime_seconds",
]
ALERTED = [
    "rabbitmq_alarms_memory_used_watermark",
    "rabbitmq_alarms_free_disk_space_watermark",
    "rabbitmq_alarms_file_descriptor_limit",
    "rabbitmq_queue_messages",
    "rabbitmq_queue_consumers",
    "rabbitmq_consumers",
    "rabbitmq_global_messages_dead_lettered_expired_total",
    "rabbitmq_global_messages_dead_lettered_rejected_total",
    "rabbitmq_global_messages_dead_lettered_maxlen_total",
    "rabbitmq_global_messages_dead_lettered_delivery_limit_total",
    "rabbitmq_global_messages_dead_lettered_confirmed_total",
]
CLASSIC = {"protocol": "amqp091", "queue_type": "rabbit_classic_queue"}


@pytest.fixture
def node() -> Node:
    node = Node()
    node.queue()
    return node


def test_everything_that_dashboards_ask_for_is_there(node: Node) -> None:
    names = {name for name, _ in Reader(node).read().samples}
    assert [name for name in OVERVIEW + ALERTED if name not in names] == []


def test_global_counters(node: Node) -> None:
    channel = node.channel()
    channel >> Confirm.select() << Confirm.select_ok()
    channel.publish(b"a", b"b").publish(b"c", key="nowhere").publish(b"d", key="nowhere", mandatory=True)
    other = node.channel().publish(b"e")
    for no_ack in (True, False, True, True):
        other >> Basic.get(queue="q", no_ack=no_ack)
    other >> Basic.nack(delivery_tag=2, requeue=True)
    other >> Basic.get(queue="q") << Basic.get_ok()
    other >> Basic.ack(delivery_tag=4)
    found = Reader(node).read()
    expected = {
        "received": 5,
        "received_confirm": 4,
        "routed": 3,
        "confirmed": 4,
        "unroutable_dropped": 1,
        "unroutable_returned": 1,
    }
    for name, value in expected.items():
        assert found.value(f"rabbitmq_global_messages_{name}_total", protocol="amqp091") == value, name
    deliveries = {
        "delivered_get_auto_ack": 2,
        "delivered_get_manual_ack": 2,
        "delivered_consume_auto_ack": 0,
        "delivered_consume_manual_ack": 0,
        "delivered": 4,
        "redelivered": 1,
        "acknowledged": 1,
        "get_empty": 1,
    }
    for name, value in deliveries.items():
        assert found.value(f"rabbitmq_global_messages_{name}_total", **CLASSIC) == value, name
    assert found.value("rabbitmq_global_publishers", protocol="amqp091") == 2


def test_totals_of_objects(node: Node) -> None:
    node.queue(b"p")
    node.channel().publish(b"a", b"b").publish(b"c", key="p").consume("p")
    found = Reader(node).read()
    values = {
        "rabbitmq_queue_messages_ready": 2,
        "rabbitmq_queue_messages_unacked": 1,
        "rabbitmq_queue_messages": 3,
        "rabbitmq_queue_messages_published_total": 3,
        "rabbitmq_channel_messages_published_total": 3,
        "rabbitmq_channel_messages_delivered_ack_total": 1,
        "rabbitmq_channel_messages_unacked": 1,
        "rabbitmq_connections": 1,
        "rabbitmq_channels": 1,
        "rabbitmq_consumers": 1,
        "rabbitmq_queues": 2,
    }
    assert {name: found.value(name) for name in values} == values


def test_counters_do_not_fall_when_things_go(node: Node) -> None:
    reader = Reader(node)
    publisher = node.channel().publish(b"a", b"b")
    node.channel().consume()
    before = reader.read()
    publisher.client.session.lost()
    node.clients.remove(publisher.client)
    node.vhost.delete_queue(node.vhost.queues[b"q"], False, False)
    after = reader.read()
    for (name, labels), value in before.samples.items():
        if name.endswith(("_total", "_count", "_sum", "_bucket")):
            assert after.samples[name, labels] >= value, name
    assert after.value("rabbitmq_queue_messages_published_total") == 2


def test_dead_letters_have_rabbitmqs_labels(node: Node) -> None:
    node.vhost.declare_queue(b"short", False, False, False, table_of({"x-max-length": 1}), 0)
    node.channel().publish(b"a", b"b", key="short")
    name = "rabbitmq_global_messages_dead_lettered_maxlen_total"
    found = Reader(node).read()
    labels = {"queue_type": "rabbit_classic_queue", "dead_letter_strategy": "disabled"}
    assert found.value(name, **labels) == 1
    assert sum(found.labelled(name).values()) == 1


def label_sets(page: Read) -> dict[str, set[frozenset[str]]]:
    return {name: page.label_names(name) for name, _ in page.samples}


def test_pages_differ_in_what_is_of_each_object(node: Node) -> None:
    reader = Reader(node)
    node.channel().publish(b"a")
    aggregated, per_object = label_sets(reader.read()), label_sets(reader.read("/metrics/per-object"))
    assert aggregated["rabbitmq_queue_messages"] == {frozenset()}
    assert per_object["rabbitmq_queue_messages"] == {frozenset({"vhost", "queue"})}
    same = [name for name in aggregated if name.startswith(("rabbitmq_global", "rabbitmq_process"))]
    assert all(aggregated[name] == per_object[name] for name in same)
