"""A backlog finds what a journal file has of it without a look at everything."""

import random

import pytest
from tests.fakes import FakeQueueStore, message

from supersoniq.broker.message import Entry
from supersoniq.broker.queues.backlog import CHUNK_PLACES, Backlog
from supersoniq.broker.queues.chunks import Chunk
from supersoniq.broker.queues.levels import PriorityBacklog


def entry(position: int, stored: int) -> Entry:
    made = Entry(message(b""), position)
    made.message.stored = stored
    return made


def found(backlog: Backlog, number: int) -> list[int]:
    return sorted(int(each.position) for each in backlog.stored_in(number))


def expected(entries: list[Entry], number: int) -> list[int]:
    return [int(each.position) for each in entries if each.message.stored == number]


@pytest.mark.parametrize("seed", range(20))
def test_each_file_is_found_whole_while_files_are_cleared_in_order(seed: int) -> None:
    chance = random.Random(seed)
    backlog: Backlog = Backlog(FakeQueueStore()) if seed % 2 else PriorityBacklog(FakeQueueStore(), 3)
    entries: list[Entry] = []
    newest = 1
    for position in range(1, 6 * CHUNK_PLACES):
        if chance.random() < 0.001:
            newest += 1
        # Transient, in a segment, in the newest file, or in an older one as what is carried was.
        stored = chance.choice([0, -3, newest, newest, newest, max(1, newest - 1)])
        entries.append(entry(position, stored))
        backlog.append(entries[-1])
    for number in range(1, newest + 20):
        while True:
            here = expected(entries, number)
            assert found(backlog, number) == here
            if not here:
                break
            newest += 1
            for each in entries:  # some at a time are carried, some leave their segment
                share = 0.7 if each.message.stored == number else 0.1 * (each.message.stored < 0)
                if chance.random() < share:
                    each.message.stored = newest


def test_chunk_with_something_in_a_segment_is_looked_at_for_the_next_file() -> None:
    chunk = Chunk((entry(1, 9), entry(2, -1)))
    assert chunk.stored_in(4) == []
    assert chunk.oldest == 5


def test_returned_and_loaded_entries_are_found() -> None:
    backlog = Backlog(FakeQueueStore())
    entries = [entry(position, 2) for position in range(1, 10)]
    for each in entries:
        backlog.append(each)
    taken = [backlog.pop() for _ in range(4)]
    assert found(backlog, 2) == [5, 6, 7, 8, 9]
    for each in reversed(taken):
        backlog.put_back(each)
    assert found(backlog, 2) == list(range(1, 10))
