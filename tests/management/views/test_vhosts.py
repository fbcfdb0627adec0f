"""The fields of virtual hosts."""

from tests.management.conftest import Common
from tests.management.views.fields import VHOST, missing


def test_virtual_host_has_all_fields(common: Common) -> None:
    with common.connect() as connection:
        channel = connection.channel()
        channel.queue_declare("q")
        channel.confirm_delivery()
        channel.basic_publish("", "q", b"x")
        shown = common.api.get(common.path("/vhosts/$V"))
    optional = {"message_stats", "messages", "recv_oct", "send_oct"}  # RabbitMQ has them some seconds later
    late = {name for name in missing(VHOST, shown) if name.removesuffix("_details") in optional}
    late |= {name for name in missing(VHOST, shown) if name.startswith("messages_")}
    assert missing(VHOST, shown) - late == set()


def test_figures_are_there_at_once(ours: Common) -> None:
    shown = ours.api.get(ours.path("/vhosts/$V"))
    assert missing(VHOST, shown) == set()
