"""The disk alarm: on while the data directory's file system has less free than it should."""

import logging
import shutil
from abc import ABC, abstractmethod
from pathlib import Path

from supersoniq.server.alarms import DISK, Watch

logger = logging.getLogger(__name__)


class FreeSpace(ABC):
    """What the alarm asks about disks."""

    @abstractmethod
    def free_bytes(self, directory: Path) -> int:
        """Return what this user may still write where `directory` is; raises OSError if that is unknown."""


class SystemFreeSpace(FreeSpace):
    """What the operating system says."""

    def free_bytes(self, directory: Path) -> int:
        """Return what is free, without what the file system keeps back for root."""
        return shutil.disk_usage(directory).free


class DiskWatch(Watch):
    """Compares what is free where `directory` is with the limit, 0 for no limit.

    As in RabbitMQ the alarm ends as soon as the limit is free again. Where the system cannot tell what is
    free, as little as nothing may be: that is an alarm too.
    """

    def __init__(self, limit_bytes: int, directory: Path, space: FreeSpace) -> None:
        super().__init__(DISK)
        self._limit_bytes = limit_bytes
        self._directory = directory
        self._space = space
        self._is_on = False

    def set_limit(self, limit_bytes: int) -> None:
        """Have another limit from the next check on."""
        self._limit_bytes = limit_bytes

    def check(self) -> bool:
        """Look now, and log what has changed; true while publishers are to wait because of it."""
        if not self._limit_bytes and not self._is_on:
            return False
        was_on = self._is_on
        try:
            free_bytes = self._space.free_bytes(self._directory)
        except OSError as error:
            self._is_on = self._limit_bytes > 0
            found = f"free space unknown ({error.strerror or error})"
        else:
            self._is_on = free_bytes < self._limit_bytes
            found = f"{free_bytes >> 20} MiB free"
        if self._is_on and not was_on:
            logger.error(
                "disk alarm: %s in %s, limit %d MiB; publishers wait: "
                "make room, have messages consumed, or lower disk_free_limit",
                found,
                self._directory,
                self._limit_bytes >> 20,
            )
        elif was_on and not self._is_on:
            logger.warning("disk alarm cleared: %s in %s", found, self._directory)
        return self._is_on
