"""`supersoniq consumers`: who consumes from which queue."""

from supersoniq.cli.nouns.shared import AnyVhost, with_vhost
from supersoniq.cli.remote.call import Call
from supersoniq.cli.remote.cells import Column, count_column
from supersoniq.cli.remote.listing import Listing, Selection, show_list
from supersoniq.cli.remote.words import Command

CONSUMERS = Listing(
    (
        Column("queue", "queue.name"),
        Column("vhost", "queue.vhost"),
        Column("consumer tag", "consumer_tag"),
        Column("channel", "channel_details.name"),
        Column("user", "channel_details.user"),
        Column("acks", "ack_required"),
        count_column("prefetch", "prefetch_count"),
        Column("active", "active"),
        Column("arguments", "arguments"),
    ),
    name="queue.name",
)


def list_(call: Call, selection: Selection, vhost: AnyVhost = None) -> None:
    """List consumers; --match looks at the queue's name."""
    show_list(call, CONSUMERS, with_vhost("consumers", vhost=vhost), selection)


VERBS: dict[str, Command] = {"list": list_}
