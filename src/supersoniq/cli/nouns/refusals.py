"""`supersoniq refusals`: what clients were refused lately, and who they were."""

from supersoniq.cli.remote.call import Call
from supersoniq.cli.remote.cells import Column
from supersoniq.cli.remote.listing import Listing, Selection, show_list
from supersoniq.cli.remote.words import Command

REFUSALS = Listing(
    (
        Column("time", "time"),
        Column("code", "reply_code", is_number=True),
        Column("text", "reply_text"),
        Column("method", "method_name"),
        Column("user", "user"),
        Column("vhost", "vhost"),
        Column("address", "address"),
        Column("client", "client"),
    ),
    name="reply_text",
)


def list_(call: Call, selection: Selection) -> None:
    """List who was closed for an error over AMQP or refused by the API lately; --match looks at the text."""
    show_list(call, REFUSALS, ["diagnostics", "refusals"], selection)


VERBS: dict[str, Command] = {"list": list_}
