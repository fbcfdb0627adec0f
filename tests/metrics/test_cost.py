"""With 10,000 queues that are all in use, neither samples nor pages hold up the loop."""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable

import pytest
from tests.fakes import message
from tests.metrics.bench import ScriptSources
from tests.metrics.reading import Read
from tests.session.script import Node

from supersoniq.metrics.pages import Pages
from supersoniq.metrics.sampling import Sampling

QUEUES = 10_000
# Of the processor's time, as a busy machine may stop us at any place.
TURN_SECONDS_MAX = 0.02


@pytest.fixture(scope="module")
def node() -> Node:
    node = Node()
    for number in range(QUEUES):
        queue = node.queue(b"q%d" % number)
        node.vhost.publish(message(b"a"), [queue])
    return node


def longest_turn(work: Callable[[], Awaitable[object]]) -> float:
    """The most processor time between two visits of the loop to somebody else.

    Passes of the garbage collector are no business of ours: a broker's process has few (`collect_seldom`).
    """

    async def run() -> float:
        loop = asyncio.get_running_loop()
        longest, before, is_over = 0.0, time.thread_time(), False

        def look() -> None:
            nonlocal longest, before
            now = time.thread_time()
            longest, before = max(longest, now - before), now
            if not is_over:
                loop.call_soon(look)

        look()
        await work()
        is_over = True
        return longest

    gc.collect()
    gc.disable()
    try:
        return asyncio.run(run())
    finally:
        gc.enable()


@pytest.mark.parametrize("path", ["/metrics", "/metrics/per-object", "/metrics/detailed"])
def test_page_is_made_in_slices(node: Node, path: str) -> None:
    sources = ScriptSources(node)
    pages = Pages(sources, Sampling(sources))
    pieces: list[bytes] = []

    async def work() -> None:
        page = pages.page(path, {"family": ["queue_coarse_metrics"]}, "")
        assert page is not None
        async for piece in page.pieces:
            pieces.append(piece)

    assert longest_turn(work) < TURN_SECONDS_MAX
    text = b"".join(pieces).decode()
    if path == "/metrics":
        assert Read(text).value("rabbitmq_queue_messages_ready") == QUEUES
    else:
        assert text.count("queue_messages_ready{") == QUEUES


def test_samples_are_taken_in_steps(node: Node) -> None:
    sampling = Sampling(ScriptSources(node))

    async def work() -> None:
        sampling.begin()
        while sampling.step(0.001):
            await asyncio.sleep(0)

    assert longest_turn(work) < TURN_SECONDS_MAX
    assert node.vhost.queues[b"q7"].counters.history is not None
