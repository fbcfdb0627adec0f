"""Connections and their fields."""

from supersoniq.management.context import ManagementContext
from supersoniq.management.listing import Columns
from supersoniq.management.views.common import PROCESS, Fields, arguments_view
from supersoniq.metrics.ranges import Ranges
from supersoniq.session.client import Client
from supersoniq.session.connection import Connection

NO_TLS: Fields = {
    "peer_cert_issuer": None,
    "peer_cert_subject": None,
    "peer_cert_validity": None,
    "ssl": False,
    "ssl_cipher": None,
    "ssl_hash": None,
    "ssl_key_exchange": None,
    "ssl_protocol": None,
}
KEYS = {
    "name": lambda connection: connection.client.path,
    "user": lambda connection: connection.client.user,
    "channels": lambda connection: len(connection.channels),
    "connected_at": lambda connection: connection.client.connected_at,
    "recv_oct": lambda connection: int(connection.client.traffic.received_bytes),
    "send_oct": lambda connection: int(connection.client.traffic.sent_bytes),
}


def connection_name(connection: Connection) -> str:
    """Return what filters look at."""
    return connection.client.path


class ConnectionViews:
    """Renders connections for one request, which wants samples of `ranges`."""

    def __init__(self, management: ManagementContext, ranges: Ranges) -> None:
        self._sampler = management.sampler
        self._node = management.facts.name
        self._ranges = ranges

    def render(self, connection: Connection, columns: Columns) -> Fields:
        """Return a connection as RabbitMQ lists it."""
        client = connection.client
        return {
            **PROCESS,
            **encryption_view(client),
            **self._sampler.traffic(client, self._ranges.data_rates),
            "auth_mechanism": client.auth_mechanism,
            "channel_max": client.channel_max,
            "channels": len(connection.channels),
            "client_properties": arguments_view(client.properties),
            "connected_at": client.connected_at,
            "frame_max": client.frame_max_bytes,
            "host": client.host,
            "name": client.path,
            "node": self._node,
            "peer_host": client.peer_host,
            "peer_port": client.peer_port,
            "port": client.port,
            "protocol": "AMQP 0-9-1",
            "state": "blocked" if client.is_blocked else "running",
            "timeout": client.heartbeat_seconds,
            "type": "network",
            "user": client.user,
            "user_provided_name": provided_name(client),
            "user_who_performed_action": client.user,
            "vhost": "" if client.vhost is None else client.vhost.name,
        }

    def short(self, connection: Connection, columns: Columns) -> Fields:
        """Return a connection as the list of one user's connections has it."""
        client = connection.client
        vhost = "" if client.vhost is None else client.vhost.name
        return {"name": client.path, "node": self._node, "user": client.user, "vhost": vhost}


def encryption_view(client: Client) -> Fields:
    """Return what was agreed on with a client, and whose certificate it has."""
    encryption, certificate = client.encryption, client.peer_certificate
    if encryption is None:
        return NO_TLS
    return {
        "peer_cert_issuer": None if certificate is None else certificate.issuer,
        "peer_cert_subject": None if certificate is None else certificate.subject,
        "peer_cert_validity": None if certificate is None else certificate.validity,
        "ssl": True,
        "ssl_cipher": encryption.cipher,
        "ssl_hash": encryption.hash_name,
        "ssl_key_exchange": encryption.key_exchange,
        "ssl_protocol": encryption.protocol,
    }


def provided_name(client: Client) -> str | None:
    """Return the name that a client gave its connection."""
    field = client.properties.get(b"connection_name")
    if field is None or not isinstance(field.value, bytes):
        return None
    return field.value.decode("utf-8", "replace")
