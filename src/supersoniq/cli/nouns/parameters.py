"""`supersoniq parameters`: runtime parameters of virtual hosts, and global ones."""

from typing import Annotated

from supersoniq.cli.nouns.shared import AnyVhost, Vhost, json_of
from supersoniq.cli.remote.api import Missing
from supersoniq.cli.remote.call import Call, Failed
from supersoniq.cli.remote.cells import Column
from supersoniq.cli.remote.listing import Listing, Selection, show_list
from supersoniq.cli.remote.words import Argument, Command

PARAMETERS = Listing(
    (
        Column("component", "component"),
        Column("vhost", "vhost"),
        Column("name", "name"),
        Column("value", "value"),
    )
)
GLOBAL_PARAMETERS = Listing((Column("name", "name"), Column("value", "value")))
Component = Annotated[str, Argument("COMPONENT", "Who reads it.")]
Name = Annotated[str, Argument("NAME", "The parameter.")]
Value = Annotated[str, Argument("VALUE", "JSON.")]


def list_(call: Call, selection: Selection, vhost: AnyVhost = None) -> None:
    """List the runtime parameters."""
    show_list(call, PARAMETERS, ["parameters"], selection, vhost=vhost)


def set_(call: Call, component: Component, name: Name, value: Value, vhost: Vhost = "/") -> None:
    """Set a runtime parameter."""
    call.known("virtual host", vhost, ("vhosts", vhost))
    body = {"component": component, "vhost": vhost, "name": name, "value": json_of(value, "value")}
    call.api.put("parameters", component, vhost, name, body=body)
    call.done(f"parameter {name} of {component} is set in virtual host {vhost}")


def delete(call: Call, component: Component, name: Name, vhost: Vhost = "/") -> None:
    """Delete a runtime parameter."""
    try:
        call.api.delete("parameters", component, vhost, name)
    except Missing:
        raise Failed(f"no parameter {name} of {component} in virtual host {vhost}") from None
    call.done(f"parameter {name} of {component} is deleted")


def list_global(call: Call, selection: Selection) -> None:
    """List the global parameters."""
    show_list(call, GLOBAL_PARAMETERS, ["global-parameters"], selection)


def set_global(call: Call, name: Name, value: Value) -> None:
    """Set a global parameter."""
    call.api.put("global-parameters", name, body={"name": name, "value": json_of(value, "value")})
    call.done(f"global parameter {name} is set")


def delete_global(call: Call, name: Name) -> None:
    """Delete a global parameter."""
    try:
        call.api.delete("global-parameters", name)
    except Missing:
        raise Failed(f"no global parameter {name}") from None
    call.done(f"global parameter {name} is deleted")


VERBS: dict[str, Command] = {
    "list": list_,
    "set": set_,
    "delete": delete,
    "list-global": list_global,
    "set-global": set_global,
    "delete-global": delete_global,
}
