"""Ranges of positions, against a set of integers."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from supersoniq.storage.ranges import Ranges, ranges_of

SPAN = st.tuples(st.integers(1, 60), st.integers(0, 12)).map(lambda pair: (pair[0], pair[0] + pair[1]))


def filled(spans: list[tuple[int, int]]) -> tuple[Ranges, set[int]]:
    ranges, positions = Ranges(), set[int]()
    for first, last in spans:
        ranges.add(first, last)
        positions.update(range(first, last + 1))
    return ranges, positions


@given(st.lists(SPAN, max_size=30))
def test_ranges_are_the_set_of_what_was_added_whatever_the_order(spans: list[tuple[int, int]]) -> None:
    ranges, positions = filled(spans)
    assert [position for position in range(80) if ranges.covers(position)] == sorted(positions)
    assert ranges.highest == max(positions, default=0)


@given(st.lists(SPAN, max_size=30))
def test_ranges_are_in_order_apart_and_as_few_as_can_be(spans: list[tuple[int, int]]) -> None:
    ranges, positions = filled(spans)
    pairs = ranges.pairs()
    assert len(ranges) == len(pairs)
    assert all(first <= last for first, last in pairs)
    for (_, last), (following, _) in itertools.pairwise(pairs):
        assert last + 1 < following
    assert {position for first, last in pairs for position in range(first, last + 1)} == positions


@given(st.lists(SPAN, max_size=12), SPAN)
def test_a_span_is_covered_or_met_as_its_positions_are(
    spans: list[tuple[int, int]], asked: tuple[int, int]
) -> None:
    ranges, positions = filled(spans)
    wanted = set(range(asked[0], asked[1] + 1))
    assert ranges.covers_all(*asked) == (wanted <= positions)
    assert ranges.meets(*asked) == bool(wanted & positions)


def test_positions_that_are_added_in_order_stay_one_range() -> None:
    ranges = Ranges()
    for position in range(1, 10_000):
        ranges.add(position, position)
    assert ranges.pairs() == [(1, 9_999)]


def test_nothing_is_in_no_ranges() -> None:
    ranges = Ranges()
    assert (len(ranges), ranges.highest, ranges.pairs()) == (0, 0, [])
    assert not ranges.covers(1)
    assert not ranges.meets(1, 1 << 60)
    assert not ranges.covers_all(1, 1)


@given(st.lists(SPAN, max_size=12), SPAN)
def test_what_is_not_in_it_of_a_span_comes_as_ranges(
    spans: list[tuple[int, int]], span: tuple[int, int]
) -> None:
    ranges, positions = filled(spans)
    missing = ranges.without(*span)
    found = [position for first, last in missing for position in range(first, last + 1)]
    assert found == [position for position in range(span[0], span[1] + 1) if position not in positions]
    assert all(last + 1 < following for (_, last), (following, _) in itertools.pairwise(missing))


@given(st.lists(SPAN, max_size=30))
def test_pairs_in_any_order_are_one_set(spans: list[tuple[int, int]]) -> None:
    ranges, positions = filled(spans)
    assert ranges_of(spans).pairs() == ranges.pairs()
    assert ranges.count == len(positions)
