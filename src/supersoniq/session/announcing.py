"""What a node says of its clients: events of their connections, channels, consumers, and of refusals."""

from typing import Final

from supersoniq.amqp.errors import AMQPError
from supersoniq.amqp.tables import Table
from supersoniq.broker.events import ADDRESS, USER, pid
from supersoniq.broker.ports import Consumer
from supersoniq.session.client import Client
from supersoniq.session.refusals import Refusal

PROTOCOL: Final = "AMQP 0-9-1"
# Reply codes that say that something is not allowed.
REFUSALS: Final = (403, 530)


def connection_created(client: Client) -> None:
    """Tell of a client that has opened a virtual host."""
    events = client.context.events
    if not events.is_heard():
        return
    fields: dict[str, object] = {
        USER: client.user,
        "node": client.context.node_name,
        "connected_at": client.connected_at,
        "client_properties": client.properties,
        "channel_max": client.channel_max,
        "frame_max": client.frame_max_bytes,
        "timeout": client.heartbeat_seconds,
        "vhost": _vhost(client),
        "user": client.user,
        "protocol": PROTOCOL,
    }
    _add_encryption(fields, client)
    fields["auth_mechanism"] = client.auth_mechanism
    fields["peer_host"] = client.peer_host
    fields["host"] = client.host
    fields["peer_port"] = client.peer_port
    fields["port"] = client.port
    fields["name"] = client.path
    fields["pid"] = _pid(client, 0)
    fields["type"] = "network"
    fields["user_provided_name"] = _provided_name(client)
    events.emit("connection.created", fields)


def _add_encryption(fields: dict[str, object], client: Client) -> None:
    encryption = client.encryption
    certificate = client.peer_certificate
    fields["ssl"] = encryption is not None
    fields["ssl_protocol"] = "" if encryption is None else encryption.protocol
    fields["ssl_key_exchange"] = "" if encryption is None else encryption.key_exchange
    fields["ssl_cipher"] = "" if encryption is None else encryption.cipher
    fields["ssl_hash"] = "" if encryption is None else encryption.hash_name
    fields["peer_cert_subject"] = "" if certificate is None else certificate.subject
    fields["peer_cert_issuer"] = "" if certificate is None else certificate.issuer
    fields["peer_cert_validity"] = "" if certificate is None else certificate.validity


def connection_closed(client: Client) -> None:
    """Tell of a socket that is closed, whether its client has got as far as opening a virtual host or not."""
    events = client.context.events
    if events.is_heard():
        fields: dict[str, object] = {
            "client_properties": client.properties,
            "node": client.context.node_name,
            "pid": _pid(client, 0),
            "name": client.path,
            "user_provided_name": _provided_name(client),
        }
        events.emit("connection.closed", fields)


def authenticated(client: Client, user: str, error: str) -> None:
    """Tell of a login; `error` is why it was refused, if it was."""
    events = client.context.events
    if not events.is_heard():
        return
    fields: dict[str, object] = {
        "error": error or None,
        "ssl": client.encryption is not None,
        "auth_mechanism": client.auth_mechanism,
        "protocol": PROTOCOL,
        "peer_port": client.peer_port,
        "peer_host": client.peer_host,
        "connection_name": client.path,
        "host": client.host,
        "name": user,
        "connection_type": "network",
    }
    events.emit("user.authentication.failure" if error else "user.authentication.success", fields)


def note_refusal(client: Client, channel: int, method: int, error: AMQPError) -> None:
    """Keep what is known of a channel or connection that is closed for an error."""
    context = client.context
    context.refusals.note(
        Refusal(
            int(context.turn.timers.clock.now_ms()),
            client.user,
            client.address,
            client.path,
            client.name,
            _vhost(client) or "",
            channel,
            error.reply_code,
            error.reply_text,
            f"{method >> 16}.{method & 0xFFFF}",
        )
    )


def refused(client: Client, error: AMQPError) -> None:
    """Tell of a channel or connection that is closed because something is not allowed."""
    events = client.context.events
    if error.reply_code in REFUSALS and events.is_heard():
        fields: dict[str, object] = {
            USER: client.user,
            ADDRESS: client.address,
            "connection_name": client.path,
            "vhost": _vhost(client),
            "reply_code": error.reply_code,
            "reply_text": error.reply_text,
        }
        events.emit("supersoniq.access.refused", fields)


def channel_created(client: Client, number: int) -> None:
    """Tell of a new channel."""
    events = client.context.events
    if events.is_heard():
        fields: dict[str, object] = {
            USER: client.user,
            "vhost": _vhost(client),
            "user": client.user,
            "number": number,
            "connection": _pid(client, 0),
            "name": f"{client.path} ({number})",
            "pid": _pid(client, number),
        }
        events.emit("channel.created", fields)


def channel_closed(client: Client, number: int) -> None:
    """Tell of a channel that is closed."""
    events = client.context.events
    if events.is_heard():
        fields: dict[str, object] = {USER: client.user, "pid": _pid(client, number)}
        events.emit("channel.closed", fields)


def consumer_created(
    client: Client, channel: int, queue: bytes, consumer: Consumer, prefetch_count: int, arguments: Table
) -> None:
    """Tell of a new consumer."""
    events = client.context.events
    if events.is_heard():
        fields: dict[str, object] = {
            USER: client.user,
            "arguments": arguments,
            "prefetch_count": prefetch_count,
            "queue": queue,
            "vhost": _vhost(client),
            "channel": _pid(client, channel),
            "ack_required": not consumer.no_ack,
            "exclusive": consumer.exclusive,
            "consumer_tag": consumer.tag,
        }
        events.emit("consumer.created", fields)


def consumer_deleted(client: Client, channel: int, queue: bytes, consumer: Consumer) -> None:
    """Tell of a consumer that is cancelled, whoever did it."""
    events = client.context.events
    if events.is_heard():
        fields: dict[str, object] = {
            USER: client.user,
            "queue": queue,
            "vhost": _vhost(client),
            "channel": _pid(client, channel),
            "consumer_tag": consumer.tag,
        }
        events.emit("consumer.deleted", fields)


def _vhost(client: Client) -> str | None:
    return None if client.vhost is None else client.vhost.name


def _pid(client: Client, channel: int) -> str:
    return pid(client.context.incarnation, client.connection, channel)


def _provided_name(client: Client) -> object:
    name = client.properties.get(b"connection_name")
    return None if name is None or not name.is_string else name.octets()
