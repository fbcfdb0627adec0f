"""The fields of channels."""

from pika.adapters.blocking_connection import BlockingChannel
from tests.management.conftest import Common
from tests.management.views.fields import CHANNEL, missing
from tests.management.waiting import eventually


def test_channel_has_all_fields(common: Common, channel: BlockingChannel) -> None:
    channel.queue_declare("q")
    path = common.path("/vhosts/$V/channels")
    shown = eventually(lambda: [each for each in common.api.get(path) if "confirm" in each])[0]
    assert missing(CHANNEL, shown) == set()
    assert shown["connection_details"].keys() == {"name", "peer_host", "peer_port"}


def test_channel_counts_its_messages(ours: Common, our_channel: BlockingChannel) -> None:
    our_channel.queue_declare("q")
    our_channel.confirm_delivery()
    our_channel.basic_publish("", "q", b"x")
    our_channel.basic_get("q")
    shown = ours.api.get(ours.path("/vhosts/$V/channels"))[0]
    assert shown["messages_unacknowledged"] == 1
    stats = shown["message_stats"]
    assert (stats["publish"], stats["confirm"], stats["get"], stats["deliver_get"]) == (1, 1, 1, 1)
