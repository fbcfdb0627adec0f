"""The past that a query asks for."""

import pytest

from supersoniq.metrics.ranges import POINTS_MAX, Range, Ranges, ranges_of


def test_query_asks_for_each_kind_by_itself() -> None:
    query = {"msg_rates_age": "60", "msg_rates_incr": "5", "lengths_age": "3600", "lengths_incr": "60"}
    assert ranges_of(query) == Ranges(lengths=Range(3600, 60), msg_rates=Range(60, 5))


@pytest.mark.parametrize(
    "query",
    [{}, {"msg_rates_age": "60"}, {"msg_rates_incr": "5"}, {"msg_rates_age": "0", "msg_rates_incr": "0"}],
)
def test_without_both_there_are_no_samples(query: dict[str, str]) -> None:
    assert ranges_of(query) == Ranges()


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not_integer: soon"):
        ranges_of({"data_rates_age": "soon", "data_rates_incr": "5"})


def test_samples_stand_at_multiples_of_the_step_the_latest_first() -> None:
    assert Range(10, 5).times_ms(23_000) == [20_000, 15_000, 10_000]
    assert Range(9, 5).times_ms(20_000) == [20_000, 15_000]
    assert Range(1, 5).times_ms(20_000) == [20_000]


def test_samples_are_not_without_number() -> None:
    assert len(Range(10**9, 1).times_ms(10**12)) == POINTS_MAX
