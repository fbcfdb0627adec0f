"""A loop that stands still is noticed, and what it did is named."""

import asyncio
import gc
import logging
import re
import signal
import time
from collections.abc import Awaitable, Callable

import pytest
from tests.session.script import Node

from supersoniq.server.stall_watch import (
    BEAT_SECONDS,
    IDLE_BEATS,
    IDLE_SECONDS,
    IDLE_TURNS,
    RARE_TURNS,
    StallWatch,
    described,
)
from supersoniq.session.heartbeats import TICKS_PER_SECOND

# The watch takes the signal that pytest-timeout takes otherwise.
pytestmark = pytest.mark.timeout(120, method="thread")

# So long that a busy machine is not taken for a stall.
STALL_SECONDS = 0.25


def stand_still_here(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


class Bench:
    """A watch over the running loop."""

    def __init__(self, stall_seconds: float = STALL_SECONDS) -> None:
        self.node = Node()
        self.watch = StallWatch(self.node.turn, self.node.context.counters, stall_seconds)

    @property
    def count(self) -> int:
        return int(self.node.context.counters.stall_count)

    async def beats(self, count: int = 2) -> None:
        """Wait until the loop has beaten so often."""
        before = self.watch._beat_count
        async with asyncio.timeout(30):
            while self.watch._beat_count < before + count:
                await asyncio.sleep(0.005)


def watched(
    work: Callable[[Bench], Awaitable[None]], stall_seconds: float = STALL_SECONDS, looks: bool = True
) -> Bench:
    """Do something under watch."""

    async def run() -> Bench:
        bench = Bench(stall_seconds)
        bench.watch.start()
        if looks:
            bench.watch.look()
        await bench.beats()
        try:
            await work(bench)
            await bench.beats()
        finally:
            bench.watch.stop()
        return bench

    return asyncio.run(run())


async def stand_still_once(bench: Bench) -> None:
    stand_still_here(2 * STALL_SECONDS)


def test_stall_is_counted_and_logged_with_what_ran(caplog: pytest.LogCaptureFixture) -> None:
    bench = watched(stand_still_once)
    assert bench.count == 1
    assert STALL_SECONDS <= bench.node.context.counters.stall_seconds < 30
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    found = re.fullmatch(
        r"the event loop stood still for (\d+) ms, (\d+) ms of them computing: (.*)", record.message
    )
    assert found is not None
    assert int(found[1]) >= 1000 * STALL_SECONDS
    assert 0 < int(found[2]) <= int(found[1])
    assert "stand_still_here (test_stall_watch.py:" in found[3]


def test_in_the_process_of_others_a_stall_is_counted_and_timed(caplog: pytest.LogCaptureFixture) -> None:
    handler = signal.getsignal(signal.SIGALRM)

    async def work(bench: Bench) -> None:
        await stand_still_once(bench)
        assert signal.getsignal(signal.SIGALRM) is handler

    assert watched(work, looks=False).count == 1
    assert caplog.records[0].message.endswith(": it was over before it could be looked at")


def test_loop_that_goes_on_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    async def work(bench: Bench) -> None:
        await bench.beats(10)

    assert watched(work, stall_seconds=20).count == 0
    assert not caplog.records


def test_of_many_stalls_few_are_logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supersoniq.server.stall_watch.SILENT_SECONDS", 4 * STALL_SECONDS)

    async def work(bench: Bench) -> None:
        for number in range(1, 4):
            stand_still_here(1.5 * STALL_SECONDS)
            while bench.count < number:
                await asyncio.sleep(0.005)
        stand_still_here(4 * STALL_SECONDS)

    assert watched(work).count == 4
    assert len(caplog.records) == 2
    assert "and 2 more times since the last warning" in caplog.records[1].message


def test_connection_whose_event_it_is_is_named(caplog: pytest.LogCaptureFixture) -> None:
    async def work(bench: Bench) -> None:
        bench.node.turn.cause = bench.node.client().session
        stand_still_here(2 * STALL_SECONDS)
        bench.node.turn.cause = None

    watched(work)
    assert "connection 127.0.0.1:50000" in caplog.records[0].message


def test_collection_of_garbage_is_named(caplog: pytest.LogCaptureFixture) -> None:
    async def work(bench: Bench) -> None:
        bench.watch._on_collection("start", {"generation": 2})
        stand_still_here(1.5 * STALL_SECONDS)
        bench.watch._on_collection("stop", {"generation": 2})
        bench.watch._on_collection("start", {"generation": 0})
        bench.watch._on_collection("stop", {"generation": 0})

    gc.disable()  # or one that is really made may come between
    try:
        watched(work)
    finally:
        gc.enable()
    (named,) = [message for message in caplog.messages if "collection of garbage" in message]
    assert "collection of garbage, generation 2" in named


def test_watch_that_has_ended_leaves_nothing_behind() -> None:
    callbacks = len(gc.callbacks)
    bench = watched(stand_still_once)
    assert len(gc.callbacks) == callbacks
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    bench.watch.stop()


def test_ticks_of_a_node_that_nobody_uses_are_no_work() -> None:
    assert IDLE_TURNS > TICKS_PER_SECOND * IDLE_BEATS * BEAT_SECONDS
    assert RARE_TURNS > TICKS_PER_SECOND * IDLE_SECONDS


def test_beats_are_rare_when_there_is_nothing_to_do() -> None:
    async def work(bench: Bench) -> None:
        bench.node.turn.finish()  # a tick of the node's own is no work
        await bench.beats(IDLE_BEATS + 1)
        assert bench.watch._due - time.monotonic() > BEAT_SECONDS
        bench.node.turn.finish()
        await bench.beats(1)
        assert bench.watch._due - time.monotonic() > BEAT_SECONDS
        for _ in range(5):
            bench.node.turn.finish()
        await bench.beats(1)
        assert not bench.watch._is_idle

    watched(work, stall_seconds=20)


def test_calls_are_named_from_the_outside_in() -> None:
    import sys

    frame = sys._getframe()
    assert re.search(
        r"test_calls_are_named_from_the_outside_in \(test_stall_watch.py:\d+\)$", described(frame)
    )
