"""What the log says of one connection, with who it is as fields besides the text.

A line of the JSON format has `connection`, `user` and `vhost` where they are known, and `channel` and
`reply_code` where the line is about such.
"""

import logging

from supersoniq.amqp.errors import AMQPError
from supersoniq.session.client import Client

logger = logging.getLogger("supersoniq.session")


def _fields(client: Client, error: AMQPError | None = None) -> dict[str, object]:
    fields: dict[str, object] = {"connection": client.path}
    if client.user:
        fields["user"] = client.user
    if client.vhost is not None:
        fields["vhost"] = client.vhost.name
    if error is not None:
        fields["reply_code"] = error.reply_code
    return fields


def log_opened(client: Client) -> None:
    """Say that a client has opened a virtual host."""
    vhost = "" if client.vhost is None else client.vhost.name
    logger.info(
        "connection %s: user %s opened vhost %s", client.name, client.user, vhost, extra=_fields(client)
    )


def log_login_refused(client: Client, user: str, reason: str) -> None:
    """Say why a login was refused."""
    logger.warning(
        "connection %s: login of user %r by %s refused: %s",
        client.name,
        user,
        client.auth_mechanism,
        reason,
        extra={**_fields(client), "user": user},
    )


def log_channel_closed(client: Client, channel: int, error: AMQPError) -> None:
    """Say that a channel is closed for an error."""
    fields = _fields(client, error)
    fields["channel"] = channel
    logger.warning(
        "connection %s: channel %d closed: %s", client.name, channel, error.reply_text, extra=fields
    )


def log_closed(client: Client, error: AMQPError) -> None:
    """Say that a connection is closed for an error."""
    logger.warning("connection %s: closed: %s", client.name, error.reply_text, extra=_fields(client, error))


def log_no_header(client: Client, prefix: bytes) -> None:
    """Say that somebody speaks something else."""
    logger.warning(
        "connection %s: no AMQP 0-9-1 header but %r", client.address, prefix, extra=_fields(client)
    )


def log_trouble(client: Client, what: str) -> None:
    """Say what is wrong with a connection."""
    logger.warning("connection %s: %s", client.name, what, extra=_fields(client))


def log_bug(client: Client) -> None:
    """Say that there was an exception that is a bug of ours; called from its handler."""
    logger.exception("connection %s: internal error, please report it", client.name, extra=_fields(client))
