"""The share of memory that one queue may use before its tail is paged out.

Less when all together use much.
"""

from typing import Final, final

from mypy_extensions import i64

from supersoniq.broker.vhost import VHost

SHARE_BYTES_MIN: Final = 64 * 1024
UNKNOWN_BYTES: Final = 1 << 62


@final
class MemoryShare:
    """Adapts what each queue may use, so that all stay below `total_bytes_max` together; 0 is no limit."""

    def __init__(self, queue_bytes_max: i64, total_bytes_max: i64) -> None:
        self.bytes: i64 = queue_bytes_max
        self._queue_bytes_max: i64 = queue_bytes_max
        self._total_bytes_max: i64 = total_bytes_max

    def adapt(self, vhosts: dict[str, VHost], bytes_max: i64 = UNKNOWN_BYTES) -> None:
        """Halve the share, and page out what is beyond it, or double it.

        `bytes_max` is what is not exceeded in any case: adding up many queues takes time.
        """
        if self._total_bytes_max == 0:
            return
        if bytes_max <= self._total_bytes_max and self.bytes == self._queue_bytes_max:
            return
        total = sum([vhost.memory_bytes() for vhost in vhosts.values()])
        if total > self._total_bytes_max and self.bytes > SHARE_BYTES_MIN:
            self._set(vhosts, max(self.bytes // 2, SHARE_BYTES_MIN))
            for vhost in vhosts.values():
                for queue in vhost.queues.values():
                    queue.spill()
        elif total < self._total_bytes_max // 2 and self.bytes < self._queue_bytes_max:
            self._set(vhosts, min(self.bytes * 2, self._queue_bytes_max))

    def _set(self, vhosts: dict[str, VHost], share: i64) -> None:
        self.bytes = share
        for vhost in vhosts.values():
            for queue in vhost.queues.values():
                queue.kept.memory_bytes_max = share
