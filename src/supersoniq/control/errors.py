"""Errors of control: what an operator asked for cannot be done. The reasons are RabbitMQ's."""


class ControlError(Exception):
    """A change that was refused; nothing has changed."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Invalid(ControlError):
    """What was asked for makes no sense, or is not allowed."""


class Missing(ControlError):
    """It names something that is not there: `no such user 'x'`."""


class NotStored(ControlError):
    """A change is in force, but the disk has not taken it yet: it is tried again."""
