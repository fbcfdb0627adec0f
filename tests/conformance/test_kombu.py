"""kombu with py-amqp: producers, consumers, simple queues and the mailbox behind Celery's remote control."""

from __future__ import annotations

import socket
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from kombu import pools
from kombu.connection import Connection
from kombu.entity import Exchange, Queue
from kombu.message import Message
from kombu.messaging import Consumer, Producer
from kombu.pidbox import Mailbox
from kombu.transport.native_delayed_delivery import (
    CELERY_DELAYED_DELIVERY_EXCHANGE,
    declare_native_delayed_delivery_exchanges_and_queues,
    level_name,
)
from tests.conformance.names import Names

pytestmark = pytest.mark.rule("clients", "kombu")


@pytest.fixture
def connection(url: str, names: Names) -> Iterator[Connection]:
    with Connection(url) as connection:
        yield connection


def test_producer_and_consumer_exchange_json_and_pickled_headers(
    connection: Connection, names: Names
) -> None:
    exchange = Exchange(names.x, type="topic", durable=False, auto_delete=True)
    queue = Queue(names.q, exchange, routing_key="video.#", durable=False, expires=60, max_length=1000)
    received: list[tuple[Any, Any]] = []

    def accept(body: Any, message: Message) -> None:
        received.append((body, message.headers))
        message.ack()

    with connection.Consumer(queue, callbacks=[accept]):
        producer = connection.Producer()
        for number in range(5):
            producer.publish(
                {"number": number},
                exchange=exchange,
                routing_key="video.a.b",
                headers={"n": number},
                declare=[queue],
                compression="zlib" if number % 2 else None,
            )
        while len(received) < 5:
            connection.drain_events(timeout=5)
    assert [body for body, _ in received] == [{"number": number} for number in range(5)]
    assert [headers["n"] for _, headers in received] == list(range(5))


def test_simple_queue_puts_and_gets(connection: Connection, names: Names) -> None:
    names.used.append(names.q)
    with connection.SimpleQueue(names.q) as queue:
        for number in range(3):
            queue.put({"number": number})
        for number in range(3):
            message = queue.get(timeout=5)
            assert message.payload == {"number": number}
            message.ack()
        assert queue.qsize() == 0
        with pytest.raises(queue.Empty):
            queue.get(block=False)
        queue.clear()


def test_redeclaring_with_the_same_arguments_is_accepted_over_and_over(
    connection: Connection, names: Names
) -> None:
    queue = Queue(
        names.q,
        durable=False,
        expires=86400,
        message_ttl=2**40 / 1e5,
        max_length_bytes=2**40,
        max_priority=10,
    )
    for _ in range(3):
        queue(connection.channel()).declare()


def test_prefetch_and_requeue(connection: Connection, names: Names) -> None:
    channel = connection.channel()
    queue = Queue(names.q, durable=False)(channel)
    queue.declare()
    producer = Producer(channel)
    for number in range(3):
        producer.publish(number, routing_key=names.q)
    bodies: list[Any] = []

    def accept(body: Any, message: Message) -> None:
        bodies.append(body)
        if len(bodies) == 1:
            message.requeue()
        else:
            message.ack()

    consumer = Consumer(channel, queue, callbacks=[accept])
    consumer.qos(prefetch_count=1)
    with consumer:
        while len(bodies) < 4:
            connection.drain_events(timeout=5)
    assert bodies == [0, 0, 1, 2]


def test_confirming_producer_pool(url: str, connection: Connection, names: Names) -> None:
    with Connection(url, transport_options={"confirm_publish": True}) as confirming:
        queue = Queue(names.q, durable=False)
        with pools.producers[confirming].acquire(block=True) as producer:
            for number in range(10):
                producer.publish(number, routing_key=names.q, declare=[queue])
        pools.reset()
        assert queue(connection.channel()).queue_declare(passive=True).message_count == 10


def test_amqplain_login_works(url: str) -> None:
    with Connection(url, login_method="AMQPLAIN") as connection:
        connection.connect()
        assert connection.connected


def test_mailbox_broadcasts_and_collects_replies(url: str, names: Names) -> None:
    namespace = f"conformance-{uuid.uuid4().hex[:8]}"
    names.used += [f"{namespace}.pidbox", f"reply.{namespace}.pidbox"]
    with Connection(url) as server, Connection(url) as client:
        mailbox = Mailbox(namespace, type="fanout")
        consumers, asked = [], []

        def who(state: dict[str, str], **_: Any) -> str:
            asked.append(state["name"])
            return state["name"]

        def serve() -> None:
            while len(asked) < 2:
                server.drain_events(timeout=5)

        for name in ("one", "two"):
            node = mailbox.Node(name, state={"name": name}, channel=server.channel(), handlers={"who": who})
            consumers.append(node.listen())
        serving = threading.Thread(target=serve)
        serving.start()
        replies = mailbox(client).multi_call("who", limit=2, timeout=5)
        serving.join()
        for consumer in consumers:
            consumer.cancel()
    assert sorted(map(str, replies)) == ["{'one': 'one'}", "{'two': 'two'}"]


def test_native_delayed_delivery_declares_its_28_levels(connection: Connection, names: Names) -> None:
    names.used += [level_name(level) for level in range(28)] + [CELERY_DELAYED_DELIVERY_EXCHANGE]
    for _ in range(2):
        declare_native_delayed_delivery_exchanges_and_queues(connection, "classic")
    for level in range(28):
        Queue(level_name(level))(connection.default_channel).queue_declare(passive=True)


def test_heartbeats_keep_an_idle_connection_open(url: str) -> None:
    with Connection(url, heartbeat=2) as connection:
        connection.connect()
        for _ in range(6):
            with pytest.raises(socket.timeout):
                connection.drain_events(timeout=0.5)
            connection.heartbeat_check(rate=4)
        assert connection.connected
