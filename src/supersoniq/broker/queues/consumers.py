"""The consumers of one queue: whose turn it is.

Those with the highest priority go first, round robin among equals; one that is not ready is parked and costs
nothing until it says that it is ready again.
"""

from typing import final

from supersoniq.broker.ports import Consumer


@final
class _Ring:
    """Consumers of one priority that may be ready."""

    __slots__ = ("members", "next", "priority")

    def __init__(self, priority: int) -> None:
        self.priority = priority
        self.members: list[Consumer] = []
        self.next = 0


@final
class Consumers:
    """All consumers of a queue, parked ones included.

    With `single_active` only one of them is offered anything: the one that came first, until it goes.
    """

    def __init__(self, single_active: bool) -> None:
        self.single_active = single_active
        self._all: list[Consumer] = []
        self._rings: list[_Ring] = []  # highest priority first
        self._only: Consumer | None = None  # who had the last turn, where nobody else can have the next one
        self.exclusive = False

    def __len__(self) -> int:
        return len(self._all)

    def everyone(self) -> list[Consumer]:
        """Return a copy of the list of all, in order of subscription."""
        return list(self._all)

    def add(self, consumer: Consumer) -> None:
        """Add a consumer that is in none."""
        self._all.append(consumer)
        if consumer.exclusive:
            self.exclusive = True
        self.unpark(consumer)

    def remove(self, consumer: Consumer) -> None:
        """Remove a consumer; one that is not there is ignored."""
        if consumer not in self._all:
            return
        self._all.remove(consumer)
        self.exclusive = any([each.exclusive for each in self._all])
        ring = self._ring(consumer.priority)
        if not consumer.parked:
            self._take_out(ring, ring.members.index(consumer))
        if not any([each.priority == ring.priority for each in self._all]):
            self._rings.remove(ring)

    def unpark(self, consumer: Consumer) -> None:
        """Let a parked consumer take part again; it goes behind the others of its priority."""
        consumer.parked = False
        self._ring(consumer.priority).members.append(consumer)
        self._only = None

    def next_ready(self) -> Consumer | None:
        """Return the consumer whose turn it is, None when nobody takes anything; parks those who do not."""
        if self.single_active:
            return self._active()
        only = self._only
        if only is not None:
            if only.is_ready():
                return only
            self._park(only)
            return None
        for ring in self._rings:
            members = ring.members
            while members:
                index = ring.next
                if index >= len(members):
                    index = 0
                consumer = members[index]
                if consumer.is_ready():
                    ring.next = index + 1
                    if len(members) == 1 and len(self._rings) == 1:
                        self._only = consumer
                    return consumer
                consumer.parked = True
                self._take_out(ring, index)
        return None

    def active(self) -> Consumer | None:
        """Return the one that is offered messages where there is only one, None if there is none."""
        return self._all[0] if self.single_active and self._all else None

    def _active(self) -> Consumer | None:
        consumer = self.active()
        if consumer is None or consumer.parked:
            return None
        if consumer.is_ready():
            return consumer
        self._park(consumer)
        return None

    def _park(self, consumer: Consumer) -> None:
        consumer.parked = True
        ring = self._ring(consumer.priority)
        self._take_out(ring, ring.members.index(consumer))

    def _take_out(self, ring: _Ring, index: int) -> None:
        del ring.members[index]
        self._only = None
        if index < ring.next:
            ring.next -= 1

    def _ring(self, priority: int) -> _Ring:
        place = 0
        for ring in self._rings:
            if ring.priority == priority:
                return ring
            if ring.priority < priority:
                break
            place += 1
        ring = _Ring(priority)
        self._rings.insert(place, ring)
        return ring
