"""The fields of consumers that are no client's."""

from tests.fakes import FakeConsumer
from tests.session.script import Node

from supersoniq.management.views.consumers import consumer_view


def test_consumer_without_a_channel_has_no_details() -> None:
    node = Node()
    queue = node.vhost.declare_queue(b"q", False, False, False, {}, 0)
    consumer = FakeConsumer(b"tag", no_ack=True)
    queue.subscribe(consumer)
    assert consumer_view("node", "/", queue, consumer) == {
        "arguments": {},
        "ack_required": False,
        "active": True,
        "activity_status": "up",
        "channel_details": {},
        "consumer_tag": "tag",
        "exclusive": False,
        "prefetch_count": 0,
        "queue": {"name": "q", "vhost": "/"},
    }
