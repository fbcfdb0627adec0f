"""The port for events: what has happened to the things of a node, told to whoever wants to know.

Names and fields are RabbitMQ's (`queue.created`, `user.authentication.failure`; docs/events.md lists them).
Values of fields are text, octets that are text, numbers, booleans, None, lists and dictionaries of these, and
the tables of AMQP. `USER` is who did it; `ADDRESS`, our own, where that user was. Nothing is a secret.
Events tell of control operations only, never of single messages.
"""

from abc import ABC, abstractmethod
from typing import Final, final

from mypy_extensions import mypyc_attr

USER: Final = "user_who_performed_action"
ADDRESS: Final = "user_address"
INTERNAL_USER: Final = "rmq-internal"  # who did what no user has asked for, in RabbitMQ's word


@mypyc_attr(allow_interpreted_subclasses=True)
class Events(ABC):
    """Takes note of what has happened."""

    @abstractmethod
    def emit(self, name: str, fields: dict[str, object]) -> None:
        """Take note of an event, after it has happened; never raises. `fields` is the caller's no more."""

    @abstractmethod
    def is_heard(self) -> bool:
        """Whether anybody listens: where the fields cost something, ask before they are made."""


@final
class NoEvents(Events):
    """Nobody listens."""

    def emit(self, name: str, fields: dict[str, object]) -> None:
        """Forget it."""

    def is_heard(self) -> bool:
        """Return false."""
        return False


def pid(incarnation: str, connection: int, channel: int) -> str:
    """Return what stands for a connection, or a channel of one, where RabbitMQ has the id of a process.

    `incarnation` is the node's name and when it started, for numbers begin anew then.
    """
    return f"<{incarnation}.{connection}.{channel}>"


@final
class Audience(Events):
    """Tells each of its `listeners`, in order."""

    def __init__(self) -> None:
        self.listeners: list[Events] = []

    def emit(self, name: str, fields: dict[str, object]) -> None:
        """Tell all that listen."""
        for listener in self.listeners:
            if listener.is_heard():
                listener.emit(name, dict(fields))

    def is_heard(self) -> bool:
        """Whether any of them listens."""
        return any([listener.is_heard() for listener in self.listeners])
