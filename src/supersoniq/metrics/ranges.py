"""The past that somebody asks for: RabbitMQ's `msg_rates_age` and `msg_rates_incr`, and the like."""

from collections.abc import Mapping
from typing import Final, NamedTuple

KINDS: Final = ("lengths", "msg_rates", "data_rates", "node_stats")
# More points than this draw no better line, and would take long to make.
POINTS_MAX: Final = 1_000


class Range(NamedTuple):
    """So many seconds back from now, a sample every `step_seconds`."""

    age_seconds: int
    step_seconds: int

    def times_ms(self, last_ms: int) -> list[int]:
        """Return the times of the samples, the latest first, which is at `last_ms` or shortly before."""
        step_ms = self.step_seconds * 1000
        end_ms = last_ms // step_ms * step_ms
        count = min(self.age_seconds // self.step_seconds, POINTS_MAX - 1) + 1
        return [end_ms - number * step_ms for number in range(count)]


class Ranges(NamedTuple):
    """The ranges of one request, None for what is wanted without samples."""

    lengths: Range | None = None
    msg_rates: Range | None = None
    data_rates: Range | None = None
    node_stats: Range | None = None


def ranges_of(query: Mapping[str, str]) -> Ranges:
    """Return what a query asks for; raises ValueError, with RabbitMQ's reason, for what is no number.

    Without both age and increment there are no samples, as in RabbitMQ.
    """
    return Ranges(*[_range_of(query, kind) for kind in KINDS])


def _range_of(query: Mapping[str, str], kind: str) -> Range | None:
    age, step = query.get(f"{kind}_age"), query.get(f"{kind}_incr")
    if age is None or step is None:
        return None
    found = Range(_number(age), _number(step))
    return found if found.age_seconds > 0 and found.step_seconds > 0 else None


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"not_integer: {text}") from None
