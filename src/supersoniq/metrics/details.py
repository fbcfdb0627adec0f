"""Figures with their past, as RabbitMQ's API shows them: `publish` and `publish_details`."""

from collections.abc import Sequence
from typing import Final

from supersoniq.metrics.history import History
from supersoniq.metrics.ranges import Range

PERIOD_MS = 5_000
NO_RATE: Final[dict[str, object]] = {"rate": 0.0}


class Past:
    """The history of one object up to the last time when samples were taken."""

    def __init__(self, history: History | None, last_ms: int) -> None:
        self._history = history
        self._last_ms = last_ms

    def details(self, indexes: Sequence[int], wanted: Range | None = None) -> dict[str, object]:
        """Return the rate of a figure, the sum of some values, and its samples if they are wanted."""
        if self._history is None and wanted is None:
            return dict(NO_RATE)
        before = self._sum(indexes, self._last_ms - PERIOD_MS)
        rate = (self._sum(indexes, self._last_ms) - before) * 1000 / PERIOD_MS
        if wanted is None:
            return {"rate": rate}
        times = wanted.times_ms(self._last_ms)
        samples = [self._sum(indexes, at_ms) for at_ms in times]
        seconds = (times[0] - times[-1]) / 1000
        return {
            "rate": rate,
            "samples": [
                {"sample": sample, "timestamp": at_ms} for sample, at_ms in zip(samples, times, strict=True)
            ],
            "avg_rate": (samples[0] - samples[-1]) / seconds if seconds else 0.0,
            "avg": sum(samples) / len(samples),
        }

    def _sum(self, indexes: Sequence[int], at_ms: int) -> int:
        history = self._history
        return 0 if history is None else sum([history.value(index, at_ms) for index in indexes])
