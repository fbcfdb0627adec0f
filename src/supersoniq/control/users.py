"""Users: how they come, change and go."""

from collections.abc import Callable, Mapping

from supersoniq.auth.passwords import PasswordHash
from supersoniq.auth.permissions import Permissions
from supersoniq.auth.users import User, Users
from supersoniq.broker.limits import UserLimits
from supersoniq.broker.validation import ValidationFailed
from supersoniq.control import kept as kinds
from supersoniq.control.actor import Actor
from supersoniq.control.errors import Invalid, Missing
from supersoniq.control.kept import Kept
from supersoniq.control.names import check_name
from supersoniq.control.ports import NodeParts
from supersoniq.control.telling import Teller

LimitsOf = Callable[[str], UserLimits]


def user_value(user: User) -> dict[str, object]:
    """Return what is kept of a user."""
    password = user.password
    return {
        "password_hash": "" if password is None else password.encoded,
        "hashing_algorithm": "" if password is None else password.algorithm,
        "tags": sorted(user.tags),
        "limits": user.limits,
    }


class UserChanges:
    """Changes users. `limits_of` returns what a user may have open, in force."""

    def __init__(
        self,
        users: Users,
        permissions: Permissions,
        limits_of: LimitsOf,
        kept: Kept,
        teller: Teller,
        node: NodeParts,
    ) -> None:
        self._users = users
        self._permissions = permissions
        self._limits_of = limits_of
        self._kept = kept
        self._teller = teller
        self._node = node

    def user(self, name: str) -> User:
        """Return a user; raises Missing."""
        user = self._users.get(name)
        if user is None:
            raise Missing("user", name)
        return user

    def put(self, name: str, password: PasswordHash | None, tags: frozenset[str], actor: Actor) -> int:
        """Make a user, or give it another password and tags."""
        check_name("user", name)
        known = self._users.get(name)
        sequence = self._put(User(name, password, tags, {} if known is None else known.limits))
        if known is None:
            self._teller.tell(actor, "user.created", {"name": name})
        elif password is None:
            self._teller.tell(actor, "user.password.cleared", {"name": name})
        else:
            self._teller.tell(actor, "user.password.changed", {"name": name})
        self._tell_tags(name, tags, actor)
        return sequence

    def set_tags(self, name: str, tags: frozenset[str], actor: Actor) -> int:
        """Give a user other tags."""
        known = self.user(name)
        sequence = self._put(User(name, known.password, tags, known.limits))
        self._tell_tags(name, tags, actor)
        return sequence

    def delete(self, name: str, actor: Actor) -> int:
        """Delete a user with its permissions, and close its connections."""
        self.user(name)
        with self._kept.together():
            for user, vhost, _ in self._permissions.rows():
                if user == name:
                    self._kept.remove(kinds.PERMISSION, vhost, name)
            for user, vhost, _, _ in self._permissions.topic_rows():
                if user == name:
                    self._kept.remove(kinds.TOPIC_PERMISSIONS, vhost, name)
            self._kept.remove(kinds.USER, "", name)
        self._users.remove(name)
        self._permissions.forget_user(name)
        self._limits_of(name).clear()
        self._node.close_connections_of_user(name, f"user '{name}' is deleted")
        self._teller.tell(actor, "user.deleted", {"name": name})
        return self._kept.sequence

    def put_limits(self, name: str, values: Mapping[str, object], actor: Actor) -> int:
        """Set limits by their names, and leave the others."""
        user = self.user(name)
        try:
            self._limits_of(name).put(dict(values))
        except ValidationFailed as error:
            raise Invalid(str(error).removeprefix("Validation failed\n\n").rstrip("\n")) from None
        definition = self._limits_of(name).definition()
        self._teller.tell(actor, "user.limits.set", {"name": "limits", "username": name, **definition})
        return self._put(User(name, user.password, user.tags, definition))

    def clear_limits(self, name: str, names: list[str] | None, actor: Actor) -> int:
        """Remove limits, all if `names` is None; those that are not set are fine."""
        user = self.user(name)
        limits = self._limits_of(name)
        left = {} if names is None else {key: n for key, n in user.limits.items() if key not in names}
        limits.clear()
        limits.put(dict(left))
        self._teller.tell(actor, "user.limits.cleared", {"name": "limits", "username": name})
        return self._put(User(name, user.password, user.tags, left))

    def recall(self, user: User) -> None:
        """Know a user again."""
        self._users.put(user)
        self._limits_of(user.name).put(dict(user.limits))

    def _put(self, user: User) -> int:
        self._users.put(user)
        return self._kept.put(kinds.USER, "", user.name, user_value(user))

    def _tell_tags(self, name: str, tags: frozenset[str], actor: Actor) -> None:
        self._teller.tell(actor, "user.tags.set", {"name": name, "tags": sorted(tags)})
