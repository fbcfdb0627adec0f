"""A queue far longer than the memory it may take: published, killed, started again, consumed in order."""

import shutil
from contextlib import closing

import pytest
from tests.faults import flood
from tests.faults.nodes import Node

MESSAGES = 200_000
# In memory so many take 60 MiB, and a third of that is what one queue may have there.
RSS_BYTES_MAX = 40 << 20
SOAK_MESSAGES = 10_000_000
SOAK_RSS_BYTES_MAX = 60_000_000


class RssWatch:
    """The most memory that a node was seen to occupy."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.peak_bytes = 0

    def __call__(self) -> None:
        self.peak_bytes = max(self.peak_bytes, self._node.rss_bytes())


def grown_bytes_over_a_kill(node: Node, count: int) -> dict[str, int]:
    """By how much the memory outgrew that of the idle broker, while publishing and while consuming."""
    node.start()
    idle_bytes = node.rss_bytes()
    publishing, consuming = RssWatch(node), RssWatch(node)
    with closing(node.wire()) as wire:
        flood.publish(wire, count, publishing)
    node.restart()
    consuming()
    with closing(node.wire()) as wire:
        assert flood.consume(wire, count, consuming) == 0
    return {"publishing": publishing.peak_bytes - idle_bytes, "consuming": consuming.peak_bytes - idle_bytes}


def test_long_queue_is_consumed_in_order_after_a_kill_in_little_memory(node: Node) -> None:
    grown = grown_bytes_over_a_kill(node, MESSAGES)
    assert max(grown.values()) < RSS_BYTES_MAX, grown


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_queue_of_ten_million_is_consumed_in_order_after_a_kill_in_little_memory(node: Node) -> None:
    grown = grown_bytes_over_a_kill(node, SOAK_MESSAGES)
    assert max(grown.values()) < SOAK_RSS_BYTES_MAX, grown
    node.close()
    shutil.rmtree(node.directory)
