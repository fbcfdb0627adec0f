"""A node as control sees it: registries, a store, and notes of what is asked of the rest."""

from __future__ import annotations

from tests.fakes import FakeStore, FixedNames

from supersoniq.auth.passwords import PasswordHash
from supersoniq.auth.permissions import Permissions
from supersoniq.auth.users import Users
from supersoniq.broker.events import Events
from supersoniq.broker.limits import UserLimits
from supersoniq.broker.store import Store
from supersoniq.broker.turn import Turn
from supersoniq.broker.vhost import VHost
from supersoniq.control.actor import Actor
from supersoniq.control.administration import Administration
from supersoniq.control.ports import NodeParts

ALICE = Actor("alice", "127.0.0.1:1")
HASH = PasswordHash("rabbit_password_hashing_sha256", "c2FsdA==")
OTHER_HASH = PasswordHash("rabbit_password_hashing_md5", "cGVwcGVy")


class NotedEvents(Events):
    """Keeps the events."""

    def __init__(self) -> None:
        self.emitted: list[tuple[str, dict[str, object]]] = []

    def emit(self, name: str, fields: dict[str, object]) -> None:
        self.emitted.append((name, fields))

    def is_heard(self) -> bool:
        return True

    def take(self) -> list[tuple[str, dict[str, object]]]:
        """What was emitted since the last call."""
        emitted, self.emitted = self.emitted, []
        return emitted


class NotedNode(NodeParts):
    """Makes virtual hosts, and notes what else it is asked for."""

    def __init__(self, store: Store) -> None:
        self.log: list[str] = []
        self._store = store

    def make_vhost(self, name: str) -> VHost:
        return VHost(name, Turn(), self._store, FixedNames())

    def make_stage(self, name: str) -> VHost:
        return VHost(name, Turn(), FakeStore(), FixedNames())

    def default_queue_type(self) -> str:
        return "classic"

    def close_connections_of_vhost(self, name: str, reason: str) -> None:
        self.log.append(f"close in {name}: {reason}")

    def close_connections_of_user(self, name: str, reason: str) -> None:
        self.log.append(f"close of {name}: {reason}")

    def cluster_name_changed(self, name: str) -> None:
        self.log.append(f"cluster name {name}")

    def end_turn(self) -> None:
        self.log.append("end of turn")


class Site:
    """An administration; what an earlier one kept in the store is there again."""

    def __init__(self, store: Store | None = None, vhosts: dict[str, VHost] | None = None) -> None:
        self.fake_store = store if isinstance(store, FakeStore) else FakeStore()
        self.store: Store = self.fake_store if store is None else store
        self.node = NotedNode(self.store)
        self.events = NotedEvents()
        self.vhosts: dict[str, VHost] = {} if vhosts is None else vhosts
        self.user_limits: dict[str, UserLimits] = {}
        self.administration = Administration(
            self.vhosts, Users(), Permissions(), self.limits_of, self.store, self.events, self.node
        )
        self.administration.recall()

    def limits_of(self, user: str) -> UserLimits:
        return self.user_limits.setdefault(user, UserLimits())

    def again(self) -> Site:
        """The next administration on what the store has."""
        return Site(self.store)

    def furnish(self) -> Administration:
        """Have the virtual hosts `/` and `shop`, the users guest and bob."""
        administration = self.administration
        for name in ("/", "shop"):
            administration.put_vhost(name, "", [], "", False, ALICE)
        administration.put_user("guest", HASH, frozenset({"administrator"}), ALICE)
        administration.put_user("bob", None, frozenset(), ALICE)
        self.events.take()
        self.node.log.clear()
        return administration
