"""Whole runs against a broker."""

import asyncio
import os
from typing import Any

import pytest

from supersoniq.client.address import parse_url
from supersoniq.client.connection import connect
from supersoniq.client.errors import ChannelClosed
from supersoniq.perf.load import Load, run_load
from supersoniq.perf.options import LoadOptions
from supersoniq.perf.report import LoadReport, Silence


class Unconfirmed:
    """A producer with a message that the broker never confirms."""

    def pump(self) -> None:
        """Publish nothing."""

    def unconfirmed(self) -> int:
        return 1


def run(url: str, **values: Any) -> LoadReport:
    return asyncio.run(run_load(LoadOptions(url=url, **values), "throughput", Silence()))


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"flush": True},
        {"ack_every": 1, "prefetch": 20},
        {"ack_every": 7},
        {"confirm_window": 10},
        {"confirm_window": 10, "stamped": True, "until_confirm": True},
        {"producers": 3, "consumers": 2, "queues": 2},
        {"producers": 1, "consumers": 1, "queues": 5},
        {"priorities": 10},
        {"priorities": 2, "queues": 3, "flush": True},
        {"size": 0},
        {"size": 200_000, "persistent": True, "durable": True},
        {"rate": 2000.0},
        {"stamped": True, "backlog": 1},
    ],
)
def test_every_message_of_the_count_is_delivered(broker_url: str, values: dict[str, Any]) -> None:
    report = run(broker_url, count=50, warmup=0.0, **values)
    assert (report.complete, report.delivered, report.nacked) == (True, 50, 0)


def test_warmup_is_not_counted(broker_url: str) -> None:
    report = run(broker_url, count=1000, backlog=10)
    assert report.complete
    assert 1000 - 10 <= report.delivered <= 1000


def test_fanout_delivers_a_copy_from_each_queue(broker_url: str) -> None:
    report = run(broker_url, count=50, warmup=0.0, fanout=3, consumers=3)
    assert (report.published, report.delivered) == (50, 150)


def test_run_by_time_ends_in_time_and_measures_latency(broker_url: str) -> None:
    report = run(broker_url, duration=0.2, warmup=0.05, rate=500.0, stamped=True)
    assert 0.15 < report.seconds < 15
    assert report.latency is not None
    assert report.latency.count == report.delivered > 0


def test_nobody_consumes_and_all_is_published(broker_url: str) -> None:
    report = run(broker_url, consumers=0, count=100)
    assert (report.complete, report.published, report.delivered) == (True, 100, 0)


def test_nobody_consumes_and_all_is_confirmed(broker_url: str) -> None:
    report = run(broker_url, consumers=0, count=100, confirm_window=7, persistent=True, durable=True)
    assert (report.complete, report.published, report.nacked) == (True, 100, 0)


def test_nobody_consumes_for_a_time_and_each_confirm_is_timed(broker_url: str) -> None:
    report = run(
        broker_url, consumers=0, duration=0.1, warmup=0.01, confirm_window=1, stamped=True, until_confirm=True
    )
    assert report.latency is not None
    assert report.published - 1 <= report.latency.count <= report.published + 1


def test_confirms_that_do_not_come_are_given_up(broker_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        load = Load(
            LoadOptions(url=broker_url, consumers=0, count=3, warmup=0.0, confirm_window=5), Silence()
        )
        await load.prepare()
        load._producers.append(Unconfirmed())  # type: ignore[arg-type]
        first, last = await load.measure()
        assert not load.report("throughput", first, last).complete
        await load.clean_up()

    monkeypatch.setattr("supersoniq.perf.load.CONFIRM_SECONDS_MAX", 0.05)
    asyncio.run(test())


def test_priorities_make_priority_queues_of_as_many_levels(broker_url: str) -> None:
    async def test() -> None:
        load = Load(LoadOptions(url=broker_url, count=10, priorities=5), Silence())
        await load.prepare()
        [queue] = load._topology.queues
        connection = await connect(parse_url(broker_url))
        channel = await connection.channel()
        await channel.queue_declare(queue, arguments={"x-max-priority": 5})
        with pytest.raises(ChannelClosed, match="x-max-priority"):
            await channel.queue_declare(queue, arguments={"x-max-priority": 4})
        await connection.close()
        await load.clean_up()

    asyncio.run(test())


def test_preload_is_consumed(broker_url: str) -> None:
    report = run(broker_url, producers=0, preload=100, warmup=0.0)
    assert (report.complete, report.published, report.delivered) == (True, 0, 100)


def test_existing_queue_is_used_and_kept(broker_url: str) -> None:
    async def test() -> None:
        connection = await connect(parse_url(broker_url))
        channel = await connection.channel()
        await channel.queue_declare("mine", durable=True)
        options = LoadOptions(url=broker_url, consumers=0, count=10, warmup=0.0, existing=("mine",))
        await run_load(options, "throughput", Silence())
        assert (await channel.queue_declare("mine", passive=True)).message_count == 10
        await channel.queue_delete("mine")
        await connection.close()

    asyncio.run(test())


def test_everything_is_acked_at_the_end_of_a_count(broker_url: str) -> None:
    async def test() -> None:
        connection = await connect(parse_url(broker_url))
        channel = await connection.channel()
        await channel.queue_declare("mine")
        options = LoadOptions(url=broker_url, count=10, ack_every=7, warmup=0.0, existing=("mine",))
        await run_load(options, "throughput", Silence())
        assert await channel.queue_delete("mine") == 0
        await connection.close()

    asyncio.run(test())


def test_queue_that_should_exist_and_does_not_ends_the_run(broker_url: str) -> None:
    with pytest.raises(ChannelClosed, match="404 NOT_FOUND"):
        run(broker_url, existing=("missing",))


def test_queues_are_gone_afterwards(broker_url: str) -> None:
    async def test() -> None:
        load = Load(LoadOptions(url=broker_url, count=10, fanout=2), Silence())
        await load.prepare()
        topology = load._topology
        await load.clean_up()
        connection = await connect(parse_url(broker_url))
        channel = await connection.channel()
        with pytest.raises(ChannelClosed, match="404"):
            await channel.queue_declare(topology.queues[0], passive=True)
        await connection.close()

    asyncio.run(test())


def test_cost_of_a_process_is_reported(broker_url: str) -> None:
    report = run(broker_url, count=2000, broker_pid=os.getpid())
    assert report.broker is not None
    assert report.broker.rss_after_mb > 1


def test_process_that_is_not_there_is_said(broker_url: str) -> None:
    with pytest.raises(ValueError, match="no process"):
        run(broker_url, count=1, broker_pid=2**22 + 1)
