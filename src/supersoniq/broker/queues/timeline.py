"""When things with rising numbers came: some of them are marked with their time, about one a second.

A message costs no more than the comparison of its number with `next_mark`. What was not marked came between
two that were, so its time is known to the second, or to some hundredth of its age once that is minutes.
"""

from typing import Final, final

from librt.strings import read_i64_be
from mypy_extensions import i64

from supersoniq.broker.queues.stays import Retries, Stays
from supersoniq.broker.timers import Clock

NEVER: Final = 1 << 62
PAUSE_MS: Final = 1_000
# As many marks of one line; then every other one goes, and new ones come half as often.
MARKS_MAX: Final = 128
MARK_BYTES: Final = 16


@final
class Marks:
    """The timelines of one node that have made a mark and wait until they may make the next one.

    `started_ms` is when the node began: what was there before is told to have come then. `stays` and
    `retries` are those of all its queues together.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.started_ms: i64 = clock.now_ms()
        self.stays = Stays()
        self.retries = Retries()
        self._waiting: list[Timeline] = []

    def now_ms(self) -> i64:
        """Return the time."""
        return self.clock.now_ms()

    def wait(self, timeline: "Timeline") -> None:
        """Have a timeline make a mark again after its pause."""
        self._waiting.append(timeline)

    def renew(self) -> None:
        """Let those make marks whose pause is over; called about once a second."""
        now_ms = self.clock.now_ms()
        waiting = self._waiting
        self._waiting = []
        for timeline in waiting:
            if timeline.may_mark(now_ms):
                timeline.next_mark = 0
            else:
                self._waiting.append(timeline)


class Timeline:
    """The times of some numbers of one row.

    Whoever gives a number from `next_mark` on calls `mark`.
    """

    def __init__(self, marks: Marks) -> None:
        self.next_mark: i64 = 0
        self.marks = marks
        self._octets = b""  # numbers and times, each as eight octets
        self._pause_ms: i64 = PAUSE_MS
        self._last_ms: i64 = 0

    def mark(self, number: i64, oldest: i64) -> i64:
        """Take note that a number is given now, and that of those below `oldest` none matters any more.

        Returns the time.
        """
        now_ms = self.marks.now_ms()
        self.next_mark = NEVER
        self._last_ms = now_ms
        self.marks.wait(self)
        self._forget(oldest)
        self._octets += int(number).to_bytes(8, "big") + int(now_ms).to_bytes(8, "big")
        if len(self._octets) > MARKS_MAX * MARK_BYTES:
            self._thin_out()
        return now_ms

    def may_mark(self, now_ms: i64) -> bool:
        """Whether the pause since the last mark is over; a clock that was set back ends it too."""
        # Half a second less, so that a renewal that comes early is not one that is missed.
        return now_ms - self._last_ms >= self._pause_ms - PAUSE_MS // 2 or now_ms < self._last_ms

    def time_of(self, number: i64) -> i64:
        """Return about when a number was given."""
        octets = self._octets
        place = self._place_after(number)
        if place == 0:
            return self.marks.started_ms
        before = place - MARK_BYTES
        number_before, time_before = read_i64_be(octets, before), read_i64_be(octets, before + 8)
        if place == i64(len(octets)):
            return time_before
        number_after, time_after = read_i64_be(octets, place), read_i64_be(octets, place + 8)
        # Later than the one before, and as much as the numbers say if all came at the same pace. But what
        # comes after a pause is marked.
        share = (number - number_before) * (time_after - time_before) // (number_after - number_before)
        return time_before + min(share, self._pause_ms + PAUSE_MS)

    def is_marked(self, number: i64) -> bool:
        """Whether the time of just this number is known."""
        place = self._place_after(number) - MARK_BYTES
        return place >= 0 and read_i64_be(self._octets, place) == number

    def marked_after(self, number: i64) -> i64:
        """Return the first marked number above one, `NEVER` if there is none."""
        place = self._place_after(number)
        return read_i64_be(self._octets, place) if place < i64(len(self._octets)) else i64(NEVER)

    def _place_after(self, number: i64) -> i64:
        """Return the place of the first mark that is above a number."""
        octets = self._octets
        low: i64 = 0
        high: i64 = len(octets) // MARK_BYTES
        while low < high:
            middle = (low + high) // 2
            if read_i64_be(octets, middle * MARK_BYTES) > number:
                high = middle
            else:
                low = middle + 1
        return low * MARK_BYTES

    def _forget(self, oldest: i64) -> None:
        """Drop the marks that say nothing of numbers from `oldest` on."""
        place = self._place_after(oldest) - MARK_BYTES
        if place > 0:
            self._octets = self._octets[place:]
        if self._pause_ms > PAUSE_MS and len(self._octets) < MARKS_MAX * MARK_BYTES // 4:
            self._pause_ms = self._pause_ms // 2

    def _thin_out(self) -> None:
        """Double the pause until enough marks are closer than that to one before them, and drop those."""
        octets = self._octets
        while len(self._octets) > MARKS_MAX * MARK_BYTES * 3 // 4:
            self._pause_ms = self._pause_ms * 2
            kept = b""
            last_ms: i64 = 0
            for place in range(0, len(octets), MARK_BYTES):
                time_ms = read_i64_be(octets, place + 8)
                if time_ms - last_ms >= self._pause_ms or place == 0:
                    kept += octets[place : place + MARK_BYTES]
                    last_ms = time_ms
            self._octets = kept
