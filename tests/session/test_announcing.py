"""Clients are told of from their login to their end, and of what they are refused."""

import pytest
from tests.broker.test_events import Listener
from tests.conformance.codec import PROTOCOL_HEADER, Basic, Channel, Connection, Exchange, Queue
from tests.session.script import ChannelScript, Node

from supersoniq.amqp.tables import plain
from supersoniq.broker.events import INTERNAL_USER, USER


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def node(listener: Listener) -> Node:
    node = Node()
    node.context.events = node.vhost.announcer.events = listener
    node.context.node_name, node.context.incarnation = "n@h", "n@h.7"
    return node


def named(listener: Listener, name: str) -> dict[str, object]:
    """The fields of the only event of this name."""
    [fields] = [fields for heard, fields in listener.heard if heard == name]
    fields.pop("heard")
    return fields


def names(listener: Listener) -> list[str]:
    """What was heard since the last time."""
    heard, listener.heard = listener.heard, []
    return [name for name, _ in heard]


def consuming(node: Node, name: str = "q") -> ChannelScript:
    channel = node.channel()
    channel >> Queue.declare(queue=name, auto_delete=True) << Queue.declare_ok()
    return channel.consume(queue=name, exclusive=True)


def test_connection_is_told_of_with_all_that_was_agreed_on(node: Node, listener: Listener) -> None:
    client = node.stranger()
    client.session.client.located("10.0.0.1", 50000, "10.0.0.2", 5672)
    client.open(heartbeat=7, frame_max=8192, channel_max=9, connection_name="mine")
    fields = named(listener, "connection.created")
    properties = fields.pop("client_properties")
    assert isinstance(properties, dict)
    assert plain(properties)["connection_name"] == "mine"
    assert fields == {
        USER: "guest", "user": "guest", "node": "n@h", "vhost": "/", "channel_max": 9,
        "connected_at": 1_000_000,
        "frame_max": 8192, "timeout": 7, "protocol": "AMQP 0-9-1", "auth_mechanism": "PLAIN", "ssl": False,
        "ssl_protocol": "", "ssl_key_exchange": "", "ssl_cipher": "", "ssl_hash": "", "peer_cert_subject": "",
        "peer_cert_issuer": "", "peer_cert_validity": "", "peer_host": "10.0.0.1", "host": "10.0.0.2",
        "peer_port": 50000, "port": 5672, "name": "10.0.0.1:50000 -> 10.0.0.2:5672", "pid": "<n@h.7.1.0>",
        "type": "network", "user_provided_name": b"mine",
    }  # fmt: skip


def test_end_of_a_connection_is_told_of_once_and_after_all_else(node: Node, listener: Listener) -> None:
    channel = consuming(node)
    names(listener)
    channel.client >> Connection.close(reply_code=200)
    channel.client.session.lost()
    assert names(listener) == ["consumer.deleted", "queue.deleted", "channel.closed", "connection.closed"]


def test_client_that_says_nothing_is_told_of_when_it_goes(node: Node, listener: Listener) -> None:
    node.stranger().session.lost()
    assert names(listener) == ["connection.closed"]


def test_channel_is_told_of(node: Node, listener: Listener) -> None:
    channel = node.client().channel(5)
    fields = named(listener, "channel.created")
    path = channel.client.session.client.path
    assert fields == {
        USER: "guest", "vhost": "/", "user": "guest", "number": 5, "connection": "<n@h.7.1.0>",
        "name": f"{path} (5)", "pid": "<n@h.7.1.5>",
    }  # fmt: skip
    channel >> Channel.close() << Channel.close_ok()
    assert named(listener, "channel.closed") == {USER: "guest", "pid": "<n@h.7.1.5>"}


def test_consumer_is_told_of(node: Node, listener: Listener) -> None:
    channel = node.channel()
    channel >> Queue.declare(queue="q") << Queue.declare_ok()
    channel.qos(3)
    channel.consume(arguments={"x-priority": 4}, no_ack=True)
    fields = named(listener, "consumer.created")
    arguments = fields.pop("arguments")
    assert isinstance(arguments, dict)
    assert plain(arguments) == {"x-priority": 4}
    assert fields == {
        USER: "guest", "prefetch_count": 3, "queue": b"q", "vhost": "/", "channel": "<n@h.7.1.1>",
        "ack_required": False, "exclusive": False, "consumer_tag": b"c",
    }  # fmt: skip
    channel >> Basic.cancel(consumer_tag="c") << Basic.cancel_ok()
    assert named(listener, "consumer.deleted") == {
        USER: "guest", "queue": b"q", "vhost": "/", "channel": "<n@h.7.1.1>", "consumer_tag": b"c",
    }  # fmt: skip


def test_consumer_of_a_queue_that_goes_is_told_of_once(node: Node, listener: Listener) -> None:
    channel = consuming(node)
    names(listener)
    channel >> Queue.delete(queue="q")
    channel << Queue.delete_ok()
    assert sorted(names(listener)) == ["consumer.deleted", "queue.deleted"]


def test_who_asks_for_topology_is_who_did_it(node: Node, listener: Listener) -> None:
    channel = node.channel()
    names(listener)
    channel >> Exchange.declare(exchange="e", type="fanout") << Exchange.declare_ok()
    assert named(listener, "exchange.created")[USER] == "guest"
    assert node.vhost.announcer.user == INTERNAL_USER


def test_reply_consumer_is_not_told_of(node: Node, listener: Listener) -> None:
    channel = node.channel()
    names(listener)
    channel.consume(queue="amq.rabbitmq.reply-to", no_ack=True)
    channel >> Basic.cancel(consumer_tag="c") << Basic.cancel_ok()
    assert names(listener) == []


def test_refusal_is_told_of_with_its_text(node: Node, listener: Listener) -> None:
    channel = node.channel()
    path = channel.client.session.client.path
    channel >> Queue.declare(queue="amq.mine")
    channel.closed_with(403)
    assert named(listener, "supersoniq.access.refused") == {
        USER: "guest", "user_address": "127.0.0.1:50000", "connection_name": path, "vhost": "/",
        "reply_code": 403,
        "reply_text": "ACCESS_REFUSED - queue name 'amq.mine' contains reserved prefix 'amq.*'",
    }  # fmt: skip


def test_what_is_merely_wrong_is_no_refusal(node: Node, listener: Listener) -> None:
    channel = node.channel()
    channel >> Queue.declare(queue="missing", passive=True)
    channel.closed_with(404)
    assert "supersoniq.access.refused" not in names(listener)


def test_virtual_host_that_is_not_there_is_refused(node: Node, listener: Listener) -> None:
    client = node.stranger()
    client.session.client.located("10.0.0.1", 50000, "10.0.0.2", 5672)
    client.feed(PROTOCOL_HEADER)
    client << Connection.start()
    client.login()
    client << Connection.tune()
    client >> Connection.tune_ok(channel_max=9, frame_max=8192, heartbeat=0)
    client >> Connection.open(virtual_host="nowhere")
    client << Connection.close(reply_code=530)
    fields = named(listener, "supersoniq.access.refused")
    assert (fields[USER], fields["vhost"], fields["reply_code"]) == ("guest", None, 530)


def test_nothing_is_told_while_nobody_listens(node: Node, listener: Listener) -> None:
    listener.is_open = False
    channel = consuming(node)
    channel >> Queue.declare(queue="amq.mine")
    channel.closed_with(403)
    channel.client.session.lost()
    assert names(listener) == []


def test_login_is_told_of(node: Node, listener: Listener) -> None:
    client = node.client()
    path = client.session.client.path
    assert names(listener)[0] == "user.authentication.success"
    wrong = node.stranger() >> PROTOCOL_HEADER
    wrong << Connection.start()
    wrong.login(response=b"\0ann\0wrong")
    fields = named(listener, "user.authentication.failure")
    assert str(fields.pop("error")).startswith("user 'ann' - ")
    assert fields == {
        "ssl": False, "auth_mechanism": "PLAIN", "protocol": "AMQP 0-9-1", "peer_port": 0, "peer_host": "",
        "connection_name": path, "host": "", "name": "ann", "connection_type": "network",
    }  # fmt: skip
    assert names(listener) == ["user.authentication.failure"]  # which is no refusal besides
