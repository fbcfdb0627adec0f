"""The opening of a connection: protocol header, Start, Tune, Open."""

from typing import final

from mypy_extensions import trait

from supersoniq.amqp.errors import ChannelFault, NotAllowed
from supersoniq.amqp.methods import Arguments
from supersoniq.amqp.primitives import text, write_longstr, write_shortstr, write_u8, write_u16, write_u32
from supersoniq.amqp.spec import (
    CONNECTION_OPEN,
    CONNECTION_OPEN_OK,
    CONNECTION_START,
    CONNECTION_START_OK,
    CONNECTION_TUNE,
    CONNECTION_TUNE_OK,
    FRAME_MIN_BYTES,
)
from supersoniq.session.client import Client
from supersoniq.session.logins import Login
from supersoniq.session.mechanisms import claimed, offered


@trait
class LoginWaiter:
    """Is told what became of a login."""

    def login_granted(self, login: Login) -> None:
        """Go on with the handshake."""
        raise AssertionError("a LoginWaiter says what it does")

    def login_refused(self, login: Login, reason: str) -> None:
        """Close the connection."""
        raise AssertionError("a LoginWaiter says what it does")


@final
class _HandshakeLogin(Login):
    """The login of one connection."""

    def __init__(
        self, waiter: LoginWaiter, user: str, password: bytes | None, host: str, from_loopback: bool
    ) -> None:
        super().__init__(user, password, host, from_loopback)
        self._waiter = waiter

    def granted(self) -> None:
        """Tell the connection."""
        self._waiter.login_granted(self)

    def refused(self, reason: str) -> None:
        """Tell the connection."""
        self._waiter.login_refused(self, reason)


@final
class Handshake:
    """Leads a client from the protocol header to an open connection.

    `expected` is the method that comes next. `waiter` is told when it is known whether the client may log in.
    """

    def __init__(self, client: Client, waiter: LoginWaiter, from_loopback: bool) -> None:
        self.expected = CONNECTION_START_OK
        self.is_done = False
        self.heartbeat_seconds = 0
        self._client = client
        self._waiter = waiter
        self._from_loopback = from_loopback
        self._login: Login | None = None

    def start(self) -> None:
        """Write Connection.Start: the client has sent the protocol header."""
        writer = self._client.output.begin(0, CONNECTION_START)
        write_u8(writer, 0)
        write_u8(writer, 9)
        writer.write(self._client.context.server_properties)
        write_longstr(writer, offered(self._client.peer_certificate))
        write_longstr(writer, b"en_US")
        self._client.output.end()

    def method(self, method: int, arguments: Arguments) -> None:
        """Take the next method of the handshake; raises 504 for any other."""
        if method != self.expected:
            raise ChannelFault(f"unexpected method in connection state {self._state()}")
        if method == CONNECTION_START_OK:
            self._start_ok(arguments)
        elif method == CONNECTION_TUNE_OK:
            self._tune_ok(arguments)
        else:
            self._open(arguments)

    def _state(self) -> str:
        if self.expected == CONNECTION_START_OK:
            return "starting"
        return "tuning" if self.expected == CONNECTION_TUNE_OK else "opening"

    def _start_ok(self, arguments: Arguments) -> None:
        properties = arguments.table()
        mechanism, response = arguments.shortstr(), arguments.longstr()
        self._client.introduce(properties)
        client = self._client
        client.auth_mechanism = text(mechanism)
        user, password = claimed(
            mechanism, response, client.peer_certificate, client.context.certificate_names
        )
        login = _HandshakeLogin(self._waiter, user, password, client.peer_host, self._from_loopback)
        self._login = login
        client.context.logins.attempt(login)

    @property
    def is_waiting(self) -> bool:
        """Whether it is not known yet if the client may log in: nothing more is to come until then."""
        return self._login is not None and not self._login.is_over

    def abandon(self) -> None:
        """Take no interest in a login any more: the connection ends."""
        if self._login is not None:
            self._login.is_over = True

    def tune(self) -> None:
        """Write Connection.Tune: the client has logged in."""
        limits = self._client.context.limits
        writer = self._client.output.begin(0, CONNECTION_TUNE)
        write_u16(writer, limits.channel_max)
        write_u32(writer, limits.frame_max_bytes)
        write_u16(writer, limits.heartbeat_seconds)
        self._client.output.end()
        self.expected = CONNECTION_TUNE_OK

    def _tune_ok(self, arguments: Arguments) -> None:
        limits = self._client.context.limits
        client = self._client
        client.channel_max = _agreed("channel_max", arguments.u16(), limits.channel_max, 1)
        client.frame_max_bytes = _agreed(
            "frame_max", arguments.u32(), limits.frame_max_bytes, FRAME_MIN_BYTES
        )
        self.heartbeat_seconds = client.heartbeat_seconds = arguments.u16()
        client.output.limit(client.frame_max_bytes)
        self.expected = CONNECTION_OPEN

    def _open(self, arguments: Arguments) -> None:
        name = text(arguments.shortstr())
        client = self._client
        vhost = client.context.vhosts.get(name)
        if vhost is None:
            raise NotAllowed(f"vhost {name} not found")
        client.enter(vhost)
        write_shortstr(client.output.begin(0, CONNECTION_OPEN_OK), b"")
        client.output.end()
        self.is_done = True


def _agreed(name: str, asked: int, limit: int, minimum: int) -> int:
    """Return the value agreed on; raises 530 in RabbitMQ's words for one out of bounds."""
    if asked == 0 and limit == 0:
        return 0
    if limit and (asked == 0 or asked > limit):
        shown = str(asked) if asked else "no limit"
        raise NotAllowed(f"negotiated {name} = {shown} is higher than the maximum allowed value ({limit})")
    if asked < minimum:
        raise NotAllowed(f"negotiated {name} = {asked} is lower than the minimum allowed value ({minimum})")
    return asked
