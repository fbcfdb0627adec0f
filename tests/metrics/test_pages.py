"""Which pages there are, and their formats."""

import pytest
from tests.metrics.reading import OPEN_METRICS, Read, Reader
from tests.session.script import Node

PATHS = ["/metrics", "/metrics/per-object", "/metrics/detailed"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("accept", ["", OPEN_METRICS])
def test_every_page_can_be_read_in_every_format(path: str, accept: str) -> None:
    node = Node()
    node.queue()
    node.channel().publish(b"a")
    families = ["queue_coarse_metrics", "channel_metrics", "node_metrics"]
    text = Reader(node).text(path, accept, family=families)
    found = Read(text, bool(accept))
    assert len(found.samples) > 10
    endpoint = {"/metrics": "aggregated"}.get(path, path.rpartition("/")[2])
    [labels] = found.labelled("rabbitmq_identity_info")
    assert dict(labels)["rabbitmq_endpoint"] == endpoint


def test_there_are_no_other_pages() -> None:
    assert Reader(Node()).pages.page("/metrics/memory-breakdown", {}, "") is None
