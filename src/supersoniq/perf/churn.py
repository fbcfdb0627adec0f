"""`churn`: connections, channels, queues and bindings made and unmade, one after the other."""

import asyncio
import secrets
import sys
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass

from supersoniq.client.address import DEFAULT_URL, Address, parse_url
from supersoniq.client.channel import Channel
from supersoniq.client.connection import Connection, connect
from supersoniq.client.errors import ClientError
from supersoniq.perf.histogram import Histogram
from supersoniq.perf.load import broker_cost
from supersoniq.perf.pacing import BusyPoll
from supersoniq.perf.report import ChurnReport, Progress, latency_of
from supersoniq.perf.usage import broker_usage

BINDINGS_MAX = 30_000
PIPELINED = 200
WARMUP_SHARE = 5


class Churner(ABC):
    """Does one kind of operation for one worker, over a connection of its own."""

    def __init__(self, address: Address, worker: int) -> None:
        self.address = address
        self.name = f"perf-{secrets.token_hex(4)}-{worker}"
        self.connection: Connection | None = None
        self.channel: Channel | None = None

    async def prepare(self) -> None:
        """Connect."""
        self.connection = await connect(self.address)
        self.channel = await self.connection.channel()

    @abstractmethod
    async def once(self) -> bool:
        """Do the operation; false, without doing it, if there is nothing left to do it with."""

    async def clean_up(self) -> None:
        """Close the connection, and delete what closing it leaves."""
        if self.connection is not None:
            await self.connection.close()

    def opened(self) -> Channel:
        """The channel of `prepare`."""
        assert self.channel is not None
        return self.channel


class ConnectionChurner(Churner):
    """Opens and closes a connection: TCP, handshake, close."""

    async def prepare(self) -> None:
        """Nothing is needed."""

    async def once(self) -> bool:
        """Open and close."""
        connection = await connect(self.address)
        await connection.close()
        return True


class ChannelChurner(Churner):
    """Opens and closes a channel."""

    async def once(self) -> bool:
        """Open and close."""
        assert self.connection is not None
        channel = await self.connection.channel()
        await channel.close()
        return True


class QueueChurner(Churner):
    """Declares and deletes a transient queue."""

    async def once(self) -> bool:
        """Declare and delete."""
        await self.opened().queue_declare(self.name)
        await self.opened().queue_delete(self.name)
        return True


class BindChurner(Churner):
    """Binds one queue to one direct exchange with ever new binding keys."""

    bound = 0

    async def prepare(self) -> None:
        """Declare both."""
        await super().prepare()
        await self.opened().exchange_declare(self.name, "direct")
        await self.opened().queue_declare(self.name)

    async def once(self) -> bool:
        """Bind."""
        if self.bound >= BINDINGS_MAX:
            return False
        self.bound += 1
        await self.opened().queue_bind(self.name, self.name, f"key-{self.bound}")
        return True

    async def clean_up(self) -> None:
        """Delete both."""
        if self.channel is not None and not self.channel.is_closed:
            await self.channel.queue_delete(self.name)
            await self.channel.exchange_delete(self.name)
        await super().clean_up()


class UnbindChurner(BindChurner):
    """Takes the bindings back that it made before."""

    async def prepare(self) -> None:
        """Declare both, and bind."""
        await super().prepare()
        channel = self.opened()
        for first in range(1, BINDINGS_MAX + 1, PIPELINED):
            keys = [f"key-{number}" for number in range(first, first + PIPELINED)]
            await asyncio.gather(*[channel.queue_bind(self.name, self.name, key) for key in keys])
        self.bound = BINDINGS_MAX

    async def once(self) -> bool:
        """Unbind."""
        if not self.bound:
            return False
        await self.opened().queue_unbind(self.name, self.name, f"key-{self.bound}")
        self.bound -= 1
        return True


OPERATIONS: dict[str, type[Churner]] = {
    "connection": ConnectionChurner,
    "channel": ChannelChurner,
    "queue": QueueChurner,
    "bind": BindChurner,
    "unbind": UnbindChurner,
}


@dataclass(frozen=True)
class ChurnOptions:
    """Which operations, for how many seconds each, and how many workers do them at the same time."""

    url: str = DEFAULT_URL
    operations: tuple[str, ...] = tuple(OPERATIONS)
    duration: float = 3.0
    concurrency: int = 1
    broker_pid: int = 0
    busy_poll: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError, with a text for the user, for what cannot be run."""
        parse_url(self.url)
        for operation in self.operations:
            if operation not in OPERATIONS:
                raise ValueError(f"there is no operation {operation!r}: there are {', '.join(OPERATIONS)}")
        if not 0 < self.duration <= 86_400:
            raise ValueError(f"duration is {self.duration:g}: it must be above 0 and at most 86400")
        if not 1 <= self.concurrency <= 1_000:
            raise ValueError(f"concurrency is {self.concurrency}: it must be 1 to 1000")


async def run_churn(options: ChurnOptions, progress: Progress) -> list[ChurnReport]:
    """Do all operations, one kind after the other; raises as `run_load` does."""
    reports = []
    busy_poll = BusyPoll()
    if options.busy_poll:
        busy_poll.start()
    try:
        for operation in options.operations:
            progress.show(f"{operation}: {options.duration:g} s")
            reports.append(await _churn(options, operation))
    finally:
        busy_poll.stop()
    return reports


async def _churn(options: ChurnOptions, operation: str) -> ChurnReport:
    address = parse_url(options.url)
    workers = [OPERATIONS[operation](address, number) for number in range(options.concurrency)]
    try:
        for worker in workers:
            await worker.prepare()
        # Bounded in count, too: what can be done only so often must not be used up before it is measured.
        await _work(workers, options.duration / WARMUP_SHARE, Histogram(), BINDINGS_MAX // WARMUP_SHARE)
        return await _measure(options, operation, workers)
    finally:
        for worker in workers:
            with suppress(ClientError, TimeoutError):
                await asyncio.wait_for(worker.clean_up(), 30)


async def _measure(options: ChurnOptions, operation: str, workers: list[Churner]) -> ChurnReport:
    latencies = Histogram()
    pid = options.broker_pid
    before = broker_usage(pid) if pid else None
    began = time.monotonic()
    await _work(workers, options.duration, latencies)
    seconds = max(time.monotonic() - began, 1e-9)
    after = broker_usage(pid) if pid else None
    count = latencies.count
    cost = broker_cost(before, after, max(count, 1))
    return ChurnReport(operation, seconds, count, count / seconds, latency_of(latencies), cost)


async def _work(
    workers: list[Churner], seconds: float, latencies: Histogram, count_max: int = sys.maxsize
) -> None:
    deadline = time.monotonic() + seconds
    await asyncio.gather(*[_repeat(worker, deadline, latencies, count_max) for worker in workers])


async def _repeat(worker: Churner, deadline: float, latencies: Histogram, count_max: int) -> None:
    while time.monotonic() < deadline and count_max > 0:
        count_max -= 1
        began_ns = time.monotonic_ns()
        if not await worker.once():
            return
        latencies.record(time.monotonic_ns() - began_ns)
