"""Operating a node: start and memory with the management API, pages of a long listing, commands."""

import asyncio
import base64
import http.client
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from brokers import Managed
from matrix import API_LATENCY, API_MEMORY, API_PAGE, API_START, COMMAND, Scale
from measures import SETTLE_SECONDS, Failed, Figures, declare_queues, perf, rss_mb

from supersoniq.client.address import parse_url
from supersoniq.client.connection import connect

PAGES = 20
PAGE = "/api/queues?page=3&page_size=500"
COMMANDS = 15
PAGE_PAUSE_SECONDS = 0.2
# One in a hundred messages is few: so often a run measures latency, with pages and without in turns.
LATENCY_TURNS = 3
LOWEST_PRIORITY = 19
LOGIN = "Basic " + base64.b64encode(b"guest:guest").decode()


def measure_operating(broker: Managed, scale: Scale, note: Callable[[str, Figures], None]) -> None:
    """Start a broker with its management API, and use that; raises Failed."""
    try:
        broker.start()
        note(API_START, {"s": _api_seconds(broker)})
        time.sleep(SETTLE_SECONDS)
        note(API_MEMORY, {"mb": rss_mb(broker)})
        note(COMMAND, {"ms": statistics.median([_command_ms(broker) for _ in range(COMMANDS)])})
        asyncio.run(_with_queues(broker, scale, note))
    finally:
        broker.stop()


async def _with_queues(broker: Managed, scale: Scale, note: Callable[[str, Figures], None]) -> None:
    connection = await connect(parse_url(broker.url))
    await declare_queues(await connection.channel(), scale.crowd_queues)
    await asyncio.sleep(SETTLE_SECONDS)
    note(API_PAGE, {"ms": await asyncio.to_thread(_page_ms, broker)})
    note(API_LATENCY, await asyncio.to_thread(_latency, broker, scale))
    await connection.close()


def _api_seconds(broker: Managed) -> float:
    """Seconds from the start of the process until the API has answered."""
    while _answer(broker, "/api/whoami")[0] != 200:
        time.sleep(0.005)
        if broker.has_ended:
            raise Failed("the broker has ended")
    return time.monotonic() - broker.launched_at


def _answer(broker: Managed, path: str) -> tuple[int, bytes]:
    """The status and body of a GET; 0 if nobody listens yet."""
    connection = http.client.HTTPConnection("127.0.0.1", broker.management_port, timeout=30)
    try:
        connection.request("GET", path, headers={"Authorization": LOGIN})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except OSError:
        return 0, b""
    finally:
        connection.close()


def _page_ms(broker: Managed) -> float:
    """The median of some pages, one after the other."""
    times: list[float] = []
    for _ in range(PAGES):
        began = time.monotonic()
        status, body = _answer(broker, PAGE)
        if status != 200:
            raise Failed("a page was refused")
        if len(json.loads(body)["items"]) != 500:
            raise Failed("a page is not whole")
        times.append((time.monotonic() - began) * 1000)
    return statistics.median(times)


def _latency(broker: Managed, scale: Scale) -> Figures:
    """The 99th percentile of messages' latency while pages are asked for, times that without.

    Who asks stands for another machine: it does not look into the pages, and has the lowest priority on
    this one, whose processors the broker and the generator need.
    """
    quiet: list[float] = []
    busy: list[float] = []
    for _ in range(LATENCY_TURNS * scale.runs):
        quiet.append(_p99_us(broker, scale))
        over = threading.Event()
        reader = threading.Thread(target=_read_pages, args=(broker, over))
        reader.start()
        try:
            busy.append(_p99_us(broker, scale))
        finally:
            over.set()
            reader.join()
    return {
        "ratio": statistics.median(busy) / statistics.median(quiet),
        "p99_us": statistics.median(busy),
    }


def _read_pages(broker: Managed, over: threading.Event) -> None:
    if sys.platform == "linux":  # where threads have priorities of their own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWEST_PRIORITY)
    while not over.wait(PAGE_PAUSE_SECONDS):
        _answer(broker, PAGE)


def _p99_us(broker: Managed, scale: Scale) -> float:
    command = ["latency", "--url", broker.url, "--rate", "2000", "--json", "--broker-pid", str(broker.pid)]
    command += ["--duration", str(scale.seconds * 2), "--warmup", str(scale.warmup_seconds)]
    return float(json.loads(perf(command))["latency"]["p99"])


def _command_ms(broker: Managed) -> float:
    """How long `supersoniq queues list` takes as a process of its own."""
    script = os.path.join(os.path.dirname(sys.executable), "supersoniq")
    began = time.monotonic()
    command = [script, "queues", "list", "--data-dir", str(broker.directory / "data")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=broker.environ())
    if done.returncode:
        raise Failed(done.stderr.strip() or "a command failed")
    return (time.monotonic() - began) * 1000
