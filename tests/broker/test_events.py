"""Events reach all who listen, and nobody else."""

from supersoniq.broker.events import Audience, Events, NoEvents


class Listener(Events):
    """Keeps what it hears while its ears are open."""

    def __init__(self, is_open: bool = True) -> None:
        self.is_open = is_open
        self.heard: list[tuple[str, dict[str, object]]] = []

    def emit(self, name: str, fields: dict[str, object]) -> None:
        self.heard.append((name, fields))
        fields["heard"] = True

    def is_heard(self) -> bool:
        return self.is_open


def test_nobody_listens_at_first() -> None:
    assert not NoEvents().is_heard()
    assert not Audience().is_heard()


def test_each_listener_gets_fields_of_its_own() -> None:
    audience, one, other = Audience(), Listener(), Listener()
    audience.listeners += [one, other]
    audience.emit("vhost.created", {"name": "v"})
    assert one.heard == other.heard == [("vhost.created", {"name": "v", "heard": True})]


def test_who_does_not_listen_is_told_nothing() -> None:
    audience, deaf, open_ears = Audience(), Listener(is_open=False), Listener()
    audience.listeners += [deaf]
    assert not audience.is_heard()
    audience.listeners += [open_ears]
    assert audience.is_heard()
    audience.emit("vhost.deleted", {"name": "v"})
    assert deaf.heard == []
    assert len(open_ears.heard) == 1
