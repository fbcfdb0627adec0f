"""Rates and samples as RabbitMQ's API shows them."""

from supersoniq.metrics.details import PERIOD_MS, Past
from supersoniq.metrics.history import History
from supersoniq.metrics.ranges import Range


def growing() -> Past:
    """10 and 2 more at each of four samples, from 100,000 ms on."""
    history = History((PERIOD_MS,), 2)
    for number in range(1, 5):
        history.add(100_000 + number * PERIOD_MS, [10 * number, 2 * number], (50,))
    return Past(history, 120_000)


def test_rate_is_of_the_last_period() -> None:
    assert growing().details((0,)) == {"rate": 2.0}
    assert growing().details((0, 1)) == {"rate": 2.4}


def test_nothing_was_counted_since_the_last_row_if_there_is_none_for_it() -> None:
    history = History((PERIOD_MS,), 1)
    history.add(100_000, [5], (50,))
    assert Past(history, 100_000).details((0,)) == {"rate": 1.0}
    assert Past(history, 105_000).details((0,)) == {"rate": 0.0}


def test_samples_have_their_average_and_their_average_rate() -> None:
    assert growing().details((0,), Range(15, 5)) == {
        "rate": 2.0,
        "samples": [
            {"sample": 40, "timestamp": 120_000},
            {"sample": 30, "timestamp": 115_000},
            {"sample": 20, "timestamp": 110_000},
            {"sample": 10, "timestamp": 105_000},
        ],
        "avg_rate": 2.0,
        "avg": 25.0,
    }


def test_single_sample_has_no_rate() -> None:
    details = growing().details((0,), Range(1, 5))
    assert (details["avg_rate"], details["avg"]) == (0.0, 40.0)


def test_object_without_history_has_not_moved() -> None:
    assert Past(None, 100_000).details((0,)) == {"rate": 0.0}
