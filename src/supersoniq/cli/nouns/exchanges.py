"""`supersoniq exchanges`: exchanges."""

from typing import Annotated

from supersoniq.cli.nouns.shared import AnyVhost, Arguments, ExchangeName, Vhost, pairs, with_vhost
from supersoniq.cli.remote.api import Missing
from supersoniq.cli.remote.call import Call
from supersoniq.cli.remote.cells import Column, rate_column
from supersoniq.cli.remote.listing import Listing, Selection, show_list
from supersoniq.cli.remote.words import Argument, Command, Option

EXCHANGES = Listing(
    (
        Column("name", "name"),
        Column("vhost", "vhost"),
        Column("type", "type"),
        Column("durable", "durable"),
        Column("auto-delete", "auto_delete"),
        Column("internal", "internal"),
        rate_column("in", "message_stats.publish_in_details.rate"),
        rate_column("out", "message_stats.publish_out_details.rate"),
        Column("policy", "policy"),
        Column("arguments", "arguments"),
    ),
    has_pages=True,
)
NewName = Annotated[str, Argument("EXCHANGE", "The exchange.")]


def list_(call: Call, selection: Selection, vhost: AnyVhost = None) -> None:
    """List exchanges."""
    show_list(call, EXCHANGES, with_vhost("exchanges", vhost=vhost), selection)


def show(call: Call, exchange: ExchangeName, vhost: Vhost = "/") -> None:
    """Show everything about one exchange."""
    call.show_one(call.known("exchange", exchange, ("exchanges", vhost, exchange)))


def create(
    call: Call,
    exchange: NewName,
    type_: Annotated[str, Option(("--type", "-t"), "direct, fanout, topic, headers, x-…", "TYPE")] = "direct",
    transient: Annotated[bool, Option(("--transient",), "Gone after a restart.")] = False,
    auto_delete: Annotated[bool, Option(("--auto-delete",), "Deleted with its last binding.")] = False,
    internal: Annotated[bool, Option(("--internal",), "Nobody can publish to it directly.")] = False,
    arguments: Arguments = (),
    vhost: Vhost = "/",
) -> None:
    """Declare an exchange, durable if not said otherwise."""
    call.known("virtual host", vhost, ("vhosts", vhost))
    body = {
        "type": type_,
        "durable": not transient,
        "auto_delete": auto_delete,
        "internal": internal,
        "arguments": pairs(arguments),
    }
    call.api.put("exchanges", vhost, exchange, body=body)
    call.done(f"exchange {exchange} is there")


def delete(
    call: Call,
    exchange: ExchangeName,
    if_unused: Annotated[bool, Option(("--if-unused",), "Only when nothing is bound to it.")] = False,
    vhost: Vhost = "/",
) -> None:
    """Delete an exchange."""
    parts = ("exchanges", vhost, exchange)
    try:
        call.api.delete(*parts, if_unused=True if if_unused else None)
    except Missing as error:
        raise call.missing("exchange", exchange, parts, error) from None
    call.done(f"exchange {exchange} is deleted")


VERBS: dict[str, Command] = {"list": list_, "show": show, "create": create, "delete": delete}
