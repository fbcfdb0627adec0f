"""Samples are taken at multiples of the period, in steps with pauses."""

import asyncio

from tests.metrics.bench import ScriptSources
from tests.session.script import Node

from supersoniq.metrics.pace import Pace
from supersoniq.metrics.sampling import Sampling


def test_samples_are_complete_after_a_moment_and_taken_again_later() -> None:
    node = Node()
    channel = node.channel()
    for number in range(3_000):
        node.queue(b"q%d" % number)
    channel.publish(b"a", key="q1")
    sources = ScriptSources(node)
    sampling = Sampling(sources)

    async def run() -> None:
        pace = Pace(sampling, sources)
        pace.start()
        async with asyncio.timeout(30):
            while sampling.last_ms == 0:
                await asyncio.sleep(0.001)
            first = sampling.last_ms
            node.clock.now += 4_995  # so that the next full five seconds are close
            pace.stop()
            pace.start()
            while sampling.last_ms == first:
                node.clock.now += 1
                await asyncio.sleep(0.001)
        pace.stop()

    asyncio.run(run())
    assert node.vhost.queues[b"q1"].counters.history is not None
