"""Handshakes that are under way, of TLS or with proxies: how many, how long, and at what cost to the loop.

A handshake costs a millisecond of computing, and a stranger can ask for as many as it likes. So they are
taken a few at a time, between the turns of those who are connected; and of those that do not go on the oldest
make room when there are too many.
"""

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections import deque
from typing import Final, final

from mypy_extensions import mypyc_attr

logger = logging.getLogger(__name__)

PENDING_MAX: Final = 1024
# What the loop spends on handshakes before it looks at all other sockets; one is made in any case.
TURN_SECONDS: Final = 0.001


@mypyc_attr(allow_interpreted_subclasses=True)
class Pending(ABC):
    """A handshake. Its octets have come when it is told to advance."""

    @abstractmethod
    def advance(self) -> None:
        """Go on with what has come; never raises."""

    @abstractmethod
    def give_up(self) -> str:
        """Drop the client; returns its address if the log is to tell of it."""


@final
class Handshakes:
    """Those of one node."""

    def __init__(self, loop: asyncio.AbstractEventLoop, timeout_seconds: float) -> None:
        self._loop = loop
        self._timeout_seconds = timeout_seconds
        self._began: dict[Pending, float] = {}  # the oldest is first
        self._ready: deque[Pending] = deque()
        self._is_scheduled = False
        self._crowded_out = 0

    @property
    def count(self) -> int:
        """How many are under way."""
        return len(self._began)

    def begin(self, pending: Pending) -> None:
        """Take one more; the oldest goes if there are too many."""
        if len(self._began) >= PENDING_MAX:
            self._crowded_out += 1
            self._drop(next(iter(self._began)))
        self._began[pending] = self._loop.time()

    def end(self, pending: Pending) -> None:
        """Forget one that has succeeded or failed."""
        self._began.pop(pending, None)

    def ready(self, pending: Pending) -> None:
        """Advance one, when those before it and everybody who is connected had their turn."""
        self._ready.append(pending)
        self._schedule()

    def _schedule(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon(self._run)

    def _run(self) -> None:
        self._is_scheduled = False
        until = time.monotonic() + TURN_SECONDS  # the loop's own time stands still within a round
        while self._ready:
            pending = self._ready.popleft()
            if pending in self._began:
                pending.advance()
                if time.monotonic() >= until:
                    break
        if self._ready:
            self._schedule()

    def tick(self) -> None:
        """Drop those that take too long; called now and then."""
        before = self._loop.time() - self._timeout_seconds
        late = [pending for pending, began in self._began.items() if began <= before]
        addresses = [address for pending in late if (address := self._drop(pending))]
        if addresses:
            others = f" and {len(addresses) - 1} more" if len(addresses) > 1 else ""
            logger.warning("connection %s%s: handshake timeout", addresses[0], others)
        if self._crowded_out:
            logger.warning(
                "%d handshakes were under way, %d of the oldest made room for others",
                PENDING_MAX,
                self._crowded_out,
            )
            self._crowded_out = 0

    def stop(self) -> None:
        """Drop all."""
        for pending in list(self._began):
            self._drop(pending)

    def _drop(self, pending: Pending) -> str:
        self.end(pending)
        return pending.give_up()
