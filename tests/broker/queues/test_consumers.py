"""Whose turn it is: priorities first, round robin among equals, and nobody asked twice who is not ready."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.definitions import brief
from tests.fakes import FakeConsumer

from supersoniq.broker.queues.consumers import Consumers


def consumers_of(*members: FakeConsumer, single_active: bool = False) -> Consumers:
    consumers = Consumers(single_active)
    for member in members:
        consumers.add(member)
    return consumers


def turns(consumers: Consumers, count: int) -> bytes:
    """The tags of the next consumers, `-` where there is none."""
    tags = []
    for _ in range(count):
        consumer = consumers.next_ready()
        tags.append(b"-" if consumer is None else consumer.tag)
    return b"".join(tags)


def test_equals_take_turns() -> None:
    consumers = consumers_of(FakeConsumer(b"a"), FakeConsumer(b"b"), FakeConsumer(b"c"))
    assert turns(consumers, 7) == b"abcabca"


def test_higher_priority_goes_first_as_long_as_it_is_ready() -> None:
    high = FakeConsumer(b"h", priority=1)
    consumers = consumers_of(FakeConsumer(b"a"), high, FakeConsumer(b"b"), FakeConsumer(b"l", priority=-1))
    assert turns(consumers, 3) == b"hhh"
    high.room = 0
    assert turns(consumers, 4) == b"abab"


def test_lower_priority_gets_what_nobody_above_takes() -> None:
    consumers = consumers_of(FakeConsumer(b"a", room=0), FakeConsumer(b"l", priority=-5))
    assert turns(consumers, 2) == b"ll"


def test_nobody_is_asked_twice_who_was_not_ready() -> None:
    idle = FakeConsumer(b"a", room=0)
    consumers = consumers_of(idle)
    assert turns(consumers, 100) == b"-" * 100
    assert idle.times_asked == 1
    assert idle.parked


def test_unparked_consumer_goes_behind_its_equals() -> None:
    parked = FakeConsumer(b"a", room=0)
    consumers = consumers_of(parked, FakeConsumer(b"b"), FakeConsumer(b"c"))
    assert turns(consumers, 2) == b"bc"
    parked.room = 1
    consumers.unpark(parked)
    assert not parked.parked
    assert turns(consumers, 3) in (b"abc", b"bca", b"bac")


def test_who_was_alone_shares_its_turns_with_those_who_come() -> None:
    alone = FakeConsumer(b"a")
    consumers = consumers_of(alone)
    assert turns(consumers, 3) == b"aaa"
    equal = FakeConsumer(b"b")
    consumers.add(equal)
    assert turns(consumers, 4) == b"baba"
    higher = FakeConsumer(b"h", priority=1)
    consumers.add(higher)
    assert turns(consumers, 2) == b"hh"
    consumers.remove(higher)
    consumers.remove(alone)
    assert turns(consumers, 2) == b"bb"
    consumers.remove(equal)
    assert turns(consumers, 1) == b"-"


def test_who_was_alone_is_parked_when_it_is_full() -> None:
    alone = FakeConsumer(b"a")
    consumers = consumers_of(alone)
    assert turns(consumers, 2) == b"aa"
    alone.room = 0
    assert turns(consumers, 2) == b"--"
    assert alone.parked
    alone.room = 1
    consumers.unpark(alone)
    assert turns(consumers, 2) == b"aa"


def test_turn_order_survives_a_member_that_leaves() -> None:
    members = [FakeConsumer(bytes([octet])) for octet in b"abcd"]
    consumers = consumers_of(*members)
    assert turns(consumers, 2) == b"ab"
    consumers.remove(members[0])
    assert turns(consumers, 4) == b"cdbc"


def test_removing_a_stranger_changes_nothing() -> None:
    consumers = consumers_of(FakeConsumer(b"a"))
    consumers.remove(FakeConsumer(b"b"))
    assert len(consumers) == 1


def test_parked_consumer_can_be_removed() -> None:
    parked = FakeConsumer(b"a", room=0)
    consumers = consumers_of(parked)
    turns(consumers, 1)
    consumers.remove(parked)
    assert len(consumers) == 0
    assert consumers.everyone() == []


def test_exclusive_is_true_while_an_exclusive_consumer_is_there() -> None:
    exclusive = FakeConsumer(b"a", exclusive=True)
    consumers = consumers_of(exclusive)
    assert consumers.exclusive
    consumers.remove(exclusive)
    assert not consumers.exclusive


def test_everyone_is_a_copy_in_order_of_subscription() -> None:
    members = [FakeConsumer(b"a", priority=1), FakeConsumer(b"b", priority=9), FakeConsumer(b"c")]
    consumers = consumers_of(*members)
    everyone = consumers.everyone()
    assert everyone == members
    everyone.clear()
    assert len(consumers) == 3


# Single active consumer


def test_only_the_first_one_is_asked_whatever_its_priority() -> None:
    first, second = FakeConsumer(b"a"), FakeConsumer(b"b", priority=9)
    consumers = consumers_of(first, second, single_active=True)
    assert consumers.active() is first
    assert turns(consumers, 5) == b"aaaaa"
    assert second.times_asked == 0


def test_active_one_that_takes_nothing_is_parked_and_keeps_its_place() -> None:
    first, second = FakeConsumer(b"a", room=0), FakeConsumer(b"b")
    consumers = consumers_of(first, second, single_active=True)
    assert turns(consumers, 10) == b"-" * 10
    assert (first.times_asked, first.parked, second.parked) == (1, True, False)
    first.room = 1
    consumers.unpark(first)
    assert turns(consumers, 1) == b"a"
    assert consumers.active() is first


def test_next_one_takes_over_in_order_of_subscription() -> None:
    members = [FakeConsumer(b"a"), FakeConsumer(b"b"), FakeConsumer(b"c")]
    consumers = consumers_of(*members, single_active=True)
    seen = []
    for gone in (members[1], members[0], members[2]):
        seen.append(turns(consumers, 2))
        consumers.remove(gone)
    assert seen == [b"aa", b"aa", b"cc"]
    assert (consumers.active(), consumers.next_ready()) == (None, None)


def test_active_one_can_go_while_it_is_parked() -> None:
    first, second = FakeConsumer(b"a", room=0), FakeConsumer(b"b")
    consumers = consumers_of(first, second, single_active=True)
    assert turns(consumers, 1) == b"-"
    consumers.remove(first)
    assert turns(consumers, 2) == b"bb"
    consumers.add(first)
    assert (consumers.active(), first.parked) == (second, False)


def test_without_single_active_nobody_is_the_active_one() -> None:
    assert consumers_of(FakeConsumer(b"a")).active() is None


class ConsumersAgainstRules(RuleBasedStateMachine):
    """Whoever is chosen is ready, of the highest ready priority, and everybody gets his turn."""

    def __init__(self) -> None:
        super().__init__()
        self.consumers = Consumers(False)
        self.members: list[FakeConsumer] = []
        self.waited: dict[FakeConsumer, int] = {}

    @rule(priority=st.integers(-1, 1), room=st.integers(0, 4))
    def add(self, priority: int, room: int) -> None:
        member = FakeConsumer(b"%d" % len(self.members), room=room, priority=priority)
        self.consumers.add(member)
        self.members.append(member)

    @precondition(lambda self: self.members)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        member = self.members.pop(data.draw(st.integers(0, len(self.members) - 1)))
        self.consumers.remove(member)
        self.waited.pop(member, None)

    @precondition(lambda self: self.members)
    @rule(data=st.data())
    def make_room(self, data: st.DataObject) -> None:
        member = self.members[data.draw(st.integers(0, len(self.members) - 1))]
        member.room += 2
        if member.parked:
            self.consumers.unpark(member)

    @rule(count=st.integers(1, 6))
    def deliver(self, count: int) -> None:
        for _ in range(count):
            ready = [member for member in self.members if member.room > 0]
            chosen = self.consumers.next_ready()
            if not ready:
                assert chosen is None
                return
            assert isinstance(chosen, FakeConsumer)
            assert chosen in ready
            assert chosen.priority == max([member.priority for member in ready])
            chosen.room -= 1
            self.note_turn(chosen, ready)

    def note_turn(self, chosen: FakeConsumer, ready: list[FakeConsumer]) -> None:
        self.waited[chosen] = 0
        for member in ready:
            if member is not chosen and member.priority == chosen.priority:
                self.waited[member] = self.waited.get(member, 0) + 1
                # Those who come or leave may cost a turn each, but nobody is passed over for ever.
                assert self.waited[member] <= 4 * len(self.members) + 8

    @invariant()
    def all_are_known(self) -> None:
        assert self.consumers.everyone() == self.members
        assert len(self.consumers) == len(self.members)


TestConsumersAgainstRules = ConsumersAgainstRules.TestCase
TestConsumersAgainstRules.settings = settings(brief, stateful_step_count=40)
