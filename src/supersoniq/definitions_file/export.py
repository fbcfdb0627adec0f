"""Export: what a node has, written as RabbitMQ writes it, so that RabbitMQ and this broker can read it."""

from supersoniq.amqp.primitives import text
from supersoniq.amqp.tables import plain
from supersoniq.auth.passwords import MD5, SHA256, SHA512
from supersoniq.auth.users import User
from supersoniq.broker.exchanges.base import Exchange
from supersoniq.broker.queues.queue import NOBODY, Queue
from supersoniq.broker.vhost import HIDDEN_PREFIXES, RESERVED, VHost
from supersoniq.control.administration import Administration
from supersoniq.control.policies import policy_value

# The hashes that RabbitMQ can verify.
RABBITMQ_HASHES = frozenset({MD5, SHA256, SHA512})

Parts = list[dict[str, object]]


def export_node(administration: Administration, product: str, version: str) -> dict[str, object]:
    """Return all that a node has, as values for JSON; `product` and `version` are what it is to clients."""
    vhosts = administration.vhosts
    return {
        "rabbit_version": version,
        "rabbitmq_version": version,
        "product_name": product,
        "product_version": version,
        "users": [_user(user) for user in administration.users],
        "vhosts": [_vhost(administration, name) for name in vhosts],
        "permissions": [
            {
                "user": user,
                "vhost": vhost,
                "configure": permission.configure,
                "write": permission.write,
                "read": permission.read,
            }
            for user, vhost, permission in administration.permissions.rows()
        ],
        "topic_permissions": [
            {"user": user, "vhost": vhost, "exchange": exchange, "write": topic.write, "read": topic.read}
            for user, vhost, exchange, topic in administration.permissions.topic_rows()
        ],
        "parameters": _parameters(administration),
        "global_parameters": [
            {"name": name, "value": value} for name, value in administration.global_parameters.items()
        ],
        "policies": [part for vhost in vhosts.values() for part in _policies(vhost)],
        "queues": [part for vhost in vhosts.values() for part in _queues(vhost)],
        "exchanges": [part for vhost in vhosts.values() for part in _exchanges(vhost)],
        "bindings": [part for vhost in vhosts.values() for part in _bindings(vhost)],
    }


def export_vhost(administration: Administration, name: str, version: str) -> dict[str, object]:
    """Return what one virtual host has; its exchanges, queues and bindings do not say where they are."""
    vhost = administration.vhosts[name]
    return {
        "rabbit_version": version,
        "parameters": [part for part in _parameters(administration) if part["vhost"] == name],
        "policies": _policies(vhost),
        "queues": _without_vhost(_queues(vhost)),
        "exchanges": _without_vhost(_exchanges(vhost)),
        "bindings": _without_vhost(_bindings(vhost)),
    }


def _without_vhost(parts: Parts) -> Parts:
    return [{name: value for name, value in part.items() if name != "vhost"} for part in parts]


def _user(user: User) -> dict[str, object]:
    """A hash that RabbitMQ does not know stands beside: to RabbitMQ the user has no password then."""
    password = user.password
    part: dict[str, object] = {
        "name": user.name,
        "password_hash": "",
        "hashing_algorithm": SHA256,
        "tags": sorted(user.tags),
        "limits": user.limits,
    }
    if password is not None:
        hashed: dict[str, object] = {
            "password_hash": password.encoded,
            "hashing_algorithm": password.algorithm,
        }
        part |= hashed if password.algorithm in RABBITMQ_HASHES else {"supersoniq_password": hashed}
    return part


def _vhost(administration: Administration, name: str) -> dict[str, object]:
    metadata = administration.vhost_metadata[name]
    said: dict[str, object] = {"description": metadata.description, "tags": list(metadata.tags)}
    if metadata.default_queue_type:
        said["default_queue_type"] = metadata.default_queue_type
    part: dict[str, object] = {"name": name, **said, "metadata": said}
    return {**part, "tracing": True} if metadata.tracing else part


def _parameters(administration: Administration) -> Parts:
    return [
        {"value": value, "vhost": vhost, "component": component, "name": name}
        for (component, vhost, name), value in administration.parameters.items()
    ]


def _policies(vhost: VHost) -> Parts:
    return [
        {"vhost": vhost.name, "name": policy.name, **policy_value(policy)}
        for policy in vhost.policies.user.by_name.values()
    ]


def _is_exported(queue: Queue) -> bool:
    """Whether others could declare it: neither exclusive nor the node's own."""
    return queue.owner == NOBODY and not queue.name.startswith(HIDDEN_PREFIXES)


def _queues(vhost: VHost) -> Parts:
    return [
        {
            "name": text(queue.name),
            "vhost": vhost.name,
            "durable": queue.durable,
            "auto_delete": queue.auto_delete,
            "arguments": plain(queue.options.arguments),
        }
        for queue in vhost.queues.values()
        if _is_exported(queue)
    ]


def _exchanges(vhost: VHost) -> Parts:
    return [
        {
            "name": text(exchange.name),
            "vhost": vhost.name,
            "type": exchange.kind,
            "durable": exchange.durable,
            "auto_delete": exchange.auto_delete,
            "internal": exchange.internal,
            "arguments": plain(exchange.arguments),
        }
        for exchange in vhost.exchanges.values()
        if exchange.name and not exchange.name.startswith(RESERVED)
    ]


def _bindings(vhost: VHost) -> Parts:
    parts: Parts = []
    for exchange in vhost.exchanges.values():
        for binding in exchange.bindings.values():
            destination = binding.destination
            if isinstance(destination, Queue) and not _is_exported(destination):
                continue
            parts.append(
                {
                    "source": text(exchange.name),
                    "vhost": vhost.name,
                    "destination": text(destination.name),
                    "destination_type": "exchange" if isinstance(destination, Exchange) else "queue",
                    "routing_key": text(binding.binding_key),
                    "arguments": plain(binding.arguments),
                }
            )
    return parts
