"""The graveyard: what takes the messages that a queue drops."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from mypy_extensions import mypyc_attr

from supersoniq.broker.message import Entry

if TYPE_CHECKING:
    from supersoniq.broker.queues.queue import Queue


@mypyc_attr(allow_interpreted_subclasses=True)
class Graveyard(ABC):
    """Where messages go that a queue does not keep: to its dead-letter exchange."""

    @abstractmethod
    def take(self, queue: "Queue", entry: Entry, reason: bytes) -> None:
        """Take an entry that is in the queue no more; it calls `Queue.buried` when it has moved it."""

    def lost(self, queue: "Queue", reason: bytes) -> None:  # noqa: B027  (most do not care)
        """Take note that a queue has dropped a message for good: it has no dead-letter exchange."""

    def rules_changed(self, queue: "Queue") -> None:  # noqa: B027  (most do not care)
        """Take note that a queue goes by other rules now."""
