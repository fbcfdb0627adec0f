"""The actor: who asked for a change, for events and the audit log."""

from typing import Final, NamedTuple


class Actor(NamedTuple):
    """A user's name, and where the user is: `127.0.0.1:50123`, `unix`, or empty for the node itself."""

    name: str
    address: str = ""


# The node itself: its configuration, files of definitions at its start. RabbitMQ calls it that.
NODE: Final = Actor("rmq-internal")
