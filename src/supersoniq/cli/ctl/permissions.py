"""rabbitmqctl's words for permissions."""

from supersoniq.cli.ctl.context import NO_USER, UNAVAILABLE, Command, Ctl
from supersoniq.cli.ctl.users import no_such_user
from supersoniq.cli.remote.api import Missing


def _need(ctl: Ctl, user: str) -> None:
    """The user and the virtual host have to be there."""
    ctl.user(user, f"User {user} does not exist", NO_USER)
    try:
        ctl.api.get("vhosts", ctl.vhost, columns="name")
    except Missing:
        ctl.fail(f"Virtual host {ctl.vhost} does not exist")


def set_permissions(ctl: Ctl, arguments: list[str]) -> None:
    """set_permissions USER CONFIGURE WRITE READ"""
    user, configure, write, read = arguments
    ctl.banner(f'Setting permissions for user "{user}" in vhost "{ctl.vhost}" ...')
    _need(ctl, user)
    ctl.api.put("permissions", ctl.vhost, user, body={"configure": configure, "write": write, "read": read})
    ctl.ok()


def clear_permissions(ctl: Ctl, arguments: list[str]) -> None:
    """clear_permissions USER"""
    user = arguments[0]
    ctl.banner(f'Clearing permissions for user "{user}" in vhost "{ctl.vhost}" ...')
    _need(ctl, user)
    _delete(ctl, "permissions", ctl.vhost, user)
    ctl.ok()


def list_permissions(ctl: Ctl, arguments: list[str]) -> None:
    """list_permissions"""
    ctl.banner(f'Listing permissions for vhost "{ctl.vhost}" ...')
    ctl.need_vhost()
    columns = ["user", "configure", "write", "read"]
    rows = [[row[column] for column in columns] for row in ctl.api.get("vhosts", ctl.vhost, "permissions")]
    ctl.rows(columns, rows)


def list_user_permissions(ctl: Ctl, arguments: list[str]) -> None:
    """list_user_permissions USER"""
    user = arguments[0]
    ctl.banner(f'Listing permissions for user "{user}" ...')
    ctl.user(user, no_such_user(user), UNAVAILABLE)
    columns = ["vhost", "configure", "write", "read"]
    rows = [[row[column] for column in columns] for row in ctl.api.get("users", user, "permissions")]
    ctl.rows(columns, rows)


def set_topic_permissions(ctl: Ctl, arguments: list[str]) -> None:
    """set_topic_permissions USER EXCHANGE WRITE READ"""
    user, exchange, write, read = arguments
    ctl.banner(f'Setting topic permissions on "{exchange}" for user "{user}" in vhost "{ctl.vhost}" ...')
    _need(ctl, user)
    body = {"exchange": exchange, "write": write, "read": read}
    ctl.api.put("topic-permissions", ctl.vhost, user, body=body)
    ctl.ok()


def clear_topic_permissions(ctl: Ctl, arguments: list[str]) -> None:
    """clear_topic_permissions USER [EXCHANGE]"""
    user, exchange = arguments[0], arguments[1:]
    on = f' on "{exchange[0]}"' if exchange else ""
    ctl.banner(f'Clearing topic permissions{on} for user "{user}" in vhost "{ctl.vhost}" ...')
    _need(ctl, user)
    _delete(ctl, "topic-permissions", ctl.vhost, user, *exchange)
    ctl.ok()


def list_topic_permissions(ctl: Ctl, arguments: list[str]) -> None:
    """list_topic_permissions"""
    ctl.banner(f'Listing topic permissions for vhost "{ctl.vhost}" ...')
    ctl.need_vhost()
    columns = ["user", "exchange", "write", "read"]
    rows = [
        [row[column] for column in columns] for row in ctl.api.get("vhosts", ctl.vhost, "topic-permissions")
    ]
    ctl.rows(columns, rows)


def list_user_topic_permissions(ctl: Ctl, arguments: list[str]) -> None:
    """list_user_topic_permissions USER"""
    user = arguments[0]
    ctl.banner(f'Listing topic permissions for user "{user}" ...')
    ctl.user(user, no_such_user(user), UNAVAILABLE)
    columns = ["vhost", "exchange", "write", "read"]
    rows = [[row[column] for column in columns] for row in ctl.api.get("users", user, "topic-permissions")]
    ctl.options.setdefault("table_headers", False)  # this listing of rabbitmqctl has none
    ctl.rows(columns, rows)


def _delete(ctl: Ctl, *parts: str) -> None:
    """Delete what is there; that there is nothing is no error to rabbitmqctl."""
    try:
        ctl.api.delete(*parts)
    except Missing:
        return


COMMANDS = {
    "set_permissions": Command(
        set_permissions,
        "set_permissions [--vhost <vhost>] <username> <conf> <write> <read>",
        "Sets user permissions for a vhost",
        4,
        4,
    ),
    "clear_permissions": Command(
        clear_permissions,
        "clear_permissions [--vhost <vhost>] <username>",
        "Revokes user permissions for a vhost",
        1,
        1,
    ),
    "list_permissions": Command(
        list_permissions,
        "list_permissions [--vhost <vhost>] [--no-table-headers] [--timeout <timeout>]",
        "Lists user permissions in a virtual host",
    ),
    "list_user_permissions": Command(
        list_user_permissions,
        "list_user_permissions [--no-table-headers] <username> [--timeout <timeout>]",
        "Lists permissions of a user across all virtual hosts",
        1,
        1,
    ),
    "set_topic_permissions": Command(
        set_topic_permissions,
        "set_topic_permissions [--vhost <vhost>] <username> <exchange> <write> <read>",
        "Sets user topic permissions for an exchange",
        4,
        4,
    ),
    "clear_topic_permissions": Command(
        clear_topic_permissions,
        "clear_topic_permissions [--vhost <vhost>] <username> [<exchange>]",
        "Clears user topic permissions for a vhost or exchange",
        1,
        2,
    ),
    "list_topic_permissions": Command(
        list_topic_permissions,
        "list_topic_permissions [--vhost <vhost>] [--no-table-headers] [--timeout <timeout>]",
        "Lists topic permissions in a virtual host",
    ),
    "list_user_topic_permissions": Command(
        list_user_topic_permissions,
        "list_user_topic_permissions [--no-table-headers] <username> [--timeout <timeout>]",
        "Lists user topic permissions",
        1,
        1,
    ),
}
