"""What the management API may change about the running node itself, until its next start."""

from abc import ABC, abstractmethod


class Uncontrolled(Exception):
    """It is not the node's to decide; the text says whose."""


class NodeControl(ABC):
    """Limits, log and end of a node.

    What is asked for wrongly raises ValueError, what cannot be Uncontrolled.
    """

    @abstractmethod
    def set_memory_limit(self, limit: str) -> None:
        """Block publishers while the process occupies more than `40%` or `2GiB` of memory."""

    @abstractmethod
    def set_disk_free_limit(self, limit: str) -> None:
        """Block publishers while less than this size is free on the disk."""

    @abstractmethod
    def set_log_level(self, level: str) -> None:
        """Log from this level on."""

    @abstractmethod
    def log_lines(self, count: int) -> list[str]:
        """Return the last lines of the log, the oldest first."""

    @abstractmethod
    def stop(self) -> None:
        """Stop the node in order, soon."""
