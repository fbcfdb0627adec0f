"""`supersoniq channels`: channels of connections."""

from typing import Annotated

from supersoniq.cli.nouns.shared import AnyVhost
from supersoniq.cli.remote.call import Call
from supersoniq.cli.remote.cells import Column, count_column, rate_column
from supersoniq.cli.remote.listing import Listing, Selection, show_list
from supersoniq.cli.remote.words import Argument, Command

CHANNELS = Listing(
    (
        Column("name", "name"),
        Column("user", "user"),
        Column("vhost", "vhost"),
        Column("state", "state"),
        Column("confirms", "confirm"),
        count_column("prefetch", "prefetch_count"),
        count_column("consumers", "consumer_count"),
        count_column("unacked", "messages_unacknowledged"),
        count_column("unconfirmed", "messages_unconfirmed"),
        rate_column("in", "message_stats.publish_details.rate"),
        rate_column("out", "message_stats.deliver_get_details.rate"),
    ),
    has_pages=True,
)


def list_(call: Call, selection: Selection, vhost: AnyVhost = None) -> None:
    """List channels."""
    parts = ["channels"] if vhost is None else ["vhosts", vhost, "channels"]
    show_list(call, CHANNELS, parts, selection)


def show(
    call: Call, channel: Annotated[str, Argument("CHANNEL", "Its name, as listed.", "channels")]
) -> None:
    """Show everything about one channel."""
    call.show_one(call.known("channel", channel, ("channels", channel)))


VERBS: dict[str, Command] = {"list": list_, "show": show}
