"""A queue as slow and obvious as can be: a plain list, and each rule as it is documented.

What is delivered or dropped is told by events, in order: `deliver c 5`, `drop 5 expired`, `refuse 5`. Which
of several consumers gets a message is not for this queue to know: it looks at what the other one did, and
only says whether that was right.
"""

from dataclasses import dataclass, field
from typing import Protocol


class Taker(Protocol):
    """A consumer, as far as it matters here."""

    tag: bytes
    room: int
    priority: int
    no_ack: bool


@dataclass
class Item:
    """One message in the queue."""

    number: int
    size: int
    level: int
    expires_at: int | None
    persistent: bool = True
    count: int = 0  # how often it came back

    def is_late(self, now: int) -> bool:
        return self.expires_at is not None and self.expires_at <= now


@dataclass
class NaiveRules:
    """What a queue is declared with; None and 0 where nothing is."""

    ttl: int | None = None
    max_length: int | None = None
    max_length_bytes: int | None = None
    overflow: str = "drop-head"
    max_priority: int = 0
    delivery_limit: int | None = None
    single_active: bool = False
    dead_letters: bool = False

    def arguments(self) -> dict[str, object]:
        """As they stand in a declaration."""
        given: dict[str, object] = {
            "x-message-ttl": self.ttl,
            "x-max-length": self.max_length,
            "x-max-length-bytes": self.max_length_bytes,
            "x-overflow": self.overflow,
            "x-max-priority": self.max_priority or None,
            "x-delivery-limit": self.delivery_limit,
            "x-single-active-consumer": self.single_active or None,
            "x-dead-letter-exchange": "dead" if self.dead_letters else None,
        }
        return {name: value for name, value in given.items() if value is not None}


@dataclass
class NaiveQueue:
    """The queue. `theirs` are the events of the one it is compared with, `events` its own."""

    rules: NaiveRules
    theirs: list[str]
    events: list[str] = field(default_factory=list)
    ready: list[Item] = field(default_factory=list)
    held: dict[int, Item] = field(default_factory=dict)
    settled: set[int] = field(default_factory=set)
    consumers: list[Taker] = field(default_factory=list)

    @property
    def size(self) -> int:
        return sum([item.size for item in self.ready])

    def first(self) -> Item:
        return min(self.ready, key=lambda item: (-item.level, item.number))

    def overflows(self, count: int, size: int) -> bool:
        rules = self.rules
        return (rules.max_length is not None and count > rules.max_length) or (
            rules.max_length_bytes is not None and size > rules.max_length_bytes
        )

    def eligible(self) -> list[Taker]:
        """Those whose turn it may be."""
        if self.rules.single_active:
            return [consumer for consumer in self.consumers[:1] if consumer.room > 0]
        able = [consumer for consumer in self.consumers if consumer.room > 0]
        return [each for each in able if each.priority == max([other.priority for other in able])]

    def publish(
        self,
        number: int,
        size: int,
        priority: int,
        expiration: int | None,
        now: int,
        persistent: bool = True,
    ) -> None:
        rules = self.rules
        if rules.overflow != "drop-head" and self.overflows(len(self.ready) + 1, self.size + size):
            if rules.overflow == "reject-publish-dlx":
                self.events.append(f"refuse {number}")
            return
        times = [now + time for time in (rules.ttl, expiration) if time is not None]
        level = min(priority, rules.max_priority)
        item = Item(number, size, level, min(times, default=None), persistent)
        if not self.ready and self.eligible():
            self.deliver(item)
        elif item.is_late(now):
            self.drop(item, "expired")
        else:
            self.ready.append(item)
            self.shorten()

    def shorten(self) -> None:
        while self.rules.overflow == "drop-head" and self.overflows(len(self.ready), self.size):
            item = self.first()
            self.ready.remove(item)
            self.drop(item, "maxlen")

    def drop(self, item: Item, reason: str) -> None:
        if self.rules.dead_letters:
            self.events.append(f"drop {item.number} {reason}")
        self.settled.add(item.number)

    def deliver(self, item: Item) -> None:
        eligible = self.eligible()
        tags = [consumer.tag.decode() for consumer in eligible]
        # Of those who may have it, the one who has: if nobody has, any will show that.
        place = len(self.events)
        told = self.theirs[place].split() if place < len(self.theirs) else []
        tag = told[1] if len(told) > 1 and told[0] == "deliver" and told[1] in tags else tags[0]
        consumer = eligible[tags.index(tag)]
        self.hand_out(item, tag, consumer.no_ack)
        consumer.room -= 1

    def hand_out(self, item: Item, tag: str, no_ack: bool) -> None:
        self.events.append(f"deliver {tag} {item.number}" + (" again" if item.count else ""))
        if no_ack:
            self.settled.add(item.number)
        else:
            self.held[item.number] = item

    def dispatch(self, now: int) -> None:
        """The end of a turn."""
        while self.ready and self.eligible():
            item = self.first()
            self.ready.remove(item)
            if item.is_late(now):
                self.drop(item, "expired")
            else:
                self.deliver(item)

    def fetch(self, no_ack: bool, now: int) -> None:
        while self.ready:
            item = self.first()
            self.ready.remove(item)
            if not item.is_late(now):
                self.hand_out(item, "get", no_ack)
                return
            self.drop(item, "expired")

    def settle(self, number: int) -> None:
        self.settled.add(self.held.pop(number).number)

    def reject(self, number: int) -> None:
        self.drop(self.held.pop(number), "rejected")

    def requeue(self, number: int) -> None:
        item = self.held.pop(number)
        item.count += 1
        if self.rules.delivery_limit is not None and item.count > self.rules.delivery_limit:
            self.drop(item, "delivery_limit")
        else:
            self.ready.append(item)
            self.shorten()

    def expire(self, now: int) -> None:
        """Everything that is late goes, wherever it stands, in the order of time."""
        for item in sorted(self.ready, key=lambda item: (item.expires_at or 0, item.number)):
            if item.is_late(now):
                self.ready.remove(item)
                self.drop(item, "expired")

    def purge(self) -> int:
        count = len(self.ready)
        self.settled.update([item.number for item in self.ready])
        self.ready.clear()
        return count

    def restart(self) -> None:
        """The node stops and starts: what is not persistent is gone, what was held is back."""
        self.consumers.clear()
        for item in self.held.values():
            item.count = max(item.count, 1)
        self.ready = [item for item in [*self.ready, *self.held.values()] if item.persistent]
        self.ready.sort(key=lambda item: item.number)
        self.held.clear()
