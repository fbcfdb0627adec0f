"""A running node takes samples of itself."""

import time

import pika
from tests.metrics.running import metering_of

from supersoniq import Broker


def test_node_samples_itself_from_its_start_to_its_end() -> None:
    with Broker() as broker:
        metering = metering_of(broker)
        sampling = metering.sampler.sampling
        with pika.BlockingConnection(pika.URLParameters(broker.url)) as connection:
            channel = connection.channel()
            channel.queue_declare("q")
            channel.basic_publish("", "q", b"a")
            channel.queue_declare("q", passive=True)
        assert metering.sampler.message_stats()["publish"] == 1
        deadline = time.monotonic() + 30
        while sampling.last_ms == 0:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert metering.sampler.figures.mem_used > 0
