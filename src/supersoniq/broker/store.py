"""The port of the store: what a virtual host and the sessions ask of whatever keeps their things."""

from abc import ABC, abstractmethod

from mypy_extensions import i64, mypyc_attr

from supersoniq.broker.definitions import Definition, Setting
from supersoniq.broker.message import Message
from supersoniq.broker.ports import QueueStore
from supersoniq.broker.turn import Deferred


@mypyc_attr(allow_interpreted_subclasses=True)
class Store(ABC):
    """Keeps what is durable: settings, exchanges, queues, bindings, persistent messages in durable queues.

    What needs to be safe is given a sequence, above 0 and never falling; 0 stands for what is safe now.
    """

    @abstractmethod
    def open_queue(self, durable: bool) -> QueueStore:
        """Return what keeps the messages of a new queue."""

    @abstractmethod
    def append(self, message: Message, queues: list[QueueStore]) -> i64:
        """Take a persistent message at the next position of each of `queues`; returns its sequence."""

    @abstractmethod
    def begin(self) -> None:
        """Begin a transaction: what is appended, settled and returned until `commit` is kept as a whole."""

    @abstractmethod
    def commit(self) -> i64:
        """End the transaction; returns its sequence."""

    @abstractmethod
    def declared(self, definition: Definition) -> i64:
        """Keep a definition, or what has become of one that is kept; returns its sequence."""

    @abstractmethod
    def removed(self, definition: Definition) -> i64:
        """Forget a definition; returns its sequence."""

    @abstractmethod
    def settings(self) -> list[Setting]:
        """Return the settings that are kept."""

    @abstractmethod
    def durable(self) -> i64:
        """Return the highest sequence up to which everything is safe."""

    @abstractmethod
    def refused(self) -> i64:
        """Return the highest sequence that could not be made safe when it was tried; it is tried again."""

    @abstractmethod
    def wait(self, waiter: Deferred) -> None:
        """Call `waiter.durable_moved` once, in the turn in which `durable` or `refused` moves."""
