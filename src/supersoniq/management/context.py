"""What the management API works with, handed over by `node.py`."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

from supersoniq.broker.vhost import VHost
from supersoniq.control.administration import Administration
from supersoniq.management.catalog import Catalog
from supersoniq.management.control import NodeControl
from supersoniq.management.jobs import Jobs
from supersoniq.metrics.sampler import Sampler
from supersoniq.server.logins import PasswordLogins
from supersoniq.server.server import Server
from supersoniq.session.connection import RUNNING, Connection
from supersoniq.session.context import Context
from supersoniq.session.refusals import Refusals


@dataclass(frozen=True)
class Listener:
    """A socket that clients connect to. `protocol` is RabbitMQ's word: `amqp`, `amqp/ssl`, `http`."""

    protocol: str
    host: str
    port: int


class NodeFacts(ABC):
    """What the API says of the node itself."""

    def __init__(
        self, name: str, started_at_ms: int, version: str, rabbitmq_version: str, data_dir: str
    ) -> None:
        self.name = name  # where RabbitMQ has the name of an Erlang node
        self.started_at_ms = started_at_ms
        self.version = version  # of SupersoniQ
        self.rabbitmq_version = rabbitmq_version  # which tools are told
        self.data_dir = data_dir
        self.config_files: tuple[str, ...] = ()
        # Host and port of every listener, by protocol.
        self.addresses: dict[str, list[tuple[str, int]]] = {}

    @abstractmethod
    def now_ms(self) -> int:
        """Return the time."""

    @abstractmethod
    def expiring_certificates(self, days: int) -> list[dict[str, object]]:
        """Return the certificates of listeners that expire within so many days."""

    def listeners(self) -> list[Listener]:
        """Return what is listened on."""
        return [
            Listener(protocol, host, port)
            for protocol, addresses in self.addresses.items()
            for host, port in addresses
        ]


class ManagementContext:
    """The parts of one node that the API looks at and acts on."""

    def __init__(
        self,
        context: Context,
        server: Server,
        facts: NodeFacts,
        logins: PasswordLogins,
        administration: Administration,
        sampler: Sampler,
    ) -> None:
        self.context = context
        self.server = server
        self.facts = facts
        self.logins = logins
        self.administration = administration
        self.sampler = sampler
        self.control: NodeControl | None = None
        self.catalog = Catalog()
        self.http_refusals = Refusals()  # requests; those of AMQP are kept by the context of its sessions
        self.jobs = Jobs(facts.now_ms)

    @property
    def cluster_name(self) -> str:
        """What the cluster is called: the node's name, if nobody has said anything else."""
        return self.administration.cluster_name or self.facts.name

    @property
    def vhosts(self) -> dict[str, VHost]:
        """The virtual hosts by name."""
        return self.context.vhosts

    def connections(self) -> Iterator[Connection]:
        """Return the connections that have opened a virtual host."""
        for transport in list(self.server.transports):
            connection = transport.connection
            if connection is not None and connection.state == RUNNING:
                yield connection
