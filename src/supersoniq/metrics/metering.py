"""The metering of one running node: what `node.py` starts and stops."""

from collections.abc import Callable

from supersoniq.broker.counters import IOCounters
from supersoniq.metrics.app import MetricsApp
from supersoniq.metrics.of_node import NodeLimits, NodeSources
from supersoniq.metrics.pace import Pace
from supersoniq.metrics.sampler import Sampler
from supersoniq.metrics.sources import Facts
from supersoniq.server.server import Server
from supersoniq.server.stall_watch import StallWatch
from supersoniq.session.context import Context


class Metering:
    """Takes samples on the running event loop, from `start` to `stop`; `sampler` answers at any time.

    A standstill of the loop of `stall_seconds` is logged, unless that is 0.
    """

    def __init__(
        self,
        context: Context,
        server: Server,
        limits: NodeLimits,
        io: IOCounters,
        facts: Callable[[], Facts],
        stall_seconds: float,
    ) -> None:
        self.sources = NodeSources(context, server, limits, io, facts)
        self.sampler = Sampler(self.sources)
        self._pace = Pace(self.sampler.sampling, self.sources)
        self._stall_watch: StallWatch | None = None
        if stall_seconds > 0:
            self._stall_watch = StallWatch(context.turn, context.counters, stall_seconds)

    def app(self) -> MetricsApp:
        """Return the pages for Prometheus."""
        return MetricsApp(self.sources, self.sampler.sampling)

    def start(self) -> None:
        """Begin to take samples, and to watch the loop."""
        self._pace.start()
        if self._stall_watch is not None:
            self._stall_watch.start()

    def own_process(self) -> None:
        """The process is there for this node: its signals may tell what holds up the loop."""
        if self._stall_watch is not None:
            self._stall_watch.look()

    def stop(self) -> None:
        """Take no more samples."""
        self._pace.stop()
        if self._stall_watch is not None:
            self._stall_watch.stop()
