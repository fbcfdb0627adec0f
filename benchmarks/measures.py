"""How a row is measured: a run of `supersoniq perf`, or connections and queues held while memory is read."""

import asyncio
import json
import subprocess
import sys
import time
from statistics import median
from typing import Any

from brokers import Broker
from disk import bare_sync_us
from matrix import CONFIRM, Row, Scale

from supersoniq.client.address import parse_url
from supersoniq.client.channel import Channel
from supersoniq.client.connection import Connection, connect
from supersoniq.perf.usage import broker_usage

MB = 1024 * 1024
SETTLE_SECONDS = 1.0
CONNECTIONS = 1000
QUEUES = 1000
PIPELINED = 100
CONFIRM_TURNS = 5

Figures = dict[str, float]


class Failed(Exception):
    """A measurement ended without figures; the text is one line."""


def measure_load(broker: Broker, row: Row, scale: Scale) -> Figures:
    """Run the row's command; what waits for the disk is shown beside what the disk takes.

    The disk and what others do to it change by a third from second to second, so the two take turns.
    """
    if row.group != CONFIRM:
        return run_perf(broker, row.command, scale)
    turns = [_confirm_turn(broker, row, scale) for _ in range(CONFIRM_TURNS)]
    return {name: median([turn[name] for turn in turns]) for name in turns[0]}


def _confirm_turn(broker: Broker, row: Row, scale: Scale) -> Figures:
    """The disk by itself, the row's command, and the disk again."""
    seconds = scale.seconds / 4
    before_us, before_p99_us = bare_sync_us(broker.directory, False, seconds)
    preallocated_us, _ = bare_sync_us(broker.directory, True, seconds)
    figures = run_perf(broker, row.command, scale)
    after_us, after_p99_us = bare_sync_us(broker.directory, False, seconds)
    bare_us = (before_us + after_us) / 2
    bare_p99_us = (before_p99_us + after_p99_us) / 2
    return figures | {
        "bare_us": bare_us,
        "bare_p99_us": bare_p99_us,
        "bare_preallocated_us": preallocated_us,
        "times_bare": figures["p50_us"] / bare_us,
    }


def run_perf(broker: Broker, arguments: tuple[str, ...], scale: Scale) -> Figures:
    """Run `supersoniq perf` against `broker`."""
    command = [*arguments, "--url", broker.url, "--broker-pid", str(broker.pid), "--json"]
    if arguments[0] == "churn":
        command += ["--duration", str(scale.churn_seconds)]
    elif "--count" not in arguments and "--preload" not in arguments:
        command += ["--duration", str(scale.seconds), "--warmup", str(scale.warmup_seconds)]
    return figures_of(json.loads(perf(command)))


def perf(arguments: list[str], seconds_max: float = 600.0) -> str:
    """What `supersoniq perf` prints; raises Failed if it takes longer or ends with an error."""
    command = [sys.executable, "-m", "supersoniq", "perf", *arguments]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=seconds_max)
    except subprocess.TimeoutExpired:
        raise Failed(f"no end after {seconds_max:g} s") from None
    if done.returncode:
        raise Failed((done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1])
    return done.stdout


def figures_of(report: dict[str, Any]) -> Figures:
    """The figures that the tables show, out of a report of `supersoniq perf`."""
    if not report.get("complete", True):
        raise Failed("given up: it took too long")
    if report.get("nacked"):
        raise Failed(f"{report['nacked']:,} messages were not taken")
    figures = {"cpu_us": report["broker"]["cpu_us"]}
    if "rate" in report:
        figures["rate"] = report["rate"]
    else:
        figures["rate"] = max(
            report["delivery_rate"], report["publish_rate"] if not report["delivered"] else 0.0
        )
        figures["generator_us"] = report["generator_cpu_us"]
    if report["latency"]:
        figures["p50_us"] = report["latency"]["p50"]
        figures["p99_us"] = report["latency"]["p99"]
    return figures


def measure_size(broker: Broker, wanted: set[str], scale: Scale) -> dict[str, Figures]:
    """Start `broker` afresh and see what it takes; stops it."""
    try:
        broker.start()
        time.sleep(SETTLE_SECONDS)
        found = {"start": {"s": broker.start_seconds}, "rss-idle": {"mb": rss_mb(broker)}}
        if "rss-connections" in wanted:
            found["rss-connections"] = {"mb": asyncio.run(rss_of_connections(broker))}
        if "rss-queues" in wanted:
            found["rss-queues"] = {"mb": asyncio.run(rss_of_queues(broker))}
        if "rss-queued" in wanted:
            found["rss-queued"] = {"mb": rss_of_queued(broker, scale)}
        return found
    finally:
        broker.stop()


def rss_mb(broker: Broker) -> float:
    """What the broker holds now."""
    return broker_usage(broker.pid).rss_bytes / MB


async def rss_of_connections(broker: Broker) -> float:
    """What CONNECTIONS idle connections add."""
    before = rss_mb(broker)
    connections = await idle_connections(broker)
    await asyncio.sleep(SETTLE_SECONDS)
    after = rss_mb(broker)
    await close_all(connections)
    await asyncio.sleep(SETTLE_SECONDS)
    return after - before


async def rss_of_queues(broker: Broker) -> float:
    """What QUEUES transient queues add; they stay."""
    connection = await connect(parse_url(broker.url))
    channel = await connection.channel()
    before = rss_mb(broker)
    await declare_queues(channel, QUEUES)
    await asyncio.sleep(SETTLE_SECONDS)
    after = rss_mb(broker)
    await connection.close()
    return after - before


def rss_of_queued(broker: Broker, scale: Scale) -> float:
    """What a queue full of messages adds, read while they are in it."""
    command = ["throughput", "--url", broker.url, "--json", "--broker-pid", str(broker.pid)]
    command += ["--consumers", "0", "--count", str(scale.queued), "--warmup", "0"]
    cost = json.loads(perf(command))["broker"]
    return float(cost["rss_after_mb"] - cost["rss_before_mb"])


async def measure_crowd(broker: Broker, plain: Row, scale: Scale) -> list[Figures]:
    """Compare the row `plain` without and with many queues and connections around; leaves the queues."""
    alone = [await asyncio.to_thread(run_perf, broker, plain.command, scale) for _ in range(scale.runs)]
    connection = await connect(parse_url(broker.url))
    await declare_queues(await connection.channel(), scale.crowd_queues)
    connections = await idle_connections(broker)
    await asyncio.sleep(SETTLE_SECONDS)
    crowded = [await asyncio.to_thread(run_perf, broker, plain.command, scale) for _ in range(scale.runs)]
    await close_all([connection, *connections])
    cpu_alone = sorted(figures["cpu_us"] for figures in alone)[len(alone) // 2]
    return [figures | {"ratio": figures["cpu_us"] / cpu_alone} for figures in crowded]


async def idle_connections(broker: Broker) -> list[Connection]:
    """Open CONNECTIONS connections, some at a time."""
    connections: list[Connection] = []
    while len(connections) < CONNECTIONS:
        address = parse_url(broker.url)
        connections += await asyncio.gather(*[connect(address, timeout_seconds=30) for _ in range(20)])
    return connections


async def close_all(connections: list[Connection]) -> None:
    """Close connections, some at a time."""
    for first in range(0, len(connections), 20):
        await asyncio.gather(*[connection.close() for connection in connections[first : first + 20]])


async def declare_queues(channel: Channel, count: int) -> None:
    """Declare `count` transient queues without waiting for each."""
    for first in range(0, count, PIPELINED):
        names = [f"crowd-{number}" for number in range(first, first + PIPELINED)]
        await asyncio.gather(*[channel.queue_declare(name) for name in names])
