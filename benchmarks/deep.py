"""Deep durable queues: what they take of memory, and how soon they deliver after the broker was down."""

import asyncio
import json
import os
import shutil
import time
from collections.abc import Callable

from brokers import Broker
from matrix import Depth
from measures import SETTLE_SECONDS, Failed, Figures, perf, rss_mb

from supersoniq.client.address import parse_url
from supersoniq.client.connection import connect
from supersoniq.client.errors import ChannelClosed, ClientError
from supersoniq.client.listener import Listener

QUEUE = "deep"
FILL_SECONDS_MAX = 1200.0
RECOVERY_SECONDS_MAX = 300.0
# A broker that takes connections may still be reading its data.
MISSING_SECONDS_MAX = 10.0
SILENCE_SECONDS_MAX = 60.0
RETRY_SECONDS = 0.005
# Journals, indexes and copies that are not yet removed, too.
DISK_FACTOR = 3
MESSAGE_BYTES = 100


def measure_deep(
    broker: Broker, depth: Depth, wanted: set[str], note: Callable[[str, Figures], None]
) -> None:
    """Fill a queue, take the broker down and up, fill it more; figures are noted as they come.

    Only what `wanted` has is done; the broker is stopped and its directory removed. Raises Failed.
    """
    try:
        broker.start()
        idle_mb = _filled(broker, depth, wanted, note)
        if wanted & {depth.killed, depth.stopped}:
            broker.kill()
            note(depth.killed, _recovered(broker, depth.messages))
        if depth.stopped in wanted:
            broker.stop()
            note(depth.stopped, _recovered(broker, depth.messages))
        if depth.more in wanted:
            figures = _fill(broker, depth.size, depth.more_messages - depth.messages)
            note(depth.more, figures | {"mb": rss_mb(broker) - idle_mb})
    finally:
        broker.stop()
        broker.clear()


def _filled(broker: Broker, depth: Depth, wanted: set[str], note: Callable[[str, Figures], None]) -> float:
    most = depth.more_messages if depth.more in wanted else depth.messages
    _check_disk(broker, most * (depth.size + MESSAGE_BYTES) * DISK_FACTOR)
    asyncio.run(_declare(broker))
    time.sleep(SETTLE_SECONDS)
    idle_mb = rss_mb(broker)
    figures = _fill(broker, depth.size, depth.messages)
    note(depth.memory, figures | {"mb": rss_mb(broker) - idle_mb})
    return idle_mb


def _check_disk(broker: Broker, needed_bytes: int) -> None:
    free_bytes = shutil.disk_usage(broker.directory).free
    if free_bytes < needed_bytes:
        raise Failed(f"{free_bytes / 2**30:.0f} GiB of disk are free, {needed_bytes / 2**30:.0f} are needed")


async def _declare(broker: Broker) -> None:
    connection = await connect(parse_url(broker.url))
    await (await connection.channel()).queue_declare(QUEUE, durable=True)
    await connection.close()


def _fill(broker: Broker, size: int, messages: int) -> Figures:
    """Publish persistent messages, all of them confirmed at the end; returns the rate of it."""
    options = ["--size", str(size), "--count", str(messages), "--persistent", "--queue", QUEUE]
    options += ["--confirm-window", "1000", "--batch", "100", "--consumers", "0", "--warmup", "0"]
    options += ["--duration", str(FILL_SECONDS_MAX)]
    report = json.loads(perf(["throughput", "--url", broker.url, "--json", *options], FILL_SECONDS_MAX + 60))
    if not report["complete"] or report["nacked"]:
        raise Failed(f"{report['published']:,} of {messages:,} published, {report['nacked']:,} nacked")
    time.sleep(SETTLE_SECONDS)
    return {"rate": report["publish_rate"]}


def _recovered(broker: Broker, expected: int) -> Figures:
    """Start the broker with what it has; the seconds to the first delivery, and its memory then."""
    os.sync()
    began = time.monotonic()
    broker.launch()
    delivered_at, found = asyncio.run(_first_delivery(broker, began))
    figures = {"s": delivered_at - began, "rss": rss_mb(broker)}
    if found != expected:
        raise Failed(f"{found:,} of {expected:,} messages came back")
    return figures


async def _first_delivery(broker: Broker, began: float) -> tuple[float, int]:
    """Try until a message comes: when it did, and how many there are. Raises Failed."""
    answered_at = 0.0
    while True:
        try:
            return await _consume_one(broker)
        except (ClientError, OSError, TimeoutError) as error:
            reason = str(error)
            now = time.monotonic()
            if isinstance(error, ChannelClosed):
                answered_at = answered_at or now
                if now - answered_at > MISSING_SECONDS_MAX:
                    raise Failed(reason) from None
            if broker.has_ended:
                raise Failed(f"ended at start: {broker.last_words()}") from None
            if now - began > RECOVERY_SECONDS_MAX:
                raise Failed(f"nothing delivered after {now - began:.0f} s: {reason}") from None
            await asyncio.sleep(RETRY_SECONDS)


async def _consume_one(broker: Broker) -> tuple[float, int]:
    arrival = Arrival()
    try:
        connection = await connect(parse_url(broker.url), listener=arrival)
        channel = await connection.channel()
        await channel.qos(1)
        await channel.consume(QUEUE)
        done, _ = await asyncio.wait([arrival.first], timeout=SILENCE_SECONDS_MAX)
        if not done:
            raise Failed(f"nothing delivered {SILENCE_SECONDS_MAX:g} s after the consumer was there")
        ready = (await channel.queue_declare(QUEUE, passive=True)).message_count
        await connection.close()
        return arrival.first.result(), ready + 1
    finally:
        arrival.forget()


class Arrival(Listener):
    """Notes when the first message came."""

    def __init__(self) -> None:
        self.first: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def delivered(self, channel: int, delivery_tag: int, data: bytes, start: int, end: int) -> None:
        """Note the time."""
        if not self.first.done():
            self.first.set_result(time.monotonic())

    def channel_closed(self, channel: int, error: ClientError) -> None:
        """Wait no longer."""
        self._fail(error)

    def lost(self, error: ClientError) -> None:
        """Wait no longer."""
        self._fail(error)

    def forget(self) -> None:
        """Nobody waits any more."""
        if self.first.done():
            self.first.exception()

    def _fail(self, error: ClientError) -> None:
        if not self.first.done():
            self.first.set_exception(error)
