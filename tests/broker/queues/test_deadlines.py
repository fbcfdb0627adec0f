"""Deadlines give out what is due, in order, and nothing that has left."""

import sys
from random import Random

from tests.fakes import message

from supersoniq.broker.message import Entry
from supersoniq.broker.ports import Page
from supersoniq.broker.queues.deadlines import LEFT_PLACES, Deadlines


def entry_at(expires_at: int, position: int = 1) -> Entry:
    entry = Entry(message(b"x"), position)
    entry.expires_at = expires_at
    return entry


def popped(deadlines: Deadlines, now: int) -> list[Entry]:
    found: list[Entry] = []
    while (entry := deadlines.pop(now)) is not None:
        found.append(entry)
    return found


def test_entries_are_due_in_order_of_time_then_position() -> None:
    deadlines = Deadlines()
    entries = [entry_at(expires_at, position) for position, expires_at in enumerate([30, 10, 20, 10], 1)]
    for entry in entries:
        deadlines.add(entry)
    assert all(entry.is_ready for entry in entries)
    assert int(deadlines.next_ms()) == 10
    assert popped(deadlines, 9) == []
    assert popped(deadlines, 25) == [entries[1], entries[3], entries[2]]
    assert not entries[1].is_ready
    assert int(deadlines.next_ms()) == 30


def test_entry_that_has_left_is_not_due_and_may_come_back() -> None:
    deadlines, entry = Deadlines(), entry_at(10)
    deadlines.add(entry)
    deadlines.leave(entry)
    assert popped(deadlines, 100) == []
    assert int(deadlines.next_ms()) == 0
    deadlines.add(entry)
    assert popped(deadlines, 100) == [entry]


def test_what_has_left_is_not_kept_alive() -> None:
    deadlines, entry = Deadlines(), entry_at(10)
    count = sys.getrefcount(entry)
    deadlines.add(entry)
    deadlines.leave(entry)
    assert sys.getrefcount(entry) == count


def test_those_that_left_are_swept_out() -> None:
    deadlines, random = Deadlines(), Random(1)
    stays = [entry_at(random.randrange(1, 10_000), number) for number in range(100)]
    for entry in stays:
        deadlines.add(entry)
    for number in range(100, 3 * LEFT_PLACES):
        entry = entry_at(random.randrange(1, 10_000), number)
        deadlines.add(entry)
        deadlines.leave(entry)
    assert len(deadlines._heap) <= 2 * LEFT_PLACES
    assert popped(deadlines, 10_000) == sorted(
        stays, key=lambda entry: (int(entry.expires_at), int(entry.position))
    )


def test_page_is_due_with_its_first_entry_unless_it_was_read() -> None:
    deadlines = Deadlines()
    pages = [Page(1, 1, number, number) for number in (1, 2)]
    for page, expires_at in zip(pages, (50, 40), strict=True):
        page.expires_at = expires_at
        deadlines.add_page(page)
    deadlines.add(entry_at(45))
    assert int(deadlines.next_ms()) == 40
    assert deadlines.pop_page(39) is None
    pages[1].expires_at = 0
    assert int(deadlines.next_ms()) == 45
    assert deadlines.pop_page(45) is None
    assert deadlines.pop_page(50) is pages[0]
    assert deadlines.pop_page(50) is None


def test_entry_waits_for_a_page_of_which_something_expires_before_it() -> None:
    deadlines, page, entry = Deadlines(), Page(1, 1, 1, 1), entry_at(50)
    page.expires_at = 50
    deadlines.add_page(page)
    deadlines.add(entry)
    assert deadlines.pop(100) is None
    assert deadlines.pop_page(100) is page
    assert deadlines.pop(100) is entry


def test_page_that_was_read_keeps_no_entry_waiting() -> None:
    deadlines, page, entry = Deadlines(), Page(1, 1, 1, 1), entry_at(50)
    page.expires_at = 40
    deadlines.add_page(page)
    deadlines.add(entry)
    page.expires_at = 0
    assert deadlines.pop(100) is entry


def test_entry_may_leave_and_come_back_as_often_as_it_likes() -> None:
    deadlines, entry = Deadlines(), entry_at(10)
    for _ in range(5):
        deadlines.add(entry)
        deadlines.leave(entry)
    deadlines.add(entry)
    assert popped(deadlines, 100) == [entry]
    assert popped(deadlines, 100) == []
