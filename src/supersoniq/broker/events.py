"""The port for events: what has happened to the things of a node, told to whoever wants to know.

Names and fields are RabbitMQ's (`queue.created`, `user.authentication.failure`; docs/events.md lists them).
Values of fields are plain: text, octets that are text, numbers, booleans, None, lists and dictionaries.
Events tell of control operations only, never of single messages.
"""

from abc import ABC, abstractmethod
from typing import Final, final

from mypy_extensions import mypyc_attr

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
