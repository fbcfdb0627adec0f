"""What the process before has left: what is settled, and how often the rest was delivered."""

import pytest
from tests.fakes import message

from supersoniq.broker.message import Entry
from supersoniq.storage.before import Before


def entry(position: int, delivery_count: int = 0, persistent: bool = True) -> Entry:
    new = Entry(message(b"x", persistent=persistent), position)
    new.delivery_count = delivery_count
    return new


def test_settled_and_transient_messages_do_not_live() -> None:
    before = Before()
    before.settled.add(3, 5)
    assert [position for position in range(1, 8) if before.lives(entry(position))] == [1, 2, 6, 7]
    assert not before.lives(entry(1, persistent=False))


@pytest.mark.parametrize(
    ("position", "has", "count"),
    [(9, 0, 0), (8, 0, 1), (8, 3, 3), (4, 0, 2), (4, 5, 5), (9, 1, 1), (10, 0, 7)],
)
def test_count_is_the_highest_that_is_known(position: int, has: int, count: int) -> None:
    before = Before()
    before.counts = {4: 2, 10: 7}
    before.delivered = 8
    found = entry(position, has)
    before.count(found)
    assert int(found.delivery_count) == count


def test_counts_of_pages_that_were_read_are_forgotten() -> None:
    before = Before()
    before.counts = {1: 1, 5: 2, 6: 3, 20: 4}
    before.forget_counts([(15, 30), (4, 5)])
    assert before.counts == {5: 2, 20: 4}
    before.forget_counts([])
    assert before.counts == {}
