"""A store that keeps nothing beyond the process: what is in a queue's memory is as safe as it gets."""

from mypy_extensions import i64

from supersoniq.broker.message import Message
from supersoniq.broker.ports import Store


class MemoryStore(Store):
    """Takes everything and promises nothing: each message counts as safe when it was enqueued."""

    def append(self, message: Message, queue_count: int) -> i64:
        """Return 0: there is nothing to wait for."""
        return 0

    def discard(self, message: Message) -> None:
        """Do nothing: the message goes with the last queue that holds it."""

    def durable(self) -> i64:
        """Return 0: no sequence is ever given out."""
        return 0
