"""Exchanges and their fields."""

from supersoniq.amqp.primitives import text
from supersoniq.broker.events import INTERNAL_USER
from supersoniq.broker.exchanges.base import Exchange
from supersoniq.broker.vhost import VHost
from supersoniq.management.context import ManagementContext
from supersoniq.management.listing import Columns
from supersoniq.management.views.common import Fields, arguments_view
from supersoniq.metrics.ranges import Ranges
from supersoniq.metrics.sampler import Group

Item = tuple[VHost, Exchange]

GROUPS: tuple[Group, ...] = (("publish_in",), ("publish_out",))

KEYS = {
    "name": lambda item: text(item[1].name),
    "vhost": lambda item: item[0].name,
    "type": lambda item: item[1].kind,
    "durable": lambda item: item[1].durable,
    "message_stats.publish_in": lambda item: int(item[1].counters.publish_in),
    "message_stats.publish_out": lambda item: int(item[1].counters.publish_out),
}


def exchange_name(item: Item) -> str:
    """Return what filters look at."""
    return text(item[1].name)


class ExchangeViews:
    """Renders exchanges for one request, which wants samples of `ranges`."""

    def __init__(self, management: ManagementContext, ranges: Ranges, disable_stats: bool = False) -> None:
        self._sampler = management.sampler
        self._ranges = ranges
        self._disable_stats = disable_stats

    def render(self, item: Item, columns: Columns) -> Fields:
        """Return an exchange as RabbitMQ lists it."""
        vhost, exchange = item
        fields: Fields = {
            "arguments": arguments_view(exchange.arguments),
            "auto_delete": exchange.auto_delete,
            "durable": exchange.durable,
            "internal": exchange.internal,
            "name": text(exchange.name),
            "type": exchange.kind,
            "user_who_performed_action": INTERNAL_USER,
            "vhost": vhost.name,
        }
        if exchange.policy is not None:
            fields["policy"] = exchange.policy.name
        if not self._disable_stats:
            stats = self._sampler.stats(exchange.counters, self._ranges.msg_rates, GROUPS)
            if stats:
                fields["message_stats"] = stats
        return fields

    def detailed(self, item: Item) -> Fields:
        """Return an exchange as it is shown alone."""
        return {**self.render(item, None), "incoming": [], "outgoing": []}
