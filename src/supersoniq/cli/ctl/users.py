"""rabbitmqctl's words for users."""

import sys
from typing import Any

from supersoniq.cli.ctl.context import DATA, NO_USER, SOFTWARE, USAGE, Command, Ctl, WrongLine
from supersoniq.cli.ctl.terms import Atom
from supersoniq.cli.nouns.users import authenticates
from supersoniq.cli.remote.api import Missing

GRANT = (
    "Done. Don't forget to grant the user permissions to some virtual hosts! "
    "See 'rabbitmqctl help set_permissions' to learn more."
)


def no_such_user(name: str) -> str:
    """The error of words that do not care how a missing user is told."""
    return f'{{:no_such_user, "{name}"}}'


def _password(arguments: list[str]) -> str:
    """The second argument, or the first line of standard input."""
    if len(arguments) > 1:
        return arguments[1]
    if sys.stdin.isatty():
        from getpass import getpass

        return getpass("Password: ")
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise WrongLine("Password is not provided via argument or stdin")
    return line


def _credentials(password: str) -> dict[str, Any]:
    """The fields of a body: an empty password is none."""
    return {"password": password} if password else {"password_hash": ""}


def _tags(user: dict[str, Any]) -> str:
    tags = user["tags"]
    return tags if isinstance(tags, str) else ",".join(tags)


def add_user(ctl: Ctl, arguments: list[str]) -> None:
    """add_user NAME [PASSWORD]"""
    name = arguments[0]
    if not name:
        raise WrongLine("Bad argument: user cannot be an empty string", DATA)
    password = _password(arguments)
    ctl.banner(f'Adding user "{name}" ...')
    try:
        ctl.api.get("users", name)
    except Missing:
        ctl.api.put("users", name, body={"tags": "", **_credentials(password)})
    else:
        ctl.fail(f'User "{name}" already exists', SOFTWARE)
    if ctl.is_json:
        ctl.message(GRANT, message=GRANT, node=ctl.node, status="ok")
    else:
        ctl.banner(GRANT)


def authenticate_user(ctl: Ctl, arguments: list[str]) -> None:
    """authenticate_user NAME [PASSWORD]"""
    name = arguments[0]
    password = _password(arguments)
    ctl.banner(f'Authenticating user "{name}" ...')
    if not authenticates(ctl.api, name, password):
        ctl.fail(f"Error: failed to authenticate user \"{name}\"\nuser '{name}' - invalid credentials", DATA)
    ctl.message("Success")


def change_password(ctl: Ctl, arguments: list[str]) -> None:
    """change_password NAME [PASSWORD]"""
    name = arguments[0]
    password = _password(arguments)
    ctl.banner(f'Changing password for user "{name}" ...')
    user = ctl.user(name, f'User "{name}" does not exist', NO_USER)
    ctl.api.put("users", name, body={"tags": _tags(user), **_credentials(password)})
    ctl.ok()


def clear_password(ctl: Ctl, arguments: list[str]) -> None:
    """clear_password NAME"""
    name = arguments[0]
    ctl.banner(f'Clearing password for user "{name}" ...')
    user = ctl.user(name, no_such_user(name), 69)
    ctl.api.put("users", name, body={"tags": _tags(user), "password_hash": ""})
    ctl.ok()


def delete_user(ctl: Ctl, arguments: list[str]) -> None:
    """delete_user NAME"""
    name = arguments[0]
    ctl.banner(f'Deleting user "{name}" ...')
    try:
        ctl.api.delete("users", name)
    except Missing:
        ctl.fail(f'User "{name}" does not exist', NO_USER)
    ctl.ok()


def hash_password(ctl: Ctl, arguments: list[str]) -> None:
    """hash_password [PASSWORD]"""
    password = _password(["", *arguments])
    if not password:
        raise WrongLine("password cannot be an empty string", USAGE)
    ctl.banner("Will hash password ...")
    ctl.message(hashed(password.encode()))


def hashed(password: bytes) -> str:
    """RabbitMQ's own hash of a password, which it takes as `password_hash`: salt, and SHA-256 of both."""
    import hashlib
    import os
    from base64 import b64encode

    salt = os.urandom(4)
    return b64encode(salt + hashlib.sha256(salt + password).digest()).decode()


def list_users(ctl: Ctl, arguments: list[str]) -> None:
    """list_users"""
    ctl.banner("Listing users ...")
    users = [
        (user["name"], [Atom(tag) for tag in _tags(user).split(",") if tag]) for user in ctl.api.get("users")
    ]
    ctl.rows(["user", "tags"], users)


def set_user_tags(ctl: Ctl, arguments: list[str]) -> None:
    """set_user_tags NAME TAG…"""
    name, tags = arguments[0], arguments[1:]
    ctl.banner(f'Setting tags for user "{name}" to [{", ".join(tags)}] ...')
    user = ctl.user(name, f'User "{name}" does not exist', NO_USER)
    body = {"tags": ",".join(tags), "password_hash": user["password_hash"]}
    ctl.api.put("users", name, body=body | {"hashing_algorithm": user["hashing_algorithm"]})
    ctl.ok()


COMMANDS = {
    "add_user": Command(
        add_user, "add_user <username> <password>", "Creates a new user, who has no permissions yet", 1, 2
    ),
    "authenticate_user": Command(
        authenticate_user,
        "authenticate_user <username> <password>",
        "Finds out whether a password is right",
        1,
        2,
    ),
    "change_password": Command(
        change_password, "change_password <username> <password>", "Changes the user password", 1, 2
    ),
    "clear_password": Command(
        clear_password, "clear_password <username>", "Disables login with a password for a user", 1, 1
    ),
    "delete_user": Command(delete_user, "delete_user <username>", "Removes a user", 1, 1),
    "hash_password": Command(
        hash_password, "hash_password [<cleartext>]", "Hashes a password as definitions have it", 0, 1
    ),
    "list_users": Command(
        list_users, "list_users [--no-table-headers] [--timeout <timeout>]", "List user names and tags"
    ),
    "set_user_tags": Command(
        set_user_tags, "set_user_tags <username> <tag> [...]", "Sets user tags", 1, None
    ),
}
