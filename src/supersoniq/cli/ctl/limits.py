"""rabbitmqctl's words for limits."""

import json
from typing import Any

from supersoniq.cli.ctl.context import UNAVAILABLE, Command, Ctl
from supersoniq.cli.ctl.json_argument import json_object
from supersoniq.cli.ctl.terms import Term
from supersoniq.cli.ctl.users import no_such_user
from supersoniq.cli.remote.api import Missing


def set_vhost_limits(ctl: Ctl, arguments: list[str]) -> None:
    """set_vhost_limits LIMITS"""
    ctl.banner(f'Setting vhost limits to "{arguments[0]}" for vhost "{ctl.vhost}" ...')
    ctl.need_vhost()
    limits = json_object(ctl, arguments[0])
    _replace(ctl, "vhost-limits", ctl.vhost, limits)
    ctl.ok()


def clear_vhost_limits(ctl: Ctl, arguments: list[str]) -> None:
    """clear_vhost_limits"""
    ctl.banner(f'Clearing vhost "{ctl.vhost}" limits ...')
    limits = _limits(ctl, "vhost-limits", ctl.vhost)
    if not limits:
        ctl.fail("Parameter does not exist")
    _replace(ctl, "vhost-limits", ctl.vhost, {})
    ctl.ok()


def list_vhost_limits(ctl: Ctl, arguments: list[str]) -> None:
    """list_vhost_limits"""
    if ctl.options.get("global"):
        ctl.banner("Listing limits for all vhosts ...")
        found = ctl.api.get("vhost-limits")
        ctl.rows(
            ["vhost", "limits"], [[item["vhost"], _json(item["value"])] for item in found if item["value"]]
        )
        return
    ctl.banner(f'Listing limits for vhost "{ctl.vhost}" ...')
    ctl.need_vhost()
    limits = _limits(ctl, "vhost-limits", ctl.vhost)
    if not limits:
        ctl.rows([], [])
    elif ctl.is_json:
        ctl.result({"node": ctl.node, "result": "ok", "value": _json(limits)}, "")
    else:
        ctl.result(None, _json(limits))


def set_user_limits(ctl: Ctl, arguments: list[str]) -> None:
    """set_user_limits USER LIMITS"""
    user, text = arguments
    ctl.banner(f'Setting user limits to "{text}" for user "{user}" ...')
    limits = json_object(ctl, text)
    ctl.user(user, no_such_user(user), UNAVAILABLE)
    for limit, value in limits.items():
        ctl.api.put("user-limits", user, limit, body={"value": value})
    ctl.ok()


def clear_user_limits(ctl: Ctl, arguments: list[str]) -> None:
    """clear_user_limits USER LIMIT"""
    user, limit = arguments
    which = "all limits" if limit == "all" else f'"{limit}" limit'
    ctl.banner(f'Clearing {which} for user "{user}" ...')
    ctl.user(user, no_such_user(user), UNAVAILABLE)
    for name in _limits(ctl, "user-limits", user) if limit == "all" else [limit]:
        _delete(ctl, "user-limits", user, name)
    ctl.ok()


def list_user_limits(ctl: Ctl, arguments: list[str]) -> None:
    """list_user_limits"""
    user = ctl.options.get("user", "guest")
    if ctl.options.get("global"):
        ctl.banner("Listing limits for all users ...")
        found = ctl.api.get("user-limits")
        ctl.rows(
            ["user", "limits"], [[item["user"], _json(item["value"])] for item in found if item["value"]]
        )
        return
    ctl.banner(f'Listing limits for user "{user}" ...')
    ctl.user(user, no_such_user(user), UNAVAILABLE)
    ctl.message(_json(_limits(ctl, "user-limits", user)))


def _limits(ctl: Ctl, kind: str, name: str) -> dict[str, Any]:
    try:
        found = ctl.api.get(kind, name)
    except Missing:
        return {}
    return {limit: value for item in found for limit, value in item["value"].items()}


def _replace(ctl: Ctl, kind: str, name: str, limits: Any) -> None:
    """Set exactly these limits."""
    before = _limits(ctl, kind, name)
    for limit, value in limits.items():
        ctl.api.put(kind, name, limit, body={"value": value})
    for limit in before:
        if limit not in limits:
            _delete(ctl, kind, name, limit)


def _delete(ctl: Ctl, *parts: str) -> None:
    try:
        ctl.api.delete(*parts)
    except Missing:
        return


def _json(limits: dict[str, Any]) -> Term:
    return Term(json.dumps(dict(sorted(limits.items())), separators=(",", ":")))


COMMANDS = {
    "set_vhost_limits": Command(
        set_vhost_limits, "set_vhost_limits [--vhost <vhost>] <definition>", "Sets virtual host limits", 1, 1
    ),
    "clear_vhost_limits": Command(
        clear_vhost_limits, "clear_vhost_limits [--vhost <vhost>]", "Clears virtual host limits"
    ),
    "list_vhost_limits": Command(
        list_vhost_limits,
        "list_vhost_limits [--vhost <vhost>] [--global] [--no-table-headers] [--timeout <timeout>]",
        "Displays configured virtual host limits",
        switches={"global": bool},
    ),
    "set_user_limits": Command(
        set_user_limits, "set_user_limits <username> <definition>", "Sets user limits", 2, 2
    ),
    "clear_user_limits": Command(
        clear_user_limits,
        "clear_user_limits <username> <limit_type> | all",
        "Clears user connection/channel limits",
        2,
        2,
    ),
    "list_user_limits": Command(
        list_user_limits,
        "list_user_limits [--user <username>] [--global] [--timeout <timeout>]",
        "Displays configured user limits",
        switches={"user": str, "global": bool},
    ),
}
