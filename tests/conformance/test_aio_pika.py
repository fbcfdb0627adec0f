"""aio-pika: plain and robust connections, RPC, transactions, large bodies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import aio_pika
import aio_pika.exceptions
import pytest
from aio_pika.abc import AbstractIncomingMessage, AbstractRobustConnection
from aio_pika.patterns import RPC, Master
from tests.conformance.names import Names

pytestmark = pytest.mark.rule("clients", "aio-pika")

Scenario = Callable[[AbstractRobustConnection], Coroutine[Any, Any, None]]


@pytest.fixture
def run(url: str, names: Names) -> Callable[[Scenario], None]:
    """Runs a coroutine function with a robust connection, for 20 seconds at most."""

    async def main(scenario: Scenario) -> None:
        async with asyncio.timeout(20), await aio_pika.connect_robust(url, reconnect_interval=0.1) as opened:
            await scenario(opened)

    return lambda scenario: asyncio.run(main(scenario))


def test_message_round_trip_with_all_properties(run: Callable[[Scenario], None], names: Names) -> None:
    async def scenario(connection: AbstractRobustConnection) -> None:
        channel = await connection.channel()
        queue = await channel.declare_queue(names.q)
        sent = aio_pika.Message(
            b"body",
            content_type="text/plain",
            content_encoding="utf-8",
            headers={"int": 1, "big": 2**40, "float": 1.5, "none": None, "list": [1, {"a": "b"}]},
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            priority=5,
            correlation_id="c",
            reply_to="r",
            expiration=60,
            message_id="m",
            timestamp=datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
            type="t",
            user_id="guest",
            app_id="a",
        )
        assert await channel.default_exchange.publish(sent, names.q)
        received = await queue.get()
        async with received.process():
            assert received.body == b"body"
        assert received.properties == sent.properties

    run(scenario)


def test_unroutable_mandatory_message_raises(run: Callable[[Scenario], None], names: Names) -> None:
    async def scenario(connection: AbstractRobustConnection) -> None:
        channel = await connection.channel(on_return_raises=True)
        with pytest.raises(aio_pika.exceptions.PublishError):
            await channel.default_exchange.publish(aio_pika.Message(b"m"), names.q, mandatory=True)

    run(scenario)


def test_hundred_concurrent_publishes_are_all_confirmed(
    run: Callable[[Scenario], None], names: Names
) -> None:
    async def scenario(connection: AbstractRobustConnection) -> None:
        channel = await connection.channel()
        queue = await channel.declare_queue(names.q)
        messages = [aio_pika.Message(b"%d" % number) for number in range(100)]
        await asyncio.gather(*(channel.default_exchange.publish(m, names.q) for m in messages))
        async with queue.iterator(no_ack=True) as iterator:
            bodies = [(await anext(iterator)).body for _ in range(100)]
        assert bodies == [message.body for message in messages]

    run(scenario)


@pytest.mark.parametrize("size", [0, 131064, 131065, 5_000_000], ids=str)
def test_bodies_of_several_frames_arrive(size: int, run: Callable[[Scenario], None], names: Names) -> None:
    async def scenario(connection: AbstractRobustConnection) -> None:
        channel = await connection.channel()
        queue = await channel.declare_queue(names.q)
        body = (b"0123456789abcdef" * (size // 16 + 1))[:size]
        await channel.default_exchange.publish(aio_pika.Message(body), names.q)
        assert (await queue.get(no_ack=True)).body == body

    run(scenario)


def test_transactions(run: Callable[[Scenario], None], names: Names) -> None:
    async def scenario(connection: AbstractRobustConnection) -> None:
        channel = await connection.channel(publisher_confirms=False)
        queue = await channel.declare_queue(names.q)
        async with channel.transaction():
            await channel.default_exchange.publish(aio_pika.Message(b"kept"), names.q)
        async with channel.transaction() as transaction:
            await channel.default_exchange.publish(aio_pika.Message(b"lost"), names.q)
            await transaction.rollback()
            await transaction.select()
        assert (await queue.get(no_ack=True)).body == b"kept"
        assert await queue.get(no_ack=True, fail=False) is None

    run(scenario)


def test_rpc_pattern_answers_and_carries_exceptions(run: Callable[[Scenario], None], names: Names) -> None:
    async def multiply(*, x: int, y: int) -> int:
        if x < 0:
            raise ValueError(x)
        return x * y

    async def scenario(connection: AbstractRobustConnection) -> None:
        rpc = await RPC.create(await connection.channel())
        try:
            await rpc.register(names.q, multiply, auto_delete=True)
            answers = await asyncio.gather(*(rpc.call(names.q, kwargs={"x": x, "y": 3}) for x in range(50)))
            assert answers == [3 * x for x in range(50)]
            with pytest.raises(ValueError, match="-1"):
                await rpc.call(names.q, kwargs={"x": -1, "y": 3})
        finally:
            await rpc.close()

    run(scenario)


def test_master_and_worker_share_tasks(run: Callable[[Scenario], None], names: Names) -> None:
    async def scenario(connection: AbstractRobustConnection) -> None:
        done: list[int] = []

        async def work(*, number: int) -> None:
            done.append(number)

        channel = await connection.channel()
        await channel.set_qos(prefetch_count=1)
        master = Master(channel)
        worker = await master.create_worker(names.q, work, auto_delete=True)
        for number in range(10):
            await master.create_task(names.q, {"number": number})
        while len(done) < 10:
            await asyncio.sleep(0.01)
        await worker.close()
        assert done == list(range(10))

    run(scenario)


def test_exchanges_are_bound_to_exchanges(run: Callable[[Scenario], None], names: Names) -> None:
    async def scenario(connection: AbstractRobustConnection) -> None:
        channel = await connection.channel()
        source = await channel.declare_exchange(names.x, aio_pika.ExchangeType.FANOUT, auto_delete=True)
        target = await channel.declare_exchange(names("x"), aio_pika.ExchangeType.TOPIC, auto_delete=True)
        queue = await channel.declare_queue(exclusive=True)
        await target.bind(source)
        await queue.bind(target, "a.#")
        await source.publish(aio_pika.Message(b"m"), "a.b")
        assert (await queue.get(no_ack=True)).body == b"m"

    run(scenario)


def test_missing_queue_is_channel_not_found(run: Callable[[Scenario], None], names: Names) -> None:
    async def scenario(connection: AbstractRobustConnection) -> None:
        channel = await connection.channel()
        with pytest.raises(aio_pika.exceptions.ChannelNotFoundEntity):
            await channel.declare_queue(names.q, passive=True)

    run(scenario)


def test_robust_connection_restores_queues_and_consumers_after_a_loss(
    run: Callable[[Scenario], None], names: Names
) -> None:
    async def scenario(connection: AbstractRobustConnection) -> None:
        received: asyncio.Queue[bytes] = asyncio.Queue()

        async def consume(message: AbstractIncomingMessage) -> None:
            async with message.process():
                await received.put(message.body)

        channel = await connection.channel()
        queue = await channel.declare_queue(names.q, exclusive=True)
        await queue.consume(consume)
        reconnected = asyncio.Event()
        connection.reconnect_callbacks.add(lambda *_: reconnected.set())
        assert connection.transport is not None
        await connection.transport.connection.close(ConnectionResetError("lost"))
        await reconnected.wait()
        await channel.default_exchange.publish(aio_pika.Message(b"again"), names.q)
        assert await received.get() == b"again"

    run(scenario)
