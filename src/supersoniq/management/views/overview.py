"""The node at a glance."""

from supersoniq.management.context import ManagementContext


def overview_view(management: ManagementContext) -> dict[str, object]:
    """Return RabbitMQ's overview."""
    return {"node": management.facts.name, "product_name": "RabbitMQ"}
