"""Connections: listed, and closed."""

from typing import Final

from starlette.responses import Response

from supersoniq.management.call import Call, answer, done
from supersoniq.management.errors import not_authorised, not_found
from supersoniq.management.listing import COLUMNS, LISTING, Lister, chosen, query_of
from supersoniq.management.ranges import DATA_RATES, MSG_RATES, samples_of
from supersoniq.management.resources.channels import listed_channels
from supersoniq.management.routes import Level, Route
from supersoniq.management.views.connections import KEYS, ConnectionViews, connection_name
from supersoniq.session.client import Client
from supersoniq.session.connection import Connection

QUERY: Final = {**LISTING, **DATA_RATES}
REASON: Final = "Closed via management plugin"


def seen_connections(call: Call) -> list[Connection]:
    """Return the connections that the caller may see, by name: all, or its own (rabbitmq: management)."""
    sees_all = call.caller.may(Level.MONITORING)
    found = [
        connection
        for connection in call.management.connections()
        if sees_all or connection.client.user == call.caller.user
    ]
    return sorted(found, key=connection_name)


async def _listed(call: Call, items: list[Connection]) -> Response:
    views = ConnectionViews(call.management, samples_of(call))
    query = query_of(call.request.query_params)
    return await Lister(views.render, connection_name, KEYS).answer(items, query, call.slices)


async def all_connections(call: Call) -> Response:
    """All connections."""
    return await _listed(call, seen_connections(call))


async def vhost_connections(call: Call) -> Response:
    """Connections to one virtual host."""
    vhost = call.vhost()
    return await _listed(call, [each for each in seen_connections(call) if each.client.vhost is vhost])


def _connection(call: Call) -> Connection:
    """The connection of the path; raises 404, and 401 for somebody else's."""
    name = call.name("connection")
    for connection in call.management.connections():
        if connection.client.path == name:
            if connection.client.user != call.caller.user and not call.caller.may(Level.MONITORING):
                raise not_authorised("User not authorised to access object")
            return connection
    raise not_found()


async def one_connection(call: Call) -> Response:
    """One connection."""
    fields = ConnectionViews(call.management, samples_of(call)).render(_connection(call), None)
    columns = query_of(call.request.query_params).columns
    return answer(fields if columns is None else chosen(fields, columns))


async def connection_channels(call: Call) -> Response:
    """The channels of one connection."""
    return await listed_channels(call, [_connection(call)])


async def close_connection(call: Call) -> Response:
    """Close a connection with 320; the header X-Reason says why."""
    connection = _connection(call)
    if connection.client.user != call.caller.user and not call.caller.may(Level.ADMINISTRATOR):
        raise not_authorised("User not authorised to access object")
    _close(call, [connection])
    return done()


def _close(call: Call, connections: list[Connection]) -> None:
    chosen_ones = {id(connection.client) for connection in connections}

    def is_chosen(client: Client) -> bool:
        return id(client) in chosen_ones

    call.management.server.close_connections(is_chosen, call.request.headers.get("x-reason", REASON))


def _of_user(call: Call) -> list[Connection]:
    user = call.name("user")
    if user != call.caller.user and not call.caller.may(Level.MONITORING):
        raise not_authorised("User not authorised to access object")
    return [each for each in seen_connections(call) if each.client.user == user]


async def user_connections(call: Call) -> Response:
    """Connections of one user."""
    views = ConnectionViews(call.management, samples_of(call))
    query = query_of(call.request.query_params)
    return await Lister(views.short, connection_name).answer(_of_user(call), query, call.slices)


async def close_user_connections(call: Call) -> Response:
    """Close all connections of one user."""
    if call.name("user") != call.caller.user and not call.caller.may(Level.ADMINISTRATOR):
        raise not_authorised("User not authorised to access object")
    _close(call, _of_user(call))
    return done()


ROUTES: Final = (
    Route("GET", "/connections", all_connections, "All connections", query=QUERY),
    Route("GET", "/connections/username/{user}", user_connections, "Connections of a user", query=LISTING),
    Route("DELETE", "/connections/username/{user}", close_user_connections, "Close a user's connections"),
    Route(
        "GET",
        "/connections/{connection}",
        one_connection,
        "One connection",
        query={**COLUMNS, **DATA_RATES},
    ),
    Route(
        "DELETE",
        "/connections/{connection}",
        close_connection,
        "Close a connection; the header X-Reason is passed on to its client",
    ),
    Route(
        "GET",
        "/connections/{connection}/channels",
        connection_channels,
        "Channels of a connection",
        query={**LISTING, **MSG_RATES},
    ),
    Route(
        "GET", "/vhosts/{vhost}/connections", vhost_connections, "Connections to a virtual host", query=QUERY
    ),
)
