"""The samples that a query asks for, and RabbitMQ's complaint about those that make no sense."""

from typing import TYPE_CHECKING, Final

from supersoniq.management.errors import ApiError
from supersoniq.metrics.ranges import KINDS, Ranges, ranges_of

if TYPE_CHECKING:
    from supersoniq.management.call import Call

AGE_SECONDS_MAX: Final = 10 * 365 * 24 * 3600


def _documented(kind: str, what: str) -> dict[str, str]:
    return {
        f"{kind}_age": f"so many seconds back there are to be samples of {what}",
        f"{kind}_incr": "seconds from one sample to the next",
    }


LENGTHS: Final = _documented("lengths", "lengths")
MSG_RATES: Final = _documented("msg_rates", "message rates")
DATA_RATES: Final = _documented("data_rates", "octets")
NODE_STATS: Final = _documented("node_stats", "the node")


def samples_of(call: "Call") -> Ranges:
    """Return what the query of a call asks for; raises 400."""
    query = call.request.query_params
    for kind in KINDS:
        age, step = query.get(f"{kind}_age"), query.get(f"{kind}_incr")
        if age is not None and step is not None:
            _check(age, step)
    return ranges_of(query)


def _check(age: str, step: str) -> None:
    try:
        is_good = 0 < int(age) <= AGE_SECONDS_MAX and int(step) > 0
    except ValueError:
        is_good = False
    if not is_good:
        reason = f"Invalid range parameters: age {age}, incr {step}"
        raise ApiError(400, "invalid_range_parameters", reason)
