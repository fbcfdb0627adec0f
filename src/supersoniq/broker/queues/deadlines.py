"""When what waits in one queue expires, wherever it stands.

A page that is out of memory is known by the first of its entries to expire, and is read when that is due.
"""

import heapq
from typing import Final, final

from mypy_extensions import i64

from supersoniq.broker.message import Entry
from supersoniq.broker.ports import Page

# So many places of entries that have left are kept, however few others there are.
LEFT_PLACES: Final = 4_096


@final
class Deadlines:
    """Entries that wait, and pages, in order of expiry.

    What leaves before is passed over when it is due. Until then its place is kept and nothing else: it may be
    large, and the time far away.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[int, int]] = []  # when, and the position
        self._waiting: dict[int, Entry] = {}  # by position
        self._pages: list[tuple[int, int, Page]] = []
        self._added_count = 0

    def next_ms(self) -> i64:
        """Return when the next one expires, 0 for never."""
        heap, pages = self._heap, self._pages
        while heap and heap[0][1] not in self._waiting:
            heapq.heappop(heap)
        while pages and pages[0][2].expires_at == 0:
            heapq.heappop(pages)
        if heap and (not pages or heap[0][0] <= pages[0][0]):
            return i64(heap[0][0])
        return i64(pages[0][0]) if pages else 0

    def add(self, entry: Entry) -> None:
        """Add an entry that expires."""
        entry.is_ready = True
        position = int(entry.position)
        self._waiting[position] = entry
        heapq.heappush(self._heap, (int(entry.expires_at), position))

    def leave(self, entry: Entry) -> None:
        """Take note that an entry waits no more; it may be added again."""
        entry.is_ready = False
        self._waiting.pop(int(entry.position), None)
        left = len(self._heap) - len(self._waiting)
        if left > LEFT_PLACES and left * 2 > len(self._heap):
            self._heap = [(int(each.expires_at), position) for position, each in self._waiting.items()]
            heapq.heapify(self._heap)

    def add_page(self, page: Page) -> None:
        """Add a page of which something expires; when it is read its `expires_at` becomes 0."""
        self._added_count += 1
        heapq.heappush(self._pages, (int(page.expires_at), self._added_count, page))

    def pop(self, now_ms: i64) -> Entry | None:
        """Return the next entry that is due; None if there is none, or a page comes before it."""
        heap, pages = self._heap, self._pages
        while pages and pages[0][2].expires_at == 0:
            heapq.heappop(pages)
        while heap and i64(heap[0][0]) <= now_ms:
            if pages and pages[0][0] <= heap[0][0]:
                return None
            entry = self._waiting.pop(heapq.heappop(heap)[1], None)
            if entry is not None:
                entry.is_ready = False
                return entry
        return None

    def pop_page(self, now_ms: i64) -> Page | None:
        """Return the next page of which something is due, None if there is none."""
        pages = self._pages
        while pages and i64(pages[0][0]) <= now_ms:
            page = heapq.heappop(pages)[2]
            if page.expires_at > 0:
                return page
        return None
