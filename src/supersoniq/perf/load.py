"""One run of `throughput` or `latency`: connects, warms up, measures a window, cleans up."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass

from supersoniq.client.address import parse_url
from supersoniq.client.channel import Channel
from supersoniq.client.connection import Connection, connect
from supersoniq.client.errors import ClientError
from supersoniq.client.listener import Listener
from supersoniq.perf.batches import MessageShape, batch_messages, encode_batch
from supersoniq.perf.engine import Consumer, Ledger, Producer
from supersoniq.perf.options import MESSAGES_MAX, LoadOptions
from supersoniq.perf.pacing import BusyPoll, Pacer
from supersoniq.perf.report import BrokerCost, LoadReport, Progress, latency_of
from supersoniq.perf.topology import Topology
from supersoniq.perf.usage import Usage, broker_usage, own_cpu_seconds, raise_file_limit

WARMUP_SHARE = 10
PROGRESS_SECONDS = 0.5
POLL_SECONDS = 0.02
STUCK_SECONDS = 2.0
CONFIRM_SECONDS_MAX = 30.0


@dataclass(frozen=True)
class Reading:
    """The counters at one moment."""

    at: float
    published: int
    delivered: int
    own_cpu_seconds: float
    broker: Usage | None


async def run_load(options: LoadOptions, mode: str, progress: Progress) -> LoadReport:
    """Run one load; raises ClientError for what the server does not do, ValueError for a wrong pid."""
    load = Load(options, progress)
    try:
        await load.prepare()
        first, last = await load.measure()
        return load.report(mode, first, last)
    finally:
        await load.clean_up()


class Load:
    """The connections of one run and its course."""

    def __init__(self, options: LoadOptions, progress: Progress) -> None:
        self._options = options
        self._progress = progress
        self._topology = Topology(options)
        self._ledger = Ledger(options.backlog_max, options.copies)
        self._connections: list[Connection] = []
        self._producers: list[Producer] = []
        self._consumers: list[Consumer] = []
        self._consumer_channels: list[Channel] = []
        self._control: Channel | None = None
        self._pacer: Pacer | None = None
        self._busy_poll = BusyPoll()
        self._is_complete = True
        self._progress_timer: asyncio.TimerHandle | None = None
        self._shown: Reading | None = None
        self._ready_before = 0

    # --- before ----------------------------------------------------------------------------------

    async def prepare(self) -> None:
        """Declare, preload, and connect everybody; nobody publishes yet."""
        options = self._options
        if options.broker_pid:
            broker_usage(options.broker_pid)
        if options.producers + options.consumers > 200:
            raise_file_limit()
        control = await self._channel(Listener())
        await self._topology.declare(control)
        self._control = control
        self._ready_before = await self._topology.message_count(control) if not options.consumers else 0
        if options.preload:
            await self._preload()
        for number in range(options.consumers):
            await self._add_consumer(number)
        for number in range(options.producers):
            await self._add_producer(number, options.producers, self._ledger, options.confirm_window)
        self._progress_timer = asyncio.get_running_loop().call_later(PROGRESS_SECONDS, self._show_progress)

    async def _channel(self, listener: Listener) -> Channel:
        connection = await connect(parse_url(self._options.url), listener=listener)
        self._connections.append(connection)
        return await connection.channel()

    async def _add_consumer(self, number: int) -> None:
        options = self._options
        consumer = Consumer(self._ledger, options.ack_every, options.stamped and not options.until_confirm)
        channel = await self._channel(consumer)
        consumer.start(channel)
        self._consumers.append(consumer)
        if options.prefetch:
            await channel.qos(options.prefetch)
        self._consumer_channels.append(channel)
        if not options.preload:
            await self._consume(number)

    async def _consume(self, number: int) -> None:
        options = self._options
        for queue in self._topology.share(number, options.consumers):
            await self._consumer_channels[number].consume(queue, no_ack=options.ack_every == 0)

    async def _add_producer(self, number: int, parties: int, ledger: Ledger, confirm_window: int) -> None:
        options = self._options
        keys = self._topology.routing_keys(number, parties)
        shape = MessageShape(
            self._topology.exchange, options.size, options.persistent, priorities=options.priorities
        )
        if options.stamped or options.flush or options.rate:
            messages = shape.kinds(keys)
        else:
            messages = options.batch or batch_messages(shape, keys)
            messages = min(messages, confirm_window or messages)
            if options.backlog_max:
                messages = min(messages, max(1, options.backlog_max // (2 * options.copies * parties)))
        batch = encode_batch(shape, keys, messages)
        flush = options.flush or options.rate > 0
        producer = Producer(ledger, batch, confirm_window, flush, options.stamped, options.until_confirm)
        channel = await self._channel(producer)
        producer.start(self._connections[-1].wire)
        if confirm_window:
            await channel.confirm_select()
        self._producers.append(producer)

    async def _preload(self) -> None:
        """Fill the queues over a connection that publishes no more afterwards."""
        count = self._options.preload + self._warmup_messages(self._options.preload)
        self._progress.show(f"publishing {count:,} messages to be consumed")
        ledger = Ledger(0, 1)
        await self._add_producer(0, 1, ledger, 0)
        await self._publish_upto(ledger, count)
        self._producers.clear()

    # --- the course ------------------------------------------------------------------------------

    async def measure(self) -> tuple[Reading, Reading]:
        """Run the load; returns the readings at the ends of the measured window."""
        options = self._options
        self._ledger.is_running = True
        self._ledger.published_max = MESSAGES_MAX
        if options.rate and options.producers:
            self._pacer = Pacer(self._producers, options.rate * options.producers, options.stamped)
            self._pacer.start()
        if options.busy_poll:
            self._busy_poll.start()
        try:
            if options.count and not options.consumers:
                return await self._measure_publishing()
            if options.count or options.preload:
                return await self._measure_deliveries(options.count or options.preload)
            self._pump(self._producers)
            return await self._measure_time()
        finally:
            self._ledger.is_running = False
            self._busy_poll.stop()
            if self._pacer:
                self._pacer.stop()

    async def _measure_time(self) -> tuple[Reading, Reading]:
        never = self._ledger.until()
        await self._wait(never, self._options.warmup)
        first = self._begin_window()
        await self._wait(never, self._options.seconds_max)
        return first, self._read()

    async def _measure_deliveries(self, count: int) -> tuple[Reading, Reading]:
        seconds_max = self._options.seconds_max
        copies = self._options.copies
        warmup = self._warmup_messages(count)
        self._ledger.published_max = warmup + count
        first = self._begin_window()
        self._pump(self._producers)
        if self._options.preload:
            for number in range(self._options.consumers):
                await self._consume(number)
        if warmup:
            windows: list[Reading] = []
            warm = self._ledger.until(
                delivered=warmup * copies, at_goal=lambda: windows.append(self._begin_window())
            )
            await self._wait(warm, seconds_max)
            first = windows[0] if windows else self._begin_window()
        reached = self._ledger.until(delivered=(warmup + count) * copies)
        self._is_complete = await self._wait(reached, seconds_max)
        last = self._read()
        await self._ack_rest()
        return first, last

    async def _ack_rest(self) -> None:
        """Ack what is left below `ack_every`; the reply to qos says that the server has seen it."""
        if not self._options.ack_every:
            return
        for consumer, channel in zip(self._consumers, self._consumer_channels, strict=True):
            consumer.ack()
            await channel.qos(self._options.prefetch)

    async def _measure_publishing(self) -> tuple[Reading, Reading]:
        """Nobody consumes: the window ends when everything is confirmed, if it is to be, and in its queue."""
        warmup = self._warmup_messages(self._options.count)
        await self._publish_upto(self._ledger, warmup)
        first = self._begin_window()
        await self._publish_upto(self._ledger, warmup + self._options.count)
        return first, self._read()

    async def _publish_upto(self, ledger: Ledger, count: int) -> None:
        ledger.is_running = True
        ledger.published_max = count
        reached = ledger.until(published=count)
        self._pump(self._producers)
        self._is_complete = await self._wait(reached, self._options.seconds_max)
        await self._wait_until_confirmed(ledger)
        await self._wait_until_routed(self._ready_before + ledger.published * self._options.copies)

    def _warmup_messages(self, count: int) -> int:
        return count // WARMUP_SHARE if self._options.warmup else 0

    def _pump(self, producers: list[Producer]) -> None:
        if self._pacer is None:
            for producer in producers:
                producer.pump()

    async def _wait_until_confirmed(self, ledger: Ledger) -> None:
        """Wait for the confirms of everything that was published; gives up when no more of them come."""
        if not self._options.confirm_window or not self._options.producers:
            return
        never = ledger.until()
        waiting = 0
        changed_at = time.monotonic()
        while unconfirmed := sum([producer.unconfirmed() for producer in self._producers]):
            if unconfirmed != waiting:
                waiting = unconfirmed
                changed_at = time.monotonic()
            if time.monotonic() - changed_at > CONFIRM_SECONDS_MAX:
                self._is_complete = False
                return
            await self._wait(never, POLL_SECONDS)

    async def _wait_until_routed(self, expected: int) -> None:
        """Wait until so many messages are ready, or no more become ready: a queue may have a length limit."""
        assert self._control is not None
        ready = -1
        changed_at = time.monotonic()
        while ready < expected and time.monotonic() - changed_at < STUCK_SECONDS:
            count = await self._topology.message_count(self._control)
            if count != ready:
                ready = count
                changed_at = time.monotonic()
            if ready < expected:
                await asyncio.sleep(POLL_SECONDS)

    async def _wait(self, reached: "asyncio.Future[None]", seconds: float) -> bool:
        """Wait for `reached`, at most so long; raises what ended the run."""
        done, _ = await asyncio.wait([reached], timeout=seconds)
        for future in done:
            future.result()
        return bool(done)

    # --- readings --------------------------------------------------------------------------------

    def _read(self) -> Reading:
        pid = self._options.broker_pid
        usage = broker_usage(pid) if pid else None
        ledger = self._ledger
        return Reading(time.monotonic(), ledger.published, ledger.delivered, own_cpu_seconds(), usage)

    def _begin_window(self) -> Reading:
        self._ledger.latencies.clear()
        return self._read()

    def _show_progress(self) -> None:
        ledger = self._ledger
        now = Reading(time.monotonic(), ledger.published, ledger.delivered, 0.0, None)
        before, self._shown = self._shown, now
        if before is not None:
            seconds = now.at - before.at
            self._progress.show(
                f"published {(now.published - before.published) / seconds:,.0f} msg/s   "
                f"delivered {(now.delivered - before.delivered) / seconds:,.0f} msg/s   "
                f"on their way {ledger.published * self._options.copies - ledger.delivered:,}"
            )
        self._progress_timer = asyncio.get_running_loop().call_later(PROGRESS_SECONDS, self._show_progress)

    def report(self, mode: str, first: Reading, last: Reading) -> LoadReport:
        """What happened between two readings."""
        seconds = max(last.at - first.at, 1e-9)
        published = last.published - first.published
        delivered = last.delivered - first.delivered
        messages = max(delivered if self._options.consumers else published, 1)
        return LoadReport(
            mode=mode,
            seconds=seconds,
            complete=self._is_complete,
            published=published,
            delivered=delivered,
            nacked=self._ledger.nacked,
            publish_rate=published / seconds,
            delivery_rate=delivered / seconds,
            generator_cpu_us=(last.own_cpu_seconds - first.own_cpu_seconds) * 1e6 / messages,
            broker=broker_cost(first.broker, last.broker, messages),
            latency=latency_of(self._ledger.latencies),
        )

    # --- after -----------------------------------------------------------------------------------

    async def clean_up(self) -> None:
        """Delete what was declared and close all connections, as far as the server still plays along."""
        if self._progress_timer:
            self._progress_timer.cancel()
        self._ledger.is_running = False
        # Those that may hold unread deliveries go without a word: a close would wait behind megabytes.
        for connection in self._connections[1:]:
            connection.abort()
        if self._control is not None:
            with suppress(ClientError, TimeoutError):
                await asyncio.wait_for(self._topology.delete(self._control), 30)
        for connection in self._connections[:1]:
            with suppress(ClientError, TimeoutError):
                await asyncio.wait_for(connection.close(), 5)


def broker_cost(first: Usage | None, last: Usage | None, messages: int) -> BrokerCost | None:
    """What the broker used between two readings; None if nobody looked."""
    if first is None or last is None:
        return None
    cpu_seconds = last.cpu_seconds - first.cpu_seconds
    mb = 1024 * 1024
    return BrokerCost(cpu_seconds, cpu_seconds * 1e6 / messages, first.rss_bytes / mb, last.rss_bytes / mb)
