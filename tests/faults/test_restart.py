"""Exchanges, queues and bindings after the broker was stopped, or killed, and started again."""

import asyncio
import signal

import aio_pika
import pika
import pytest
from aio_pika.abc import AbstractIncomingMessage
from pika.exceptions import UnroutableError
from tests.faults.nodes import Node
from tests.faults.restarts import PERSISTENT, Clients, Story, across_restarts

# Of each kind that a definition can hold, something that means nothing to the broker.
ODD = {
    "x-text": "é",
    "x-number": -7,
    "x-large": 2**40,
    "x-flag": True,
    "x-list": [1, "two"],
    "x-table": {"a": 1},
}


def is_routed(clients: Clients, exchange: str, routing_key: str = "", headers: object = None) -> bool:
    properties = pika.BasicProperties(delivery_mode=2, headers=headers)
    try:
        clients.channel().basic_publish(exchange, routing_key, b"x", properties, mandatory=True)
    except UnroutableError:
        return False
    return True


@across_restarts
def test_durable_queue_is_there_with_its_arguments(clients: Clients) -> Story:
    arguments = {"x-max-length": 7, "x-overflow": "reject-publish", **ODD}
    queue = clients.durable_queue(arguments=arguments)
    yield
    assert not clients.refusal(
        lambda channel: channel.queue_declare(queue, durable=True, arguments=arguments)
    )
    other = {**arguments, "x-max-length": 8}
    assert clients.refusal(lambda channel: channel.queue_declare(queue, durable=True, arguments=other)) == 406
    assert clients.refusal(lambda channel: channel.queue_declare(queue, arguments=arguments)) == 406


@across_restarts
def test_queue_that_is_not_durable_is_gone(clients: Clients) -> Story:
    clients.channel().queue_declare(clients.name)
    yield
    assert not clients.has_queue(clients.name)


@across_restarts
def test_exclusive_queue_is_gone_though_it_is_durable(clients: Clients) -> Story:
    clients.channel().queue_declare(clients.name, durable=True, exclusive=True)
    yield
    assert not clients.has_queue(clients.name)


@across_restarts
def test_queue_named_by_the_broker_keeps_its_name(clients: Clients) -> Story:
    queue = clients.channel().queue_declare("", durable=True).method.queue
    yield
    assert clients.has_queue(queue)
    assert clients.channel().queue_declare("", durable=True).method.queue != queue


@across_restarts
def test_queue_with_a_name_of_255_octets_is_there(clients: Clients) -> Story:
    queue = clients.name + "é" * ((255 - len(clients.name)) // 2)
    clients.channel().queue_declare(queue, durable=True)
    yield
    assert clients.has_queue(queue)


@across_restarts
def test_unused_auto_delete_queue_is_there_and_goes_with_its_last_consumer(clients: Clients) -> Story:
    clients.channel().queue_declare(clients.name, durable=True, auto_delete=True)
    yield
    assert clients.has_queue(clients.name)
    channel = clients.channel()
    channel.basic_cancel(channel.basic_consume(clients.name, lambda *_: None))
    assert not clients.has_queue(clients.name)
    yield
    assert not clients.has_queue(clients.name)


@across_restarts
def test_same_name_in_two_vhosts_is_two_queues(clients: Clients) -> Story:
    other = clients.connection("other").channel()
    other.confirm_delivery()
    other.queue_declare(clients.name, durable=True)
    other.basic_publish("", clients.name, b"other", PERSISTENT)
    clients.publish(clients.durable_queue(), b"default")
    yield
    assert clients.bodies(clients.name) == [b"default"]
    assert clients.connection("other").channel().basic_get(clients.name, auto_ack=True)[2] == b"other"


@across_restarts
def test_durable_exchange_is_there_with_its_type_flags_and_arguments(clients: Clients) -> Story:
    said = {"exchange_type": "topic", "durable": True, "internal": True, "arguments": ODD}

    def declare(**different: object) -> int:
        return clients.refusal(lambda channel: channel.exchange_declare(clients.name, **said | different))

    declare()
    yield
    assert not declare()
    assert declare(exchange_type="direct") == 406
    assert declare(durable=False) == 406
    assert declare(internal=False) == 406
    assert clients.refusal(lambda channel: channel.basic_publish(clients.name, "", b"")) == 403


@across_restarts
def test_exchange_that_is_not_durable_is_gone_and_so_are_its_bindings(clients: Clients) -> Story:
    queue = clients.durable_queue()
    channel = clients.channel()
    channel.exchange_declare(clients.name, "fanout")
    channel.queue_bind(queue, clients.name)
    yield
    assert not clients.has_exchange(clients.name)
    clients.channel().exchange_declare(clients.name, "fanout")
    assert not is_routed(clients, clients.name)


@across_restarts
def test_auto_delete_exchange_is_there_and_goes_with_its_last_binding(clients: Clients) -> Story:
    queue = clients.durable_queue()
    channel = clients.channel()
    channel.exchange_declare(clients.name, "fanout", durable=True, auto_delete=True)
    channel.queue_bind(queue, clients.name)
    yield
    assert is_routed(clients, clients.name)
    clients.channel().queue_unbind(queue, clients.name)
    assert not clients.has_exchange(clients.name)
    yield
    assert not clients.has_exchange(clients.name)


@across_restarts
def test_bindings_route_as_before(clients: Clients) -> Story:
    channel = clients.channel()
    queue = clients.durable_queue()
    for kind, key in (("direct", "k"), ("fanout", ""), ("topic", "a.*.#")):
        channel.exchange_declare(f"{clients.name}.{kind}", kind, durable=True)
        channel.queue_bind(queue, f"{clients.name}.{kind}", key)
    channel.queue_bind(queue, f"{clients.name}.direct", "l")
    yield
    assert is_routed(clients, f"{clients.name}.direct", "k")
    assert is_routed(clients, f"{clients.name}.direct", "l")
    assert not is_routed(clients, f"{clients.name}.direct", "m")
    assert is_routed(clients, f"{clients.name}.fanout", "any")
    assert is_routed(clients, f"{clients.name}.topic", "a.b.c.d")
    assert not is_routed(clients, f"{clients.name}.topic", "a")


@across_restarts
def test_arguments_of_bindings_are_kept(clients: Clients) -> Story:
    channel = clients.channel()
    channel.exchange_declare(clients.name, "headers", durable=True)
    for suffix, match in ((".all", "all"), (".any", "any")):
        arguments = {"x-match": match, "colour": "red", "size": 3}
        channel.queue_bind(clients.durable_queue(suffix), clients.name, "", arguments)
    yield
    assert is_routed(clients, clients.name, headers={"colour": "red"})
    assert is_routed(clients, clients.name, headers={"colour": "red", "size": 3})
    assert not is_routed(clients, clients.name, headers={"colour": "green"})
    assert len(clients.bodies(clients.name + ".all")) == 1
    assert len(clients.bodies(clients.name + ".any")) == 2


@across_restarts
def test_bindings_between_exchanges_are_kept(clients: Clients) -> Story:
    channel = clients.channel()
    first, second, queue = clients.name + ".first", clients.name + ".second", clients.durable_queue()
    channel.exchange_declare(first, "topic", durable=True)
    channel.exchange_declare(second, "direct", durable=True, internal=True)
    channel.exchange_bind(second, first, "a.#")
    channel.queue_bind(queue, second, "a.b")
    yield
    assert is_routed(clients, first, "a.b")
    assert not is_routed(clients, first, "a.c")
    clients.channel().exchange_unbind(second, first, "a.#")
    yield
    assert not is_routed(clients, first, "a.b")


@across_restarts
def test_alternate_exchange_is_kept(clients: Clients) -> Story:
    channel = clients.channel()
    queue = clients.durable_queue()
    alternate = clients.name + ".alternate"
    channel.exchange_declare(alternate, "fanout", durable=True)
    channel.queue_bind(queue, alternate)
    channel.exchange_declare(
        clients.name, "direct", durable=True, arguments={"alternate-exchange": alternate}
    )
    yield
    assert clients.refusal(lambda channel: channel.exchange_declare(clients.name, durable=True)) == 406
    assert is_routed(clients, clients.name, "nobody")
    assert clients.bodies(queue) == [b"x"]


@across_restarts
def test_default_exchange_routes_to_the_queue(clients: Clients) -> Story:
    queue = clients.durable_queue()
    yield
    clients.publish(queue, b"x")
    assert clients.bodies(queue) == [b"x"]


@across_restarts
def test_binding_to_an_exchange_that_is_always_there_is_kept(clients: Clients) -> Story:
    queue = clients.durable_queue()
    clients.channel().queue_bind(queue, "amq.topic", clients.name + ".#")
    yield
    assert is_routed(clients, "amq.topic", clients.name + ".x")


@across_restarts
def test_binding_that_was_taken_back_is_gone_and_its_neighbour_is_kept(clients: Clients) -> Story:
    channel = clients.channel()
    queue = clients.durable_queue()
    channel.exchange_declare(clients.name, "direct", durable=True)
    channel.queue_bind(queue, clients.name, "gone")
    channel.queue_bind(queue, clients.name, "kept")
    channel.queue_unbind(queue, clients.name, "gone")
    yield
    assert not is_routed(clients, clients.name, "gone")
    assert is_routed(clients, clients.name, "kept")


@across_restarts
def test_deleted_queue_and_exchange_stay_deleted(clients: Clients) -> Story:
    channel = clients.channel()
    channel.exchange_declare(clients.name, "fanout", durable=True)
    channel.queue_bind(clients.durable_queue(), clients.name)
    channel.exchange_delete(clients.name)
    channel.queue_delete(clients.name)
    yield
    assert not clients.has_queue(clients.name)
    assert not clients.has_exchange(clients.name)


@across_restarts
def test_queue_that_was_deleted_and_declared_again_has_no_binding_of_the_old_one(clients: Clients) -> Story:
    channel = clients.channel()
    channel.exchange_declare(clients.name, "fanout", durable=True)
    channel.queue_bind(clients.durable_queue(), clients.name)
    channel.queue_delete(clients.name)
    clients.durable_queue(arguments={"x-max-length": 5})
    yield
    assert not is_routed(clients, clients.name)
    declare = {"durable": True, "arguments": {"x-max-length": 5}}
    assert not clients.refusal(lambda channel: channel.queue_declare(clients.name, **declare))


@across_restarts
def test_durable_queue_that_was_declared_again_as_not_durable_is_gone(clients: Clients) -> Story:
    channel = clients.channel()
    clients.publish(clients.durable_queue(), b"old")
    channel.queue_delete(clients.name)
    channel.queue_declare(clients.name)
    yield
    assert not clients.has_queue(clients.name)
    clients.durable_queue()
    assert clients.bodies(clients.name) == []


@across_restarts
def test_many_definitions_outlive_two_restarts(clients: Clients) -> Story:
    channel = clients.channel()
    channel.exchange_declare(clients.name, "direct", durable=True)
    for number in range(100):
        channel.queue_declare(f"{clients.name}.{number}", durable=True)
        channel.queue_bind(f"{clients.name}.{number}", clients.name, str(number))
    yield
    yield
    channel = clients.channel()
    for number in range(100):
        channel.basic_publish(clients.name, str(number), b"x", PERSISTENT, mandatory=True)


@pytest.mark.parametrize("answer", ["declare-ok", "bind-ok", "unbind-ok", "delete-ok"])
def test_definition_is_as_its_answer_said_when_the_kill_follows_at_once(
    node: Node, clients: Clients, answer: str
) -> None:
    node.start()
    channel = clients.channel()
    channel.exchange_declare("e", "fanout", durable=True)
    channel.queue_declare("q", durable=True)
    if answer != "declare-ok":
        channel.queue_bind("q", "e")
    if answer == "unbind-ok":
        channel.queue_unbind("q", "e")
    if answer == "delete-ok":
        channel.queue_delete("q")
    node.stop(signal.SIGKILL)
    clients.forget()
    node.start()
    assert clients.has_exchange("e")
    assert clients.has_queue("q") == (answer != "delete-ok")
    assert is_routed(clients, "e") == (answer == "bind-ok")


def test_robust_client_goes_on_after_a_kill(node: Node, free_port: int) -> None:
    """aio-pika's robust connection and its consumer come back by themselves, and so does the message."""
    node.start(port=str(free_port))
    asyncio.run(asyncio.wait_for(_consume_over_a_kill(node), 20))


async def _consume_over_a_kill(node: Node) -> None:
    connection = await aio_pika.connect_robust(node.url, reconnect_interval=0.05)
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("q", durable=True)
        taken: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        await queue.consume(taken.put)
        message = aio_pika.Message(b"kept", delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await channel.default_exchange.publish(message, "q")
        assert not (await taken.get()).redelivered
        await asyncio.to_thread(node.restart)
        again = await taken.get()
        assert (again.body, again.redelivered) == (b"kept", True)
        await again.ack()
