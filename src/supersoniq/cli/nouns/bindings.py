"""`supersoniq bindings`: what leads from exchanges to queues and other exchanges."""

from typing import Annotated

from supersoniq.cli.nouns.shared import AnyVhost, Arguments, Vhost, pairs, with_vhost
from supersoniq.cli.remote.api import Missing
from supersoniq.cli.remote.call import Call, Failed
from supersoniq.cli.remote.cells import Column, Item
from supersoniq.cli.remote.listing import Listing, Selection, show_list
from supersoniq.cli.remote.words import Argument, Command, Option

BINDINGS = Listing(
    (
        Column("source", "source"),
        Column("vhost", "vhost"),
        Column("to", "destination_type"),
        Column("destination", "destination"),
        Column("binding key", "routing_key"),
        Column("arguments", "arguments"),
    ),
    name="source",
)
Source = Annotated[str, Argument("EXCHANGE", "Where messages come from.", "exchanges")]
Destination = Annotated[str, Argument("DESTINATION", "The queue that they go to.", "queues")]
ToExchange = Annotated[bool, Option(("--to-exchange",), "The destination is an exchange.")]
Key = Annotated[str, Option(("--key", "-k"), "The binding key.", "KEY")]


def list_(
    call: Call,
    selection: Selection,
    exchange: Annotated[
        str | None, Option(("--exchange", "-e"), "Only from this exchange.", "EXCHANGE", (), "exchanges")
    ] = None,
    queue: Annotated[
        str | None, Option(("--queue", "-q"), "Only to this queue.", "QUEUE", (), "queues")
    ] = None,
    vhost: AnyVhost = None,
) -> None:
    """List bindings."""
    if queue is not None:
        parts = ["queues", vhost or "/", queue, "bindings"]
    elif exchange is not None:
        parts = ["exchanges", vhost or "/", exchange, "bindings", "source"]
    else:
        parts = with_vhost("bindings", vhost=vhost)
    show_list(call, BINDINGS, parts, selection)


def create(
    call: Call,
    exchange: Source,
    destination: Destination,
    key: Key = "",
    to_exchange: ToExchange = False,
    arguments: Arguments = (),
    vhost: Vhost = "/",
) -> None:
    """Bind a queue, or an exchange, to an exchange."""
    parts = ("bindings", vhost, "e", exchange, "e" if to_exchange else "q", destination)
    try:
        call.api.post(*parts, body={"routing_key": key, "arguments": pairs(arguments)})
    except Missing as error:
        raise _end_missing(call, exchange, destination, to_exchange, vhost) or error from None
    call.done(f"exchange {exchange} leads to {destination} with binding key '{key}'")


def delete(
    call: Call,
    exchange: Source,
    destination: Destination,
    key: Annotated[str | None, Option(("--key", "-k"), "Only the one with this binding key.", "KEY")] = None,
    to_exchange: ToExchange = False,
    vhost: Vhost = "/",
) -> None:
    """Delete the bindings between an exchange and a queue or exchange."""
    parts = ("bindings", vhost, "e", exchange, "e" if to_exchange else "q", destination)
    try:
        found: list[Item] = call.api.get(*parts)
    except Missing as error:
        raise _end_missing(call, exchange, destination, to_exchange, vhost) or error from None
    found = [binding for binding in found if key is None or binding["routing_key"] == key]
    if not found:
        raise Failed(f"no binding leads from exchange {exchange} to {destination}")
    for binding in found:
        call.api.delete(*parts, binding["properties_key"])
    keys = ", ".join(["'" + binding["routing_key"] + "'" for binding in found])
    call.done(f"exchange {exchange} does not lead to {destination} with {keys} any more", bindings=len(found))


def _end_missing(
    call: Call, exchange: str, destination: str, to_exchange: bool, vhost: str
) -> Missing | None:
    """The error that says which end of a binding is not there."""
    kind = "exchange" if to_exchange else "queue"
    for noun, name in (("exchange", exchange), (kind, destination)):
        try:
            call.known(noun, name, (f"{noun}s", vhost, name))
        except Missing as error:
            return error
    return None


VERBS: dict[str, Command] = {"list": list_, "create": create, "delete": delete}
