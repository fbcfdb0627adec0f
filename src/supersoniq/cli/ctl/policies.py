"""rabbitmqctl's words for policies."""

from supersoniq.cli.ctl.context import UNAVAILABLE, Command, Ctl
from supersoniq.cli.ctl.json_argument import json_object
from supersoniq.cli.remote.api import Missing

COLUMNS = ["vhost", "name", "pattern", "apply-to", "definition", "priority"]


def _set(ctl: Ctl, arguments: list[str], kind: str, noun: str) -> None:
    name, pattern, definition = arguments
    priority = ctl.options.get("priority", 0)
    ctl.banner(
        f'Setting {noun} "{name}" for pattern "{pattern}" to "{definition}" '
        f'with priority "{priority}" for vhost "{ctl.vhost}" ...'
    )
    ctl.need_vhost()
    body = {"pattern": pattern, "definition": json_object(ctl, definition), "priority": priority}
    ctl.api.put(kind, ctl.vhost, name, body=body | {"apply-to": ctl.options.get("apply_to", "all")})
    ctl.ok()


def _clear(ctl: Ctl, name: str, kind: str, noun: str, missing: str) -> None:
    ctl.banner(f'Clearing {noun} "{name}" on vhost "{ctl.vhost}" ...')
    ctl.need_vhost()
    try:
        ctl.api.delete(kind, ctl.vhost, name)
    except Missing:
        ctl.fail(missing, UNAVAILABLE)
    ctl.ok()


def _list(ctl: Ctl, kind: str, noun: str) -> None:
    ctl.banner(f'Listing {noun} for vhost "{ctl.vhost}" ...')
    ctl.need_vhost()
    policies = ctl.api.get(kind, ctl.vhost)
    ctl.rows(COLUMNS, [[policy[column] for column in COLUMNS] for policy in policies])


def set_policy(ctl: Ctl, arguments: list[str]) -> None:
    """set_policy NAME PATTERN DEFINITION"""
    _set(ctl, arguments, "policies", "policy")


def clear_policy(ctl: Ctl, arguments: list[str]) -> None:
    """clear_policy NAME"""
    _clear(ctl, arguments[0], "policies", "policy", "Parameter does not exist")


def list_policies(ctl: Ctl, arguments: list[str]) -> None:
    """list_policies"""
    _list(ctl, "policies", "policies")


def set_operator_policy(ctl: Ctl, arguments: list[str]) -> None:
    """set_operator_policy NAME PATTERN DEFINITION"""
    _set(ctl, arguments, "operator-policies", "operator policy override")


def clear_operator_policy(ctl: Ctl, arguments: list[str]) -> None:
    """clear_operator_policy NAME"""
    _clear(ctl, arguments[0], "operator-policies", "operator policy", "Parameter does not exist")


def list_operator_policies(ctl: Ctl, arguments: list[str]) -> None:
    """list_operator_policies"""
    _list(ctl, "operator-policies", "operator policy overrides")


SWITCHES = {"priority": int, "apply_to": str}
WORDS = "[--vhost <vhost>] [--priority <priority>] [--apply-to <apply-to>] <name> <pattern> <definition>"

COMMANDS = {
    "set_policy": Command(set_policy, f"set_policy {WORDS}", "Sets or updates a policy", 3, 3, SWITCHES),
    "clear_policy": Command(
        clear_policy, "clear_policy [--vhost <vhost>] <name>", "Clears (removes) a policy", 1, 1
    ),
    "list_policies": Command(
        list_policies,
        "list_policies [--vhost <vhost>] [--no-table-headers] [--timeout <timeout>]",
        "Lists all policies in a virtual host",
    ),
    "set_operator_policy": Command(
        set_operator_policy,
        f"set_operator_policy {WORDS}",
        "Sets an operator policy that overrides a subset of arguments in user policies",
        3,
        3,
        SWITCHES,
    ),
    "clear_operator_policy": Command(
        clear_operator_policy,
        "clear_operator_policy [--vhost <vhost>] <name>",
        "Clears an operator policy",
        1,
        1,
    ),
    "list_operator_policies": Command(
        list_operator_policies,
        "list_operator_policies [--vhost <vhost>] [--no-table-headers] [--timeout <timeout>]",
        "Lists operator policy overrides for a virtual host",
    ),
}
