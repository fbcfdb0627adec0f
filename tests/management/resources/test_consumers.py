"""Consumers: listed."""

from pika.adapters.blocking_connection import BlockingChannel
from tests.management.cases import NOT_FOUND, Case, play
from tests.management.conftest import Common
from tests.management.waiting import eventually


def test_consumer_is_listed_with_its_channel(common: Common, channel: BlockingChannel) -> None:
    channel.queue_declare("q")
    channel.basic_qos(prefetch_count=3)
    channel.basic_consume("q", lambda *_: None, consumer_tag="tag", arguments={"x-priority": 3})
    consumers = common.path("/consumers/$V")
    shown = eventually(lambda: [each for each in common.api.get(consumers) if each["channel_details"]])[0]
    details = shown.pop("channel_details")
    assert shown == {
        "arguments": {"x-priority": 3},
        "ack_required": True,
        "active": True,
        "activity_status": "up",
        "consumer_tag": "tag",
        "exclusive": False,
        "prefetch_count": 3,
        "queue": {"name": "q", "vhost": common.vhost},
    }
    assert (details["number"], details["user"], details["peer_host"]) == (1, "guest", "127.0.0.1")
    assert details["name"] == f"{details['connection_name']} (1)"


def test_one_of_several_is_active_where_there_is_to_be_one(common: Common, channel: BlockingChannel) -> None:
    channel.queue_declare("q", arguments={"x-single-active-consumer": True})
    for tag in ("first", "second"):
        channel.basic_consume("q", lambda *_: None, consumer_tag=tag)
    shown = eventually(
        lambda: [each for each in [common.api.get(common.path("/consumers/$V"))] if len(each) == 2]
    )[0]
    status = {each["consumer_tag"]: (each["active"], each["activity_status"]) for each in shown}
    assert status == {"first": (True, "single_active"), "second": (False, "waiting")}


def test_virtual_host_that_is_missing(common: Common) -> None:
    play(common, [Case("GET", "/consumers/nowhere", None, 404, NOT_FOUND)])
