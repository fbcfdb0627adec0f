"""Consumers: listed."""

from typing import Final

from starlette.responses import Response

from supersoniq.amqp.primitives import text
from supersoniq.broker.vhost import VHost
from supersoniq.management.access import may_enter
from supersoniq.management.call import Call
from supersoniq.management.listing import LISTING, Columns, Lister, query_of
from supersoniq.management.routes import Level, Route
from supersoniq.management.views.common import Fields
from supersoniq.management.views.consumers import consumer_view
from supersoniq.session.consuming import ChannelConsumer

Item = tuple[VHost, ChannelConsumer]


def _name(item: Item) -> str:
    return text(item[1].tag)


def _is_own(call: Call, consumer: ChannelConsumer) -> bool:
    client = consumer.client
    return client is not None and client.user == call.caller.user


async def _listed(call: Call, vhosts: list[VHost]) -> Response:
    node = call.management.facts.name
    items: list[Item] = []
    sees_all = call.caller.may(Level.MONITORING)
    for vhost in vhosts:
        for _, queue in await call.management.catalog.queues(vhost, call.slices):
            for consumer in queue.consumers.everyone():
                if isinstance(consumer, ChannelConsumer) and (sees_all or _is_own(call, consumer)):
                    items.append((vhost, consumer))
            await call.slices.breathe()

    def render(item: Item, columns: Columns) -> Fields:
        return consumer_view(node, item[0].name, item[1].queue, item[1])

    query = query_of(call.request.query_params)
    return await Lister(render, _name).answer(items, query, call.slices)


async def all_consumers(call: Call) -> Response:
    """Consumers in all virtual hosts that the caller may enter."""
    return await _listed(call, call.vhosts())


async def vhost_consumers(call: Call) -> Response:
    """Consumers in one virtual host; none in one that the caller may not enter, as in RabbitMQ."""
    vhost = call.vhost()
    is_open = may_enter(call.management, call.caller, vhost.name)
    return await _listed(call, [vhost] if is_open else [])


ROUTES: Final = (
    Route("GET", "/consumers", all_consumers, "Consumers in all virtual hosts", query=LISTING),
    Route(
        "GET",
        "/consumers/{vhost}",
        vhost_consumers,
        "Consumers in a virtual host",
        looks_itself=True,
        query=LISTING,
    ),
)
