"""The context: what the node hands over."""

from supersoniq import Broker
from supersoniq.management.context import ManagementContext
from supersoniq.node import Node


def test_context_has_the_virtual_hosts_of_its_node(shared_broker: Broker) -> None:
    node = shared_broker.node
    assert isinstance(node, Node)
    assert isinstance(node.management, ManagementContext)
    assert node.management.vhosts is node.vhosts
    assert node.management.facts.now_ms() >= node.management.facts.started_at_ms > 0
