"""Deliveries of one channel that wait to be settled, by delivery tag.

Tags grow by one with each delivery, so they stand in a list whose first place is tag `_base`. A delivery that
stays while very many later ones are settled is moved aside, so that it does not keep the list growing.
"""

from typing import Final, final

from mypy_extensions import i64, mypyc_attr

from supersoniq.broker.message import Entry
from supersoniq.broker.ports import Consumer
from supersoniq.broker.queues.queue import Queue

SPARSE_PLACES: Final = 4_096


@final
@mypyc_attr(free_list_len=1)
class Delivery:
    """An entry that was handed out.

    Where it came from and who has it (nobody, if it was fetched by Basic.Get).
    """

    __slots__ = ("consumer", "entry", "queue", "tag")

    def __init__(self, tag: i64, entry: Entry, queue: Queue, consumer: Consumer | None) -> None:
        self.tag: i64 = tag
        self.entry = entry
        self.queue = queue
        self.consumer = consumer


@final
class Unacked:
    """All deliveries of a channel that are neither settled nor requeued."""

    def __init__(self) -> None:
        self.count: i64 = 0
        self._places: list[Delivery | None] = []
        self._head: i64 = 0
        self._base: i64 = 1  # the tag of the first place of the list, empty places at its front included
        self._aside: dict[int, Delivery] = {}  # older than all in the list, in order

    def add(self, delivery: Delivery) -> None:
        """Add a delivery whose tag is above all others."""
        if self._head == i64(len(self._places)):
            self._places = []
            self._head = 0
            self._base = delivery.tag
        else:
            if delivery.tag - self._base - i64(len(self._places)) >= SPARSE_PLACES:
                self._set_aside(i64(len(self._places)))
                self._base = delivery.tag
            while self._base + i64(len(self._places)) < delivery.tag:
                self._places.append(None)
        self._places.append(delivery)
        self.count += 1
        if i64(len(self._places)) - self._head >= SPARSE_PLACES:
            self._thin_out()

    def take(self, tag: i64) -> Delivery | None:
        """Remove the delivery with this tag; None if there is none."""
        index = tag - self._base
        if index < self._head or index >= i64(len(self._places)):
            aside = self._aside.pop(int(tag), None)
            if aside is not None:
                self.count -= 1
            return aside
        delivery = self._places[index]
        if delivery is None:
            return None
        self._places[index] = None
        self.count -= 1
        if index == self._head:
            self._advance()
        return delivery

    def holds(self, tag: i64) -> bool:
        """Whether the delivery with this tag is here."""
        index = tag - self._base
        if index >= self._head and index < i64(len(self._places)):
            return self._places[index] is not None
        return int(tag) in self._aside

    def take_up_to(self, tag: i64) -> list[Delivery]:
        """Remove all deliveries up to and with `tag`, in order; 0 stands for all there are."""
        taken: list[Delivery] = []
        for delivery in self._take_aside(tag):
            taken.append(delivery)
        places = self._places
        end: i64 = len(places)
        if tag > 0 and tag - self._base + 1 < end:
            end = tag - self._base + 1
        at = self._head
        while at < end:
            place = places[at]
            if place is not None:
                taken.append(place)
                places[at] = None
            at += 1
        if at > self._head:
            self._head = at
            self._advance()
        self.count -= len(taken)
        return taken

    def _take_aside(self, tag: i64) -> list[Delivery]:
        if not self._aside:
            return []
        taken = [delivery for number, delivery in self._aside.items() if tag == 0 or number <= tag]
        for delivery in taken:
            del self._aside[int(delivery.tag)]
        return taken

    def first(self) -> Delivery | None:
        """Return the delivery with the lowest tag, None if there is none."""
        beginning = self.beginning(1)
        return beginning[0] if beginning else None

    def beginning(self, count_max: i64) -> list[Delivery]:
        """Return the first deliveries, in order; of very sparse ones fewer than there are."""
        found: list[Delivery] = []
        for aside in self._aside.values():
            if i64(len(found)) == count_max:
                return found
            found.append(aside)
        end = min(i64(len(self._places)), self._head + 4 * count_max)
        for index in range(self._head, end):
            delivery = self._places[index]
            if delivery is not None and i64(len(found)) < count_max:
                found.append(delivery)
        return found

    def everything(self) -> list[Delivery]:
        """Return all deliveries, in order; they stay."""
        deliveries = list(self._aside.values())
        for place in self._places:
            if place is not None:
                deliveries.append(place)
        return deliveries

    def put_back(self, deliveries: list[Delivery]) -> None:
        """Return deliveries that were taken: a transaction was rolled back."""
        everything = self.take_up_to(0) + deliveries
        everything.sort(key=_tag)
        for delivery in everything:
            self.add(delivery)

    def _advance(self) -> None:
        """Move the head to the first delivery that is left, and give back the front of the list."""
        places = self._places
        head = self._head
        end: i64 = len(places)
        while head < end and places[head] is None:
            head += 1
        if head == end:
            self._base += end
            self._places = []
            head = 0
        elif head >= 256 and head * 2 >= end:
            del places[:head]
            self._base += head
            head = 0
        self._head = head

    def _thin_out(self) -> None:
        """Move the older half of the list aside if most of its places are empty."""
        live = self.count - len(self._aside)
        if live * 4 > i64(len(self._places)) - self._head:
            return
        self._set_aside((self._head + i64(len(self._places))) // 2)
        self._advance()

    def _set_aside(self, end: i64) -> None:
        """Move the front of the list, up to place `end`, aside."""
        for index in range(self._head, end):
            delivery = self._places[index]
            if delivery is not None:
                self._aside[int(delivery.tag)] = delivery
        del self._places[:end]
        self._base += end
        self._head = 0


def _tag(delivery: Delivery) -> int:
    return int(delivery.tag)
