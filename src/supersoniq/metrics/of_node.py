"""The sources of one running node: its server's connections, and what the operating system says of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from supersoniq.broker.counters import IOCounters
from supersoniq.metrics.figures import (
    Figures,
    collections,
    descriptors_max,
    free_bytes,
    open_descriptors,
    threads,
)
from supersoniq.metrics.sources import Facts, Sources
from supersoniq.server.memory import resident_bytes
from supersoniq.server.server import Server
from supersoniq.session.connection import Connection
from supersoniq.session.context import Context


@dataclass
class NodeLimits:
    """What a node may use, 0 for no limit, and where it keeps its data. Operators change it while it runs."""

    memory_bytes: int
    disk_free_bytes: int
    data_dir: Path | None


class NodeSources(Sources):
    """Asks the parts of a node."""

    def __init__(
        self,
        context: Context,
        server: Server,
        limits: NodeLimits,
        io: IOCounters,
        facts: Callable[[], Facts],
    ) -> None:
        super().__init__(context)
        self._facts = facts
        self._server = server
        self._limits = limits
        self._io = io

    def connections(self) -> Iterable[Connection]:
        """Ask the server."""
        found = [transport.connection for transport in self._server.transports]
        return [connection for connection in found if connection is not None]

    def now_ms(self) -> int:
        """Ask the clock of the node."""
        return int(self.context.turn.timers.clock.now_ms())

    def facts(self) -> Facts:
        """Ask who knows."""
        return self._facts()

    def figures(self) -> Figures:
        """Ask the system, which takes about a millisecond."""
        io, limits = self._io, self._limits
        return Figures(
            mem_used=resident_bytes(),
            mem_limit=limits.memory_bytes,
            disk_free=free_bytes(limits.data_dir),
            disk_free_limit=limits.disk_free_bytes,
            fd_used=open_descriptors(),
            fd_total=descriptors_max(),
            sockets_used=len(self._server.transports),
            sockets_total=descriptors_max(),
            proc_used=threads(),
            gc_num=collections(),
            io_read_count=int(io.read_count),
            io_read_bytes=int(io.read_bytes),
            io_write_count=int(io.write_count),
            io_write_bytes=int(io.written_bytes),
            io_sync_count=int(io.sync_count),
            io_sync_seconds=io.sync_seconds,
        )
