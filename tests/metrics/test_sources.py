"""What there is to be measured."""

from tests.metrics.bench import ScriptSources
from tests.session.script import Node


def test_virtual_hosts_are_those_of_the_context() -> None:
    node = Node()
    assert list(ScriptSources(node).vhosts) == ["/"]
    node.context.vhosts["other"] = node.vhost
    assert list(ScriptSources(node).vhosts) == ["/", "other"]
