"""Permissions of users in virtual hosts and with topic exchanges."""

from collections.abc import Callable, Iterable
from typing import Final

from starlette.responses import Response

from supersoniq.auth.permissions import InvalidPattern
from supersoniq.control.errors import Invalid
from supersoniq.management.bodies import Body
from supersoniq.management.call import Call, answer, done, refusals
from supersoniq.management.errors import bad_request, not_found
from supersoniq.management.listing import SORTING, Lister, query_of
from supersoniq.management.routes import Level, Route
from supersoniq.management.views.common import Fields
from supersoniq.management.views.vhosts import permission_view, topic_permission_view

PERMISSION: Final = {
    "configure": {"type": "string", "description": "regular expression of names that may be declared"},
    "write": {"type": "string", "description": "regular expression of names that may be published to"},
    "read": {"type": "string", "description": "regular expression of names that may be consumed from"},
}
TOPIC_PERMISSION: Final = {
    "exchange": {"type": "string"},
    "write": {"type": "string", "description": "regular expression of routing keys for publishing"},
    "read": {"type": "string", "description": "regular expression of routing keys for bindings"},
}


def _name_of(fields: Fields) -> str:
    return str(fields["user"])


async def _listed(call: Call, rows: Iterable[Fields]) -> Response:
    items = sorted(rows, key=_place)
    query = query_of(call.request.query_params)
    return await Lister[Fields](lambda fields, _: fields, _name_of).answer(items, query, call.slices)


def _place(fields: Fields) -> tuple[str, ...]:
    return (str(fields["user"]), str(fields["vhost"]), str(fields.get("exchange", "")))


def _permissions(call: Call) -> list[Fields]:
    return [permission_view(*row) for row in call.management.context.permissions.rows()]


def _topic_permissions(call: Call) -> list[Fields]:
    return [topic_permission_view(*row) for row in call.management.context.permissions.topic_rows()]


def _known_user(call: Call) -> str:
    user = call.name("user")
    if user not in call.management.context.users:
        raise not_found()
    return user


def _invalid(error: Invalid) -> Exception:
    """What answers a permission that was refused: patterns in RabbitMQ's way."""
    cause = error.__cause__
    if isinstance(cause, InvalidPattern):
        return bad_request(["invalid_regexp", cause.pattern, [cause.reason, cause.at]])
    return bad_request(error.reason)


def _check_ends(call: Call) -> tuple[str, str]:
    """The user and the virtual host of the path; raises 400 if one is missing."""
    user, vhost = call.name("user"), call.name("vhost")
    if user not in call.management.context.users or vhost not in call.management.vhosts:
        raise bad_request("vhost_or_user_not_found")
    return user, vhost


def _patterns(body: Body, *names: str) -> list[str]:
    body.require(*names)
    return [body.text(name) for name in names]


# Permissions


async def all_permissions(call: Call) -> Response:
    """Permissions of all users."""
    return await _listed(call, _permissions(call))


async def user_permissions(call: Call) -> Response:
    """Permissions of one user."""
    user = _known_user(call)
    return await _listed(call, [row for row in _permissions(call) if row["user"] == user])


async def vhost_permissions(call: Call) -> Response:
    """Permissions in one virtual host."""
    name = call.vhost().name
    return await _listed(call, [row for row in _permissions(call) if row["vhost"] == name])


async def one_permission(call: Call) -> Response:
    """What one user may do in one virtual host."""
    user, vhost = _known_user(call), call.vhost().name
    permission = call.management.context.permissions.of(user, vhost)
    if permission is None:
        raise not_found()
    return answer(permission_view(user, vhost, permission))


async def put_permission(call: Call) -> Response:
    """Set what a user may do in a virtual host."""
    body = await call.body()
    configure, write, read = _patterns(body, "configure", "write", "read")
    user, vhost = _check_ends(call)
    is_new = call.management.context.permissions.of(user, vhost) is None
    try:
        sequence = call.management.administration.put_permission(
            user, vhost, configure, write, read, call.caller.actor
        )
    except Invalid as error:
        raise _invalid(error) from None
    await call.safe(sequence)
    return done(201 if is_new else 204)


async def delete_permission(call: Call) -> Response:
    """Take what a user may do in a virtual host."""
    user, vhost = _known_user(call), call.vhost().name
    if call.management.context.permissions.of(user, vhost) is None:
        raise not_found()
    with refusals():
        sequence = call.management.administration.clear_permission(user, vhost, call.caller.actor)
    await call.safe(sequence)
    return done()


# Topic permissions


async def all_topic_permissions(call: Call) -> Response:
    """Topic permissions of all users."""
    return await _listed(call, _topic_permissions(call))


async def user_topic_permissions(call: Call) -> Response:
    """Topic permissions of one user."""
    user = _known_user(call)
    return await _listed(call, [row for row in _topic_permissions(call) if row["user"] == user])


async def vhost_topic_permissions(call: Call) -> Response:
    """Topic permissions in one virtual host."""
    name = call.vhost().name
    return await _listed(call, [row for row in _topic_permissions(call) if row["vhost"] == name])


def _rows_of_both(call: Call) -> list[Fields]:
    user, vhost = _known_user(call), call.vhost().name
    rows = [row for row in _topic_permissions(call) if row["user"] == user and row["vhost"] == vhost]
    if not rows:
        raise not_found()
    return rows


async def topic_permissions_of(call: Call) -> Response:
    """Topic permissions of one user in one virtual host."""
    return await _listed(call, _rows_of_both(call))


async def topic_permission_of(call: Call) -> Response:
    """The topic permission of one user for one exchange."""
    exchange = call.name("exchange")
    rows = [row for row in _rows_of_both(call) if row["exchange"] == exchange]
    if not rows:
        raise not_found()
    return await _listed(call, rows)


async def put_topic_permission(call: Call) -> Response:
    """Set which routing keys a user may use with a topic exchange."""
    body = await call.body()
    exchange, write, read = _patterns(body, "exchange", "write", "read")
    user, vhost = _check_ends(call)
    is_new = not call.management.context.permissions.topics_of(user, vhost)
    try:
        sequence = call.management.administration.put_topic_permission(
            user, vhost, exchange, write, read, call.caller.actor
        )
    except Invalid as error:
        raise _invalid(error) from None
    await call.safe(sequence)
    return done(201 if is_new else 204)


async def delete_topic_permissions(call: Call) -> Response:
    """Forget about the routing keys of all exchanges of a virtual host."""
    _rows_of_both(call)
    return await _clear_topic(call, None)


async def delete_topic_permission(call: Call) -> Response:
    """Forget about the routing keys of one exchange."""
    exchange = call.name("exchange")
    if not [row for row in _rows_of_both(call) if row["exchange"] == exchange]:
        raise not_found()
    return await _clear_topic(call, exchange)


async def _clear_topic(call: Call, exchange: str | None) -> Response:
    user, vhost = _check_ends(call)
    with refusals():
        sequence = call.management.administration.clear_topic_permission(
            user, vhost, exchange, call.caller.actor
        )
    await call.safe(sequence)
    return done()


def _routes() -> tuple[Route, ...]:
    admin = Level.ADMINISTRATOR
    both: Callable[[str], str] = "/{}/{{vhost}}/{{user}}".format
    topic = both("topic-permissions")
    return (
        Route("GET", "/permissions", all_permissions, "Permissions of all users", admin, query=SORTING),
        Route("GET", both("permissions"), one_permission, "What a user may do in a virtual host", admin),
        Route("PUT", both("permissions"), put_permission, "Set it", admin, body=PERMISSION),
        Route("DELETE", both("permissions"), delete_permission, "Take it away", admin),
        Route("GET", "/users/{user}/permissions", user_permissions, "Permissions of a user", admin),
        Route(
            "GET", "/vhosts/{vhost}/permissions", vhost_permissions, "Permissions in a virtual host", admin
        ),
        Route("GET", "/topic-permissions", all_topic_permissions, "Topic permissions of all users", admin),
        Route("GET", topic, topic_permissions_of, "Which routing keys a user may use", admin),
        Route("PUT", topic, put_topic_permission, "Set it for one exchange", admin, body=TOPIC_PERMISSION),
        Route("DELETE", topic, delete_topic_permissions, "Allow all routing keys again", admin),
        Route("GET", topic + "/{exchange}", topic_permission_of, "Those for one exchange", admin),
        Route("PUT", topic + "/{exchange}", put_topic_permission, "Set it", admin, body=TOPIC_PERMISSION),
        Route("DELETE", topic + "/{exchange}", delete_topic_permission, "Allow all again", admin),
        Route(
            "GET",
            "/users/{user}/topic-permissions",
            user_topic_permissions,
            "Topic permissions of a user",
            admin,
        ),
        Route(
            "GET",
            "/vhosts/{vhost}/topic-permissions",
            vhost_topic_permissions,
            "Topic permissions in a virtual host",
            admin,
        ),
    )


ROUTES: Final = _routes()
