"""What operators change about a running node: its limits, its log, and that it runs."""

import logging
from collections.abc import Callable

from supersoniq.logs import ROOT, RecentLog
from supersoniq.management.control import NodeControl, Uncontrolled
from supersoniq.metrics.of_node import NodeLimits
from supersoniq.server.disk_watch import DiskWatch
from supersoniq.server.memory import available_bytes
from supersoniq.server.memory_watch import MemoryWatch
from supersoniq.server.server import Server
from supersoniq.settings.values import memory_bytes, size_bytes

logger = logging.getLogger(__name__)

LEVELS = ("debug", "info", "warning", "error", "critical")


class RunningControl(NodeControl):
    """Acts on the parts of one node. What concerns the process is only for one that `serve` runs."""

    def __init__(
        self, memory_watch: MemoryWatch, disk_watch: DiskWatch | None, limits: NodeLimits, server: Server
    ) -> None:
        self._memory_watch = memory_watch
        self._disk_watch = disk_watch
        self._limits = limits
        self._server = server
        self._stop: Callable[[], None] | None = None
        self._recent: RecentLog | None = None

    def own_process(self, stop: Callable[[], None], recent: RecentLog) -> None:
        """The process is there for this node: `stop` ends it, `recent` is its log."""
        self._stop = stop
        self._recent = recent

    def set_memory_limit(self, limit: str) -> None:
        """Change the limit, and look at once."""
        count = memory_bytes(limit, available_bytes())
        if not count and limit.strip().rstrip("%").strip("0."):
            count = 1  # less than a byte is no wish for no limit
        self._limits.memory_bytes = count
        self._memory_watch.set_limit(count)
        self._server.check_alarms()
        logger.info("memory_limit is %s (%d bytes) now, as an operator asked for", limit, count)

    def set_disk_free_limit(self, limit: str) -> None:
        """Change the limit, and look at once."""
        count = size_bytes(limit)
        if self._disk_watch is None:
            raise Uncontrolled("the node keeps nothing on a disk")
        self._limits.disk_free_bytes = count
        self._disk_watch.set_limit(count)
        self._server.check_alarms()
        logger.info("disk_free_limit is %s (%d bytes) now, as an operator asked for", limit, count)

    def set_log_level(self, level: str) -> None:
        """Change the level of our own loggers."""
        if level not in LEVELS:
            raise ValueError(f"expected {', '.join(LEVELS)}")
        self._own_log()
        logging.getLogger(ROOT).setLevel(level.upper())
        logger.info("log_level is %s now, as an operator asked for", level)

    def log_lines(self, count: int) -> list[str]:
        """Return what was logged last."""
        return self._own_log().lines(count)

    def stop(self) -> None:
        """Have the process end."""
        if self._stop is None:
            raise Uncontrolled("the node is part of another program, which stops it")
        logger.info("stop: an operator asked for it")
        self._stop()

    def _own_log(self) -> RecentLog:
        if self._recent is None:
            raise Uncontrolled("the node is part of another program, which keeps the log")
        return self._recent
