"""The users of a node, as its configuration names them."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping


class Users:
    """Names, salted password hashes, and who may come from this machine only. Passwords are not kept."""

    def __init__(self, passwords: Mapping[str, str], loopback_users: Iterable[str]) -> None:
        self._salt = secrets.token_bytes(16)
        self._hashes = {name: self._hash(password.encode()) for name, password in passwords.items()}
        self._nobody = self._hash(secrets.token_bytes(16))
        self._loopback_users = frozenset(loopback_users)

    def authenticates(self, name: str, password: bytes, from_loopback: bool) -> bool:
        """Whether the password is the user's and the user may come from there.

        An unknown name takes as long.
        """
        expected = self._hashes.get(name, self._nobody)
        matches = hmac.compare_digest(expected, self._hash(password))
        return matches and (from_loopback or name not in self._loopback_users)

    def may_enter(self, name: str, vhost: str) -> bool:
        """Whether the user may use the virtual host: every user of the configuration may use all of them."""
        return name in self._hashes

    def _hash(self, password: bytes) -> bytes:
        return hashlib.sha256(self._salt + password).digest()
