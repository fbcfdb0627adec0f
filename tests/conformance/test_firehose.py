"""The firehose copies what is published and delivered in one virtual host, as RabbitMQ's does."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from typing import Any

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from tests.management.api import Api

SECONDS = 30
EXCHANGE = "amq.rabbitmq.trace"
PERMISSION = {"configure": ".*", "write": ".*", "read": ".*"}


class Traced:
    """A virtual host of its own that is traced, and what was seen there."""

    def __init__(self, api: Api, url: str) -> None:
        self.name = f"firehose-{uuid.uuid4().hex[:12]}"
        self._api = api
        self._path = f"/api/vhosts/{self.name}"
        self._parameters = pika.URLParameters(url)
        self._parameters.virtual_host = self.name
        self._connections: list[pika.BlockingConnection] = []
        api.put(self._path)
        api.put(f"/api/permissions/{self.name}/guest", PERMISSION)
        self.switch(True)
        self._log = self.channel()
        self._queue = self._log.queue_declare("", exclusive=True).method.queue
        self._log.queue_bind(self._queue, EXCHANGE, "#")

    def switch(self, is_on: bool) -> None:
        self._api.put(self._path, {"tracing": is_on})
        assert self._api.get(self._path)["tracing"] is is_on

    def channel(self) -> BlockingChannel:
        """A channel on a connection of its own."""
        self._connections.append(pika.BlockingConnection(self._parameters))
        return self._connections[-1].channel()

    def seen(self, count: int) -> list[tuple[str, dict[str, Any], bytes]]:
        """The next copies: their keys, headers and bodies; there may be no more than `count`."""
        found: list[tuple[str, dict[str, Any], bytes]] = []
        deadline = time.monotonic() + SECONDS
        while len(found) < count and time.monotonic() < deadline:
            method, properties, body = self._log.basic_get(self._queue, auto_ack=True)
            if method is None:
                self._log.connection.process_data_events(0.01)
                continue
            assert method.exchange == EXCHANGE
            rest = {name: value for name, value in vars(properties).items() if value is not None}
            headers = rest.pop("headers")
            assert rest == {}
            found.append((method.routing_key, headers, body))
        assert len(found) == count
        return found

    def close(self) -> None:
        for connection in self._connections:
            if connection.is_open:
                connection.close()
        self._api.delete(self._path)


@pytest.fixture
def traced(api_url: str, url: str) -> Iterator[Traced]:
    traced = Traced(Api(api_url), url)
    yield traced
    traced.close()


def name_of(channel: BlockingChannel) -> str:
    """What the connection of a channel is called."""
    transport = channel.connection._impl._transport  # pika does not say
    assert transport is not None
    peer, own = transport._sock.getpeername(), transport._sock.getsockname()
    return f"{own[0]}:{own[1]} -> {peer[0]}:{peer[1]}"


def test_publish_is_copied_with_properties_and_queues(traced: Traced) -> None:
    channel = traced.channel()
    for queue in ("q1", "q2"):
        channel.queue_declare(queue)
        channel.queue_bind(queue, "amq.fanout")
    properties: dict[str, Any] = {
        "content_type": "t/x", "content_encoding": "ce", "delivery_mode": 2, "priority": 3, "type": "ty",
        "headers": {"a": 1, "s": "x", "t": {"n": True}}, "correlation_id": "c", "reply_to": "r",
        "expiration": "100000", "message_id": "m", "timestamp": 5, "user_id": "guest", "app_id": "ap",
        "cluster_id": "cl",
    }  # fmt: skip
    channel.basic_publish("amq.fanout", "k", b"body", pika.BasicProperties(**properties))
    [(key, headers, body)] = traced.seen(1)
    assert (key, body) == ("publish.amq.fanout", b"body")
    node = headers.pop("node")
    assert "@" in node
    headers["routed_queues"].sort()
    assert headers == {
        "exchange_name": "amq.fanout", "routing_keys": ["k"], "properties": properties, "vhost": traced.name,
        "connection": name_of(channel), "channel": 1, "user": "guest", "routed_queues": ["q1", "q2"],
    }  # fmt: skip
    assert type(headers["channel"]) is type(headers["properties"]["priority"]) is int


def test_delivery_is_copied_and_says_whether_it_is_a_redelivery(traced: Traced) -> None:
    channel = traced.channel()
    channel.queue_declare("q")
    channel.basic_publish("", "q", b"body")
    traced.seen(1)
    for redelivered in (0, 1):
        tag = channel.basic_get("q")[0].delivery_tag
        [(key, headers, body)] = traced.seen(1)
        assert (key, body) == ("deliver.q", b"body")
        assert headers.pop("node")
        assert headers == {
            "exchange_name": "", "routing_keys": ["q"], "properties": {}, "vhost": traced.name,
            "connection": name_of(channel), "channel": 1, "user": "guest", "redelivered": redelivered,
        }  # fmt: skip
        channel.basic_nack(tag, requeue=True)


@pytest.mark.parametrize("auto_ack", [True, False])
def test_what_a_consumer_gets_is_copied(traced: Traced, auto_ack: bool) -> None:
    channel = traced.channel()
    channel.queue_declare("q")
    for body in (b"1", b"2", b"3"):
        channel.basic_publish("", "q", body)
    consumer = traced.channel()
    traced.seen(3)
    consumer.basic_consume("q", lambda *_: None, auto_ack=auto_ack)
    found = traced.seen(3)
    assert [(key, body) for key, _, body in found] == [
        ("deliver.q", b"1"),
        ("deliver.q", b"2"),
        ("deliver.q", b"3"),
    ]
    assert {headers["connection"] for _, headers, _ in found} == {name_of(consumer)}


def test_all_keys_are_copied(traced: Traced) -> None:
    channel = traced.channel()
    for queue in ("q", "r", "s"):
        channel.queue_declare(queue)
    properties = pika.BasicProperties(headers={"CC": ["r"], "BCC": ["s"], "x": 1})
    channel.basic_publish("", "q", b"", properties)
    [(_, headers, _)] = traced.seen(1)
    assert headers["routing_keys"] == ["q", "r", "s"]
    assert sorted(headers["routed_queues"]) == ["q", "r", "s"]
    assert headers["properties"] == {"headers": {"CC": ["r"], "x": 1}}


def test_what_no_queue_takes_is_copied(traced: Traced) -> None:
    traced.channel().basic_publish("amq.direct", "nowhere", b"body")
    [(key, headers, _)] = traced.seen(1)
    assert (key, headers["routed_queues"]) == ("publish.amq.direct", [])


@pytest.mark.oracle_differs("says that the default exchange routes to queues that are not there")
def test_queue_that_is_not_there_takes_nothing(traced: Traced) -> None:
    traced.channel().basic_publish("", "nowhere", b"body")
    [(_, headers, _)] = traced.seen(1)
    assert headers["routed_queues"] == []


def test_transaction_is_copied_when_it_is_published(traced: Traced) -> None:
    channel = traced.channel()
    channel.queue_declare("q")
    channel.tx_select()
    channel.basic_publish("", "q", b"rolled back")
    [(_, _, body)] = traced.seen(1)
    channel.tx_rollback()
    channel.basic_publish("", "q", b"committed")
    channel.tx_commit()
    assert (body, traced.seen(1)[0][2]) == (b"rolled back", b"committed")


def test_message_that_is_dead_lettered_is_copied_when_it_is_delivered(traced: Traced) -> None:
    channel = traced.channel()
    channel.queue_declare("q", arguments={"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"})
    channel.queue_declare("dead")
    channel.basic_publish("", "q", b"body", pika.BasicProperties(expiration="0"))
    consumer = traced.channel()
    consumer.basic_consume("dead", lambda *_: None)
    (key, _, _), (dead_key, headers, _) = traced.seen(2)
    assert (key, dead_key) == ("publish.", "deliver.dead")
    assert headers["routing_keys"] == ["dead"]
    assert headers["properties"]["headers"]["x-death"][0]["queue"] == "q"


def test_request_and_answer_are_copied(traced: Traced) -> None:
    channel, server = traced.channel(), traced.channel()
    server.queue_declare("q")
    channel.basic_consume("amq.rabbitmq.reply-to", lambda *_: None, auto_ack=True)
    channel.basic_publish("", "q", b"ask", pika.BasicProperties(reply_to="amq.rabbitmq.reply-to"))
    [ask] = traced.seen(1)
    _, properties, _ = server.basic_get("q", auto_ack=True)
    assert properties is not None
    assert properties.reply_to is not None
    server.basic_publish("", properties.reply_to, b"answer")
    keys = [(key, body) for key, _, body in [ask, *traced.seen(2)]]
    assert keys == [("publish.", b"ask"), ("deliver.q", b"ask"), ("publish.", b"answer")]


def test_copies_are_not_copied(traced: Traced) -> None:
    channel = traced.channel()
    queue = channel.queue_declare("", exclusive=True).method.queue
    channel.queue_bind(queue, EXCHANGE, "#")
    channel.basic_consume(queue, lambda *_: None, auto_ack=True)
    for body in (b"1", b"2"):
        channel.basic_publish("amq.direct", "k", body)
    assert [body for _, _, body in traced.seen(2)] == [b"1", b"2"]


def test_switch_works_for_connections_that_are_there(traced: Traced) -> None:
    channel = traced.channel()
    channel.queue_declare("q")
    channel.basic_consume("q", lambda *_: None, auto_ack=True)
    channel.basic_publish("", "q", b"1")
    traced.seen(2)
    traced.switch(False)
    channel.basic_publish("", "q", b"2")
    channel.queue_declare("q", passive=True)  # it has arrived
    traced.switch(True)
    channel.basic_publish("", "q", b"3")
    assert [(key, body) for key, _, body in traced.seen(2)] == [("publish.", b"3"), ("deliver.q", b"3")]
