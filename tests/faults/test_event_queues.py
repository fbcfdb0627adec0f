"""Whoever listens to events, or does not, harms nobody; and a busy virtual host can be traced."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable

import aio_pika
import pika
import pytest
from tests.conformance.codec import Basic, Queue
from tests.conformance.wire import Wire
from tests.conftest import Process

from supersoniq import Broker

Serve = Callable[..., Process]
EVENTS = "amq.rabbitmq.event"
QUEUES = 300
MESSAGES = 1_000


def churn(channel: pika.adapters.blocking_connection.BlockingChannel, count: int = QUEUES) -> list[str]:
    """Declare and delete queues; returns their names."""
    names = [f"churn-{number}" for number in range(count)]
    for name in names:
        channel.queue_declare(name)
        channel.queue_delete(name)
    return names


def test_events_wait_in_a_durable_queue_for_whoever_comes_even_after_a_restart(serve: Serve) -> None:
    process = serve()
    with pika.BlockingConnection(pika.URLParameters(process.url)) as connection:
        channel = connection.channel()
        channel.queue_declare("events", durable=True)
        channel.queue_bind("events", EVENTS, "queue.*")
        names = churn(channel)
        # What is stored later is safe only when what was stored before is.
        channel.queue_declare("last", durable=True)
    process.stop(signal.SIGKILL)
    again = serve("--data-dir", process.data_dir)
    with pika.BlockingConnection(pika.URLParameters(again.url)) as connection:
        channel = connection.channel()
        found = []
        for method, properties, _ in channel.consume("events", auto_ack=True, inactivity_timeout=30):
            assert method is not None
            found.append((method.routing_key, properties.headers["name"]))
            if found[-1] == ("queue.deleted", names[-1]):
                break
    expected = [(event, name) for name in names for event in ("queue.created", "queue.deleted")]
    assert found == expected


def test_listener_that_reads_nothing_holds_up_nobody(broker: Broker) -> None:
    deaf = Wire.opened(broker.url)
    deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    channel = deaf.channel()
    channel.call(Queue.declare(queue="deaf", exclusive=True))
    channel.call(Queue.bind(queue="deaf", exchange=EVENTS, routing_key="#"))
    channel.call(Basic.consume(queue="deaf", consumer_tag="deaf", no_ack=True))
    with pika.BlockingConnection(pika.URLParameters(broker.url)) as connection:
        heard = connection.channel()
        queue = heard.queue_declare("", exclusive=True).method.queue
        heard.queue_bind(queue, EVENTS, "queue.created")
        names = churn(connection.channel())
        seen: list[str] = []
        for method, properties, _ in heard.consume(queue, auto_ack=True, inactivity_timeout=30):
            assert method is not None
            seen.append(properties.headers["name"])
            if len(seen) == QUEUES:
                break
    assert seen == names
    deaf.drop()


@pytest.mark.parametrize("is_bound", [False, True])
def test_traced_virtual_host_loses_nothing_and_keeps_the_order(is_bound: bool) -> None:
    asyncio.run(_trace_a_busy_virtual_host(is_bound))


async def _trace_a_busy_virtual_host(is_bound: bool) -> None:
    async with Broker() as broker:
        tracing = broker.node.vhosts["/"].tracing
        connection = await aio_pika.connect(broker.url)
        async with connection:
            channel = await connection.channel()
            queue = await channel.declare_queue("busy", durable=True)
            copies = await channel.declare_queue("copies", exclusive=True)
            if is_bound:
                await copies.bind("amq.rabbitmq.trace", "#")
            got: list[bytes] = []
            done = asyncio.Event()

            async def take(message: aio_pika.abc.AbstractIncomingMessage) -> None:
                got.append(message.body)
                await message.ack()
                if len(got) == MESSAGES:
                    done.set()

            await queue.consume(take)
            publisher = await connection.channel(publisher_confirms=True)
            sent = [b"%d" % number for number in range(MESSAGES)]
            confirms = []
            for number, body in enumerate(sent):
                # On and off while messages are on their way.
                tracing.switch(number % 100 < 50 or number >= MESSAGES // 2)
                message = aio_pika.Message(body, delivery_mode=2)
                confirms.append(publisher.default_exchange.publish(message, "busy"))
                if len(confirms) == 50:
                    await asyncio.wait_for(asyncio.gather(*confirms), 30)
                    confirms = []
            await asyncio.wait_for(done.wait(), 30)
            assert got == sent
            if is_bound:
                await _copies_are_in_order(copies, sent[MESSAGES // 2 :])


async def _copies_are_in_order(copies: aio_pika.abc.AbstractQueue, traced: list[bytes]) -> None:
    """What was traced all the time was copied once when it was published, and once when it was delivered."""
    found: dict[str, list[bytes]] = {"publish.": [], "deliver.busy": []}
    while (copy := await copies.get(no_ack=True, fail=False)) is not None:
        assert copy.routing_key is not None
        found[copy.routing_key].append(copy.body)
    assert found["publish."][-len(traced) :] == traced
    assert found["deliver.busy"][-len(traced) :] == traced
