"""`supersoniq limits`: how many connections, channels and queues virtual hosts and users may have."""

from collections.abc import Sequence
from typing import Annotated

from supersoniq.cli.nouns.shared import pairs
from supersoniq.cli.remote.api import Missing
from supersoniq.cli.remote.call import Call, WrongUse
from supersoniq.cli.remote.cells import Column, Item
from supersoniq.cli.remote.listing import Listing
from supersoniq.cli.remote.words import Argument, Command, Option

LIMITS = Listing(
    (
        Column("of", "of"),
        Column("name", "name"),
        Column("limit", "limit"),
        Column("value", "value", is_number=True),
    )
)
OfVhost = Annotated[
    str | None, Option(("--vhost", "-p"), "Those of this virtual host.", "VHOST", (), "vhosts")
]
OfUser = Annotated[str | None, Option(("--user", "-u"), "Those of this user.", "USER", (), "users")]
Values = Annotated[
    Sequence[str],
    Argument("LIMIT=VALUE…", "max-connections, max-queues (virtual host), max-channels (user); -1 is none."),
]
Names = Annotated[Sequence[str], Argument("LIMIT…", "Which ones; all when none is given.")]


def list_(call: Call, vhost: OfVhost = None, user: OfUser = None) -> None:
    """List the limits of all virtual hosts and users, or of one."""
    items: list[Item] = []
    if user is None:
        for item in call.api.get("vhost-limits", *([vhost] if vhost is not None else [])):
            items += _items("vhost", item["vhost"], item["value"])
    if vhost is None:
        for item in call.api.get("user-limits", *([user] if user is not None else [])):
            items += _items("user", item["user"], item["value"])
    call.show(items, LIMITS.columns)


def set_(call: Call, values: Values, vhost: OfVhost = None, user: OfUser = None) -> None:
    """Set limits of a virtual host or a user."""
    kind, name = _owner(call, vhost, user)
    limits = pairs(values)
    if not limits:
        raise WrongUse("no limit is given, as in max-connections=100")
    for limit, value in limits.items():
        call.api.put(f"{kind}-limits", name, limit, body={"value": value})
    call.done(f"{kind} {name} has the limits {', '.join(values)}")


def clear(call: Call, names: Names = (), vhost: OfVhost = None, user: OfUser = None) -> None:
    """Take limits away from a virtual host or a user."""
    kind, name = _owner(call, vhost, user)
    if not names:
        names = [limit for item in call.api.get(f"{kind}-limits", name) for limit in item["value"]]
    for limit in names:
        try:
            call.api.delete(f"{kind}-limits", name, limit)
        except Missing:
            call.note(f"{kind} {name} has no limit {limit}")
    call.done(f"{kind} {name} has no {', '.join(names) or 'limits'}")


def _owner(call: Call, vhost: str | None, user: str | None) -> tuple[str, str]:
    if (vhost is None) == (user is None):
        raise WrongUse("give either --vhost or --user")
    if user is not None:
        call.known("user", user, ("users", user))
        return "user", user
    assert vhost is not None
    call.known("virtual host", vhost, ("vhosts", vhost))
    return "vhost", vhost


def _items(kind: str, name: str, values: Item) -> list[Item]:
    return [{"of": kind, "name": name, "limit": limit, "value": value} for limit, value in values.items()]


VERBS: dict[str, Command] = {"list": list_, "set": set_, "clear": clear}
