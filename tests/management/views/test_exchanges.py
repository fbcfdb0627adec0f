"""The fields of exchanges."""

from pika.adapters.blocking_connection import BlockingChannel
from tests.management.conftest import Common
from tests.management.views.fields import EXCHANGE, missing


def test_exchange_has_all_fields(common: Common) -> None:
    for shown in common.api.get(common.path("/exchanges/$V")):
        assert missing(EXCHANGE, shown) == set()
    assert (
        missing(EXCHANGE + " incoming outgoing", common.api.get(common.path("/exchanges/$V/amq.topic")))
        == set()
    )


def test_exchange_counts_what_comes_and_goes(ours: Common, our_channel: BlockingChannel) -> None:
    our_channel.queue_declare("q")
    our_channel.queue_bind("q", "amq.fanout")
    our_channel.confirm_delivery()
    our_channel.basic_publish("amq.fanout", "", b"x")
    stats = ours.api.get(ours.path("/exchanges/$V/amq.fanout"))["message_stats"]
    assert (stats["publish_in"], stats["publish_out"]) == (1, 1)
    assert "message_stats" not in ours.api.get(ours.path("/exchanges/$V/amq.topic"))
