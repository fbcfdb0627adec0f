"""Histories know every value at every time that they have kept, in little memory."""

from hypothesis import given
from hypothesis import strategies as st
from tests.definitions import thorough

from supersoniq.metrics.history import SLACK_ROWS, History, Rows

SAMPLES = st.lists(
    st.tuples(st.integers(1, 10), st.lists(st.integers(0, 3), min_size=4, max_size=4)), max_size=60
)


@thorough
@given(SAMPLES, st.integers(1, 20))
def test_rows_know_what_was_last_sampled_before_a_time(
    samples: list[tuple[int, list[int]]], rows_max: int
) -> None:
    rows, expected, now = Rows(), [], 0
    for pause, values in samples:
        now += pause
        rows.add(now, values, rows_max)
        expected.append((now, values))
    assert len(rows) <= rows_max + SLACK_ROWS
    kept = expected[-rows_max:]
    for at_ms in range(kept[0][0] if kept else 0, now + 2):
        known = [values for time, values in kept if time <= at_ms]
        for index in range(4):
            assert rows.value(index, at_ms) == (known[-1][index] if known else None)


def test_columns_that_were_never_used_take_no_place() -> None:
    rows = Rows()
    rows.add(1, [0] * 15, 10)
    rows.add(2, [0, 7] + [0] * 13, 10)
    rows.add(3, [0, 8] + [0] * 13, 10)
    assert len(rows._values) == 3
    assert [rows.value(1, at_ms) for at_ms in (1, 2, 3)] == [0, 7, 8]


def test_what_is_older_than_the_finest_rows_comes_from_coarser_ones() -> None:
    history = History((5, 60), 1)
    for now in range(60, 301, 5):
        history.add(now, [now], (3, 100))
    assert history.value(0, 300) == 300
    assert history.value(0, 295) == 295
    assert history.value(0, 155) == 120
    assert history.value(0, 60) == 60


def test_before_the_first_sample_a_counter_was_0_and_a_gauge_what_it_was_then() -> None:
    history = History((5,), 1)
    history.add(100, [3, 4], (10,))
    history.add(105, [5, 6], (10,))
    assert (history.value(0, 99), history.value(1, 99)) == (0, 4)
    assert (history.value(0, 104), history.value(1, 104)) == (3, 4)


def test_history_without_samples_is_all_0() -> None:
    history = History((5,), 0)
    assert history.value(0, 10) == 0


def test_history_knows_since_when_nothing_moves() -> None:
    history = History((5, 60), gauges_from=3)
    history.add(100, [1, 0, 2], (10, 10))
    assert history.still_since_ms([1, 0, 2]) == 100
    for moved in ([1, 1, 2], [2, 0, 1], [0, 0, 0]):
        assert history.still_since_ms(moved) == 0
    history.add(105, [1, 1, 2], (10, 10))
    assert history.still_since_ms([1, 1, 2]) == 105
