"""A job that the node does in the background, seen from the command that has asked for it."""

import contextlib
import time
from typing import Any

from supersoniq.cli.remote.api import Api, ApiError

# The first look comes early: most jobs are short.
FIRST_SECONDS = 0.02
POLL_SECONDS = 0.25


class Job:
    """One job, as the node has shown it last."""

    def __init__(self, api: Api, shown: dict[str, Any]) -> None:
        self._api = api
        self._parts = ("jobs", str(shown["id"]))
        self._shown = shown

    @property
    def total(self) -> int:
        """How many messages it looks at, at most."""
        return int(self._shown["total"])

    def done(self) -> int:
        """How many it has looked at."""
        return int(self._shown["looked_at"])

    def wait(self) -> dict[str, Any]:
        """Wait until it has ended; returns what the node shows then."""
        seconds = FIRST_SECONDS
        while self._shown["state"] == "running":
            time.sleep(seconds)
            seconds = min(2 * seconds, POLL_SECONDS)
            self._shown = self._api.get(*self._parts)
        return self._shown

    def cancel(self) -> None:
        """Stop it; what it has moved stays moved. One that has ended meanwhile is forgotten."""
        with contextlib.suppress(ApiError):
            self._api.delete(*self._parts)
