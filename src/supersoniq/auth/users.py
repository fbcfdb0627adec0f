"""The users of a node: their password hashes, tags and limits."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from supersoniq.auth.passwords import PasswordHash

# What they let a user do with the management API; any other tag is the operator's own.
ADMINISTRATOR: Final = "administrator"
MONITORING: Final = "monitoring"
POLICYMAKER: Final = "policymaker"
MANAGEMENT: Final = "management"
# Lets a user publish in the name of others.
IMPERSONATOR: Final = "impersonator"
# Keeps a user from being changed or deleted over the API.
PROTECTED: Final = "protected"


@dataclass(frozen=True)
class User:
    """One user; one without a password hash cannot log in with a password."""

    name: str
    password: PasswordHash | None = None
    tags: frozenset[str] = frozenset()
    limits: dict[str, int] = field(default_factory=dict)

    @property
    def is_impersonator(self) -> bool:
        """Whether the user may set any `user_id` on messages."""
        return IMPERSONATOR in self.tags

    @property
    def may_use_management(self) -> bool:
        """Whether any of the tags opens the management API."""
        return bool(self.tags & {ADMINISTRATOR, MONITORING, POLICYMAKER, MANAGEMENT})


class Users:
    """Users by name, in the order in which they came."""

    def __init__(self, users: Iterable[User] = ()) -> None:
        self._users = {user.name: user for user in users}

    def __len__(self) -> int:
        return len(self._users)

    def __iter__(self) -> Iterator[User]:
        return iter(list(self._users.values()))

    def __contains__(self, name: object) -> bool:
        return name in self._users

    @property
    def names(self) -> list[str]:
        """The names of all users."""
        return list(self._users)

    def get(self, name: str) -> User | None:
        """Return the user of that name."""
        return self._users.get(name)

    def put(self, user: User) -> None:
        """Add a user, in place of the one that has its name."""
        self._users[user.name] = user

    def remove(self, name: str) -> bool:
        """Remove a user; false if there is none. Its permissions are `Permissions.forget_user`'s."""
        return self._users.pop(name, None) is not None
