"""What there is to be measured in a node, as `node.py` hands it over."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from supersoniq.broker.vhost import VHost
from supersoniq.metrics.figures import Figures
from supersoniq.session.connection import Connection
from supersoniq.session.context import Context


@dataclass(frozen=True)
class Facts:
    """Who a node is. `version` is what clients are told; dashboards and tools compare with it."""

    node: str
    cluster: str
    cluster_id: str
    version: str
    product: str
    product_version: str
    runtime: str
    started_at_ms: int


class Sources(ABC):
    """The parts of one node that have counters, and the figures of the node itself."""

    def __init__(self, context: Context) -> None:
        self.context = context

    @property
    def vhosts(self) -> Mapping[str, VHost]:
        """The virtual hosts by name."""
        return self.context.vhosts

    @abstractmethod
    def connections(self) -> Iterable[Connection]:
        """Return the connections, those included that are still shaking hands."""

    @abstractmethod
    def now_ms(self) -> int:
        """Return the time, in milliseconds since the epoch."""

    @abstractmethod
    def figures(self) -> Figures:
        """Return what the operating system and the store say of the node now."""

    @abstractmethod
    def facts(self) -> Facts:
        """Return who the node is."""
