"""What all connections of a node share, put together by `node.py`."""

from mypy_extensions import i64

from supersoniq.auth.permissions import Permissions
from supersoniq.auth.users import Users
from supersoniq.broker.counters import SessionCounters
from supersoniq.broker.events import Events, NoEvents
from supersoniq.broker.limits import UserLimits
from supersoniq.broker.ports import Names
from supersoniq.broker.turn import Turn
from supersoniq.broker.vhost import VHost
from supersoniq.session.logins import Logins
from supersoniq.session.mechanisms import CertificateNames
from supersoniq.session.refusals import Refusals


class Limits:
    """Bounds of every connection; sizes in bytes, times in ticks of the node's clock (`TICKS_PER_SECOND`)."""

    def __init__(
        self,
        channel_max: int = 2047,
        frame_max_bytes: int = 131_072,
        heartbeat_seconds: int = 60,
        message_bytes_max: int = 128 * 1024 * 1024,
        handshake_ticks: int = 20,
        consumer_timeout_ms: int = 0,
    ) -> None:
        self.channel_max = channel_max
        self.frame_max_bytes = frame_max_bytes
        self.heartbeat_seconds = heartbeat_seconds
        self.message_bytes_max = message_bytes_max
        self.handshake_ticks = handshake_ticks
        self.consumer_timeout_ms = consumer_timeout_ms


class Alarm:
    """Whether publishers are to wait, and why: `reason` is the text for Connection.Blocked."""

    def __init__(self) -> None:
        self.is_on = False
        self.reason = b""


class Buffered:
    """The bodies that sessions hold and no queue has yet: incomplete ones, and those of open transactions."""

    def __init__(self) -> None:
        self.body_bytes = 0


class Context:
    """The values a connection works with."""

    def __init__(
        self,
        turn: Turn,
        vhosts: dict[str, VHost],
        users: Users,
        permissions: Permissions,
        logins: Logins,
        names: Names,
        limits: Limits,
        server_properties: bytes,
    ) -> None:
        self.turn = turn
        self.vhosts = vhosts
        self.users = users
        self.permissions = permissions
        self.access_generation: i64 = 0  # rises when anybody's permissions change
        self.logins = logins
        self.certificate_names = CertificateNames()
        self.names = names
        self.limits = limits
        self.server_properties = server_properties
        self.alarm = Alarm()
        self.buffered = Buffered()
        self.refusals = Refusals()
        self.counters = SessionCounters()
        self.events: Events = NoEvents()
        self.node_name = ""
        self.incarnation = ""  # for `events.pid`
        self._user_limits: dict[str, UserLimits] = {}
        self._last_id = 0

    def user_limits(self, user: str) -> UserLimits:
        """Return what a user may have, and has, open."""
        return self._user_limits.setdefault(user, UserLimits())

    def next_id(self) -> int:
        """Return a number for a new connection, never 0."""
        self._last_id += 1
        return self._last_id
