"""The ports of the broker: what it asks of those above and beside it, as small abstract classes.

Sessions are its consumers, storage is its store. Nothing else calls upwards.
"""

from abc import ABC, abstractmethod

from mypy_extensions import i64, mypyc_attr

from supersoniq.broker.message import Entry, Message


@mypyc_attr(allow_interpreted_subclasses=True)
class Consumer(ABC):
    """Takes the messages of one queue.

    `parked` belongs to the queue: it is set while the queue does not offer anything, until `Queue.unpark`.
    """

    def __init__(self, tag: bytes, no_ack: bool, exclusive: bool, priority: int) -> None:
        self.tag = tag
        self.no_ack = no_ack
        self.exclusive = exclusive
        self.priority = priority
        self.parked = False

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether it takes one more message now; when that changes to true it calls `Queue.unpark`."""

    @abstractmethod
    def deliver(self, entry: Entry) -> None:
        """Take `entry`, to be settled or requeued later. Called only when `no_ack` is false."""

    @abstractmethod
    def deliver_settled(self, message: Message, redelivered: bool) -> None:
        """Take a message that is settled by being delivered. Called only when `no_ack` is true."""

    @abstractmethod
    def cancelled(self) -> None:
        """Take note that the queue is gone; the queue has forgotten this consumer already."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Store(ABC):
    """Keeps persistent messages of durable queues, and tells in order when they are safe.

    A message routed to many queues is appended once. Sequences are positive and grow with each append.
    """

    @abstractmethod
    def append(self, message: Message, queue_count: int) -> i64:
        """Take `message` for `queue_count` durable queues.

        Returns the sequence that covers it, 0 if it is safe now.
        """

    @abstractmethod
    def discard(self, message: Message) -> None:
        """Forget `message` for one of its queues: it was settled there, purged, or went with the queue."""

    @abstractmethod
    def durable(self) -> i64:
        """Return the highest sequence up to which everything appended is safe."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Names(ABC):
    """Makes names that nobody can guess."""

    @abstractmethod
    def unique(self) -> bytes:
        """Return 22 characters of URL-safe base64, never the same twice."""
