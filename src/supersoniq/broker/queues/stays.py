"""Histograms: how long messages were in queues, and at which delivery they were acked."""

from typing import Final, final

from mypy_extensions import i64

# Upper bounds of the buckets, in milliseconds; there is one more for what is longer.
STAY_BOUNDS_MS: Final = (
    1, 5, 10, 50, 100, 500, 1_000, 5_000, 10_000, 30_000,
    60_000, 300_000, 900_000, 3_600_000, 21_600_000, 86_400_000,
)  # fmt: skip
# The same for the number of deliveries. Who is acked the first time is not counted here.
DELIVERY_BOUNDS: Final = (2, 3, 5, 10, 20, 50)


@final
class Stays:
    """How many messages were in a queue for how long."""

    def __init__(self) -> None:
        self.counts = [0] * (len(STAY_BOUNDS_MS) + 1)
        self.sum_ms: i64 = 0

    def add(self, stay_ms: i64) -> None:
        """Count one."""
        place = 0
        while place < len(STAY_BOUNDS_MS) and stay_ms > STAY_BOUNDS_MS[place]:
            place += 1
        self.counts[place] += 1
        self.sum_ms += stay_ms


@final
class Retries:
    """How many messages were acked only after so many deliveries."""

    def __init__(self) -> None:
        self.counts = [0] * (len(DELIVERY_BOUNDS) + 1)
        self.sum_deliveries: i64 = 0

    def add(self, deliveries: i64) -> None:
        """Count one."""
        place = 0
        while place < len(DELIVERY_BOUNDS) and deliveries > DELIVERY_BOUNDS[place]:
            place += 1
        self.counts[place] += 1
        self.sum_deliveries += deliveries


def percentile_ms(counts: list[int], share: float) -> float:
    """Return the time below which such a share of the messages stayed, 0 if there were none.

    What is longer than all bounds counts as long as the last one.
    """
    rank = share * sum(counts)
    lower = 0.0
    for place in range(len(STAY_BOUNDS_MS)):
        upper = float(STAY_BOUNDS_MS[place])
        count = counts[place]
        if count > 0 and rank <= count:
            return lower + (upper - lower) * rank / count
        rank -= count
        lower = upper
    return lower if sum(counts) > 0 else 0.0
