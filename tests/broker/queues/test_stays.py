"""Histograms of times in queues and of deliveries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.definitions import thorough

from supersoniq.broker.queues.stays import DELIVERY_BOUNDS, STAY_BOUNDS_MS, Retries, Stays, percentile_ms


@pytest.mark.parametrize("bound", STAY_BOUNDS_MS)
def test_stay_counts_in_the_smallest_bucket_that_takes_it(bound: int) -> None:
    stays = Stays()
    stays.add(bound)
    stays.add(bound + 1)
    place = STAY_BOUNDS_MS.index(bound)
    assert stays.counts[place : place + 2] == [1, 1]
    assert stays.sum_ms == 2 * bound + 1


def test_retries_count_by_deliveries() -> None:
    retries = Retries()
    for deliveries in (2, 3, 4, 1_000):
        retries.add(deliveries)
    assert retries.counts == [1, 1, 1, 0, 0, 0, 1]
    assert len(retries.counts) == len(DELIVERY_BOUNDS) + 1
    assert retries.sum_deliveries == 1_009


@thorough
@given(st.lists(st.integers(0, 86_400_000), min_size=1), st.floats(0, 1))
def test_percentile_is_in_the_bucket_of_the_true_one(times: list[int], share: float) -> None:
    stays = Stays()
    for time in times:
        stays.add(time)
    found = percentile_ms(stays.counts, share)
    below = [time for time in times if time <= found]
    bucket = min(bound for bound in STAY_BOUNDS_MS if bound >= found - 1e-6)
    assert len([time for time in times if time <= bucket]) >= share * len(times) - 1e-6
    assert len(below) <= len(times)


def test_percentile_of_nothing_is_0() -> None:
    assert percentile_ms(Stays().counts, 0.5) == 0.0


def test_percentile_beyond_all_bounds_is_the_last() -> None:
    stays = Stays()
    stays.add(10**12)
    assert percentile_ms(stays.counts, 0.99) == STAY_BOUNDS_MS[-1]
