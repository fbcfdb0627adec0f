"""Messages after the broker was stopped, or killed, and started again: which, in what order, how marked."""

import signal
from typing import Any

import pika
import pytest
from tests.conformance.codec import Basic, Confirm, Exchange, Queue, Tx, Typed, encode_properties
from tests.faults.nodes import Node
from tests.faults.restarts import PERSISTENT, TRANSIENT, Clients, Story, across_restarts

ALL_PROPERTIES = {
    "content_type": "text/plain; é",
    "content_encoding": "gzip",
    "headers": {
        "": "",
        "text": "é",
        "octets": Typed("x", b"\x00\xff"),
        "numbers": [Typed(octet, 1) for octet in "bBsuIilL"],
        "floats": [Typed("f", 0.5), Typed("d", -0.1)],
        "decimal": Typed("D", (2, -314)),
        "time": Typed("T", 1_700_000_000),
        "nothing": None,
        "flags": [True, False],
        "table": {"deep": {"deeper": [{}]}},
    },
    "delivery_mode": 2,
    "priority": 7,
    "correlation_id": "c" * 255,
    "reply_to": "answers",
    "message_id": "m-1",
    "timestamp": 2**63,
    "type": "t",
    "user_id": "guest",
    "app_id": "a",
    "cluster_id": "",
}  # fmt: skip


def numbered(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


@across_restarts
def test_persistent_messages_come_in_order_and_transient_ones_are_gone(clients: Clients) -> Story:
    queue = clients.durable_queue()
    for number in range(20):
        clients.publish(queue, b"%d" % number, properties=TRANSIENT if number % 3 else PERSISTENT)
    yield
    assert clients.channel().queue_declare(queue, passive=True).method.message_count == 7
    assert clients.drain(queue) == [(b"%d" % number, False) for number in range(0, 20, 3)]


@across_restarts
def test_messages_come_before_those_published_after_the_restart(clients: Clients) -> Story:
    queue = clients.durable_queue()
    clients.publish(queue, b"0", b"1")
    yield
    clients.publish(queue, b"2")
    yield
    clients.publish(queue, b"3")
    assert clients.bodies(queue) == numbered(4)


@across_restarts
def test_many_messages_keep_their_order(clients: Clients) -> Story:
    queue = clients.durable_queue()
    clients.publish(queue, *numbered(300))
    yield
    assert clients.bodies(queue) == numbered(300)


@across_restarts
def test_delivered_and_unacked_messages_come_redelivered(clients: Clients) -> Story:
    queue = clients.durable_queue()
    clients.publish(queue, *numbered(5))
    wire = clients.wire()
    wire.call(Basic.qos(prefetch_count=2))
    wire.call(Basic.consume(queue=queue))
    assert wire.bodies(2) == numbered(2)
    yield
    assert clients.drain(queue) == [(body, number < 2) for number, body in enumerate(numbered(5))]


@across_restarts
def test_fetched_and_unacked_message_comes_redelivered(clients: Clients) -> Story:
    queue = clients.durable_queue()
    clients.publish(queue, *numbered(2))
    assert clients.channel().basic_get(queue)[2] == b"0"
    yield
    assert clients.drain(queue) == [(b"0", True), (b"1", False)]


@across_restarts
def test_redelivered_is_not_forgotten_by_a_second_restart(clients: Clients) -> Story:
    queue = clients.durable_queue()
    clients.publish(queue, *numbered(2))
    clients.channel().basic_get(queue)
    yield
    yield
    assert clients.drain(queue) == [(b"0", True), (b"1", False)]


@across_restarts
def test_requeued_messages_are_at_their_places_and_redelivered(clients: Clients) -> Story:
    queue = clients.durable_queue()
    clients.publish(queue, *numbered(8))
    channel = clients.channel()
    tags = [channel.basic_get(queue)[0].delivery_tag for _ in range(6)]
    channel.basic_nack(tags[4], requeue=True)
    channel.basic_nack(tags[1], requeue=True)
    assert channel.basic_get(queue)[2] == b"1"
    channel.basic_ack(tags[2])
    clients.publish(queue, b"8")
    yield
    expected = [(body, number < 6) for number, body in enumerate(numbered(9)) if number != 2]
    assert clients.drain(queue) == expected


@across_restarts
def test_message_that_was_requeued_twice_is_still_redelivered(clients: Clients) -> Story:
    queue = clients.durable_queue()
    clients.publish(queue, *numbered(2))
    channel = clients.channel()
    for _ in range(2):
        method, _, body = channel.basic_get(queue)
        assert body == b"0"
        channel.basic_reject(method.delivery_tag, requeue=True)
    yield
    assert clients.drain(queue) == [(b"0", True), (b"1", False)]


@across_restarts
def test_acked_messages_stay_away(clients: Clients) -> Story:
    """The confirm of a later message says that the acks before it are safe: there is one journal."""
    queue = clients.durable_queue()
    clients.publish(queue, *numbered(6))
    channel = clients.channel()
    tags = [channel.basic_get(queue)[0].delivery_tag for _ in range(5)]
    channel.basic_ack(tags[1], multiple=True)
    channel.basic_ack(tags[3])
    channel.basic_nack(tags[4], requeue=False)
    channel.basic_publish("", queue, b"6", PERSISTENT)
    yield
    assert clients.drain(queue) == [(b"2", True), (b"5", False), (b"6", False)]


@across_restarts
def test_messages_taken_without_ack_stay_away(clients: Clients) -> Story:
    queue = clients.durable_queue()
    clients.publish(queue, *numbered(4))
    channel = clients.channel()
    for _ in range(3):
        channel.basic_get(queue, auto_ack=True)
    channel.basic_publish("", queue, b"4", PERSISTENT)
    yield
    assert clients.bodies(queue) == [b"3", b"4"]


@across_restarts
def test_purged_messages_stay_away_and_unacked_ones_come_back(clients: Clients) -> Story:
    queue = clients.durable_queue()
    clients.publish(queue, *numbered(5))
    channel = clients.channel()
    channel.basic_get(queue)
    assert channel.queue_purge(queue).method.message_count == 4
    clients.publish(queue, b"after")
    yield
    assert clients.drain(queue) == [(b"0", True), (b"after", False)]


@across_restarts
def test_queue_that_was_deleted_and_declared_again_has_only_new_messages(clients: Clients) -> Story:
    queue = clients.durable_queue()
    for number in range(3):
        clients.publish(queue, b"old %d" % number)
        clients.channel().queue_delete(queue)
        clients.durable_queue()
    clients.publish(queue, b"new")
    yield
    assert clients.bodies(queue) == [b"new"]


@pytest.mark.parametrize("way", ["purge", "delete"])
def test_no_message_comes_back_when_the_kill_follows_the_answer(
    node: Node, clients: Clients, way: str
) -> None:
    node.start()
    clients.publish(clients.durable_queue(), *numbered(10))
    if way == "purge":
        clients.channel().queue_purge("q")
    else:
        clients.channel().queue_delete("q")
    node.stop(signal.SIGKILL)
    clients.forget()
    node.start()
    clients.durable_queue()
    assert clients.bodies("q") == []


@pytest.mark.parametrize("way", ["confirm", "commit-ok"])
def test_message_is_safe_when_the_kill_follows_the_answer(node: Node, clients: Clients, way: str) -> None:
    node.start()
    clients.durable_queue()
    channel = clients.wire()
    channel.call(Confirm.select() if way == "confirm" else Tx.select())
    for body in numbered(10):
        channel.publish(body, "q", properties={"delivery_mode": 2})
    if way == "confirm":
        while (channel << Basic.ack()).delivery_tag < 10:
            pass
    else:
        channel.call(Tx.commit())
    node.stop(signal.SIGKILL)
    clients.forget()
    node.start()
    assert clients.drain("q") == [(body, False) for body in numbered(10)]


@across_restarts
def test_properties_body_and_address_are_the_same_octets(clients: Clients) -> Story:
    queue = clients.durable_queue()
    wire = clients.wire()
    wire.call(Exchange.declare(exchange=clients.name, type="topic", durable=True))
    wire.call(Queue.bind(queue=queue, exchange=clients.name, routing_key="#"))
    sent: list[tuple[bytes, str, dict[str, Any]]] = [
        (b"", "", {"delivery_mode": 2}),
        (bytes(range(256)), "a.é." + "k" * 200, ALL_PROPERTIES),
        (b"\xce" * 300_000, "a", {"delivery_mode": 2, "headers": {}}),
    ]
    wire.call(Confirm.select())
    for body, key, properties in sent:
        wire.publish(body, key, clients.name, properties=properties)
    while (wire << Basic.ack()).delivery_tag < len(sent):
        pass
    yield
    wire = clients.wire()
    wire.call(Basic.consume(queue=queue, no_ack=True))
    for body, key, properties in sent:
        deliver = Basic.deliver(exchange=clients.name, routing_key=key, redelivered=False)
        deliver.body, deliver.properties = body, encode_properties(properties)
        wire << deliver


@across_restarts
def test_message_of_ten_mebibytes_comes_whole(clients: Clients) -> Story:
    queue = clients.durable_queue()
    body = bytes(range(256)) * 40960
    clients.publish(queue, b"before", body, b"after")
    yield
    bodies = clients.bodies(queue)
    assert [len(each) for each in bodies] == [6, 10 << 20, 5]
    assert bodies[1] == body


@across_restarts
def test_message_to_ten_queues_comes_from_each_that_has_not_acked_it(clients: Clients) -> Story:
    channel = clients.channel()
    channel.exchange_declare(clients.name, "fanout", durable=True)
    queues = [clients.durable_queue(f".{number}") for number in range(10)]
    for queue in queues:
        channel.queue_bind(queue, clients.name)
    channel.basic_publish(clients.name, "", b"all", PERSISTENT)
    for queue in queues[::2]:
        method, _, _ = channel.basic_get(queue)
        channel.basic_ack(method.delivery_tag)
    channel.basic_publish(clients.name, "", b"later", PERSISTENT)
    yield
    yield
    assert [clients.bodies(queue) for queue in queues] == [[b"later"], [b"all", b"later"]] * 5


@across_restarts
def test_message_to_durable_and_other_queues_comes_from_the_durable_one(clients: Clients) -> Story:
    channel = clients.channel()
    durable = clients.durable_queue()
    channel.queue_declare(clients.name + ".other")
    for queue in (durable, clients.name + ".other"):
        channel.queue_bind(queue, "amq.direct", clients.name)
    channel.basic_publish("amq.direct", clients.name, b"x", PERSISTENT)
    yield
    assert clients.drain(durable) == [(b"x", False)]
    assert not clients.has_queue(clients.name + ".other")


def transaction(clients: Clients, queues: list[str], end: str) -> Any:
    channel = clients.connection().channel()
    channel.tx_select()
    for queue in queues:
        channel.basic_publish("", queue, end.encode(), PERSISTENT)
    if end == "commit":
        channel.tx_commit()
    if end == "rollback":
        channel.tx_rollback()
    return channel


@across_restarts
def test_committed_messages_come_and_others_do_not(clients: Clients) -> Story:
    queues = [clients.durable_queue(".a"), clients.durable_queue(".b")]
    for end in ("open", "commit", "rollback", "commit"):
        transaction(clients, queues, end)
    yield
    assert [clients.bodies(queue) for queue in queues] == [[b"commit", b"commit"]] * 2


@across_restarts
def test_acks_of_a_transaction_hold_if_it_was_committed(clients: Clients) -> Story:
    queue = clients.durable_queue()
    clients.publish(queue, *numbered(4))
    channel = clients.connection().channel()
    channel.tx_select()
    for end in (channel.tx_commit, channel.tx_rollback, lambda: None):
        channel.basic_ack(channel.basic_get(queue)[0].delivery_tag)
        end()
    yield
    assert clients.drain(queue) == [(b"1", True), (b"2", True), (b"3", False)]


@across_restarts
def test_expiration_is_kept_with_the_message(clients: Clients) -> Story:
    queue = clients.durable_queue()
    clients.publish(queue, b"x", properties=pika.BasicProperties(delivery_mode=2, expiration="86400000"))
    yield
    method, properties, body = clients.channel().basic_get(queue)
    assert (method.redelivered, properties.expiration, body) == (False, "86400000", b"x")
