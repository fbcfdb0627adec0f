"""What the channels of one connection share: who the client is, where it is, and what it can take."""

from supersoniq.amqp.errors import NotAllowed
from supersoniq.amqp.primitives import write_shortstr
from supersoniq.amqp.spec import CONNECTION_BLOCKED, CONNECTION_UNBLOCKED
from supersoniq.amqp.tables import Table
from supersoniq.auth.peer import Encryption, PeerCertificate
from supersoniq.broker.counters import TrafficCounters
from supersoniq.broker.limits import UserLimits
from supersoniq.broker.vhost import VHost
from supersoniq.session.access import Access
from supersoniq.session.context import Context
from supersoniq.session.output import Output, Transport


class Client:
    """One connected client. `vhost` is set when Connection.Open is accepted, before there is any channel.

    `connected_at` is in milliseconds since the epoch. Hosts and ports are those of the socket's two ends, as
    the transport has `located` them; a Unix socket has none.
    """

    def __init__(
        self, connection: int, context: Context, output: Output, transport: Transport, address: str
    ) -> None:
        self.connection = connection
        self.context = context
        self.output = output
        self.address = address
        self.connected_at = int(context.turn.timers.clock.now_ms())
        self.peer_host = ""
        self.peer_port = 0
        self.host = ""
        self.port = 0
        self.auth_mechanism = ""
        self.heartbeat_seconds = 0
        self.traffic = TrafficCounters()
        self.user = ""
        self.is_impersonator = False  # may publish in the name of others
        self.access: Access | None = None  # what the user may do in the virtual host
        self.vhost: VHost | None = None
        self.properties: Table = {}
        self.frame_max_bytes = context.limits.frame_max_bytes
        self.channel_max = context.limits.channel_max
        self.takes_cancel = False
        self.takes_blocked = False
        self.takes_authentication_failure = False
        self.is_blocked = False
        self.encryption: Encryption | None = None  # None without TLS
        self._transport = transport
        self._quota: UserLimits | None = None  # of the user, once the connection counts

    def located(self, peer_host: str, peer_port: int, host: str, port: int) -> None:
        """Take note of the two ends of the socket."""
        self.peer_host, self.peer_port = peer_host, peer_port
        self.host, self.port = host, port

    @property
    def path(self) -> str:
        """What RabbitMQ calls the connection: `127.0.0.1:59814 -> 127.0.0.1:5672`."""
        return f"{_end(self.peer_host, self.peer_port)} -> {_end(self.host, self.port)}"

    @property
    def unsent_bytes(self) -> int:
        """What was written and has not left yet."""
        return self._transport.unsent_bytes()

    def introduce(self, properties: Table) -> None:
        """Take the client-properties of Connection.Start-Ok."""
        self.properties = properties
        capabilities = properties.get(b"capabilities")
        if capabilities is None or not isinstance(capabilities.value, dict):
            return
        self.takes_cancel = _is_true(capabilities.value, b"consumer_cancel_notify")
        self.takes_blocked = _is_true(capabilities.value, b"connection.blocked")
        self.takes_authentication_failure = _is_true(capabilities.value, b"authentication_failure_close")

    def enter(self, vhost: VHost) -> None:
        """Open a virtual host.

        Raises 530 if that, or the user, has too many connections, or if the user may not enter it.
        """
        quota = self.context.user_limits(self.user)
        vhost.limits.check_connection(vhost.name, self.user)
        quota.check_connection(self.user)
        if self.context.permissions.of(self.user, vhost.name) is None:
            raise NotAllowed(f"access to vhost '{vhost.name}' refused for user '{self.user}'")
        self.access = Access(self.context, self.user, vhost)
        vhost.limits.connection_count += 1
        quota.connection_count += 1
        self.vhost = vhost
        self._quota = quota
        self.context.counters.connection_created += 1

    def leave(self) -> None:
        """Count no more as a connection."""
        if self._quota is not None and self.vhost is not None:
            self.vhost.limits.connection_count -= 1
            self._quota.connection_count -= 1
            self._quota = None
            self.context.counters.connection_closed += 1

    def gone(self) -> None:
        """Have what went over the socket counted still: it is closed."""
        self.context.counters.traffic.add(self.traffic)
        if self.vhost is not None:
            self.vhost.counters.traffic.add(self.traffic)

    def open_channel(self) -> None:
        """Count one more channel; raises 530 if the user has too many."""
        if self._quota is not None:
            self._quota.check_channel(self.user)
            self._quota.channel_count += 1
        self.context.counters.channel_created += 1

    def close_channels(self, count: int) -> None:
        """Count fewer channels."""
        self.context.counters.channel_closed += count
        if self._quota is not None:
            self._quota.channel_count -= count

    @property
    def peer_certificate(self) -> PeerCertificate | None:
        """The certificate that the client has proved to own; None without TLS, or if it has none."""
        encryption = self.encryption
        return None if encryption is None else encryption.peer_certificate

    @property
    def name(self) -> str:
        """The name the client gave its connection, or its address."""
        name = self.properties.get(b"connection_name")
        if name is None or not isinstance(name.value, bytes):
            return self.address
        return f"{self.address} ({name.value.decode('utf-8', 'replace')})"

    def block(self) -> None:
        """Stop reading from a client that publishes during an alarm, and tell it if it can take that."""
        if self.is_blocked:
            return
        self.is_blocked = True
        if self.takes_blocked:
            write_shortstr(self.output.begin(0, CONNECTION_BLOCKED), self.context.alarm.reason)
            self.output.end()
        self._transport.pause_reading()

    def unblock(self) -> None:
        """Read again from a client that was blocked, and tell it."""
        if self.is_blocked:
            if self.takes_blocked:
                self.output.method(0, CONNECTION_UNBLOCKED)
            self.read_on()

    def read_on(self) -> None:
        """Read again from a client that was blocked: it is to answer a close."""
        if self.is_blocked:
            self.is_blocked = False
            self._transport.resume_reading()


def _end(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _is_true(capabilities: Table, name: bytes) -> bool:
    field = capabilities.get(name)
    return field is not None and field.value is True
