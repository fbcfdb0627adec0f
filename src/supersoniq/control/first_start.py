"""What the configuration brings: virtual hosts and users that a node has from its first start on.

Each name is brought once. What became of it since counts: a user that was deleted does not come back with the
next start, and a password that was changed stays as it is.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from supersoniq.auth.passwords import PasswordHash
from supersoniq.control.actor import NODE
from supersoniq.control.administration import Administration

HashOf = Callable[[bytes], PasswordHash]


class FirstUser(NamedTuple):
    """A user of the configuration; `permissions` are the patterns for configure, write and read."""

    name: str
    password: bytes
    tags: frozenset[str]
    permissions: tuple[str, str, str]


def bring(
    administration: Administration, vhosts: Sequence[str], users: Sequence[FirstUser], hash_of: HashOf
) -> None:
    """Have what the configuration names and has not brought yet.

    A user may use every virtual host that is there when it comes, and those that the configuration brings
    later. `hash_of` makes the hash of a user's password.
    """
    brought = administration.configured
    new_vhosts = [name for name in vhosts if name not in brought["vhosts"]]
    new_users = [user for user in users if user.name not in brought["users"]]
    if not new_vhosts and not new_users:
        return
    with administration.together():
        for name in new_vhosts:
            if name not in administration.vhost_metadata:
                administration.put_vhost(name, "", [], "", False, NODE)
        for user in new_users:
            if user.name not in administration.users:
                administration.put_user(user.name, hash_of(user.password), user.tags, NODE)
                permit(administration, [user], list(administration.vhosts))
        permit(administration, users, new_vhosts)
        administration.note_configured("vhosts", [*brought["vhosts"], *new_vhosts])
        administration.note_configured("users", [*brought["users"], *[user.name for user in new_users]])


def permit(administration: Administration, users: Sequence[FirstUser], vhosts: Sequence[str]) -> None:
    """Let users of the configuration, as far as there are, into virtual hosts that they may not enter yet."""
    for user in users:
        for name in vhosts:
            if user.name in administration.users and administration.permissions.of(user.name, name) is None:
                administration.put_permission(user.name, name, *user.permissions, NODE)
