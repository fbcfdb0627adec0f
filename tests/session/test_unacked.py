"""Outstanding deliveries behave as a dict by tag, however sparse they become."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.definitions import brief
from tests.fakes import FakeQueueStore, message, queue_of

from supersoniq.broker.message import Entry
from supersoniq.broker.turn import Turn
from supersoniq.session.unacked import SPARSE_PLACES, Delivery, Unacked

QUEUE = queue_of(Turn(), FakeQueueStore())
MESSAGE = message()


def delivery(tag: int) -> Delivery:
    return Delivery(tag, Entry(MESSAGE, tag), QUEUE, None)


def unacked_with(tags: list[int]) -> Unacked:
    unacked = Unacked()
    for tag in tags:
        unacked.add(delivery(tag))
    return unacked


def tags_of(deliveries: list[Delivery]) -> list[int]:
    return [int(each.tag) for each in deliveries]


class UnackedAgainstDict(RuleBasedStateMachine):
    """The model is a dict from tag to delivery, sorted when order matters."""

    gaps = st.integers(1, 3)
    counts = st.integers(1, 30)

    def __init__(self) -> None:
        super().__init__()
        self.unacked = Unacked()
        self.model: dict[int, Delivery] = {}
        self.last_tag = 0
        self.taken: list[Delivery] = []

    def a_tag(self, data: st.DataObject) -> int:
        """Mostly one that is outstanding."""
        return data.draw(st.sampled_from(sorted(self.model))) if self.model else 1

    @rule(count=counts, gap=gaps)
    def add(self, count: int, gap: int) -> None:
        for _ in range(count):
            self.last_tag += gap
            added = delivery(self.last_tag)
            self.unacked.add(added)
            self.model[self.last_tag] = added

    @rule(data=st.data())
    def add_and_take_most(self, data: st.DataObject) -> None:
        """What makes the list sparse: many deliveries, of which few stay."""
        kept = data.draw(st.sets(st.integers(0, SPARSE_PLACES), max_size=5))
        for number in range(SPARSE_PLACES + 1):
            self.last_tag += 1
            added = delivery(self.last_tag)
            self.unacked.add(added)
            if number in kept:
                self.model[self.last_tag] = added
            else:
                assert self.unacked.take(self.last_tag) is added

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def take(self, data: st.DataObject) -> None:
        tag = self.a_tag(data)
        self.taken.append(self.model[tag])
        assert self.unacked.take(tag) is self.model.pop(tag)
        assert self.unacked.take(tag) is None
        assert not self.unacked.holds(tag)

    @rule(tag=st.integers(-(2**63), 2**63 - 1))
    def take_a_stranger(self, tag: int) -> None:
        if tag not in self.model:
            assert self.unacked.take(tag) is None
            assert not self.unacked.holds(tag)

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def take_up_to(self, data: st.DataObject) -> None:
        tag = self.a_tag(data)
        expected = sorted([each for each in self.model if each <= tag])
        taken = self.unacked.take_up_to(tag)
        assert tags_of(taken) == expected
        for each in expected:
            self.taken.append(self.model.pop(each))

    @rule()
    def take_all(self) -> None:
        assert tags_of(self.unacked.take_up_to(0)) == sorted(self.model)
        self.model.clear()
        self.taken.clear()

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def put_back(self, data: st.DataObject) -> None:
        returned = data.draw(st.lists(st.sampled_from(self.taken), unique=True, max_size=5))
        self.unacked.put_back(returned)
        for each in returned:
            self.taken.remove(each)
            self.model[int(each.tag)] = each

    @invariant()
    def all_are_held(self) -> None:
        assert self.unacked.count == len(self.model)
        for tag in list(self.model)[:20]:
            assert self.unacked.holds(tag)
        assert tags_of(self.unacked.everything()) == sorted(self.model)


TestUnackedAgainstDict = UnackedAgainstDict.TestCase
TestUnackedAgainstDict.settings = settings(brief, max_examples=12, stateful_step_count=20)


@pytest.mark.parametrize("kept", [[1], [1, 2000], [1, 2, 3, 4096], list(range(1, 5000, 1500))])
def test_delivery_that_stays_for_long_keeps_its_tag_and_its_place(kept: list[int]) -> None:
    unacked = Unacked()
    for tag in range(1, 5 * SPARSE_PLACES):
        unacked.add(delivery(tag))
        if tag not in kept:
            assert unacked.take(tag) is not None
    assert unacked.count == len(kept)
    assert all([unacked.holds(tag) for tag in kept])
    late = 5 * SPARSE_PLACES
    unacked.add(delivery(late))
    assert tags_of(unacked.take_up_to(late)) == [*kept, late]
    assert unacked.count == 0


def test_delivery_that_stays_does_not_keep_the_list_growing() -> None:
    unacked = unacked_with([1])
    for tag in range(2, 20 * SPARSE_PLACES):
        unacked.add(delivery(tag))
        unacked.take(tag)
    assert len(unacked._places) <= 2 * SPARSE_PLACES


def test_window_that_moves_on_does_not_keep_the_list_growing() -> None:
    unacked = unacked_with(list(range(1, 101)))
    for tag in range(101, 20_000):
        unacked.add(delivery(tag))
        assert unacked.take(tag - 100) is not None
    assert len(unacked._places) <= 1024


@brief
@given(st.sets(st.integers(1, 200), min_size=1, max_size=30), st.data())
def test_multiple_takes_what_is_older_and_nothing_else(tags: set[int], data: st.DataObject) -> None:
    unacked = unacked_with(sorted(tags))
    upto = data.draw(st.sampled_from(sorted(tags)))
    assert tags_of(unacked.take_up_to(upto)) == sorted([tag for tag in tags if tag <= upto])
    assert tags_of(unacked.take_up_to(0)) == sorted([tag for tag in tags if tag > upto])


def test_put_back_restores_the_order() -> None:
    unacked = unacked_with(list(range(1, 10)))
    settled = [unacked.take(tag) for tag in (8, 2, 5)]
    unacked.put_back([each for each in settled if each is not None])
    assert tags_of(unacked.take_up_to(0)) == list(range(1, 10))


def test_gap_of_millions_of_tags_costs_nothing() -> None:
    unacked = unacked_with([1, 2, 10_000_000, 10_000_001])
    assert tags_of([each for tag in (2, 10_000_000) if (each := unacked.take(tag)) is not None]) == [
        2,
        10_000_000,
    ]
    assert tags_of(unacked.take_up_to(0)) == [1, 10_000_001]
    assert unacked.count == 0


def test_first_deliveries_are_found_wherever_they_stand() -> None:
    unacked = Unacked()
    assert unacked.first() is None
    for tag in range(1, 3 * SPARSE_PLACES):
        unacked.add(delivery(tag))
    for tag in range(1, 3 * SPARSE_PLACES):
        if tag not in (7, 9, 2 * SPARSE_PLACES + 5):
            unacked.take(tag)
    first = unacked.first()
    assert first is not None
    assert first.tag == 7
    assert tags_of(unacked.beginning(2)) == [7, 9]
