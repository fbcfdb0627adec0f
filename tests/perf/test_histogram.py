"""The histogram, against a sorted list."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supersoniq.perf.histogram import Histogram

VALUES = st.integers(0, 2**63 - 1) | st.integers(0, 5000)


def filled(values: list[int]) -> Histogram:
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    return histogram


@given(st.lists(VALUES, min_size=1), st.floats(0, 100))
def test_percentile_is_at_most_a_128th_above_the_true_one(values: list[int], percent: float) -> None:
    histogram = filled(values)
    rank = max(1, math.ceil(len(values) * percent / 100))
    exact = sorted(values)[rank - 1]
    assert exact <= histogram.percentile(percent) <= exact + exact // 128


@given(st.lists(VALUES, min_size=1))
def test_extremes_and_count_are_exact(values: list[int]) -> None:
    histogram = filled(values)
    assert (histogram.minimum, histogram.maximum, histogram.count) == (min(values), max(values), len(values))
    assert histogram.percentile(100) == max(values)


@pytest.mark.parametrize("value", [0, 1, 255, 256, 257, 511, 512, 2**40, 2**63 - 1])
def test_single_value_is_every_percentile(value: int) -> None:
    histogram = filled([value])
    assert [histogram.percentile(percent) for percent in (0, 50, 100)] == [value] * 3


def test_negative_value_counts_as_none() -> None:
    assert filled([-5]).percentile(100) == 0


def test_empty_and_cleared_histograms_say_nothing() -> None:
    histogram = filled([7])
    histogram.clear()
    assert (histogram.count, histogram.percentile(50), histogram.maximum) == (0, 0, 0)
