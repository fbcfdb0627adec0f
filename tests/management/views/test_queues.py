"""The fields of queues, in lists and alone."""

import pika
from pika.adapters.blocking_connection import BlockingChannel
from tests.management.conftest import Common
from tests.management.views.fields import QUEUE, QUORUM_QUEUE, missing
from tests.management.waiting import eventually


def test_queue_has_all_fields(common: Common, channel: BlockingChannel) -> None:
    channel.queue_declare("q", durable=True)
    channel.queue_declare("quorum", durable=True, arguments={"x-queue-type": "quorum"})
    channel.confirm_delivery()
    channel.basic_publish("", "q", b"x")
    listed = common.path("/queues/$V")
    shown = eventually(
        lambda: [each for each in [common.api.get(listed)] if all("messages" in queue for queue in each)]
    )[0]
    by_name = {queue["name"]: queue for queue in shown}
    published = eventually(lambda: [q for q in common.api.get(listed) if "message_stats" in q])
    assert missing(QUEUE, {**by_name["q"], "message_stats": published}) == set()
    assert missing(QUORUM_QUEUE, by_name["quorum"]) == set()
    alone = common.api.get(common.path("/queues/$V/q"))
    assert missing("consumer_details deliveries incoming", alone) == set()


def test_exclusive_queue_names_its_owner(common: Common, channel: BlockingChannel) -> None:
    channel.queue_declare("q", exclusive=True)
    shown = eventually(
        lambda: [q for q in common.api.get(common.path("/queues/$V")) if q.get("owner_pid_details")]
    )[0]
    assert shown["owner_pid_details"].keys() == {"name", "peer_host", "peer_port"}


def test_statistics_can_be_left_out(common: Common, channel: BlockingChannel) -> None:
    channel.queue_declare("q")
    bare = common.api.get(common.path("/queues/$V?disable_stats=true"))[0]
    assert "messages" not in bare
    totals = common.api.get(common.path("/queues/$V?disable_stats=true&enable_queue_totals=true"))[0]
    assert {name for name in totals if name.startswith("messages")} == {
        "messages",
        "messages_ready",
        "messages_unacknowledged",
    }


def test_oldest_ready_message_has_its_timestamp_shown(ours: Common, our_channel: BlockingChannel) -> None:
    our_channel.queue_declare("q")
    our_channel.confirm_delivery()
    path = ours.path("/queues/$V/q")
    assert ours.api.get(path)["head_message_timestamp"] is None
    our_channel.basic_publish("", "q", b"x", pika.BasicProperties(timestamp=1234567890))
    assert ours.api.get(path)["head_message_timestamp"] == 1234567890


def test_single_active_consumer_is_named(ours: Common, our_channel: BlockingChannel) -> None:
    our_channel.queue_declare("q", arguments={"x-single-active-consumer": True})
    our_channel.basic_consume("q", lambda *_: None, consumer_tag="first")
    our_channel.basic_consume("q", lambda *_: None, consumer_tag="second")
    shown = ours.api.get(ours.path("/queues/$V/q"))
    assert shown["single_active_consumer_tag"] == "first"
    assert [each["active"] for each in shown["consumer_details"]] == [True, False]
    assert 0 <= shown["consumer_capacity"] <= 1
