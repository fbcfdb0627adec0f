"""The history of one object's figures: rows of samples, in as little memory as that can be.

A row is made only when something has moved, so between two rows nothing has. Columns are kept for what was
ever other than 0: a queue has some four of fifteen.
"""

from array import array
from bisect import bisect_right
from collections.abc import Sequence

# Beyond the rows that are to be kept, so many may wait to be cut off in one go.
SLACK_ROWS = 16


class Rows:
    """Samples at one resolution, oldest first."""

    def __init__(self) -> None:
        self._columns: list[int] = []  # which of an object's values are kept
        self._times = array("q")
        self._values = array("q")  # row by row

    def __len__(self) -> int:
        return len(self._times)

    @property
    def first_ms(self) -> int:
        """When the first sample was taken that is kept, 0 for never."""
        return self._times[0] if self._times else 0

    @property
    def last_ms(self) -> int:
        """When the last sample was taken, 0 for never."""
        return self._times[-1] if self._times else 0

    def has_last(self, values: Sequence[int]) -> bool:
        """Whether these are the values of the last sample."""
        columns = self._columns
        last = self._values[len(self._values) - len(columns) :]
        kept = [values[index] for index in columns]
        # The values of all other columns were 0.
        return kept == last.tolist() and sum(kept) == sum(values)

    def add(self, now_ms: int, values: Sequence[int], rows_max: int) -> None:
        """Add a sample, and forget old ones beyond `rows_max`."""
        columns = self._columns
        if any(values) and any(value and index not in columns for index, value in enumerate(values)):
            self._widen([index for index, value in enumerate(values) if value or index in columns])
            columns = self._columns
        self._times.append(now_ms)
        self._values.extend([values[index] for index in columns])
        excess = len(self._times) - rows_max
        if excess > SLACK_ROWS:
            del self._times[:excess]
            del self._values[: excess * len(columns)]

    def _widen(self, columns: list[int]) -> None:
        """Keep more columns, which were 0 until now."""
        old, width = self._columns, len(self._columns)
        values = array("q")
        for row in range(len(self._times)):
            known = dict(zip(old, self._values[row * width : (row + 1) * width], strict=True))
            values.extend([known.get(index, 0) for index in columns])
        self._columns = columns
        self._values = values

    def value(self, index: int, at_ms: int) -> int | None:
        """Return a value as it was at a time; None if that was before the first sample."""
        row = bisect_right(self._times, at_ms) - 1
        if row < 0:
            return None
        try:
            column = self._columns.index(index)
        except ValueError:
            return 0
        return self._values[row * len(self._columns) + column]


class History:
    """Samples of one object at one or more resolutions, `steps_ms`: the finest first.

    What is older than the first sample counts as 0, or as that sample for the values from `gauges_from` on.
    """

    def __init__(self, steps_ms: Sequence[int], gauges_from: int) -> None:
        self._steps_ms = tuple(steps_ms)
        self._levels = [Rows() for _ in steps_ms]
        self._gauges_from = gauges_from

    def add(self, now_ms: int, values: Sequence[int], rows_max: Sequence[int]) -> None:
        """Add a sample; of each resolution so many rows are kept."""
        for step_ms, rows, count in zip(self._steps_ms, self._levels, rows_max, strict=True):
            if now_ms - rows.last_ms >= step_ms:
                rows.add(now_ms, values, count)

    def still_since_ms(self, values: Sequence[int]) -> int:
        """Return when the last sample was taken, 0 if values have moved since then."""
        finest = self._levels[0]
        return finest.last_ms if finest.has_last(values) else 0

    def value(self, index: int, at_ms: int) -> int:
        """Return a value as it was at a time."""
        for rows in self._levels:
            value = rows.value(index, at_ms)
            if value is not None:
                return value
        if index < self._gauges_from:
            return 0
        return self._levels[-1].value(index, self._levels[-1].first_ms) or 0
