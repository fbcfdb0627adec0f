"""Users: listed, made, changed, deleted."""

import asyncio
from typing import Final

from starlette.responses import Response

from supersoniq.auth.passwords import SHA256, PasswordHash, hash_password, imported_hash
from supersoniq.auth.users import ADMINISTRATOR, User
from supersoniq.management.bodies import Body
from supersoniq.management.call import Call, answer, done, refusals
from supersoniq.management.errors import bad_request, not_found
from supersoniq.management.listing import COLUMNS, LISTING, Lister, chosen, query_of
from supersoniq.management.resources.vhosts import tags_of
from supersoniq.management.routes import Level, Route
from supersoniq.management.views.users import user_view

USER: Final = {
    "password": {"type": "string"},
    "password_hash": {
        "type": "string",
        "description": "instead of a password; empty: nobody can log in with one",
    },
    "hashing_algorithm": {"type": "string", "default": SHA256},
    "tags": {"type": "string", "description": "with commas, or an array"},
}


def _name(user: User) -> str:
    return user.name


async def _listed(call: Call, users: list[User]) -> Response:
    query = query_of(call.request.query_params)
    items = sorted(users, key=_name)
    return await Lister[User](lambda user, _: user_view(user), _name).answer(items, query, call.slices)


async def all_users(call: Call) -> Response:
    """All users."""
    return await _listed(call, list(call.management.context.users))


async def users_without_permissions(call: Call) -> Response:
    """Users who may not enter any virtual host."""
    permitted = {user for user, _, _ in call.management.context.permissions.rows()}
    return await _listed(call, [user for user in call.management.context.users if user.name not in permitted])


def _user(call: Call) -> User:
    user = call.management.context.users.get(call.name("user"))
    if user is None:
        raise not_found()
    return user


async def one_user(call: Call) -> Response:
    """One user."""
    fields = user_view(_user(call))
    columns = query_of(call.request.query_params).columns
    return answer(fields if columns is None else chosen(fields, columns))


async def put_user(call: Call) -> Response:
    """Make a user, or give it another password and other tags."""
    name = call.name("user")
    body = await call.body()
    tags = _tags(body)
    password = await _password(body)
    is_new = name not in call.management.context.users
    with refusals():
        sequence = call.management.administration.put_user(name, password, frozenset(tags), call.caller.actor)
    await call.safe(sequence)
    return done(201 if is_new else 204)


def _tags(body: Body) -> list[str]:
    if "tags" in body.values:
        return tags_of(body)
    if "administrator" in body.values:  # of RabbitMQ before 2.4
        return [ADMINISTRATOR] if body.boolean("administrator") else []
    raise bad_request("tags_not_present")


async def _password(body: Body) -> PasswordHash | None:
    """The hash of what the body says; None if nobody is to log in with a password."""
    if "password" in body.values and "password_hash" in body.values:
        raise bad_request("both_password_and_password_hash_are_provided")
    if body.values.get("password_hash") is not None:
        encoded = body.text("password_hash")
        try:
            return imported_hash(encoded, body.text("hashing_algorithm", SHA256))
        except ValueError as error:
            text = str(error)
            raise bad_request(["not_base64", encoded] if text == "not base64" else text) from None
    password = body.text("password")
    return await asyncio.to_thread(hash_password, password.encode()) if password else None


async def delete_user(call: Call) -> Response:
    """Delete a user with its permissions, and close its connections."""
    name = _user(call).name
    with refusals():
        sequence = call.management.administration.delete_user(name, call.caller.actor)
    await call.safe(sequence)
    return done()


async def delete_users(call: Call) -> Response:
    """Delete several users, all of them or none."""
    body = await call.body()
    body.require("users")
    names = body.values["users"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise bad_request(["not_names", names])
    for name in names:
        if name not in call.management.context.users:
            raise bad_request(["no_such_user", name])
    administration = call.management.administration
    sequence = 0
    with refusals(), administration.together():
        for name in dict.fromkeys(names):
            sequence = administration.delete_user(name, call.caller.actor)
    await call.safe(administration.sequence if names else sequence)
    return done()


ROUTES: Final = (
    Route("GET", "/users", all_users, "All users", Level.ADMINISTRATOR, query=LISTING),
    Route(
        "GET",
        "/users/without-permissions",
        users_without_permissions,
        "Users who may not enter any virtual host",
        Level.ADMINISTRATOR,
        query=LISTING,
    ),
    Route(
        "POST",
        "/users/bulk-delete",
        delete_users,
        "Delete several users",
        Level.ADMINISTRATOR,
        body={"users": {"type": "array", "items": {"type": "string"}}},
    ),
    Route("GET", "/users/{user}", one_user, "One user", Level.ADMINISTRATOR, query=COLUMNS),
    Route("PUT", "/users/{user}", put_user, "Make or change a user", Level.ADMINISTRATOR, body=USER),
    Route("DELETE", "/users/{user}", delete_user, "Delete a user", Level.ADMINISTRATOR),
)
