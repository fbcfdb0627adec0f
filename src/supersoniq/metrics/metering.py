"""The metering of one running node: what `node.py` starts and stops."""

from supersoniq.broker.counters import IOCounters
from supersoniq.metrics.of_node import NodeLimits, NodeSources
from supersoniq.metrics.pace import Pace
from supersoniq.metrics.sampler import Sampler
from supersoniq.server.server import Server
from supersoniq.session.context import Context


class Metering:
    """Takes samples on the running event loop, from `start` to `stop`; `sampler` answers at any time."""

    def __init__(self, context: Context, server: Server, limits: NodeLimits, io: IOCounters) -> None:
        self.sources = NodeSources(context, server, limits, io)
        self.sampler = Sampler(self.sources)
        self._pace = Pace(self.sampler.sampling, self.sources)

    def start(self) -> None:
        """Begin to take samples."""
        self._pace.start()

    def stop(self) -> None:
        """Take no more samples."""
        self._pace.stop()
