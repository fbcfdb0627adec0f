"""How long messages stay in one queue, as told by those whose arrival was marked: about one a second."""

from typing import Final, final

from mypy_extensions import i64

from supersoniq.broker.queues.stays import STAY_BOUNDS_MS, Stays
from supersoniq.broker.queues.timeline import NEVER, Marks, Timeline

# Stays are told of this period and the one before.
PERIOD_MS: Final = 300_000


@final
class Residence(Timeline):
    """The times of one queue's messages, by position.

    Whoever delivers a message from `next_sample` on calls `left`. Messages that are taken out of their order
    are passed over. `unacked_since_ms` and `unacked_seen_ms` belong to the sampler: when the oldest delivery
    was made that was outstanding when it looked last, and when that was.
    """

    def __init__(self, marks: Marks) -> None:
        super().__init__(marks)
        self.next_sample: i64 = NEVER
        self.unacked_since_ms: i64 = 0
        self.unacked_seen_ms: i64 = 0
        self._stays: Stays | None = None
        self._stays_before: Stays | None = None
        self._period_ms: i64 = 0  # when the period of `_stays` began

    def arrived(self, position: i64, oldest: i64) -> None:
        """Mark an arrival; below `oldest` no message is in the queue any more."""
        self.mark(position, oldest)
        if self.next_sample == NEVER:
            self.next_sample = position

    def left(self, position: i64) -> None:
        """Take note that a message is delivered."""
        if self.is_marked(position):
            now_ms = self.marks.now_ms()
            stay_ms = max(now_ms - self.time_of(position), 0)
            self.marks.stays.add(stay_ms)
            self._stays_now(now_ms).add(stay_ms)
        self.next_sample = self.marked_after(position)

    def _stays_now(self, now_ms: i64) -> Stays:
        stays = self._stays
        if stays is None or now_ms - self._period_ms >= PERIOD_MS:
            self._stays_before = stays if now_ms - self._period_ms < 2 * PERIOD_MS else None
            stays = self._stays = Stays()
            self._period_ms = now_ms
        return stays

    def recent_counts(self) -> list[int]:
        """Return the histogram of the stays that ended in the last five to ten minutes."""
        counts = [0] * (len(STAY_BOUNDS_MS) + 1)
        age_ms = self.marks.now_ms() - self._period_ms
        if self._stays is not None and age_ms < 2 * PERIOD_MS:
            counts = list(self._stays.counts)
            if self._stays_before is not None and age_ms < PERIOD_MS:
                for place in range(len(counts)):
                    counts[place] += self._stays_before.counts[place]
        return counts

    def held(self, since_ms: i64, seen_ms: i64) -> None:
        """Take note of a delivery that is outstanding at `seen_ms`, since when."""
        if self.unacked_seen_ms != seen_ms or since_ms < self.unacked_since_ms:
            self.unacked_since_ms = since_ms
        self.unacked_seen_ms = seen_ms
