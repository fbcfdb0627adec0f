"""pika: the blocking and the callback-driven connection."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pika
import pika.exceptions
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from tests.conformance.names import Names

pytestmark = pytest.mark.rule("clients", "pika")


@pytest.fixture
def connection(url: str, names: Names) -> Iterator[pika.BlockingConnection]:
    connection = pika.BlockingConnection(pika.URLParameters(url))
    yield connection
    if connection.is_open:
        connection.close()


@pytest.fixture
def channel(connection: pika.BlockingConnection) -> BlockingChannel:
    return connection.channel()


@pytest.fixture
def queue(channel: BlockingChannel, names: Names) -> str:
    channel.queue_declare(names.q)
    return names.q


def test_published_message_is_gotten_with_its_properties(channel: BlockingChannel, queue: str) -> None:
    properties = pika.BasicProperties(
        content_type="text/plain",
        headers={"int": 1, "long": 2**40, "text": "é", "list": [1, "a", None], "table": {"deep": True}},
        delivery_mode=2,
        priority=3,
        correlation_id="c",
        expiration="60000",
        message_id="m",
        timestamp=1_700_000_000,
        type="t",
        user_id="guest",
        app_id="a",
    )
    channel.basic_publish("", queue, b"body", properties)
    method, received, body = channel.basic_get(queue, auto_ack=True)
    assert (method.redelivered, method.routing_key, body) == (False, queue, b"body")
    assert received == properties


def test_confirmed_publish_returns_and_unroutable_one_raises(channel: BlockingChannel, queue: str) -> None:
    channel.confirm_delivery()
    for _ in range(20):
        channel.basic_publish("", queue, b"m", mandatory=True)
    with pytest.raises(pika.exceptions.UnroutableError) as caught:
        channel.basic_publish("", queue + ".nowhere", b"back", mandatory=True)
    assert [message.body for message in caught.value.messages] == [b"back"]
    assert channel.queue_purge(queue).method.message_count == 20


def test_consume_generator_ends_after_inactivity(channel: BlockingChannel, queue: str) -> None:
    for number in range(5):
        channel.basic_publish("", queue, b"%d" % number)
    channel.basic_qos(prefetch_count=2)
    bodies = []
    for method, _, body in channel.consume(queue, inactivity_timeout=0.3):
        if method is None:
            break
        bodies.append(body)
        channel.basic_ack(method.delivery_tag)
    assert bodies == [b"0", b"1", b"2", b"3", b"4"]
    assert channel.cancel() == 0


def test_start_consuming_is_stopped_from_another_thread(
    connection: pika.BlockingConnection, channel: BlockingChannel, queue: str
) -> None:
    bodies: list[bytes] = []

    def received(_channel: Any, method: Any, _properties: Any, body: bytes) -> None:
        bodies.append(body)
        _channel.basic_ack(method.delivery_tag)
        if len(bodies) == 3:
            thread = threading.Thread(
                target=connection.add_callback_threadsafe, args=[channel.stop_consuming]
            )
            thread.start()
            thread.join()

    channel.basic_consume(queue, received)
    for number in range(3):
        channel.basic_publish("", queue, b"%d" % number)
    channel.start_consuming()
    assert bodies == [b"0", b"1", b"2"]


def test_channel_error_carries_code_and_text_and_leaves_the_connection_open(
    connection: pika.BlockingConnection, names: Names
) -> None:
    channel = connection.channel()
    with pytest.raises(pika.exceptions.ChannelClosedByBroker) as caught:
        channel.queue_declare(names.q, passive=True)
    assert (caught.value.reply_code, caught.value.reply_text) == (
        404,
        f"NOT_FOUND - no queue '{names.q}' in vhost '/'",
    )
    assert connection.is_open
    connection.channel().queue_declare(names.q)


def test_wrong_password_is_an_authentication_error(url: str) -> None:
    parameters = pika.URLParameters(url)
    parameters.credentials = pika.PlainCredentials("guest", "wrong")
    with pytest.raises(pika.exceptions.ProbableAuthenticationError):
        pika.BlockingConnection(parameters)


def test_unknown_virtual_host_is_an_access_error(url: str) -> None:
    parameters = pika.URLParameters(url)
    parameters.virtual_host = "nope"
    with pytest.raises((pika.exceptions.ProbableAccessDeniedError, pika.exceptions.ConnectionClosedByBroker)):
        pika.BlockingConnection(parameters)


def test_cancelled_consumer_ends_the_generator(
    url: str, channel: BlockingChannel, connection: pika.BlockingConnection, queue: str
) -> None:
    channel.basic_publish("", queue, b"only")
    received = []
    for method, _, body in channel.consume(queue, auto_ack=True, inactivity_timeout=5):
        assert method is not None
        received.append(body)
        connection.channel().queue_delete(queue)
    assert received == [b"only"]


def test_transactions(channel: BlockingChannel, queue: str) -> None:
    channel.tx_select()
    channel.basic_publish("", queue, b"kept")
    channel.tx_commit()
    channel.basic_publish("", queue, b"lost")
    channel.tx_rollback()
    assert channel.queue_declare(queue, passive=True).method.message_count == 1


def test_direct_reply_to(channel: BlockingChannel, connection: pika.BlockingConnection, queue: str) -> None:
    def answer(server: Any, _method: Any, properties: Any, body: bytes) -> None:
        server.basic_publish("", properties.reply_to, body.upper())

    server = connection.channel()
    server.basic_consume(queue, answer, auto_ack=True)
    answers: list[bytes] = []
    channel.basic_consume(
        "amq.rabbitmq.reply-to", lambda _c, _m, _p, body: answers.append(body), auto_ack=True
    )
    channel.basic_publish("", queue, b"hello", pika.BasicProperties(reply_to="amq.rabbitmq.reply-to"))
    while not answers:
        connection.process_data_events(1)
    assert answers == [b"HELLO"]


def test_large_message_and_small_frames(url: str, queue: str) -> None:
    parameters = pika.URLParameters(url + "?frame_max=8192")
    with pika.BlockingConnection(parameters) as connection:
        channel = connection.channel()
        body = bytes(range(256)) * 4000
        channel.basic_publish("", queue, body)
        assert channel.basic_get(queue, auto_ack=True)[2] == body


class Callbacks:
    """Opens a SelectConnection, publishes with confirms and consumes what it published."""

    def __init__(self, url: str, queue: str, count: int) -> None:
        self.queue, self.count = queue, count
        self.bodies: list[bytes] = []
        self.confirmed = 0
        self.closed: list[Any] = []
        self.connection = pika.SelectConnection(
            pika.URLParameters(url),
            on_open_callback=lambda connection: connection.channel(on_open_callback=self.opened),
            on_open_error_callback=self.ended,
            on_close_callback=self.ended,
        )

    def ended(self, connection: Any, reason: Any) -> None:
        self.closed.append(reason)
        connection.ioloop.stop()

    def opened(self, channel: Any) -> None:
        self.channel = channel
        channel.queue_declare(self.queue, exclusive=True, callback=self.declared)

    def declared(self, _frame: Any) -> None:
        self.channel.confirm_delivery(self.confirm)
        self.channel.basic_qos(prefetch_count=10)
        self.channel.basic_consume(self.queue, self.received, callback=self.consuming)

    def consuming(self, _frame: Any) -> None:
        for number in range(self.count):
            self.channel.basic_publish("", self.queue, b"%d" % number)

    def confirm(self, frame: Any) -> None:
        assert isinstance(frame.method, pika.spec.Basic.Ack)
        self.confirmed = max(self.confirmed, frame.method.delivery_tag)
        self.finish()

    def received(self, channel: Any, method: Any, _properties: Any, body: bytes) -> None:
        self.bodies.append(body)
        channel.basic_ack(method.delivery_tag)
        self.finish()

    def finish(self) -> None:
        if self.confirmed == self.count == len(self.bodies):
            self.connection.close()


def test_select_connection_confirms_and_delivers_everything(url: str, names: Names) -> None:
    callbacks = Callbacks(url, names.q, 300)
    callbacks.connection.ioloop.start()
    callbacks.connection.ioloop.close()
    assert callbacks.bodies == [b"%d" % number for number in range(300)]
    assert isinstance(callbacks.closed[0], pika.exceptions.ConnectionClosedByClient)
