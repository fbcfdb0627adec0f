"""Events say who wanted the change."""

from tests.control.site import NotedEvents

from supersoniq.broker.events import NoEvents
from supersoniq.control.actor import Actor
from supersoniq.control.telling import Teller


def test_event_has_the_actor() -> None:
    events = NotedEvents()
    Teller(events).tell(Actor("bob", "10.0.0.1:5"), "user.created", {"name": "x"})
    Teller(events).tell(Actor("rmq-internal"), "user.deleted", {"name": "x"})
    assert events.take() == [
        (
            "user.created",
            {"name": "x", "user_who_performed_action": "bob", "user_address": "10.0.0.1:5"},
        ),
        ("user.deleted", {"name": "x", "user_who_performed_action": "rmq-internal"}),
    ]


def test_nobody_is_told_where_nobody_listens() -> None:
    fields: dict[str, object] = {"name": "x"}
    Teller(NoEvents()).tell(Actor("bob"), "user.created", fields)
    assert fields == {"name": "x"}
