"""What a real client did is what is counted, for each thing and for all together."""

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from tests.metrics.reading import Read
from tests.metrics.running import metering_of

from supersoniq import Broker
from supersoniq.control.actor import NODE


def read(broker: Broker, page: str = "") -> Read:
    with urllib.request.urlopen(broker.prometheus_url + page, timeout=30) as answer:
        return Read(answer.read().decode())


@pytest.fixture
def broker() -> Iterator[Broker]:
    with Broker(prometheus="on") as broker:
        yield broker


@pytest.fixture
def channel(broker: Broker) -> Iterator[BlockingChannel]:
    connection = pika.BlockingConnection(pika.URLParameters(broker.url))
    yield connection.channel()
    connection.close()


def work(channel: BlockingChannel) -> None:
    """Publish, deliver, get, ack, reject and return, a different number of times each."""
    channel.queue_declare("q")
    channel.confirm_delivery()
    for _ in range(10):
        channel.basic_publish("", "q", b"hello")
    with pytest.raises(pika.exceptions.UnroutableError):
        channel.basic_publish("", "nowhere", b"x", mandatory=True)
    channel.basic_publish("", "nowhere", b"x")
    for _ in range(2):
        channel.basic_get("q", auto_ack=True)
    method, _, _ = channel.basic_get("q")
    channel.basic_nack(method.delivery_tag, requeue=True)
    channel.basic_qos(prefetch_count=1)
    for number, (method, _, _) in enumerate(channel.consume("q")):
        channel.basic_ack(method.delivery_tag)
        if number == 7:
            break
    channel.cancel()
    channel.basic_get("q")


def test_counts_are_those_of_the_client(broker: Broker, channel: BlockingChannel) -> None:
    work(channel)
    metering = metering_of(broker)
    queue = broker.node.vhosts["/"].queues[b"q"]
    stats = metering.sampler.queue_stats(queue)
    expected = {
        "publish": 10, "deliver": 8, "deliver_no_ack": 0, "get": 1, "get_no_ack": 2, "get_empty": 1,
        "ack": 8, "redeliver": 1, "deliver_get": 11,
    }  # fmt: skip
    assert {name: stats[name] for name in expected} == expected
    of_channels = {"publish": 12, "confirm": 12, "return_unroutable": 1, "drop_unroutable": 1}
    node = metering.sampler.message_stats()
    assert {name: node[name] for name in of_channels} == of_channels
    assert {name: node[name] for name in expected if name != "publish"} == {
        name: value for name, value in expected.items() if name != "publish"
    }
    page = read(broker)
    assert page.value("rabbitmq_global_messages_received_total", protocol="amqp091") == 12
    assert page.value("rabbitmq_global_messages_routed_total", protocol="amqp091") == 10
    assert page.value("rabbitmq_message_size_bytes_sum", protocol="amqp091") == 52


def test_totals_outlive_everything_they_are_of(broker: Broker) -> None:
    node = broker.node
    loop = metering_of(broker)._pace._loop

    def on_loop(vhost: str, exists: bool) -> None:
        if exists:
            node.administration.delete_vhost(vhost, NODE)
        else:
            node.administration.put_vhost(vhost, "", [], "", False, NODE)
            node.administration.put_permission("guest", vhost, ".*", ".*", ".*", NODE)

    def done(vhost: str, exists: bool) -> None:
        import threading

        finished = threading.Event()
        loop.call_soon_threadsafe(on_loop, vhost, exists)
        loop.call_soon_threadsafe(finished.set)
        assert finished.wait(30)

    done("v", False)
    connection = pika.BlockingConnection(pika.URLParameters(broker.url + "v"))
    work(connection.channel())
    connection.close()
    before = read(broker)
    done("v", True)
    after = read(broker)
    fallen = [
        name
        for (name, labels), value in before.samples.items()
        if name.endswith(("_total", "_bucket", "_sum", "_count")) and after.samples[name, labels] < value
    ]
    assert fallen == []
    assert after.value("rabbitmq_global_messages_received_total", protocol="amqp091") == 12
    assert after.value("rabbitmq_queues_deleted_total") == 1


def test_counters_begin_anew_with_the_node_and_what_waits_is_counted_again(tmp_path: Path) -> None:
    for start in range(2):
        with Broker(prometheus="on", data_dir=tmp_path) as broker:
            if start == 0:
                connection = pika.BlockingConnection(pika.URLParameters(broker.url))
                channel = connection.channel()
                channel.queue_declare("d", durable=True)
                channel.confirm_delivery()
                channel.basic_publish("", "d", b"a", pika.BasicProperties(delivery_mode=2))
                connection.close()
            page = read(broker)
            assert page.value("rabbitmq_queue_messages_ready") == 1
            assert page.value("rabbitmq_global_messages_received_total", protocol="amqp091") == 1 - start
            [labels] = page.labelled("rabbitmq_identity_info")
            if start == 0:
                cluster = dict(labels)["rabbitmq_cluster_permanent_id"]
            assert dict(labels)["rabbitmq_cluster_permanent_id"] == cluster
            assert len(cluster) > 20
