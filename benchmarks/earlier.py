"""An earlier version of SupersoniQ beside this one: what transient messages cost then and now.

Differences of a few percent are asked for, where single runs differ by fifteen. What is not the version's is
kept away: each run has a new process, the broker has one core and the load generator another, and who is
first changes from row to row and from run to run.
"""

import os
from collections.abc import Callable

from brokers import Broker
from matrix import Row, Scale
from measures import Failed, Figures, measure_load

RUNS_MIN = 3


def measure_versions(
    versions: list[Broker],
    rows: list[Row],
    scale: Scale,
    note: Callable[[str, Broker, Figures], None],
    failed: Callable[[str, Broker, Exception], None],
) -> None:
    """Measure the rows with each version by turns, `scale.runs` times and at least `RUNS_MIN` times."""
    cores = os.sched_getaffinity(0)
    try:
        for run in range(max(scale.runs, RUNS_MIN)):
            for number, row in enumerate(rows):
                for broker in versions if (number + run) % 2 == 0 else reversed(versions):
                    try:
                        note(row.key, broker, _measure(broker, row, scale, min(cores), max(cores)))
                    except Failed as reason:
                        failed(row.key, broker, reason)
    finally:
        os.sched_setaffinity(0, cores)


def _measure(broker: Broker, row: Row, scale: Scale, core: int, other_core: int) -> Figures:
    """One run; processes have the core on which this one is when it starts them."""
    os.sched_setaffinity(0, {core})
    try:
        broker.start()
        os.sched_setaffinity(0, {other_core})
        return measure_load(broker, row, scale)
    finally:
        broker.stop()
