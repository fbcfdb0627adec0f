"""The memory alarm: on while messages fill the memory."""

import logging
from abc import ABC, abstractmethod

from supersoniq.server.alarms import MEMORY, Watch

logger = logging.getLogger(__name__)

# Giving memory back takes longer the more there is, so it is not tried at every check.
RELEASE_EVERY_CHECKS = 10


class Memory(ABC):
    """What the alarm asks about memory."""

    @abstractmethod
    def used_bytes(self) -> int:
        """Return what the process occupies, memory included that it has free inside."""

    @abstractmethod
    def message_bytes(self) -> int:
        """Return about what messages occupy."""

    @abstractmethod
    def release(self) -> None:
        """Give free memory back to the system."""


class MemoryWatch(Watch):
    """Compares what is used with the limit, 0 for no limit.

    A process rarely shrinks when its messages are gone: what they occupied stays its own, free for the next.
    So being over the limit is an alarm only while messages account for a good part of it; otherwise it
    would never end. A limit that is set while the node runs counts as it stands, messages or not: who sets it
    wants publishers to wait now.
    """

    def __init__(self, limit_bytes: int, memory: Memory) -> None:
        super().__init__(MEMORY)
        self._limit_bytes = limit_bytes
        self._memory = memory
        self._is_on = False
        self._is_strict = False
        self._checks_to_release = 0

    def set_limit(self, limit_bytes: int) -> None:
        """Have another limit from the next check on."""
        self._limit_bytes = limit_bytes
        self._is_strict = True

    def check(self) -> bool:
        """Look now, and log what has changed; true while publishers are to wait because of it."""
        was_on, self._is_on = self._is_on, self._is_full()
        if self._is_on and not was_on:
            logger.error(
                "memory alarm: %d MiB used, limit %d MiB; publishers wait",
                self._memory.used_bytes() >> 20,
                self._limit_bytes >> 20,
            )
        elif was_on and not self._is_on:
            logger.warning("memory alarm cleared: %d MiB used", self._memory.used_bytes() >> 20)
        return self._is_on

    def _is_full(self) -> bool:
        if not self._limit_bytes:
            return False
        if self._is_strict:
            return self._memory.used_bytes() > self._limit_bytes
        if self._memory.used_bytes() <= self._limit_bytes:
            self._checks_to_release = 0
            return False
        message_bytes = self._memory.message_bytes()
        if message_bytes > self._limit_bytes // 2:
            return True
        self._checks_to_release -= 1
        if self._checks_to_release <= 0:
            self._checks_to_release = RELEASE_EVERY_CHECKS
            self._memory.release()
        return self._memory.used_bytes() > self._limit_bytes and message_bytes > self._limit_bytes // 4
