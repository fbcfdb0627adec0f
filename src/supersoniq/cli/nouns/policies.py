"""`supersoniq policies`: policies and operator policies."""

from typing import Annotated

from supersoniq.cli.nouns.shared import AnyVhost, Vhost, object_of, with_vhost
from supersoniq.cli.remote.api import Missing
from supersoniq.cli.remote.call import Call
from supersoniq.cli.remote.cells import Column
from supersoniq.cli.remote.listing import Listing, Selection, show_list
from supersoniq.cli.remote.words import Argument, Command, Option

POLICIES = Listing(
    (
        Column("name", "name"),
        Column("vhost", "vhost"),
        Column("pattern", "pattern"),
        Column("apply to", "apply-to"),
        Column("priority", "priority", is_number=True),
        Column("definition", "definition"),
    )
)
APPLY_TO = ("all", "queues", "exchanges", "classic_queues", "quorum_queues", "streams")
Operator = Annotated[
    bool, Option(("--operator", "-o"), "Operator policies: they only lower limits, and are the operator's.")
]
Name = Annotated[str, Argument("NAME", "The policy.", "policies")]
NewName = Annotated[str, Argument("NAME", "The policy.")]


def list_(call: Call, selection: Selection, vhost: AnyVhost = None, operator: Operator = False) -> None:
    """List the policies."""
    show_list(call, POLICIES, with_vhost(_kind(operator), vhost=vhost), selection)


def set_(
    call: Call,
    name: NewName,
    pattern: Annotated[str, Argument("PATTERN", "Regular expression of the names that it applies to.")],
    definition: Annotated[str, Argument("DEFINITION", """A JSON object, as in '{"max-length": 1000}'.""")],
    priority: Annotated[int, Option(("--priority",), "The highest one that matches applies.", "NUMBER")] = 0,
    apply_to: Annotated[str, Option(("--apply-to",), "What it applies to.", "KIND", APPLY_TO)] = "all",
    vhost: Vhost = "/",
    operator: Operator = False,
) -> None:
    """Set a policy: it applies at once to all that is there, and to all that will be."""
    call.known("virtual host", vhost, ("vhosts", vhost))
    body = {
        "pattern": pattern,
        "definition": object_of(definition, "definition"),
        "priority": priority,
        "apply-to": apply_to,
    }
    call.api.put(_kind(operator), vhost, name, body=body)
    call.done(f"{_noun(operator)} {name} applies in virtual host {vhost}")


def delete(call: Call, name: Name, vhost: Vhost = "/", operator: Operator = False) -> None:
    """Delete a policy."""
    parts = (_kind(operator), vhost, name)
    try:
        call.api.delete(*parts)
    except Missing as error:
        raise call.missing(_noun(operator), name, parts, error) from None
    call.done(f"{_noun(operator)} {name} is deleted")


def _kind(is_operator: bool) -> str:
    return "operator-policies" if is_operator else "policies"


def _noun(is_operator: bool) -> str:
    return "operator policy" if is_operator else "policy"


VERBS: dict[str, Command] = {"list": list_, "set": set_, "delete": delete}
