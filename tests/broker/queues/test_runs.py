"""Runs are the positions of entries, whatever their gaps, in few octets."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes import message

from supersoniq.broker.message import Entry
from supersoniq.broker.ports import Page
from supersoniq.broker.queues.runs import Runs, holds, pack, pack_positions, runs_among, runs_of, unpack

POSITIONS = st.lists(st.integers(1, 300) | st.integers(1, 2**62), max_size=40, unique=True).map(sorted)


def runs_at(positions: list[int]) -> list[tuple[int, int]]:
    return runs_among([Entry(message(), position) for position in positions])


def page_at(positions: list[int], is_packed: bool = True) -> Page:
    page = Page(len(positions), 0, positions[0], positions[-1])
    if is_packed:
        page.runs = pack(runs_at(positions))
    return page


@given(POSITIONS)
def test_runs_are_the_positions_and_as_few_as_can_be(positions: list[int]) -> None:
    runs = runs_at(positions)
    assert [position for first, last in runs for position in range(first, last + 1)] == positions
    assert all(last + 1 < following for (_, last), (following, _) in itertools.pairwise(runs))


@given(POSITIONS)
def test_positions_are_packed_as_their_runs_are(positions: list[int]) -> None:
    assert pack_positions([Entry(message(), position) for position in positions]) == pack(runs_at(positions))


@given(POSITIONS)
def test_runs_are_unpacked_as_they_were(positions: list[int]) -> None:
    runs = runs_at(positions)
    assert unpack(pack(runs)) == runs


def test_runs_of_near_positions_take_two_octets() -> None:
    assert len(pack([(2 * number, 2 * number) for number in range(1, 1_001)])) == 2_000
    assert pack([(1, 1)]) == b"\x01\x01"
    assert pack([(128, 383)]) == b"\x80\x01\x80\x02"


def test_entries_that_come_by_level_are_runs_by_level() -> None:
    assert runs_at([5, 6, 9, 1, 2, 3]) == [(5, 6), (9, 9), (1, 3)]


def test_page_without_runs_is_all_from_first_to_last() -> None:
    assert runs_of(page_at([4, 5, 9], is_packed=False)) == [(4, 9)]
    assert runs_of(page_at([4, 5, 9])) == [(4, 5), (9, 9)]


@pytest.mark.parametrize("positions", [[3], [3, 4, 5], [3, 7, 8, 20]])
def test_page_holds_its_positions_only(positions: list[int]) -> None:
    page = page_at(positions)
    assert [position for position in range(30) if holds(page, position)] == positions
    runs = Runs(page)
    assert [position for position in range(30) if runs.has(position)] == positions
