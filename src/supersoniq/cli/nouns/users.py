"""`supersoniq users`: users, their passwords and tags."""

from collections.abc import Sequence
from typing import Annotated

from supersoniq.cli.nouns.shared import UserName, password_of
from supersoniq.cli.remote.api import Api, Missing, Refused
from supersoniq.cli.remote.call import Call, Failed
from supersoniq.cli.remote.cells import Column, Item
from supersoniq.cli.remote.endpoint import with_credentials
from supersoniq.cli.remote.listing import Listing, Selection, show_list
from supersoniq.cli.remote.words import Argument, Command, Option

USERS = Listing(
    (
        Column("name", "name"),
        Column("tags", "tags"),
        Column("password", "hashing_algorithm"),
        Column("limits", "limits"),
    )
)
NewName = Annotated[str, Argument("USER", "The user.")]
Password = Annotated[
    str | None,
    Option(
        ("--password",),
        "The password. Others on the machine see it; without, it is asked for, or read from standard input.",
        "TEXT",
    ),
]
PasswordHash = Annotated[
    str | None, Option(("--password-hash",), "A hash as definitions have it, instead of a password.", "HASH")
]
Algorithm = Annotated[
    str | None, Option(("--algorithm",), "Of the hash: rabbit_password_hashing_sha256 and so on.", "NAME")
]
Tags = Annotated[
    Sequence[str], Argument("TAG…", "administrator, monitoring, policymaker, management, or your own.")
]


def list_(call: Call, selection: Selection) -> None:
    """List the users."""
    show_list(call, USERS, ["users"], selection)


def show(call: Call, user: UserName) -> None:
    """Show everything about one user, and what it may do."""
    item: Item = _known(call, user)
    item["permissions"] = call.api.get("users", user, "permissions")
    item["topic_permissions"] = call.api.get("users", user, "topic-permissions")
    call.show_one(item)


def create(
    call: Call,
    user: NewName,
    password: Password = None,
    password_hash: PasswordHash = None,
    algorithm: Algorithm = None,
    no_password: Annotated[
        bool, Option(("--no-password",), "Let it log in by certificate only, not with a password.")
    ] = False,
    tags: Annotated[Sequence[str], Option(("--tag",), "A tag; may be given several times.", "TAG")] = (),
) -> None:
    """Create a user. It may do nothing yet: `supersoniq permissions set`."""
    body: Item = {"tags": ",".join(tags)}
    if no_password or password_hash is not None:
        body["password_hash"] = password_hash or ""
        if algorithm is not None:
            body["hashing_algorithm"] = algorithm
    else:
        body["password"] = password_of(user, password)
    try:
        call.api.get("users", user)
    except Missing:
        call.api.put("users", user, body=body)
        call.done(f"user {user} is created")
    else:
        raise Failed(f"user {user} is already there: `supersoniq users set-password` changes its password")


def set_password(
    call: Call,
    user: UserName,
    password: Password = None,
    password_hash: PasswordHash = None,
    algorithm: Algorithm = None,
) -> None:
    """Change the password of a user."""
    body: Item = {"tags": _tags(_known(call, user))}
    if password_hash is not None:
        body["password_hash"] = password_hash
        if algorithm is not None:
            body["hashing_algorithm"] = algorithm
    else:
        body["password"] = password_of(user, password)
    call.api.put("users", user, body=body)
    call.done(f"user {user} has a new password")


def clear_password(call: Call, user: UserName) -> None:
    """Let a user no longer log in with a password."""
    call.api.put("users", user, body={"tags": _tags(_known(call, user)), "password_hash": ""})
    call.done(f"user {user} has no password")


def set_tags(call: Call, user: UserName, tags: Tags = ()) -> None:
    """Give a user exactly these tags."""
    known = _known(call, user)
    body = {"tags": ",".join(tags), "password_hash": known["password_hash"]}
    body["hashing_algorithm"] = known["hashing_algorithm"]
    call.api.put("users", user, body=body)
    call.done(f"user {user} has the tags {', '.join(tags)}" if tags else f"user {user} has no tags")


def check(call: Call, user: UserName, password: Password = None) -> None:
    """Find out whether a password is that of a user; exit code 1 if not."""
    if not authenticates(call.api, user, password_of(user, password)):
        raise Failed(f"that is not the password of user {user}")
    call.done(f"that is the password of user {user}")


def authenticates(api: Api, user: str, password: str) -> bool:
    """True when the node knows the user by this password.

    A user who may not use the management API is told so only after the password was right.
    """
    try:
        Api(with_credentials(api.endpoint, user, password)).get("whoami")
    except Refused as error:
        if error.status != 401:
            raise
        return error.error == "not_authorised" or "Not management user" in str(error)
    return True


def delete(call: Call, user: UserName) -> None:
    """Delete a user."""
    try:
        call.api.delete("users", user)
    except Missing as error:
        raise call.missing("user", user, ("users", user), error) from None
    call.done(f"user {user} is deleted")


def _known(call: Call, user: str) -> Item:
    item: Item = call.known("user", user, ("users", user))
    return item


def _tags(user: Item) -> str:
    tags = user["tags"]
    return tags if isinstance(tags, str) else ",".join(tags)


VERBS: dict[str, Command] = {
    "list": list_,
    "show": show,
    "create": create,
    "set-password": set_password,
    "clear-password": clear_password,
    "set-tags": set_tags,
    "check": check,
    "delete": delete,
}
