"""A node of scripts as the sources of metrics, with a clock that a test moves."""

from collections.abc import Iterable

from tests.session.script import Node

from supersoniq.metrics.figures import Figures
from supersoniq.metrics.sampling import Sampling
from supersoniq.metrics.sources import Facts, Sources
from supersoniq.session.connection import Connection

FACTS = Facts(
    node="n@host",
    cluster="c",
    cluster_id="rabbitmq-cluster-id-x",
    version="3.13.7",
    product="SupersoniQ",
    product_version="1.2.3",
    runtime="Python 3",
    started_at_ms=900_000,
)


class ScriptSources(Sources):
    """What a script's node has; `node_figures` are what a test says they are."""

    def __init__(self, node: Node) -> None:
        super().__init__(node.context)
        self.node = node
        self.node_figures = Figures()

    def connections(self) -> Iterable[Connection]:
        return [client.session for client in self.node.clients]

    def now_ms(self) -> int:
        return self.node.clock.now

    def figures(self) -> Figures:
        return self.node_figures

    def facts(self) -> Facts:
        return FACTS


def sample(sampling: Sampling, node: Node, seconds: float = 5.0) -> None:
    """Let time pass, then take all samples."""
    node.pass_time(int(seconds * 1000))
    sampling.begin()
    while sampling.step(1.0):
        pass
