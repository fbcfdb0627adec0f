"""Errors of control: what an operator asked for cannot be done. The reasons are RabbitMQ's."""


class ControlError(Exception):
    """A change that was refused; nothing has changed."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Invalid(ControlError):
    """What was asked for makes no sense, or is not allowed. The text may have several lines."""


class Missing(ControlError):
    """It names something that is not there: `no such user 'x'`.

    `what` is a word of ours: `user`, `vhost`, `policy`, `permission`, `parameter` and the like.
    """

    def __init__(self, what: str, name: str) -> None:
        super().__init__(f"no such {what} '{name}'")
        self.what = what
        self.name = name


class NotStored(ControlError):
    """A change is in force, but the disk did not take it: it is tried again."""
