"""Samples of requests: shown when they are asked for."""

from pika.adapters.blocking_connection import BlockingChannel
from tests.management.conftest import Common


def test_samples_come_where_age_and_step_are_given(ours: Common, our_channel: BlockingChannel) -> None:
    our_channel.queue_declare("q")
    our_channel.confirm_delivery()
    our_channel.basic_publish("", "q", b"x")
    path = ours.path("/queues/$V/q?lengths_age=60&lengths_incr=5&msg_rates_age=60&msg_rates_incr=10")
    shown = ours.api.get(path)
    lengths, rates = shown["messages_details"], shown["message_stats"]["publish_details"]
    assert len(lengths["samples"]) == 13
    assert len(rates["samples"]) == 7
    assert {"rate", "avg", "avg_rate", "samples"} == set(lengths)
    bare = ours.api.get(ours.path("/queues/$V/q?lengths_age=60"))
    assert set(bare["messages_details"]) == {"rate"}
