"""`supersoniq connections`: connections of clients."""

from collections.abc import Sequence
from typing import Annotated

from supersoniq.cli.nouns.shared import AnyVhost, Yes
from supersoniq.cli.remote.api import Missing
from supersoniq.cli.remote.call import Call, WrongUse
from supersoniq.cli.remote.cells import Column, Item, count_column, counted, rate_column, size
from supersoniq.cli.remote.listing import Listing, Selection, show_list
from supersoniq.cli.remote.words import Argument, Command, Option

CONNECTIONS = Listing(
    (
        Column("name", "name"),
        Column("given name", "user_provided_name"),
        Column("user", "user"),
        Column("vhost", "vhost"),
        Column("state", "state"),
        count_column("channels", "channels"),
        Column("TLS", "ssl"),
        Column("received", "recv_oct", size, True),
        Column("sent", "send_oct", size, True),
        rate_column("in/s", "recv_oct_details.rate"),
        rate_column("out/s", "send_oct_details.rate"),
    ),
    has_pages=True,
)
CLOSED = "closed by an operator"


def list_(call: Call, selection: Selection, vhost: AnyVhost = None) -> None:
    """List connections."""
    parts = ["connections"] if vhost is None else ["vhosts", vhost, "connections"]
    show_list(call, CONNECTIONS, parts, selection)


def show(
    call: Call, connection: Annotated[str, Argument("CONNECTION", "Its name, as listed.", "connections")]
) -> None:
    """Show everything about one connection."""
    call.show_one(call.known("connection", connection, ("connections", connection)))


def close(
    call: Call,
    names: Annotated[Sequence[str], Argument("CONNECTION…", "Their names, as listed.", "connections")] = (),
    user: Annotated[str | None, Option(("--user", "-u"), "All of this user.", "USER", (), "users")] = None,
    vhost: Annotated[
        str | None, Option(("--vhost", "-p"), "All of this virtual host.", "VHOST", (), "vhosts")
    ] = None,
    everything: Annotated[bool, Option(("--all",), "All of them.")] = False,
    reason: Annotated[str, Option(("--reason",), "What the clients are told.", "TEXT")] = CLOSED,
    yes: Yes = False,
) -> None:
    """Close connections: the clients get 320 CONNECTION_FORCED with the reason."""
    if not names and user is None and vhost is None and not everything:
        raise WrongUse("give the names of connections, --user, --vhost or --all")
    if names:
        for name in names:
            _close(call, name, reason)
        call.done(f"closed {counted(len(names), 'connection')}", connections=len(names))
        return
    chosen = [item["name"] for item in call.api.listed("connections") if _is_of(item, user, vhost)]
    if chosen:
        call.ask(f"Close {counted(len(chosen), 'connection')}?", yes)
    for name in chosen:
        _close(call, name, reason, is_missed=False)
    call.done(f"closed {counted(len(chosen), 'connection')}", connections=len(chosen))


def _is_of(item: Item, user: str | None, vhost: str | None) -> bool:
    return (user is None or item.get("user") == user) and (vhost is None or item.get("vhost") == vhost)


def _close(call: Call, name: str, reason: str, is_missed: bool = True) -> None:
    """Close one connection; one that has gone meanwhile is an error only when it `is_missed`."""
    parts = ("connections", name)
    try:
        call.api.send("DELETE", parts, None, {}, {"X-Reason": reason})
    except Missing as error:
        if is_missed:
            raise call.missing("connection", name, parts, error) from None


VERBS: dict[str, Command] = {"list": list_, "show": show, "close": close}
