"""What the management API works with, handed over by `node.py`."""

from abc import ABC, abstractmethod

from supersoniq.broker.vhost import VHost
from supersoniq.management.control import NodeControl
from supersoniq.metrics.sampler import Sampler
from supersoniq.server.logins import PasswordLogins
from supersoniq.server.server import Server
from supersoniq.session.context import Context


class NodeFacts(ABC):
    """What the API says of the node itself."""

    def __init__(self, name: str, started_at_ms: int) -> None:
        self.name = name
        self.started_at_ms = started_at_ms

    @abstractmethod
    def now_ms(self) -> int:
        """Return the time."""


class ManagementContext:
    """The parts of one node that the API looks at and acts on."""

    def __init__(
        self,
        context: Context,
        server: Server,
        facts: NodeFacts,
        logins: PasswordLogins,
        sampler: Sampler,
    ) -> None:
        self.context = context
        self.logins = logins
        self.server = server
        self.facts = facts
        self.sampler = sampler
        self.control: NodeControl | None = None

    @property
    def vhosts(self) -> dict[str, VHost]:
        """The virtual hosts by name."""
        return self.context.vhosts
