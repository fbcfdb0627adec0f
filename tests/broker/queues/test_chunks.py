"""What is asked of many entries at once."""

from tests.fakes import message

from supersoniq.broker.message import Entry
from supersoniq.broker.queues.chunks import EARLY_COUNT, EARLY_MS, Chunk, bytes_of, early_until, merged


def entries(*positions: int, expires_at: int = 0, body: bytes = b"") -> list[Entry | None]:
    made: list[Entry | None] = []
    for position in positions:
        entry = Entry(message(body), position)
        entry.expires_at = expires_at
        made.append(entry)
    return made


def test_early_is_what_expires_within_a_second() -> None:
    assert early_until(entries(1, 2, expires_at=500), 1_000) == 1_000 + EARLY_MS
    assert early_until(entries(1, 2), 1_000) == 1_000 + EARLY_MS


def test_early_is_a_number_of_messages_at_least() -> None:
    waiting = [entry for number in range(160) for entry in entries(number + 1, expires_at=100_000 + number)]
    until = early_until(waiting, 1_000)
    assert len([each for each in waiting if each is not None and each.expires_at <= until]) == EARLY_COUNT


def test_merged_entries_are_in_order() -> None:
    both = merged(entries(2, 5, 9), entries(1, 3, 10))
    assert [int(entry.position) for entry in both if entry is not None] == [1, 2, 3, 5, 9, 10]


def test_bytes_are_those_of_the_bodies() -> None:
    assert bytes_of(entries(1, 2, body=b"abc")) == 6
    assert bytes_of([]) == 0


def test_chunk_says_which_files_it_is_not_in() -> None:
    chunk = Chunk(tuple(entries(1, 2)))
    for entry, stored in zip(chunk.entries, (5, 7), strict=True):
        assert entry is not None
        entry.message.stored = stored
    assert chunk.oldest == 0
    assert chunk.stored_in(4) == []
    assert chunk.oldest == 5
    assert [int(entry.position) for entry in chunk.stored_in(5)] == [1]
