"""Gaps are all positions that nothing has, whatever has the others."""

import itertools
from random import Random

import pytest

from supersoniq.broker.ports import Page
from supersoniq.broker.queues.runs import pack
from supersoniq.storage.gaps import POSITIONS_PER_OCTET, gaps


def runs_at(positions: list[int]) -> list[tuple[int, int]]:
    groups: list[tuple[int, int]] = []
    for position in sorted(positions):
        if groups and groups[-1][1] == position - 1:
            groups[-1] = (groups[-1][0], position)
        else:
            groups.append((position, position))
    return groups


def page_at(positions: list[int]) -> Page:
    page = Page(len(positions), 0, min(positions), max(positions))
    if page.last - page.first + 1 != page.count:
        page.runs = pack(runs_at(positions))
    return page


@pytest.mark.parametrize("step", [1, 2, POSITIONS_PER_OCTET, 2 * POSITIONS_PER_OCTET, 5_000])
@pytest.mark.parametrize("seed", range(20))
def test_gaps_are_what_is_left(seed: int, step: int) -> None:
    random = Random(seed)
    positions = [1 + number * step for number in range(60) if random.random() < 0.8]
    groups: list[list[int]] = [[] for _ in range(6)]
    for position in positions:
        groups[random.choice([0, position * 6 // (60 * step + 1), random.randrange(6)])].append(position)
    runs = runs_at(groups[0])
    random.shuffle(runs)
    first, last = random.choice([(1, 60 * step), (-5, 80 * step), (10 * step, 30 * step), (7, 7)])
    found = gaps(first, last, runs, [page_at(group) for group in groups[1:] if group])
    known = set(positions)
    assert [each for low, high in found for each in range(low, high + 1)] == [
        each for each in range(first, last + 1) if each not in known
    ]
    assert all(high + 1 < low for (_, high), (low, _) in itertools.pairwise(found))


def test_where_nothing_lives_all_is_one_gap() -> None:
    assert gaps(5, 1 << 50, [], []) == [(5, 1 << 50)]


def test_where_all_lives_there_is_none() -> None:
    page = Page(100, 0, 1, 100)
    assert gaps(1, 100, [], [page]) == []
    assert gaps(1, 1 << 50, [(1, 1 << 50)], []) == []
