"""The event exchange tells what RabbitMQ's does: names, headers with their types, and who it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pika
import pytest
from pika.compat import long
from pika.exceptions import AMQPConnectionError, ChannelClosedByBroker
from tests.conformance.event_log import EXCHANGE, EventLog
from tests.conformance.names import Names

Dial = Callable[..., pika.BlockingConnection]


@pytest.fixture
def dial_pika(url: str) -> Iterator[Dial]:
    """Opens connections of pika; the keywords are attributes of its parameters."""
    connections: list[pika.BlockingConnection] = []

    def dial(**attributes: Any) -> pika.BlockingConnection:
        parameters = pika.URLParameters(url)
        for name, value in attributes.items():
            setattr(parameters, name, value)
        connections.append(pika.BlockingConnection(parameters))
        return connections[-1]

    yield dial
    for connection in connections:
        if connection.is_open:
            connection.close()


@pytest.fixture
def log(dial_pika: Dial) -> EventLog:
    return EventLog(dial_pika())


def names_of(log: EventLog, last: str, *words: str) -> list[str]:
    return [event.name for event in log.named(last, *words)]


def test_message_is_persistent_has_a_time_and_no_body(log: EventLog, dial_pika: Dial, names: Names) -> None:
    dial_pika().channel().queue_declare(names.q)
    event = log.one("queue.created", names.q)
    assert (event.body, event.delivery_mode) == (b"", 2)
    milliseconds = event.headers["timestamp_in_ms"]
    assert isinstance(milliseconds, long)
    assert event.timestamp == milliseconds // 1000


def test_queue_is_told_of(log: EventLog, dial_pika: Dial, names: Names) -> None:
    channel = dial_pika().channel()
    arguments = {"x-max-length": 10, "x-dead-letter-exchange": 'a"b\\'}
    channel.queue_declare(names.q, durable=True, arguments=arguments)
    channel.queue_declare(names.q, durable=True, arguments=arguments)
    channel.queue_declare(names.q, passive=True)
    channel.queue_delete(names.q)
    created, deleted = log.named("queue.deleted", names.q)
    assert (created.name, created.fields()) == (
        "queue.created",
        {
            "user_who_performed_action": "guest", "exclusive": False, "owner_pid": "", "auto_delete": False,
            "durable": True, "name": names.q, "vhost": "/",
            "arguments": [
                '{<<"x-max-length">>,signedint,10}', r'{<<"x-dead-letter-exchange">>,longstr,<<"a\"b\\">>}',
            ],
        },
    )  # fmt: skip
    assert (deleted.name, deleted.fields()) == (
        "queue.deleted",
        {"user_who_performed_action": "guest", "name": names.q, "vhost": "/"},
    )


def test_exchange_is_told_of(log: EventLog, dial_pika: Dial, names: Names) -> None:
    channel = dial_pika().channel()
    channel.exchange_declare(
        names.x, "topic", durable=True, internal=True, arguments={"alternate-exchange": "amq.fanout"}
    )
    channel.exchange_delete(names.x)
    created, deleted = log.named("exchange.deleted", names.x)
    assert (created.name, created.fields()) == (
        "exchange.created",
        {
            "user_who_performed_action": "guest", "policy": "", "internal": True, "auto_delete": False,
            "durable": True, "type": "topic", "name": names.x, "vhost": "/",
            "arguments": ['{<<"alternate-exchange">>,longstr,<<"amq.fanout">>}'],
        },
    )  # fmt: skip
    assert (deleted.name, deleted.fields()) == (
        "exchange.deleted",
        {"user_who_performed_action": "guest", "name": names.x, "vhost": "/"},
    )


def test_binding_is_told_of(log: EventLog, dial_pika: Dial, names: Names) -> None:
    channel = dial_pika().channel()
    channel.queue_declare(names.q)
    arguments = {"x": 1, "y": {"z": [True]}}
    channel.queue_bind(names.q, "amq.topic", "a.b", arguments)
    channel.queue_bind(names.q, "amq.topic", "a.b", arguments)
    channel.queue_unbind(names.q, "amq.topic", "a.b", arguments)
    _, created, deleted = log.named("binding.deleted", names.q)
    assert (created.name, deleted.name) == ("binding.created", "binding.deleted")
    expected = {
        "user_who_performed_action": "guest", "vhost": "/", "routing_key": "a.b", "source_kind": "exchange",
        "source_name": "amq.topic", "destination_kind": "queue", "destination_name": names.q,
        "arguments": ['{<<"x">>,signedint,1}', '{<<"y">>,table,[{<<"z">>,array,[{bool,true}]}]}'],
    }  # fmt: skip
    assert created.fields() == deleted.fields() == expected


def test_binding_of_exchanges_is_told_of(log: EventLog, dial_pika: Dial, names: Names) -> None:
    channel = dial_pika().channel()
    channel.exchange_declare(names.x, "fanout")
    channel.exchange_bind(names.x, "amq.direct", "k")
    fields = log.one("binding.created", names.x).fields()
    assert (fields["destination_kind"], fields["destination_name"]) == ("exchange", names.x)
    assert (fields["source_kind"], fields["source_name"]) == ("exchange", "amq.direct")


def test_what_goes_with_a_queue_is_the_brokers_doing(log: EventLog, dial_pika: Dial, names: Names) -> None:
    channel = dial_pika().channel()
    channel.exchange_declare(names.x, "fanout", auto_delete=True)
    channel.queue_declare(names.q)
    channel.queue_bind(names.q, names.x)
    log.forget()
    channel.queue_delete(names.q)
    by = {
        event.name: event.headers["user_who_performed_action"]
        for event in log.named("queue.deleted", names.q)
    }
    assert by == {"binding.deleted": "rmq-internal", "queue.deleted": "guest"}
    assert log.one("exchange.deleted", names.x).headers["user_who_performed_action"] == "rmq-internal"


def test_bindings_go_after_their_exchange(log: EventLog, dial_pika: Dial, names: Names) -> None:
    channel = dial_pika().channel()
    channel.exchange_declare(names.x, "fanout")
    channel.exchange_bind(names.x, "amq.direct", "k")
    channel.queue_declare(names.q)
    channel.queue_bind(names.q, names.x)
    log.forget()
    channel.exchange_delete(names.x)
    found = log.until(lambda found: len(found) >= 3, names.x)
    assert [event.name for event in found] == ["exchange.deleted", "binding.deleted", "binding.deleted"]
    assert {event.headers["user_who_performed_action"] for event in found} == {"guest"}


def test_queue_that_nobody_uses_goes_by_itself(log: EventLog, dial_pika: Dial, names: Names) -> None:
    channel = dial_pika().channel()
    channel.queue_declare(names.q, arguments={"x-expires": 1})
    deleted = log.one("queue.deleted", names.q)
    assert deleted.headers["user_who_performed_action"] == "rmq-internal"


def test_exclusive_queue_names_its_connection(log: EventLog, dial_pika: Dial, names: Names) -> None:
    name = names("c")
    connection = dial_pika(client_properties={"connection_name": name})
    connection.channel().queue_declare(names.q, exclusive=True)
    fields = log.one("queue.created", names.q).fields()
    opened = log.one("connection.created", name)
    assert (fields["exclusive"], fields["durable"]) == (True, False)
    assert fields["owner_pid"] == opened.headers["pid"]
    connection.close()
    deleted = log.one("queue.deleted", names.q)
    assert deleted.headers["user_who_performed_action"] == "rmq-internal"


def test_connection_is_told_of(log: EventLog, dial_pika: Dial, names: Names) -> None:
    name = names("c")
    connection = dial_pika(
        client_properties={"connection_name": name}, heartbeat=17, frame_max=8192, channel_max=5
    )
    opened = log.one("connection.created", name)
    connection.close()
    closed = log.one("connection.closed", name)
    fields = opened.fields()
    port = fields.pop("peer_port")
    listener = fields.pop("port")
    path = f"127.0.0.1:{port} -> 127.0.0.1:{listener}"
    assert f'{{<<"connection_name">>,longstr,<<"{name}">>}}' in fields["client_properties"]
    expected = {
        "user_who_performed_action": "guest", "channel_max": 5, "frame_max": 8192, "timeout": 17,
        "vhost": "/", "user": "guest", "protocol": "{0,9,1}", "ssl_hash": "", "ssl_cipher": "",
        "ssl_key_exchange": "",
        "ssl_protocol": "", "auth_mechanism": "PLAIN", "peer_cert_validity": "", "peer_cert_issuer": "",
        "peer_cert_subject": "", "ssl": False, "peer_host": "{127,0,0,1}", "host": "{127,0,0,1}",
        "name": path, "type": "network", "user_provided_name": name,
        "client_properties": fields["client_properties"], "node": fields["node"], "pid": fields["pid"],
        "connected_at": fields["connected_at"],
    }  # fmt: skip
    assert fields == expected
    assert all(isinstance(value, long) for value in (port, listener, fields["connected_at"]))
    assert closed.fields() == {
        "client_properties": fields["client_properties"], "node": fields["node"], "pid": fields["pid"],
        "name": path, "user_provided_name": name,
    }  # fmt: skip


def test_channel_and_consumer_are_told_of(log: EventLog, dial_pika: Dial, names: Names) -> None:
    name = names("c")
    connection = dial_pika(client_properties={"connection_name": name})
    opened = log.one("connection.created", name)
    path, connection_pid = opened.headers["name"], opened.headers["pid"]
    channel = connection.channel(3)
    fields = log.one("channel.created", f"{path} (3)").fields()
    pid = fields.pop("pid")
    assert fields == {
        "user_who_performed_action": "guest", "vhost": "/", "user": "guest", "number": 3,
        "connection": connection_pid, "name": f"{path} (3)",
    }  # fmt: skip
    channel.queue_declare(names.q)
    channel.basic_qos(prefetch_count=7)
    channel.basic_consume(names.q, print, exclusive=True, consumer_tag="tag", arguments={"x-priority": 3})
    assert log.one("consumer.created", pid).fields() == {
        "user_who_performed_action": "guest", "arguments": ['{<<"x-priority">>,signedint,3}'],
        "prefetch_count": 7, "queue": names.q, "vhost": "/", "channel": pid, "ack_required": True,
        "exclusive": True, "consumer_tag": "tag",
    }  # fmt: skip
    channel.basic_cancel("tag")
    assert log.one("consumer.deleted", pid).fields() == {
        "user_who_performed_action": "guest", "queue": names.q, "vhost": "/", "channel": pid,
        "consumer_tag": "tag",
    }  # fmt: skip
    channel.close()
    assert log.one("channel.closed", pid).fields() == {"user_who_performed_action": "guest", "pid": pid}


def test_all_that_a_connection_has_is_told_of_before_its_end(
    log: EventLog, dial_pika: Dial, names: Names
) -> None:
    name = names("c")
    connection = dial_pika(client_properties={"connection_name": name})
    connection_pid = log.one("connection.created", name).headers["pid"]
    channel = connection.channel()
    channel.queue_declare(names.q, auto_delete=True)
    channel.basic_consume(names.q, print)
    channel_pid = log.one("channel.created", connection_pid).headers["pid"]
    log.forget()
    connection.close()
    assert sorted(names_of(log, "connection.closed", names.q, channel_pid, connection_pid)) == [
        "channel.closed", "connection.closed", "consumer.deleted", "queue.deleted",
    ]  # fmt: skip


def test_login_is_told_of(log: EventLog, dial_pika: Dial, names: Names) -> None:
    user = names("nobody")
    with pytest.raises(AMQPConnectionError):
        dial_pika(credentials=pika.PlainCredentials(user, "wrong"))
    fields = log.one("user.authentication.failure", user).fields()
    assert bytes(fields.pop("error")).startswith(f"user '{user}' - ".encode())
    assert isinstance(fields["peer_port"], long)
    path = fields["connection_name"]
    assert path.startswith(f"127.0.0.1:{fields.pop('peer_port')} -> ")
    assert fields == {
        "ssl": False, "auth_mechanism": "PLAIN", "protocol": "{0,9,1}", "peer_host": "{127,0,0,1}",
        "connection_name": path, "host": "{127,0,0,1}", "name": user, "connection_type": "network",
    }  # fmt: skip
    name = names("c")
    dial_pika(client_properties={"connection_name": name})
    opened = log.one("connection.created", name)
    success = log.one("user.authentication.success", opened.headers["name"])
    assert set(success.fields()) == set(fields) | {"peer_port"}


def test_exchange_is_the_brokers_own(dial_pika: Dial) -> None:
    connection = dial_pika()
    connection.channel().exchange_declare(EXCHANGE, "topic", durable=True, internal=True)
    channel = connection.channel()
    channel.confirm_delivery()
    with pytest.raises(ChannelClosedByBroker, match=r"403.*cannot publish to internal exchange"):
        channel.basic_publish(EXCHANGE, "queue.created", b"")
    with pytest.raises(ChannelClosedByBroker, match=r"403.*deletion of system exchange"):
        connection.channel().exchange_delete(EXCHANGE)


def test_only_what_is_bound_for_comes(dial_pika: Dial, names: Names) -> None:
    channel = dial_pika().channel()
    queue = channel.queue_declare("", exclusive=True).method.queue
    channel.queue_bind(queue, EXCHANGE, "queue.deleted")
    channel.queue_declare(names.q)
    channel.queue_delete(names.q)
    log = EventLog(dial_pika())
    channel.queue_declare(names.q)
    log.named("queue.created", names.q)
    found = []
    while (got := channel.basic_get(queue, auto_ack=True))[0] is not None:
        if got[1].headers["name"] == names.q:
            found.append(got[0].routing_key)
    assert found == ["queue.deleted"]
