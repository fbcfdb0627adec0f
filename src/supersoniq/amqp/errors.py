"""One exception per AMQP reply code; its base class says what it closes.

Raised anywhere below `session/connection.py` and caught there alone. `class_id` and
`method_id` of the answer are those of the method at fault unless the exception
names them itself.
"""

from typing import ClassVar

UNSET = -1


class AMQPError(Exception):
    """The peer's fault, to be answered with a close that carries `reply_code` and `reply_text`."""

    reply_code: ClassVar[int] = 541
    name: ClassVar[str] = "INTERNAL_ERROR"

    def __init__(self, text: str, class_id: int = UNSET, method_id: int = UNSET) -> None:
        super().__init__(text)
        self.text = text
        self.class_id = class_id
        self.method_id = method_id

    @property
    def reply_text(self) -> str:
        """The text as RabbitMQ sends it, however long."""
        return f"{self.name} - {self.text}"

    def reply_octets(self) -> bytes:
        """Return the text for the wire, shortened to the 255 octets that fit there."""
        octets = self.reply_text.encode("utf-8", "surrogateescape")
        return octets if len(octets) <= 255 else octets[:252] + b"..."


class ChannelException(AMQPError):
    """Closes the channel."""


class ConnectionException(AMQPError):
    """Closes the connection."""


class ContentTooLarge(ChannelException):
    """311."""

    reply_code = 311
    name = "CONTENT_TOO_LARGE"


class NoConsumers(ChannelException):
    """313."""

    reply_code = 313
    name = "NO_CONSUMERS"


class AccessRefused(ChannelException):
    """403."""

    reply_code = 403
    name = "ACCESS_REFUSED"


class NotFound(ChannelException):
    """404."""

    reply_code = 404
    name = "NOT_FOUND"


class ResourceLocked(ChannelException):
    """405."""

    reply_code = 405
    name = "RESOURCE_LOCKED"


class PreconditionFailed(ChannelException):
    """406."""

    reply_code = 406
    name = "PRECONDITION_FAILED"


class ConnectionForced(ConnectionException):
    """320."""

    reply_code = 320
    name = "CONNECTION_FORCED"


class InvalidPath(ConnectionException):
    """402."""

    reply_code = 402
    name = "INVALID_PATH"


class LoginRefused(ConnectionException):
    """403 at login: there is no channel yet that could be closed."""

    reply_code = 403
    name = "ACCESS_REFUSED"


class FrameError(ConnectionException):
    """501."""

    reply_code = 501
    name = "FRAME_ERROR"


class MalformedField(ConnectionException):
    """502."""

    reply_code = 502
    name = "SYNTAX_ERROR"


class CommandInvalid(ConnectionException):
    """503."""

    reply_code = 503
    name = "COMMAND_INVALID"


class ChannelFault(ConnectionException):
    """504."""

    reply_code = 504
    name = "CHANNEL_ERROR"


class UnexpectedFrame(ConnectionException):
    """505."""

    reply_code = 505
    name = "UNEXPECTED_FRAME"


class ResourceExhausted(ConnectionException):
    """506."""

    reply_code = 506
    name = "RESOURCE_ERROR"


class NotAllowed(ConnectionException):
    """530."""

    reply_code = 530
    name = "NOT_ALLOWED"


class MethodNotImplemented(ConnectionException):
    """540."""

    reply_code = 540
    name = "NOT_IMPLEMENTED"


class InternalFault(ConnectionException):
    """541."""

    reply_code = 541
    name = "INTERNAL_ERROR"
