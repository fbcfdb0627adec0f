"""rabbitmqctl's words for virtual hosts."""

from typing import Any

from supersoniq.cli.ctl.columns import checked
from supersoniq.cli.ctl.context import DATA, Command, Ctl, CtlError
from supersoniq.cli.ctl.terms import Atom
from supersoniq.cli.remote.api import Missing

COLUMNS = (
    "name",
    "description",
    "tags",
    "default_queue_type",
    "tracing",
    "cluster_state",
    "protected_from_deletion",
)


def add_vhost(ctl: Ctl, arguments: list[str]) -> None:
    """add_vhost NAME"""
    name = arguments[0]
    ctl.banner(f'Adding vhost "{name}" ...')
    ctl.api.put("vhosts", name, body=_metadata(ctl))
    ctl.ok()


def _metadata(ctl: Ctl) -> dict[str, Any]:
    fields = ("description", "tags", "default_queue_type")
    return {field: ctl.options[field] for field in fields if field in ctl.options}


def update_vhost_metadata(ctl: Ctl, arguments: list[str]) -> None:
    """update_vhost_metadata NAME"""
    name = arguments[0]
    ctl.banner(f'Updating metadata of vhost "{name}" ...')
    _known(ctl, name)
    ctl.api.put("vhosts", name, body=_metadata(ctl))
    ctl.ok()


def set_vhost_tags(ctl: Ctl, arguments: list[str]) -> None:
    """set_vhost_tags NAME TAG…"""
    name, tags = arguments[0], arguments[1:]
    ctl.banner(f'Setting tags for virtual host "{name}" to [{", ".join(tags)}] ...')
    _known(ctl, name)
    ctl.api.put("vhosts", name, body={"tags": ",".join(tags)})
    ctl.ok()


def delete_vhost(ctl: Ctl, arguments: list[str]) -> None:
    """delete_vhost NAME"""
    name = arguments[0]
    ctl.banner(f'Deleting vhost "{name}" ...')
    try:
        ctl.api.delete("vhosts", name)
    except Missing:
        raise _missing(name) from None
    ctl.ok()


def restart_vhost(ctl: Ctl, arguments: list[str]) -> None:
    """restart_vhost"""
    ctl.banner(f"Trying to restart vhost '{ctl.vhost}' on node '{ctl.node}' ...")
    ctl.need_vhost()
    ctl.message(f"Vhost '{ctl.vhost}' is already running on node '{ctl.node}'")


def list_vhosts(ctl: Ctl, arguments: list[str]) -> None:
    """list_vhosts [COLUMN…]"""
    columns = checked(arguments or ["name"], COLUMNS)
    ctl.banner("Listing vhosts ...")
    ctl.rows(columns, [[_value(vhost, column) for column in columns] for vhost in ctl.api.get("vhosts")])


def _value(vhost: dict[str, Any], column: str) -> Any:
    value = vhost.get(column)
    if column == "tags":
        return [Atom(tag) for tag in (value.split(",") if isinstance(value, str) else value or []) if tag]
    return value


def trace_on(ctl: Ctl, arguments: list[str]) -> None:
    """trace_on"""
    ctl.banner(f'Starting tracing for vhost "{ctl.vhost}" ...')
    ctl.need_vhost()
    ctl.api.put("vhosts", ctl.vhost, body={"tracing": True})
    ctl.message(f"Trace enabled for vhost {ctl.vhost}")


def trace_off(ctl: Ctl, arguments: list[str]) -> None:
    """trace_off"""
    ctl.banner(f'Stopping tracing for vhost "{ctl.vhost}" ...')
    ctl.need_vhost()
    ctl.api.put("vhosts", ctl.vhost, body={"tracing": False})
    ctl.message(f"Trace disabled for vhost {ctl.vhost}")


def _known(ctl: Ctl, name: str) -> None:
    try:
        ctl.api.get("vhosts", name, columns="name")
    except Missing:
        raise _missing(name) from None


def _missing(name: str) -> CtlError:
    return CtlError(DATA, f"Virtual host '{name}' does not exist\n")


METADATA = {"description": str, "tags": str, "default_queue_type": str}
OPTIONS = '[--description <description> --tags "<tag1>,<tag2>,<...>" --default-queue-type <quorum|classic>]'

COMMANDS = {
    "add_vhost": Command(add_vhost, f"add_vhost <vhost> {OPTIONS}", "Creates a virtual host", 1, 1, METADATA),
    "delete_vhost": Command(delete_vhost, "delete_vhost <vhost>", "Deletes a virtual host", 1, 1),
    "list_vhosts": Command(
        list_vhosts,
        "list_vhosts [--no-table-headers] [<column> ...] [--timeout <timeout>]",
        "Lists virtual hosts",
        0,
        None,
    ),
    "set_vhost_tags": Command(
        set_vhost_tags, "set_vhost_tags <vhost> <tag> [...]", "Sets virtual host tags", 1, None
    ),
    "update_vhost_metadata": Command(
        update_vhost_metadata,
        f"update_vhost_metadata <vhost> {OPTIONS}",
        "Changes a virtual host",
        1,
        1,
        METADATA,
    ),
    "restart_vhost": Command(
        restart_vhost, "restart_vhost [--vhost <vhost>]", "Does nothing: virtual hosts run"
    ),
    "trace_on": Command(
        trace_on, "trace_on [--vhost <vhost>]", "Publishes what happens to amq.rabbitmq.trace"
    ),
    "trace_off": Command(trace_off, "trace_off [--vhost <vhost>]", "Ends tracing of a virtual host"),
}
