"""A store that keeps nothing beyond the process: what is in a queue's memory is as safe as it gets."""

from mypy_extensions import i64

from supersoniq.broker.definitions import Definition, Setting
from supersoniq.broker.message import Entry, Message
from supersoniq.broker.ports import Page, QueueStore
from supersoniq.broker.store import Store
from supersoniq.broker.turn import Deferred


class MemoryQueueStore(QueueStore):
    """Takes note of nothing; no message is ever stored, so it is not even asked."""

    def delivered(self, position: i64) -> None:
        """Do nothing."""

    def returned(self, entry: Entry) -> None:
        """Do nothing."""

    def settled(self, position: i64, message: Message) -> None:
        """Do nothing: the message goes with the last queue that holds it."""

    def write_page(self, entries: list[Entry | None]) -> Page:
        """Never called: there is no limit to the memory."""
        raise AssertionError("a store without a disk has no pages")

    def read_page(self, page: Page) -> list[Entry | None]:
        """Never called."""
        raise AssertionError("a store without a disk has no pages")

    def settled_page(self, page: Page) -> None:
        """Never called."""
        raise AssertionError("a store without a disk has no pages")

    def deleted(self) -> None:
        """Do nothing."""


class MemoryStore(Store):
    """Takes everything and promises nothing: each message counts as safe when it was enqueued."""

    def open_queue(self, durable: bool) -> QueueStore:
        """Return what counts the positions of a queue."""
        return MemoryQueueStore()

    def append(self, message: Message, queues: list[QueueStore]) -> i64:
        """Return 0: there is nothing to wait for."""
        return 0

    def begin(self) -> None:
        """Do nothing: nobody sees a half of anything."""

    def commit(self) -> i64:
        """Return 0."""
        return 0

    def declared(self, definition: Definition) -> i64:
        """Return 0."""
        return 0

    def removed(self, definition: Definition) -> i64:
        """Return 0."""
        return 0

    def settings(self) -> list[Setting]:
        """Return none: whoever sets one remembers it."""
        return []

    def durable(self) -> i64:
        """Return 0: no sequence is ever given out."""
        return 0

    def refused(self) -> i64:
        """Return 0."""
        return 0

    def wait(self, waiter: Deferred) -> None:
        """Do nothing: nobody has to wait."""
