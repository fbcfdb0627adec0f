"""Records of the audit log: what an event says, in one schema (docs/audit-log.schema.json).

Events that are not about logins, refusals or changes have none, nor have changes of topology that nobody has
asked for: what goes with its connection or expires.
"""

from datetime import UTC, datetime
from typing import Final

from supersoniq.amqp.primitives import text
from supersoniq.amqp.tables import Field, plain_value
from supersoniq.audit.masking import masked
from supersoniq.broker.events import ADDRESS, INTERNAL_USER, USER

# What the events of an object begin with, by what the object is called; longer ones first.
KINDS: Final = {
    "topic.permission.": "topic_permission",
    "permission.": "permission",
    "operator.policy.": "operator_policy",
    "policy.": "policy",
    "parameter.": "parameter",
    "vhost.": "vhost",
    "user.": "user",
    "queue.": "queue",
    "exchange.": "exchange",
    "binding.": "binding",
    "supersoniq.queue.": "queue",
    "supersoniq.definitions.": "definitions",
    "supersoniq.access.": "access",
}
TOPOLOGY: Final = frozenset({"queue", "exchange", "binding"})
OUTCOMES: Final = {
    "user.authentication.success": "success",
    "user.authentication.failure": "failure",
    "supersoniq.access.refused": "refused",
}
# Fields that have a place of their own in a record.
PLACED: Final = frozenset({USER, ADDRESS, "connection_name", "vhost", "peer_host", "peer_port", "host"})


def audit_record(name: str, fields: dict[str, object], now_ms: int) -> dict[str, object] | None:
    """Return the record of an event, None if it has none."""
    kind = _kind(name)
    values = {key: _plain(value) for key, value in fields.items() if value is not None}
    if kind is None or (kind in TOPOLOGY and _is_by_itself(kind, values)):
        return None
    is_login = name.startswith("user.authentication.")
    named = _named(kind, values)
    vhost = values.get("name") if kind == "vhost" and "vhost" not in values else values.get("vhost")
    return {
        "time": datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds"),
        "event": name.removeprefix("supersoniq."),
        "user": values.get("name") if is_login else values.get(USER),
        "address": values.get(ADDRESS) or _peer(values),
        "connection": values.get("connection_name"),
        "vhost": vhost,
        "object": None if named is None else {"kind": kind, "name": named},
        "outcome": OUTCOMES.get(name, "done"),
        "detail": masked({key: value for key, value in values.items() if key not in PLACED | {"name"}}),
    }


def _kind(name: str) -> str | None:
    for prefix, kind in KINDS.items():
        if name.startswith(prefix):
            return kind
    return None


def _is_by_itself(kind: str, values: dict[str, object]) -> bool:
    """Whether nobody has asked for it.

    Exchanges whose names are reserved come and go with virtual hosts. Whoever uses the local socket is called
    as the node itself is, but has an address.
    """
    name = str(values.get("name", ""))
    if kind == "exchange" and (not name or name.startswith("amq.")):
        return True
    return values.get(USER) == INTERNAL_USER and not values.get(ADDRESS)


def _named(kind: str, values: dict[str, object]) -> str | None:
    """Return what the object is called."""
    if kind in ("permission", "topic_permission"):
        name = values.get("user")
    elif kind == "binding":
        name = f"{values.get('source_name')} -> {values.get('destination_name')}"
    elif kind == "parameter":
        name = f"{values.get('component')}/{values.get('name')}"
    elif kind == "user":
        name = values.get("username", values.get("name"))
    elif kind == "vhost":
        name = values.get("vhost", values.get("name"))
    else:
        name = values.get("name")
    return None if name is None else str(name)


def _peer(values: dict[str, object]) -> str | None:
    host, port = values.get("peer_host"), values.get("peer_port")
    if not host:
        return None
    return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"


def _plain(value: object) -> object:
    """Return a value as JSON can have it."""
    if isinstance(value, Field):
        return _plain(plain_value(value))
    if isinstance(value, bytes):
        return text(value)
    if isinstance(value, dict):
        return {str(_plain(key)): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    return value if isinstance(value, str | int | float | None) else str(value)
