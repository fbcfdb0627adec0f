"""`supersoniq queues`: queues."""

from typing import Annotated

from supersoniq.cli.nouns.shared import AnyVhost, Arguments, QueueName, Vhost, Yes, pairs, with_vhost
from supersoniq.cli.remote.api import Missing
from supersoniq.cli.remote.call import Call, WrongUse
from supersoniq.cli.remote.cells import Column, Item, count_column, rate_column
from supersoniq.cli.remote.listing import Listing, Selection, show_list
from supersoniq.cli.remote.words import Argument, Command, Option

QUEUES = Listing(
    (
        Column("name", "name"),
        Column("vhost", "vhost"),
        Column("type", "type"),
        Column("state", "state"),
        count_column("ready", "messages_ready"),
        count_column("unacked", "messages_unacknowledged"),
        count_column("messages", "messages"),
        count_column("consumers", "consumers"),
        rate_column("in", "message_stats.publish_details.rate"),
        rate_column("out", "message_stats.deliver_get_details.rate"),
        Column("policy", "policy"),
    ),
    has_pages=True,
)
NewName = Annotated[str, Argument("QUEUE", "The queue.")]


def list_(call: Call, selection: Selection, vhost: AnyVhost = None) -> None:
    """List queues."""
    show_list(call, QUEUES, with_vhost("queues", vhost=vhost), selection)


def show(call: Call, queue: QueueName, vhost: Vhost = "/") -> None:
    """Show everything about one queue."""
    call.show_one(_known(call, queue, vhost))


def create(
    call: Call,
    queue: NewName,
    type_: Annotated[str | None, Option(("--type", "-t"), "classic or quorum.", "TYPE")] = None,
    transient: Annotated[bool, Option(("--transient",), "Gone after a restart.")] = False,
    auto_delete: Annotated[bool, Option(("--auto-delete",), "Deleted with its last consumer.")] = False,
    arguments: Arguments = (),
    vhost: Vhost = "/",
) -> None:
    """Declare a queue, durable if not said otherwise."""
    call.known("virtual host", vhost, ("vhosts", vhost))
    own = pairs(arguments) | ({} if type_ is None else {"x-queue-type": type_})
    body = {"durable": not transient, "auto_delete": auto_delete, "arguments": own}
    call.api.put("queues", vhost, queue, body=body)
    call.done(f"queue {queue} is there")


def change(call: Call, queue: QueueName, arguments: Arguments = (), vhost: Vhost = "/") -> None:
    """Change arguments of a queue in place, with all its messages; a value of null takes an argument away."""
    if not arguments:
        raise WrongUse("no argument is given, as in --argument x-max-length=100")
    _known(call, queue, vhost)
    call.api.patch("queues", vhost, queue, body={"arguments": pairs(arguments)})
    call.done(f"queue {queue} has the arguments {', '.join(arguments)}")


def purge(call: Call, queue: QueueName, yes: Yes = False, vhost: Vhost = "/") -> None:
    """Delete all messages of a queue that are not delivered to somebody."""
    count = _known(call, queue, vhost).get("messages_ready", 0)
    call.ask(f"Delete {count:,} messages of queue {queue} in virtual host {vhost}?", yes)
    call.api.delete("queues", vhost, queue, "contents")
    call.done(f"queue {queue} is purged", messages=count)


def delete(
    call: Call,
    queue: QueueName,
    if_empty: Annotated[bool, Option(("--if-empty",), "Only when it has no messages.")] = False,
    if_unused: Annotated[bool, Option(("--if-unused",), "Only when it has no consumers.")] = False,
    yes: Yes = False,
    vhost: Vhost = "/",
) -> None:
    """Delete a queue with its messages."""
    parts = ("queues", vhost, queue)
    count = _known(call, queue, vhost).get("messages", 0)
    if count and not if_empty:
        call.ask(f"Delete queue {queue} in virtual host {vhost} with {count:,} messages?", yes)
    try:
        call.api.delete(*parts, if_empty=if_empty or None, if_unused=if_unused or None)
    except Missing as error:
        raise call.missing("queue", queue, parts, error) from None
    call.done(f"queue {queue} is deleted", messages=count)


def _known(call: Call, queue: str, vhost: str) -> Item:
    item: Item = call.known("queue", queue, ("queues", vhost, queue))
    return item


VERBS: dict[str, Command] = {
    "list": list_,
    "show": show,
    "create": create,
    "change": change,
    "purge": purge,
    "delete": delete,
}
