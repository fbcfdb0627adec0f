"""Limits of virtual hosts and of users."""

from typing import Final

from starlette.responses import Response

from supersoniq.management.access import may_enter
from supersoniq.management.call import Call, answer, done, refusals
from supersoniq.management.errors import bad_request, not_authorised, not_found
from supersoniq.management.routes import Level, Route

VALUE: Final = {"value": {"type": "integer", "description": "-1 is no limit"}}


async def all_vhost_limits(call: Call) -> Response:
    """Limits of the virtual hosts that the caller may see."""
    sees_all = call.caller.may(Level.MONITORING)
    vhosts = call.management.vhosts
    return answer(
        [
            {"vhost": name, "value": definition}
            for name in sorted(vhosts)
            if sees_all or may_enter(call.management, call.caller, name)
            if (definition := vhosts[name].limits.definition())
        ]
    )


async def vhost_limits(call: Call) -> Response:
    """Limits of one virtual host."""
    vhost = call.vhost()
    if not call.caller.may(Level.MONITORING) and not may_enter(call.management, call.caller, vhost.name):
        raise not_authorised("User not authorised to access virtual host")
    definition = vhost.limits.definition()
    return answer([{"vhost": vhost.name, "value": definition}] if definition else [])


async def put_vhost_limit(call: Call) -> Response:
    """Set one limit."""
    vhost = call.vhost_to_change()
    body = await call.body()
    body.require("value")
    with refusals():
        sequence = call.management.administration.put_vhost_limits(
            vhost.name, {call.name("limit"): body.values["value"]}, call.caller.actor
        )
    await call.safe(sequence)
    return done()


async def delete_vhost_limit(call: Call) -> Response:
    """Remove one limit, if it is set."""
    vhost = call.vhost()
    with refusals():
        sequence = call.management.administration.clear_vhost_limits(
            vhost.name, [call.name("limit")], call.caller.actor
        )
    await call.safe(sequence)
    return done()


async def all_user_limits(call: Call) -> Response:
    """Limits of all users."""
    users = sorted(call.management.context.users, key=lambda user: user.name)
    return answer([{"user": user.name, "value": user.limits} for user in users if user.limits])


async def user_limits(call: Call) -> Response:
    """Limits of one user."""
    user = call.management.context.users.get(call.name("user"))
    if user is None:
        raise not_found()
    return answer([{"user": user.name, "value": user.limits}] if user.limits else [])


def _known_user(call: Call) -> str:
    user = call.name("user")
    if user not in call.management.context.users:
        raise bad_request(["no_such_user", user])
    return user


async def put_user_limit(call: Call) -> Response:
    """Set one limit."""
    user = _known_user(call)
    body = await call.body()
    body.require("value")
    with refusals():
        sequence = call.management.administration.put_user_limits(
            user, {call.name("limit"): body.values["value"]}, call.caller.actor
        )
    await call.safe(sequence)
    return done()


async def delete_user_limit(call: Call) -> Response:
    """Remove one limit, if it is set."""
    user = _known_user(call)
    with refusals():
        sequence = call.management.administration.clear_user_limits(
            user, [call.name("limit")], call.caller.actor
        )
    await call.safe(sequence)
    return done()


def _routes() -> tuple[Route, ...]:
    admin = Level.ADMINISTRATOR
    of_vhost, of_user = "/vhost-limits/{vhost}", "/user-limits/{user}"
    return (
        Route("GET", "/vhost-limits", all_vhost_limits, "Limits of all virtual hosts"),
        Route("GET", of_vhost, vhost_limits, "Limits of a virtual host", looks_itself=True),
        Route(
            "PUT",
            of_vhost + "/{limit}",
            put_vhost_limit,
            "Set max-connections or max-queues",
            admin,
            body=VALUE,
        ),
        Route("DELETE", of_vhost + "/{limit}", delete_vhost_limit, "Remove a limit", admin),
        Route("GET", "/user-limits", all_user_limits, "Limits of all users"),
        Route("GET", of_user, user_limits, "Limits of a user"),
        Route(
            "PUT",
            of_user + "/{limit}",
            put_user_limit,
            "Set max-connections or max-channels",
            admin,
            body=VALUE,
        ),
        Route("DELETE", of_user + "/{limit}", delete_user_limit, "Remove a limit", admin),
    )


ROUTES: Final = _routes()
