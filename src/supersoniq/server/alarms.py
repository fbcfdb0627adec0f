"""What may be short, looked at together: publishers wait while anything is, consumers and acks go on."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from supersoniq.broker.events import Events
from supersoniq.session.context import Alarm

# What clients are told is short. RabbitMQ's words: clients and their operators know no others.
MEMORY = b"memory"
DISK = b"disk"


class Watch(ABC):
    """One cause of the alarm. `resource` is what is then short; `is_news` whether events tell of it."""

    def __init__(self, resource: bytes, is_news: bool = True) -> None:
        self.resource = resource
        self.is_news = is_news

    @abstractmethod
    def check(self) -> bool:
        """Look now, and log what has changed; true while publishers are to wait because of it."""


class Alarms:
    """Sets the `alarm` of a node while any of `watches` asks for it, and tells of what is short."""

    def __init__(self, alarm: Alarm, watches: Sequence[Watch], events: Events, node: str) -> None:
        self._alarm = alarm
        self._watches = watches
        self._events = events
        self._node = node
        self._told: set[bytes] = set()  # the resources that are short as far as events go

    def check(self) -> bool:
        """Look at everything now; true when the last cause went just now: publishers are to be let on.

        May be called at any time, as soon as something is known to have changed.
        """
        was_on = self._alarm.is_on
        on = [watch for watch in self._watches if watch.check()]
        short = [watch.resource for watch in on]
        self._tell({watch.resource for watch in on if watch.is_news})
        if short:
            # RabbitMQ's text, for who is blocked from now on; the others are not told again.
            self._alarm.reason = b"low on " + b" & ".join(dict.fromkeys(short))
        self._alarm.is_on = bool(short)
        return was_on and not short

    def _tell(self, short: set[bytes]) -> None:
        for resource in sorted(short ^ self._told):
            name = "alarm.set" if resource in short else "alarm.cleared"
            self._events.emit(name, {"source": resource, "node": self._node})
        self._told = short
