"""The ports of the broker: what it asks of those above and beside it, as small abstract classes.

Sessions are its consumers and holders, storage is its store. Nothing else calls upwards.
"""

from abc import ABC, abstractmethod
from typing import Final, final

from mypy_extensions import i64, mypyc_attr

from supersoniq.broker.message import Entry, Message

PRIORITY_MAX: Final = 255  # which is what an octet holds


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
class Holder(ABC):
    """Has entries that were delivered to it and are not settled."""

    @abstractmethod
    def held(self) -> "list[tuple[QueueStore, Entry]]":
        """Return them, each with what keeps its queue."""


@final
@mypyc_attr(acyclic=True)
class Page:
    """Entries of one queue, in order, that its store keeps out of memory.

    `count` and `body_bytes` are of those that are not settled; `expires_at` is when the first of them
    expires, 0 for never, 1 where that has to be looked up. `runs` are their positions (`queues/runs.py`),
    empty for all from `first` to `last`. Priorities of all are from `lowest` to `highest`; `level` is the
    backlog's. The rest is the store's: where the page is, `data`, its octets until they are written, and
    whether it `is_reduced`: there is more in it than `runs` say, which is elsewhere now.
    """

    __slots__ = (
        "body_bytes", "count", "data", "expires_at", "first", "highest", "is_reduced", "last", "level",
        "lowest", "offset", "runs", "segment", "size",
    )  # fmt: skip

    def __init__(self, count: i64, body_bytes: i64, first: i64, last: i64) -> None:
        self.count: i64 = count
        self.body_bytes: i64 = body_bytes
        self.first: i64 = first
        self.last: i64 = last
        self.expires_at: i64 = 0
        self.runs = b""
        self.lowest: i64 = 0
        self.highest: i64 = PRIORITY_MAX
        self.level: i64 = 0
        self.is_reduced = False
        self.segment: i64 = 0
        self.offset: i64 = 0
        self.size: i64 = 0
        self.data: bytes | None = None


@mypyc_attr(allow_interpreted_subclasses=True)
class QueueStore(ABC):
    """What the store keeps of one queue.

    A message may be stored for other queues only; one of a queue that does not last is told all the same.
    `next_position` is the position of the next message of the queue, `next_expires_at` when that expires, 0
    for never. `memory_bytes_max` is what its messages
    may occupy in memory before it writes pages, 0 where it has nowhere to write them. Pages are to be read
    as what they have of priorities if it `has_levels`.
    """

    def __init__(self) -> None:
        self.next_position: i64 = 1
        self.next_expires_at: i64 = 0
        self.memory_bytes_max: i64 = 0
        self.has_levels = False

    @abstractmethod
    def delivered(self, position: i64) -> None:
        """Take note that a stored message which is to last was handed out.

        If that settles it, `settled` is called next.
        """

    @abstractmethod
    def returned(self, entry: Entry) -> None:
        """Take note that a stored message has come back; its delivery count has grown."""

    @abstractmethod
    def settled(self, position: i64, message: Message) -> None:
        """Forget a stored message: it was acked, dropped, or went with its queue."""

    @abstractmethod
    def write_page(self, entries: list[Entry | None]) -> Page:
        """Take entries, in order of position; none of the list is missing."""

    @abstractmethod
    def read_page(self, page: Page) -> list[Entry | None]:
        """Return the entries of a page that are not settled; fewer than it counts if some are damaged."""

    @abstractmethod
    def settled_page(self, page: Page) -> None:
        """Forget all that is in a page."""

    @abstractmethod
    def deleted(self) -> None:
        """Forget the queue; what is unacked is settled later, or never."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Recollection(ABC):
    """Knows what was published before."""

    @abstractmethod
    def value_of(self, header: bytes) -> bytes | None:
        """Return what makes a message a duplicate of others, None if it has nothing of that."""

    @abstractmethod
    def has_seen(self, value: bytes) -> bool:
        """Whether it was remembered, and is not forgotten."""

    @abstractmethod
    def remember(self, value: bytes) -> None:
        """Remember a value from now on."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Names(ABC):
    """Makes names that nobody can guess."""

    @abstractmethod
    def unique(self) -> bytes:
        """Return 22 characters of URL-safe base64, never the same twice."""
