"""The alarms of the store: it cannot write, or what waits to be written is too much.

To clients both are a shortage of disk; the log says which.
"""

import logging
from abc import ABC, abstractmethod

from supersoniq.server.alarms import DISK, Watch

logger = logging.getLogger(__name__)

BACKLOG_BYTES_MAX = 64 * 1024 * 1024
# A disk slower than the publishers has this alarm come and go several times a second.
SILENT_CHECKS = 120


class Storage(ABC):
    """What the alarms ask about a store. Both answers are at hand: nothing is read for them."""

    @abstractmethod
    def trouble(self) -> str:
        """Return in a few words why it cannot store now, as in `no space left on device`; empty if it can.

        The text stays the same for as long as the trouble does.
        """

    @abstractmethod
    def backlog_bytes(self) -> int:
        """Return what it has taken and not written yet."""

    @abstractmethod
    def tick(self) -> None:
        """Write what waits, and try again what failed; called with every tick of the node."""


class TroubleWatch(Watch):
    """Asks whether the store can store."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(DISK)
        self._storage = storage
        self._trouble = ""

    def check(self) -> bool:
        """Look now, and log what has changed; true while publishers are to wait because of it."""
        trouble = self._storage.trouble()
        if trouble != self._trouble:
            if trouble:
                logger.error("store alarm: %s; publishers wait until messages can be stored again", trouble)
            else:
                logger.warning("store alarm cleared: messages are stored again")
            self._trouble = trouble
        return bool(trouble)


class BacklogWatch(Watch):
    """Compares the backlog with its bound; once above, it is too much until less than half the bound is left.

    Nothing is wrong with a disk that publishers outrun, so that is not logged as an error, and not each time.
    """

    def __init__(self, storage: Storage, bytes_max: int = BACKLOG_BYTES_MAX) -> None:
        super().__init__(DISK, is_news=False)
        self._storage = storage
        self._bytes_max = bytes_max
        self._is_on = False
        self._silent_checks_left = 0

    def check(self) -> bool:
        """Look now, and log what has changed; true while publishers are to wait because of it."""
        was_on = self._is_on
        backlog_bytes = self._storage.backlog_bytes()
        self._is_on = 2 * backlog_bytes >= self._bytes_max if was_on else backlog_bytes > self._bytes_max
        self._silent_checks_left -= self._silent_checks_left > 0
        if self._is_on and not was_on and not self._silent_checks_left:
            self._silent_checks_left = SILENT_CHECKS
            logger.warning(
                "journal alarm: %d MiB wait to be written, limit %d MiB; publishers wait for the disk",
                backlog_bytes >> 20,
                self._bytes_max >> 20,
            )
        return self._is_on
