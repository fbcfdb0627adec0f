"""Channels: listed."""

from collections.abc import Iterable
from typing import Final

from starlette.responses import Response

from supersoniq.management.call import Call, answer
from supersoniq.management.errors import not_authorised, not_found
from supersoniq.management.listing import COLUMNS, LISTING, Lister, chosen, query_of
from supersoniq.management.ranges import MSG_RATES, samples_of
from supersoniq.management.routes import Level, Route
from supersoniq.management.views.channels import ChannelViews, Item, channel_name
from supersoniq.session.connection import Connection

QUERY: Final = {**LISTING, **MSG_RATES}


def _items(call: Call, connections: Iterable[Connection]) -> list[Item]:
    sees_all = call.caller.may(Level.MONITORING)
    return [
        (connection.client, connection.channels[number])
        for connection in connections
        if sees_all or connection.client.user == call.caller.user
        for number in sorted(connection.channels)
    ]


def _by_name(call: Call) -> list[Connection]:
    return sorted(call.management.connections(), key=lambda connection: connection.client.path)


async def listed_channels(call: Call, connections: Iterable[Connection]) -> Response:
    """Return the channels of some connections, as far as the caller may see them."""
    views = ChannelViews(call.management, samples_of(call))
    query = query_of(call.request.query_params)
    return await Lister(views.render, channel_name).answer(_items(call, connections), query, call.slices)


async def all_channels(call: Call) -> Response:
    """All channels."""
    return await listed_channels(call, _by_name(call))


async def vhost_channels(call: Call) -> Response:
    """Channels in one virtual host."""
    vhost = call.vhost()
    return await listed_channels(call, [each for each in _by_name(call) if each.client.vhost is vhost])


async def one_channel(call: Call) -> Response:
    """One channel with its consumers."""
    name = call.name("channel")
    for connection in call.management.connections():
        for channel in connection.channels.values():
            item = (connection.client, channel)
            if channel_name(item) == name:
                if connection.client.user != call.caller.user and not call.caller.may(Level.MONITORING):
                    raise not_authorised("User not authorised to access object")
                fields = ChannelViews(call.management, samples_of(call)).detailed(item)
                columns = query_of(call.request.query_params).columns
                return answer(fields if columns is None else chosen(fields, columns))
    raise not_found()


ROUTES: Final = (
    Route("GET", "/channels", all_channels, "All channels", query=QUERY),
    Route(
        "GET",
        "/channels/{channel}",
        one_channel,
        "One channel with its consumers",
        query={**COLUMNS, **MSG_RATES},
    ),
    Route("GET", "/vhosts/{vhost}/channels", vhost_channels, "Channels in a virtual host", query=QUERY),
)
