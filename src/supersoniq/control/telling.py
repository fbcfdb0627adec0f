"""Telling: events of what operators change, with who wanted it."""

from supersoniq.broker.events import ADDRESS, USER, Events
from supersoniq.control.actor import Actor


class Teller:
    """Emits events in the name of actors; quiet until the node runs."""

    def __init__(self, events: Events) -> None:
        self._events = events

    def tell(self, actor: Actor, name: str, fields: dict[str, object]) -> None:
        """Emit an event. Passwords and their hashes are never in one."""
        if self._events.is_heard():
            fields[USER] = actor.name
            if actor.address:
                fields[ADDRESS] = actor.address
            self._events.emit(name, fields)
