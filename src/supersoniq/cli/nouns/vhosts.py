"""`supersoniq vhosts`: virtual hosts."""

from collections.abc import Sequence
from typing import Annotated

from supersoniq.cli.nouns.shared import Yes
from supersoniq.cli.remote.api import Missing
from supersoniq.cli.remote.call import Call
from supersoniq.cli.remote.cells import Column, count_column
from supersoniq.cli.remote.listing import Listing, Selection, show_list
from supersoniq.cli.remote.words import Argument, Command, Option

VHOSTS = Listing(
    (
        Column("name", "name"),
        count_column("ready", "messages_ready"),
        count_column("unacked", "messages_unacknowledged"),
        Column("tracing", "tracing"),
        Column("description", "description"),
        Column("tags", "tags"),
    )
)
Name = Annotated[str, Argument("NAME", "The virtual host.", "vhosts")]
NewName = Annotated[str, Argument("NAME", "The virtual host.")]


def list_(call: Call, selection: Selection) -> None:
    """List the virtual hosts."""
    show_list(call, VHOSTS, ["vhosts"], selection)


def show(call: Call, name: Name) -> None:
    """Show everything about one virtual host."""
    call.show_one(call.known("virtual host", name, ("vhosts", name)))


def create(
    call: Call,
    name: NewName,
    description: Annotated[str | None, Option(("--description",), "What it is for.", "TEXT")] = None,
    tags: Annotated[Sequence[str], Option(("--tag",), "A tag; may be given several times.", "TAG")] = (),
    default_queue_type: Annotated[
        str | None,
        Option(("--default-queue-type",), "Type of durable queues that are declared without one.", "TYPE"),
    ] = None,
    tracing: Annotated[bool, Option(("--tracing",), "Publish what happens to amq.rabbitmq.trace.")] = False,
) -> None:
    """Create a virtual host, or change what is given of one that is there."""
    body: dict[str, object] = {}
    if description is not None:
        body["description"] = description
    if tags:
        body["tags"] = ",".join(tags)
    if default_queue_type is not None:
        body["default_queue_type"] = default_queue_type
    if tracing:
        body["tracing"] = True
    call.api.put("vhosts", name, body=body)
    call.done(f"virtual host {name} is there")


def delete(call: Call, name: Name, yes: Yes = False) -> None:
    """Delete a virtual host with everything in it."""
    try:
        call.ask(f"Delete virtual host {name} with all its queues and messages?", yes)
        call.api.delete("vhosts", name)
    except Missing as error:
        raise call.missing("virtual host", name, ("vhosts", name), error) from None
    call.done(f"virtual host {name} is deleted")


VERBS: dict[str, Command] = {"list": list_, "show": show, "create": create, "delete": delete}
