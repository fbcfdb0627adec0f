"""What may be short, looked at together: publishers wait while anything is, consumers and acks go on."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from supersoniq.session.context import Alarm

# What clients are told is short. RabbitMQ's words: clients and their operators know no others.
MEMORY = b"memory"
DISK = b"disk"


class Watch(ABC):
    """One cause of the alarm. `resource` is what is then short."""

    def __init__(self, resource: bytes) -> None:
        self.resource = resource

    @abstractmethod
    def check(self) -> bool:
        """Look now, and log what has changed; true while publishers are to wait because of it."""


class Alarms:
    """Sets the `alarm` of a node while any of `watches` asks for it."""

    def __init__(self, alarm: Alarm, watches: Sequence[Watch]) -> None:
        self._alarm = alarm
        self._watches = watches

    def check(self) -> bool:
        """Look at everything now; true when the last cause went just now: publishers are to be let on.

        May be called at any time, as soon as something is known to have changed.
        """
        was_on = self._alarm.is_on
        short = [watch.resource for watch in self._watches if watch.check()]
        if short:
            # RabbitMQ's text, for who is blocked from now on; the others are not told again.
            self._alarm.reason = b"low on " + b" & ".join(dict.fromkeys(short))
        self._alarm.is_on = bool(short)
        return was_on and not short
