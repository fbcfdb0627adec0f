"""The fields of queues."""

import pika
from tests.management.api import Api

from supersoniq import Broker


def test_queue_has_its_properties_and_counts(shared_broker: Broker, api: Api) -> None:
    with pika.BlockingConnection(pika.URLParameters(shared_broker.url)) as client:
        channel = client.channel()
        channel.queue_declare("view", exclusive=True, arguments={"x-max-length": 7})
        channel.basic_publish("", "view", b"one")
        shown = api.get("/api/queues/%2F/view")
    assert (shown["name"], shown["vhost"], shown["exclusive"], shown["durable"]) == ("view", "/", True, False)
    assert (shown["arguments"], shown["messages"], shown["type"]) == ({"x-max-length": 7}, 1, "classic")
