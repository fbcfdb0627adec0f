"""Latencies counted in logarithmic buckets: percentiles of any number of values in constant memory.

Values below 256 have a bucket each. Above, each power of two is cut into 128 buckets, so that what comes out
is at most 1/128 above what went in.
"""

from typing import Final, final

SUB_BUCKET_BITS: Final = 7
EXACT_BELOW: Final = 1 << (SUB_BUCKET_BITS + 1)
VALUE_BITS_MAX: Final = 63
BUCKETS: Final = (VALUE_BITS_MAX - SUB_BUCKET_BITS + 1) << SUB_BUCKET_BITS


@final
class Histogram:
    """Counts integers from 0 to 2**63 - 1."""

    def __init__(self) -> None:
        self.count = 0
        self.minimum = 0
        self.maximum = 0
        self._counts = [0] * BUCKETS

    def record(self, value: int) -> None:
        """Count `value`; a negative one, which a clock should not give, counts as 0."""
        value = max(value, 0)
        if self.count == 0 or value < self.minimum:
            self.minimum = value
        self.maximum = max(self.maximum, value)
        self.count += 1
        self._counts[_bucket(value)] += 1

    def percentile(self, percent: float) -> int:
        """The value that `percent` of all do not exceed, rounded up to its bucket's end; 0 without values."""
        wanted = max(1, -(-self.count * percent // 100))
        seen = 0
        for bucket, count in enumerate(self._counts):
            seen += count
            if count and seen >= wanted:
                return min(_bucket_end(bucket), self.maximum)
        return self.maximum

    def clear(self) -> None:
        """Forget all values."""
        self.count = 0
        self.minimum = 0
        self.maximum = 0
        self._counts = [0] * BUCKETS


def _bucket(value: int) -> int:
    if value < EXACT_BELOW:
        return value
    shift = value.bit_length() - SUB_BUCKET_BITS - 1
    return (shift << SUB_BUCKET_BITS) + (value >> shift)


def _bucket_end(bucket: int) -> int:
    """The largest value that is counted in `bucket`."""
    if bucket < EXACT_BELOW:
        return bucket
    shift = (bucket >> SUB_BUCKET_BITS) - 1
    first = (bucket & ((1 << SUB_BUCKET_BITS) - 1)) + (1 << SUB_BUCKET_BITS)
    return ((first + 1) << shift) - 1
