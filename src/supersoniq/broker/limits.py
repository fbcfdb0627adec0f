"""Limits: how many queues, connections and channels virtual hosts and users may have.

-1 is no limit. What is open is counted whether there is a limit or not, as one may be set at any time.
"""

from typing import Final, final

from mypy_extensions import i64

from supersoniq.amqp.errors import NotAllowed, PreconditionFailed
from supersoniq.amqp.primitives import text
from supersoniq.broker.validation import check, is_number, pairs, term

NO_LIMIT: Final = -1
MAX_CONNECTIONS: Final = "max-connections"
MAX_QUEUES: Final = "max-queues"
MAX_CHANNELS: Final = "max-channels"


@final
class VHostLimits:
    """What one virtual host may have, and its open connections."""

    def __init__(self) -> None:
        self.max_queues: i64 = NO_LIMIT
        self.max_connections: i64 = NO_LIMIT
        self.connection_count: i64 = 0

    def put(self, values: dict[str, object]) -> None:
        """Set limits by their names, and leave the others; raises ValidationFailed."""
        _check(values, (MAX_CONNECTIONS, MAX_QUEUES), "limits")
        self.max_connections = _limit(values, MAX_CONNECTIONS, self.max_connections)
        self.max_queues = _limit(values, MAX_QUEUES, self.max_queues)

    def clear(self) -> None:
        """Have no limits any more."""
        self.max_connections = NO_LIMIT
        self.max_queues = NO_LIMIT

    def definition(self) -> dict[str, int]:
        """Return the limits there are, by their names."""
        return _present(MAX_CONNECTIONS, self.max_connections, MAX_QUEUES, self.max_queues)

    def check_queue(self, vhost: str, queue: bytes, count: int) -> None:
        """Raise 406 if there are too many queues for one more."""
        if 0 <= self.max_queues <= count:
            raise PreconditionFailed(
                f"cannot declare queue '{text(queue)}': "
                f"queue limit in vhost '{vhost}' ({self.max_queues}) is reached"
            )

    def check_connection(self, vhost: str, user: str) -> None:
        """Raise 530 if there are too many connections for one more."""
        if 0 <= self.max_connections <= self.connection_count:
            raise NotAllowed(
                f"access to vhost '{vhost}' refused for user '{user}': "
                f"connection limit ({self.max_connections}) is reached"
            )


@final
class UserLimits:
    """What one user may have, and what of that is open."""

    def __init__(self) -> None:
        self.max_connections: i64 = NO_LIMIT
        self.max_channels: i64 = NO_LIMIT
        self.connection_count: i64 = 0
        self.channel_count: i64 = 0

    def put(self, values: dict[str, object]) -> None:
        """Set limits by their names, and leave the others; raises ValidationFailed."""
        _check(values, (MAX_CHANNELS, MAX_CONNECTIONS), "user-limits")
        self.max_connections = _limit(values, MAX_CONNECTIONS, self.max_connections)
        self.max_channels = _limit(values, MAX_CHANNELS, self.max_channels)

    def clear(self) -> None:
        """Have no limits any more."""
        self.max_connections = NO_LIMIT
        self.max_channels = NO_LIMIT

    def definition(self) -> dict[str, int]:
        """Return the limits there are, by their names."""
        return _present(MAX_CONNECTIONS, self.max_connections, MAX_CHANNELS, self.max_channels)

    def check_connection(self, user: str) -> None:
        """Raise 530 if there are too many connections for one more."""
        if 0 <= self.max_connections <= self.connection_count:
            raise NotAllowed(
                f"connection refused for user '{user}': "
                f"user connection limit ({self.max_connections}) is reached"
            )

    def check_channel(self, user: str) -> None:
        """Raise 530 if there are too many channels for one more."""
        if 0 <= self.max_channels <= self.channel_count:
            raise NotAllowed(
                f"number of channels opened for user '{user}' "
                f"has reached the maximum allowed user limit of ({self.max_channels})",
                0,
                0,
            )


def _check(values: dict[str, object], known: tuple[str, str], what: str) -> None:
    reasons: list[str] = []
    unknown = {name: value for name, value in values.items() if name not in known}
    if unknown:
        reasons.append(f"Unrecognised terms {pairs(unknown)} in {what}")
    for name in known:
        if name in values and not is_number(values[name]):
            reasons.append(f"{name} should be a number, actually was {term(values[name])}")
    check(reasons)


def _limit(values: dict[str, object], name: str, current: i64) -> i64:
    value = values.get(name)
    if not isinstance(value, int):
        return current
    # One that does not fit into an integer of the machine is none that could be reached.
    return NO_LIMIT if value < 0 or value > 1 << 62 else i64(value)


def _present(one_name: str, one: i64, other_name: str, other: i64) -> dict[str, int]:
    limits: dict[str, int] = {}
    if one >= 0:
        limits[one_name] = int(one)
    if other >= 0:
        limits[other_name] = int(other)
    return limits
