"""Names that nobody can guess, for queues and consumers that the broker names."""

import secrets

from supersoniq.broker.ports import Names


class RandomNames(Names):
    """Draws 128 random bits for each name."""

    def unique(self) -> bytes:
        """Return 22 characters of URL-safe base64."""
        return secrets.token_urlsafe(16).encode("ascii")
