"""Remembered passwords: which were right and which were wrong, as digests that say nothing without the key.

A slow hash is then computed once for a password, not once for a login. The key is drawn by each process and
never leaves it; a digest covers the user's name and hash, so another password or user makes it worthless.
"""

import hmac
import secrets
from typing import Final

from supersoniq.auth.passwords import PasswordHash

WRONG_MAX: Final = 4096


class Remembered:
    """What is known of passwords that were verified; `digest` is what it is known by."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._right: dict[str, bytes] = {}  # one for each user
        self._wrong: dict[bytes, None] = {}  # the latest, oldest first

    def digest(self, user: str, password_hash: PasswordHash, password: bytes) -> bytes:
        """Return what stands for a password of a user that has this hash."""
        name = user.encode("utf-8", "surrogateescape")
        encoded = password_hash.encoded.encode()
        # The lengths keep different parts from making up the same whole.
        head = len(name).to_bytes(4) + len(encoded).to_bytes(4)
        return hmac.digest(self._key, head + name + encoded + password, "sha256")

    def is_right(self, user: str, digest: bytes) -> bool:
        """Whether the password that it stands for was right."""
        right = self._right.get(user)
        return right is not None and hmac.compare_digest(right, digest)

    def is_wrong(self, digest: bytes) -> bool:
        """Whether the password that it stands for was wrong, not long ago."""
        return digest in self._wrong

    def note(self, user: str, digest: bytes, is_right: bool) -> None:
        """Remember what came out."""
        if is_right:
            self._right[user] = digest
            return
        self._wrong[digest] = None
        if len(self._wrong) > WRONG_MAX:
            del self._wrong[next(iter(self._wrong))]

    def forget(self, users_max: int) -> None:
        """Make room when users were removed: remember no more than one password for each."""
        if len(self._right) > users_max:
            self._right.clear()
