"""The entries of one queue that are ready, in order of position.

New ones come at the back. One that was delivered and comes back goes to its original place: it is older than
all that was never taken, so the returned ones are kept apart, in order, and are taken first.

A long backlog is kept in tuples of `CHUNK_PLACES` entries between a short list that is taken from and one
that is added to. The garbage collector does not track tuples of entries, as entries cannot be part of a
cycle: millions of waiting messages cost its passes nothing, where one list of them stalls the node for 16 ms
a million.

Beyond what the queue may occupy in memory, chunks become pages that its store keeps. They are older than what
is added and younger than what is in the short list and the tuples, so entries are taken in this order:
returned, short list, tuples, pages, what was added last.
"""

from typing import Final, final

from mypy_extensions import i64

from supersoniq.broker.message import Entry
from supersoniq.broker.ports import Page, QueueStore

CHUNK_PLACES: Final = 1_024
# A chunk of large messages is shorter.
CHUNK_BODY_BYTES: Final = 256 * 1024
# What a message takes beside its body: three objects, address, header, and its places in lists.
MESSAGE_OVERHEAD_BYTES: Final = 350
# The front list is renewed when it is used up and has so many empty places, so that a short queue keeps its
# list.
RENEWED_PLACES: Final = 256


@final
class Backlog:
    """A queue of entries that takes entries back at their place."""

    def __init__(self, kept: QueueStore) -> None:
        self.count: i64 = 0
        self.body_bytes: i64 = 0
        self._kept = kept
        self._returned: list[Entry] = []  # latest position first, so that the next to go is at the cheap end
        self._front: list[Entry | None] = []
        self._head: i64 = 0  # the first place of the front list that is not empty
        self._is_short = True  # everything is in the front list
        self._chunks: list[tuple[Entry | None, ...]] = []
        self._chunk: i64 = 0  # the first of the chunks that is not used up
        self._pages: list[Page | None] = []
        self._page: i64 = 0  # the first of the pages that is not used up
        self._paged_count: i64 = 0
        self._paged_body_bytes: i64 = 0
        self._back: list[Entry | None] = []
        self._back_body_bytes: i64 = 0

    @property
    def memory_bytes(self) -> i64:
        """About what its entries occupy in memory."""
        count = self.count - self._paged_count
        return self.body_bytes - self._paged_body_bytes + count * MESSAGE_OVERHEAD_BYTES

    def append(self, entry: Entry) -> None:
        """Add an entry whose position is above all others."""
        body_bytes = i64(len(entry.message.body))
        self.count += 1
        self.body_bytes += body_bytes
        if self._is_short and len(self._front) < CHUNK_PLACES and self.body_bytes <= CHUNK_BODY_BYTES:
            self._front.append(entry)
            return
        self._is_short = False
        self._back.append(entry)
        self._back_body_bytes += body_bytes
        if len(self._back) == CHUNK_PLACES or self._back_body_bytes > CHUNK_BODY_BYTES:
            self._close_back()
        if self._head == i64(len(self._front)):
            self._renew_front()

    def _close_back(self) -> None:
        """Make a chunk or a page of what was added last."""
        limit = self._kept.memory_bytes_max
        if self._page < i64(len(self._pages)) or (limit > 0 and self.memory_bytes > limit):
            self._add_page(self._kept.write_page(self._back))
        else:
            self._chunks.append(tuple(self._back))
        self._back = []
        self._back_body_bytes = 0

    def spill(self) -> None:
        """Make pages of the youngest chunks until what is left fits into memory."""
        limit = self._kept.memory_bytes_max
        pages: list[Page | None] = []
        while self._chunk < i64(len(self._chunks)) and self.memory_bytes > limit:
            page = self._kept.write_page(list(self._chunks.pop()))
            self._paged_count += page.count
            self._paged_body_bytes += page.body_bytes
            pages.append(page)
        if pages:
            pages.reverse()
            pages.extend(self._pages[self._page :])
            self._pages = pages
            self._page = 0

    def _add_page(self, page: Page) -> None:
        self._pages.append(page)
        self._paged_count += page.count
        self._paged_body_bytes += page.body_bytes

    def append_page(self, page: Page) -> None:
        """Add a page whose positions are above all others."""
        self._is_short = False
        if self._back:
            self._close_back()
        self.count += page.count
        self.body_bytes += page.body_bytes
        self._add_page(page)
        if self._head == i64(len(self._front)):
            self._renew_front()

    def put_back(self, entry: Entry) -> None:
        """Return an entry that `pop` gave to its place; cheapest when the latest position comes first."""
        returned = self._returned
        low, high = 0, len(returned)
        if high > 0 and returned[high - 1].position > entry.position:
            low = high
        while low < high:
            middle = (low + high) // 2
            if returned[middle].position > entry.position:
                low = middle + 1
            else:
                high = middle
        returned.insert(low, entry)
        self.count += 1
        self.body_bytes += len(entry.message.body)

    def pop(self) -> Entry:
        """Take the entry with the lowest position; `count` must not be 0."""
        self.count -= 1
        entry: Entry | None
        if self._returned:
            entry = self._returned.pop()
        else:
            head = self._head
            front = self._front
            entry = front[head]
            front[head] = None
            self._head = head + 1
            if self._head == i64(len(front)):
                self._renew_front()
        assert entry is not None
        self.body_bytes -= len(entry.message.body)
        return entry

    def _renew_front(self) -> None:
        """Go on with what is behind the front list, which is used up."""
        if self._is_short:
            if self._head >= RENEWED_PLACES:
                self._front = []
                self._head = 0
            return
        self._head = 0
        self._front = []
        if self._chunk < i64(len(self._chunks)):
            self._front = list(self._chunks[self._chunk])
            self._chunks[self._chunk] = ()
            self._chunk += 1
            if self._chunk * 2 >= i64(len(self._chunks)):
                del self._chunks[: self._chunk]
                self._chunk = 0
            return
        while self._page < i64(len(self._pages)):
            self._read_page()
            if self._front:
                return
        self._front = self._back
        self._back = []
        self._back_body_bytes = 0
        self._is_short = True

    def _read_page(self) -> None:
        """Make the front list of the first page; entries of it that are damaged are gone."""
        page = self._pages[self._page]
        assert page is not None
        self._pages[self._page] = None
        self._page += 1
        if self._page * 2 >= i64(len(self._pages)):
            del self._pages[: self._page]
            self._page = 0
        self._front = self._kept.read_page(page)
        self._paged_count -= page.count
        self._paged_body_bytes -= page.body_bytes
        missing = page.count - i64(len(self._front))
        if missing != 0:
            self.count -= missing
            self.body_bytes -= page.body_bytes
            for entry in self._front:
                assert entry is not None
                self.body_bytes += len(entry.message.body)

    def pages(self) -> list[Page]:
        """Return the pages, in order."""
        return [page for page in self._pages if page is not None]

    def take_pages(self) -> list[Page]:
        """Take all pages, in order."""
        pages = self.pages()
        self.count -= self._paged_count
        self.body_bytes -= self._paged_body_bytes
        self._pages = []
        self._page = self._paged_count = self._paged_body_bytes = 0
        return pages

    def in_memory(self) -> list[Entry]:
        """Return the entries that are in memory, in order."""
        entries = self._returned[::-1]
        for chunk in [tuple(self._front), *self._chunks, tuple(self._back)]:
            for entry in chunk:
                if entry is not None:
                    entries.append(entry)
        return entries

    def drain(self) -> list[Entry]:
        """Take all entries, in order; `take_pages` comes first."""
        entries = self.in_memory()
        self.count = self.body_bytes = 0
        self._returned = []
        self._front = []
        self._head = 0
        self._is_short = True
        self._chunks = []
        self._chunk = 0
        self._back = []
        self._back_body_bytes = 0
        return entries
