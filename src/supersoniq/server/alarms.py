"""The memory alarm: publishers wait while this process uses more than its limit; consumers and acks go on."""

import logging
from collections.abc import Callable

from supersoniq.session.context import Alarm

logger = logging.getLogger(__name__)

MEMORY_REASON = b"low on memory"


class MemoryAlarm:
    """Compares what is used with the limit, 0 for no limit, whenever `check` is called."""

    def __init__(self, alarm: Alarm, limit_bytes: int, used_bytes: Callable[[], int]) -> None:
        self._alarm = alarm
        self._limit_bytes = limit_bytes
        self._used_bytes = used_bytes

    def check(self) -> bool:
        """Set or clear the alarm; true when it was cleared just now, so that publishers are to be let on."""
        if not self._limit_bytes:
            return False
        used = self._used_bytes()
        was_on = self._alarm.is_on
        self._alarm.is_on = used > self._limit_bytes
        self._alarm.reason = MEMORY_REASON
        if self._alarm.is_on and not was_on:
            logger.error(
                "memory alarm: %d MiB used, limit %d MiB; publishers wait until consumers have made room",
                used >> 20,
                self._limit_bytes >> 20,
            )
        elif was_on and not self._alarm.is_on:
            logger.warning("memory alarm cleared: %d MiB used", used >> 20)
        return was_on and not self._alarm.is_on
