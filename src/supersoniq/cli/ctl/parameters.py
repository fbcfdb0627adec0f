"""rabbitmqctl's words for runtime parameters."""

from supersoniq.cli.ctl.context import UNAVAILABLE, Command, Ctl
from supersoniq.cli.ctl.json_argument import json_argument
from supersoniq.cli.ctl.terms import Term
from supersoniq.cli.remote.api import Missing


def set_parameter(ctl: Ctl, arguments: list[str]) -> None:
    """set_parameter COMPONENT NAME VALUE"""
    component, name, value = arguments
    ctl.banner(
        f'Setting runtime parameter "{name}" for component "{component}" to "{value}" '
        f'in vhost "{ctl.vhost}" ...'
    )
    ctl.need_vhost()
    if component == "policy":
        ctl.fail("policies may not be set using this method")
    body = {"component": component, "vhost": ctl.vhost, "name": name, "value": json_argument(ctl, value)}
    ctl.api.put("parameters", component, ctl.vhost, name, body=body)
    ctl.ok()


def clear_parameter(ctl: Ctl, arguments: list[str]) -> None:
    """clear_parameter COMPONENT NAME"""
    component, name = arguments
    ctl.banner(f'Clearing runtime parameter "{name}" for component "{component}" on vhost "{ctl.vhost}" ...')
    _delete(ctl, "parameters", component, ctl.vhost, name)


def list_parameters(ctl: Ctl, arguments: list[str]) -> None:
    """list_parameters"""
    ctl.banner(f'Listing runtime parameters for vhost "{ctl.vhost}" ...')
    ctl.need_vhost()
    found = [item for item in ctl.api.get("parameters") if item["vhost"] == ctl.vhost]
    rows = [[item["component"], item["name"], _json(item["value"])] for item in found]
    ctl.rows(["component", "name", "value"], rows)


def set_global_parameter(ctl: Ctl, arguments: list[str]) -> None:
    """set_global_parameter NAME VALUE"""
    name, value = arguments
    ctl.banner(f'Setting global runtime parameter "{name}" to "{value}" ...')
    ctl.api.put("global-parameters", name, body={"name": name, "value": json_argument(ctl, value)})
    ctl.ok()


def clear_global_parameter(ctl: Ctl, arguments: list[str]) -> None:
    """clear_global_parameter NAME"""
    ctl.banner(f'Clearing global runtime parameter "{arguments[0]}" ...')
    _delete(ctl, "global-parameters", arguments[0])


def list_global_parameters(ctl: Ctl, arguments: list[str]) -> None:
    """list_global_parameters"""
    ctl.banner("Listing global runtime parameters ...")
    rows = [[item["name"], _json(item["value"])] for item in ctl.api.get("global-parameters")]
    ctl.rows(["name", "value"], rows)


def _delete(ctl: Ctl, *parts: str) -> None:
    try:
        ctl.api.delete(*parts)
    except Missing:
        ctl.fail("Parameter does not exist", UNAVAILABLE)
    ctl.ok()


def _json(value: object) -> Term:
    """rabbitmqctl shows a value as JSON, a text too."""
    import json

    return Term(json.dumps(value, separators=(",", ":"), ensure_ascii=False))


COMMANDS = {
    "set_parameter": Command(
        set_parameter,
        "set_parameter [--vhost <vhost>] <component_name> <name> <value>",
        "Sets a runtime parameter.",
        3,
        3,
    ),
    "clear_parameter": Command(
        clear_parameter,
        "clear_parameter [--vhost <vhost>] <component_name> <name>",
        "Clears a runtime parameter.",
        2,
        2,
    ),
    "list_parameters": Command(
        list_parameters,
        "list_parameters [--vhost <vhost>] [--no-table-headers] [--timeout <timeout>]",
        "Lists runtime parameters for a virtual host",
    ),
    "set_global_parameter": Command(
        set_global_parameter, "set_global_parameter <name> <value>", "Sets a runtime parameter.", 2, 2
    ),
    "clear_global_parameter": Command(
        clear_global_parameter, "clear_global_parameter <name>", "Clears a global runtime parameter", 1, 1
    ),
    "list_global_parameters": Command(
        list_global_parameters,
        "list_global_parameters [--no-table-headers] [--timeout <timeout>]",
        "Lists global runtime parameters",
    ),
}
