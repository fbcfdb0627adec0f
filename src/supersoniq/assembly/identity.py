"""The identity of a node: what it is called, and what it tells clients that it is."""

import platform

import supersoniq
from supersoniq.metrics.sources import Facts

# What clients act on. docs/adr/0005-identity-and-qos.md says why these two do not name the project.
COMPATIBLE_PRODUCT = "RabbitMQ"
COMPATIBLE_VERSION = "3.13.7"

CAPABILITIES = (
    "publisher_confirms",
    "exchange_exchange_bindings",
    "basic.nack",
    "consumer_cancel_notify",
    "connection.blocked",
    "consumer_priorities",
    "authentication_failure_close",
    "per_consumer_qos",
    "direct_reply_to",
)


def node_name() -> str:
    """Return what the node is called, where RabbitMQ has the name of an Erlang node."""
    return f"supersoniq@{platform.node()}"


def facts_of(cluster_name: str, cluster_id: str, started_at_ms: int) -> Facts:
    """Return who the node is, for those who read its metrics."""
    return Facts(
        node=node_name(),
        cluster=cluster_name,
        cluster_id=cluster_id,
        version=COMPATIBLE_VERSION,
        product="SupersoniQ",
        product_version=supersoniq.__version__,
        runtime=f"Python {platform.python_version()}",
        started_at_ms=started_at_ms,
    )


def server_properties(cluster_name: str = "") -> dict[str, object]:
    """Return what Connection.Start tells clients about the broker, in a cluster of its own by default."""
    capabilities: dict[str, object] = dict.fromkeys(CAPABILITIES, True)
    return {
        "capabilities": capabilities,
        "cluster_name": cluster_name or node_name(),
        "copyright": "Copyright (c) the SupersoniQ authors",
        "information": "SupersoniQ, licensed under the Apache License 2.0",
        "platform": f"SupersoniQ {supersoniq.__version__} on Python {platform.python_version()}",
        "product": COMPATIBLE_PRODUCT,
        "version": COMPATIBLE_VERSION,
        "broker": "SupersoniQ",
        "broker_version": supersoniq.__version__,
    }
