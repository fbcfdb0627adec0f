"""Channels and their fields."""

from supersoniq.management.context import ManagementContext
from supersoniq.management.listing import Columns
from supersoniq.management.views.common import PROCESS, Fields, connection_details, idle_view
from supersoniq.management.views.consumers import consumer_view
from supersoniq.metrics.ranges import Ranges
from supersoniq.metrics.sampler import NODE_GROUPS
from supersoniq.session.channel import Channel
from supersoniq.session.client import Client

Item = tuple[Client, Channel]


def channel_name(item: Item) -> str:
    """Return what a channel is called: `127.0.0.1:59814 -> 127.0.0.1:5672 (1)`."""
    return f"{item[0].path} ({int(item[1].number)})"


class ChannelViews:
    """Renders channels for one request, which wants samples of `ranges`."""

    def __init__(self, management: ManagementContext, ranges: Ranges) -> None:
        self._sampler = management.sampler
        self._node = management.facts.name
        self._ranges = ranges

    def render(self, item: Item, columns: Columns) -> Fields:
        """Return a channel as RabbitMQ lists it."""
        client, channel = item
        fields: Fields = {
            **PROCESS,
            "acks_uncommitted": channel.acks_uncommitted_count,
            "confirm": channel.is_confirming,
            "connection_details": connection_details(client),
            "consumer_count": len(channel.consumers),
            "global_prefetch_count": channel.global_prefetch_count,
            "messages_unacknowledged": channel.unacked_count,
            "messages_uncommitted": channel.uncommitted_count,
            "messages_unconfirmed": channel.unconfirmed_count,
            "name": channel_name(item),
            "node": self._node,
            "number": int(channel.number),
            "pending_raft_commands": 0,
            "prefetch_count": channel.prefetch_count,
            "state": "closing" if channel.is_closing else "running",
            "transactional": channel.is_transactional,
            "user": client.user,
            "user_who_performed_action": client.user,
            "vhost": "" if client.vhost is None else client.vhost.name,
        }
        stats = self._sampler.stats(channel.counters, self._ranges.msg_rates, NODE_GROUPS)
        if stats:
            fields["message_stats"] = stats
        return fields | idle_view(self._sampler.idle_since_ms(channel.counters))

    def detailed(self, item: Item) -> Fields:
        """Return a channel as it is shown alone."""
        client, channel = item
        vhost = "" if client.vhost is None else client.vhost.name
        consumers = [consumer_view(self._node, vhost, each.queue, each) for each in channel.consumers]
        return {**self.render(item, None), "consumer_details": consumers, "deliveries": [], "publishes": []}
