"""Whether what was found after a crash may have been found: the rules of the oracle."""

from __future__ import annotations

from tests.storage.oracle import (
    Bind,
    BindingKey,
    Change,
    Declare,
    DeclareExchange,
    Delete,
    DeleteExchange,
    Found,
    FoundQueue,
    Ledger,
    Picture,
    Place,
    Publish,
    QueuePicture,
    Record,
    Return,
    Set,
    Settle,
    Spot,
    Unbind,
)
from tests.storage.plans import Plan

from supersoniq.amqp.tables import plain
from supersoniq.broker.definitions import SettingKey


class Verdict:
    """Compares what was found with a ledger.

    Once `judge` has passed, `picture` is what was found, with what is safe of how often messages have come
    back; `returns` is the rest of that.
    """

    def __init__(
        self, ledger: Ledger, found: Found, was_killed: bool, plans: dict[bytes, Plan], now_ms: int
    ) -> None:
        self.picture = Picture()
        self.returns: list[Return] = []
        self._ledger = ledger
        self._safe = ledger.safe
        self.found = found
        self._was_killed = was_killed
        self._declared: dict[int, Declare] = {}
        self._deleted: set[int] = set()
        self._plans = plans
        self._now_ms = now_ms
        self._published: dict[int, dict[int, Place]] = {}
        self._settled: set[Spot] = set()
        self._settled_in_groups: set[Spot] = set()
        self._delivered_last: dict[int, int] = {}
        for queue, position in ledger.delivered:
            self._delivered_last[queue] = max(position, self._delivered_last.get(queue, 0))
        self._unsure_bindings: set[BindingKey] = set()
        self._exchanges: dict[bytes, set[str | None]] = {}
        self._settings: dict[SettingKey, set[bytes | None]] = {}
        self._groups: list[Record] = []
        for record in ledger.records:
            if len(record.changes) > 1:
                self._groups.append(record)
            for change in record.changes:
                self._note(change, len(record.changes) > 1)

    def _note(self, change: Change, in_group: bool) -> None:
        if isinstance(change, Declare):
            self._declared[change.queue] = change
        elif isinstance(change, Delete):
            self._deleted.add(change.queue)
        elif isinstance(change, Publish):
            self._published.setdefault(change.queue, {})[change.position] = change.place
        elif isinstance(change, Settle):
            settled = self._settled_in_groups if in_group else self._settled
            settled.add((change.queue, change.position))
        elif isinstance(change, Bind | Unbind):
            self._unsure_bindings.add(change.key)
        elif isinstance(change, DeclareExchange):
            self._exchanges.setdefault(change.name, set()).add(change.kind)
        elif isinstance(change, DeleteExchange):
            self._exchanges.setdefault(change.name, set()).add(None)
        elif isinstance(change, Set):
            self._settings.setdefault(change.key, set()).add(change.value)

    def judge(self) -> None:
        """Raise AssertionError if what was found cannot be."""
        self._judge_exchanges()
        self._judge_bindings()
        self._judge_settings()
        for name, found in self.found.queues.items():
            self._judge_queue(name, found)
        for number, queue in self._safe.queues.items():
            if number not in self._deleted:
                assert number in self.picture.queues, f"queue {queue.name!r} is lost"
        for group in self._groups:
            self._judge_group(group)

    def _judge_exchanges(self) -> None:
        safe, found = self._safe.exchanges, self.found.exchanges
        for name in safe.keys() | found.keys() | self._exchanges.keys():
            allowed = {safe.get(name)} | self._exchanges.get(name, set())
            assert found.get(name) in allowed, f"exchange {name!r} is {found.get(name)}, not in {allowed}"
        self.picture.exchanges = dict(found)

    def _judge_bindings(self) -> None:
        safe, found = self._safe.bindings, self.found.bindings
        lost = safe - found - self._unsure_bindings
        assert not lost, f"bindings {lost} are lost"
        surplus = found - safe - self._unsure_bindings
        assert not surplus, f"bindings {surplus} are back or were never made"
        self.picture.bindings = set(found)

    def _judge_settings(self) -> None:
        safe, found = self._safe.settings, self.found.settings
        for key in safe.keys() | found.keys() | self._settings.keys():
            allowed = {safe.get(key)} | self._settings.get(key, set())
            assert found.get(key) in allowed, f"setting {key} is {found.get(key)!r}, not in {allowed}"
        self.picture.settings = dict(found)

    def _judge_queue(self, name: bytes, found: FoundQueue) -> None:
        reasons: list[str] = []
        for number, queue in self._possible(name).items():
            reason = self._difference(number, queue, found)
            if not reason:
                self.picture.queues[number] = self._pictured(number, queue, found)
                return
            reasons.append(f"{number}: {reason}")
        raise AssertionError(f"queue {name!r} is none of those that it may be: {'; '.join(reasons)}")

    def _pictured(self, number: int, queue: QueuePicture, found: FoundQueue) -> QueuePicture:
        picture = QueuePicture(queue.name, found.auto_delete)
        for place in found.places:
            safe = queue.places.get(place.position)
            times = safe.times if safe is not None else 0
            picture.places[place.position] = place._replace(times=times)
            if times < place.times:
                self.returns.append(Return(number, place.position, place.times))
        return picture

    def _possible(self, name: bytes) -> dict[int, QueuePicture]:
        """Return the queues of this name that may have been found."""
        possible = {number: queue for number, queue in self._safe.queues.items() if queue.name == name}
        for number, declared in self._declared.items():
            if declared.name == name:
                possible[number] = QueuePicture(name, declared.auto_delete)
        return possible

    def _difference(self, number: int, queue: QueuePicture, found: FoundQueue) -> str:
        """Say how a queue differs from one that may have been found; empty if it does not."""
        if queue.auto_delete != found.auto_delete:
            return f"auto-delete {found.auto_delete}"
        if found.arguments != plain(self._plans[queue.name].arguments()):
            return f"arguments {found.arguments}"
        expected = dict(queue.places) | self._published.get(number, {})
        remaining = iter(found.places)
        other = next(remaining, None)
        for position in sorted(expected):
            place = expected[position]
            if other is not None and other.number == place.number:
                if reason := self._times_differ(number, place, other):
                    return f"message {place.number} at {position}: {reason}"
                if (other.position, other.expires_at) != (position, place.expires_at):
                    return f"message {place.number} was {place} and is {other}"
                other = next(remaining, None)
            elif position in queue.places and not self._may_be_gone(number, queue.name, place):
                return f"message {place.number} at {position} is lost; {_around(expected, found)}"
        if other is not None:
            return f"message {other.number} is not expected here; {_around(expected, found)}"
        return ""

    def _may_be_gone(self, queue: int, name: bytes, place: Place) -> bool:
        spot = (queue, place.position)
        if queue in self._deleted or spot in self._settled or spot in self._settled_in_groups:
            return True
        return self._has_lapsed(name, place)

    def _has_lapsed(self, name: bytes, place: Place) -> bool:
        """Whether a message is one that nobody misses: what has expired just goes, without dead letters."""
        return not self._plans[name].has_dead_letters and 0 < place.expires_at <= self._now_ms

    def _times_differ(self, queue: int, place: Place, other: Place) -> str:
        spot = (queue, place.position)
        if spot not in self._ledger.delivered:
            # A mark stands for all positions up to it: those of what was dropped, and is back, and those of
            # lower priorities. After a power loss it may be torn or that of another time.
            is_unsure = place.position <= self._delivered_last.get(queue, 0) or not self._was_killed
            if other.times > (1 if is_unsure else 0):
                return f"was never delivered and says {other.times} times"
        elif other.times < place.times:
            return f"was delivered {place.times} times and says {other.times}"
        elif self._was_killed and other.times == 0 and spot in self._ledger.seen:
            return "was delivered and does not say so"
        return ""

    def _judge_group(self, group: Record) -> None:
        """A message is in all of its queues or in none; a transaction was carried out or not."""
        done: list[str] = []
        not_done: list[str] = []
        for change in group.changes:
            if not isinstance(change, Publish | Settle):
                continue
            queue = self.picture.queues.get(change.queue)
            spot = (change.queue, change.position)
            if queue is None or change.queue in self._deleted or spot in self._settled:
                continue
            is_there = change.position in queue.places
            if isinstance(change, Publish):
                if not is_there and spot in self._settled_in_groups:
                    continue
                if not is_there and self._has_lapsed(queue.name, change.place):
                    continue
                (done if is_there else not_done).append(f"message {change.number} at {spot}")
            elif is_there:
                not_done.append(f"settlement of {spot}")
            elif self._is_safe(spot):
                done.append(f"settlement of {spot}")
        assert not done or not not_done, f"one record in part: {done} done, {not_done} not done"

    def _is_safe(self, spot: Spot) -> bool:
        queue = self._safe.queues.get(spot[0])
        return queue is not None and spot[1] in queue.places


def _around(expected: dict[int, Place], found: FoundQueue) -> str:
    numbers = [expected[position].number for position in sorted(expected)]
    actual = [place.number for place in found.places]
    at = 0
    while at < min(len(numbers), len(actual)) and numbers[at] == actual[at]:
        at += 1
    return (
        f"from the {at}. on {numbers[at : at + 8]} of {len(numbers)} expected, "
        f"{actual[at : at + 8]} of {len(actual)} found"
    )
