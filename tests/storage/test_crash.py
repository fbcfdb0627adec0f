"""Nothing that was confirmed is lost, and nothing comes back that was settled, whenever the power goes.

A failing seed is run again by `SEED=123 pytest tests/storage/test_crash.py -k again`.
"""

import os
import time

import pytest
from tests.storage import simulation

from supersoniq.cli.version import is_compiled

# Each seed crashes and recovers four or five times.
SEEDS = 300 if is_compiled() else 120
SOAK_CRASHES = 10_000


@pytest.mark.parametrize("seed", range(SEEDS))
def test_seed_loses_nothing(seed: int) -> None:
    simulation.run(seed)


@pytest.mark.skipif("SEED" not in os.environ, reason="runs the seed in the environment variable SEED again")
def test_one_seed_again() -> None:
    simulation.run(int(os.environ["SEED"]))


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_ten_thousand_crashes_lose_nothing() -> None:
    seed = first = int(os.environ.get("SEED", time.time_ns() % 2**32))
    crashes = 0
    while crashes < SOAK_CRASHES:
        try:
            crashes += simulation.run(seed)
        except Exception as error:
            raise AssertionError(f"seed {seed}, the {seed - first + 1}. of this run") from error
        seed += 1
