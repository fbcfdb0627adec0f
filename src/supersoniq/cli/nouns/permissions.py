"""`supersoniq permissions`: who may configure, write and read what, topics included."""

from typing import Annotated

from supersoniq.cli.nouns.shared import AnyVhost, UserName, Vhost
from supersoniq.cli.remote.api import Missing
from supersoniq.cli.remote.call import Call, Failed
from supersoniq.cli.remote.cells import Column
from supersoniq.cli.remote.listing import Listing, Selection, show_list
from supersoniq.cli.remote.words import Argument, Command, Option

PERMISSIONS = Listing(
    (
        Column("user", "user"),
        Column("vhost", "vhost"),
        Column("configure", "configure"),
        Column("write", "write"),
        Column("read", "read"),
    ),
    name="user",
)
TOPIC_PERMISSIONS = Listing(
    (
        Column("user", "user"),
        Column("vhost", "vhost"),
        Column("exchange", "exchange"),
        Column("write", "write"),
        Column("read", "read"),
    ),
    name="user",
)
OfUser = Annotated[str | None, Option(("--user", "-u"), "Only those of this user.", "USER", (), "users")]
Configure = Annotated[
    str, Argument("CONFIGURE", "Regular expression of names that it may declare and delete.")
]
Write = Annotated[str, Argument("WRITE", "Regular expression of names that it may publish and bind to.")]
Read = Annotated[str, Argument("READ", "Regular expression of names that it may consume and bind from.")]
TopicExchange = Annotated[str, Argument("EXCHANGE", "A topic exchange.", "exchanges")]
TopicWrite = Annotated[str, Argument("WRITE", "Regular expression of routing keys that it may publish with.")]
TopicRead = Annotated[str, Argument("READ", "Regular expression of routing keys that it may bind with.")]


def list_(call: Call, selection: Selection, user: OfUser = None, vhost: AnyVhost = None) -> None:
    """List the permissions of all users, of one, or in one virtual host."""
    show_list(call, PERMISSIONS, _path("permissions", user), selection, vhost=vhost)


def set_(
    call: Call, user: UserName, configure: Configure, write: Write, read: Read, vhost: Vhost = "/"
) -> None:
    """Let a user configure, write and read what these regular expressions find. '' is nothing, '.*' all."""
    call.known("user", user, ("users", user))
    call.known("virtual host", vhost, ("vhosts", vhost))
    body = {"configure": configure, "write": write, "read": read}
    call.api.put("permissions", vhost, user, body=body)
    call.done(f"user {user} has permissions in virtual host {vhost}")


def clear(call: Call, user: UserName, vhost: Vhost = "/") -> None:
    """Take from a user every permission in a virtual host."""
    try:
        call.api.delete("permissions", vhost, user)
    except Missing:
        raise Failed(f"user {user} has no permissions in virtual host {vhost}") from None
    call.done(f"user {user} has no permissions in virtual host {vhost}")


def list_topic(call: Call, selection: Selection, user: OfUser = None, vhost: AnyVhost = None) -> None:
    """List the topic permissions of all users, of one, or in one virtual host."""
    show_list(call, TOPIC_PERMISSIONS, _path("topic-permissions", user), selection, vhost=vhost)


def set_topic(
    call: Call,
    user: UserName,
    exchange: TopicExchange,
    write: TopicWrite,
    read: TopicRead,
    vhost: Vhost = "/",
) -> None:
    """Let a user publish to a topic exchange, and bind to it, with these routing keys only."""
    call.known("user", user, ("users", user))
    call.known("virtual host", vhost, ("vhosts", vhost))
    call.api.put("topic-permissions", vhost, user, body={"exchange": exchange, "write": write, "read": read})
    call.done(f"user {user} has topic permissions for exchange {exchange} in virtual host {vhost}")


def clear_topic(
    call: Call,
    user: UserName,
    exchange: Annotated[
        str | None, Option(("--exchange", "-e"), "Only for this exchange.", "EXCHANGE")
    ] = None,
    vhost: Vhost = "/",
) -> None:
    """Take the topic permissions from a user: no routing key is refused any more."""
    place = (vhost, user) if exchange is None else (vhost, user, exchange)
    try:
        call.api.delete("topic-permissions", *place)
    except Missing:
        raise Failed(f"user {user} has no such topic permissions in virtual host {vhost}") from None
    call.done(
        f"user {user} has no topic permissions for {exchange or 'any exchange'} in virtual host {vhost}"
    )


def _path(kind: str, user: str | None) -> list[str]:
    """Where the API lists them: those of a user, or all."""
    return [kind] if user is None else ["users", user, kind]


VERBS: dict[str, Command] = {
    "list": list_,
    "set": set_,
    "clear": clear,
    "list-topic": list_topic,
    "set-topic": set_topic,
    "clear-topic": clear_topic,
}
