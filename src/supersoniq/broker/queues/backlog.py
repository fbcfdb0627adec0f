"""The entries of one queue that are ready, in order of position.

New ones come at the back. One that was delivered and comes back goes to its original place: it is older than
all that was never taken, so the returned ones are kept apart, in order, and are taken first.

A long backlog is kept in tuples of `CHUNK_PLACES` entries between a short list that is taken from and one
that is added to. The garbage collector does not track tuples of entries, as entries cannot be part of a
cycle: millions of waiting messages cost its passes nothing; one list of them stalls the node for 16 ms each.

Beyond what the queue may occupy in memory, chunks become pages that its store keeps. They are older than what
is added and younger than the rest: entries are taken from returned, short list, tuples, pages, added last.

An entry can be removed from the middle, when it expires: it stays where it is, with a message that is `GONE`,
and is passed over when those before it are taken. When these are more than the others, they are swept out.
"""

from typing import Final, cast

from mypy_extensions import i64

from supersoniq.broker.message import GONE, Entry, Message
from supersoniq.broker.ports import Page, QueueStore
from supersoniq.broker.queues.chunks import Chunk, add_above, add_returned, bytes_of, early_until, merged
from supersoniq.broker.queues.deadlines import Deadlines
from supersoniq.broker.queues.runs import pack_positions

CHUNK_PLACES: Final = 1_024
# A chunk of large messages is shorter.
CHUNK_BODY_BYTES: Final = 256 * 1024
# What a message takes beside its body: three objects, address, header, and its places in lists.
MESSAGE_OVERHEAD_BYTES: Final = 350
# So many that are gone are left where they are.
GONE_PLACES: Final = 4_096
# The front list is renewed when it is used up and has so many empty places: a short queue keeps its list.
RENEWED_PLACES: Final = 256
# Where less than this part of a page would stay out of memory, all of it is read.
REST_SHARE: Final = 4


class Backlog:
    """A queue of entries that takes entries back at their place.

    One that is `level` of several begins to page when it is told: `spill_from`. Its chunks may be shorter.
    """

    def __init__(
        self,
        kept: QueueStore,
        level: i64 = -1,
        chunk_places: i64 = CHUNK_PLACES,
        chunk_body_bytes: i64 = CHUNK_BODY_BYTES,
    ) -> None:
        self.count: i64 = 0
        self.body_bytes: i64 = 0
        self.deadlines: Deadlines | None = None  # of entries that expire
        self.kept = kept
        self.has_closed = False  # a chunk that could be a page; it is for others to set this back
        self._level: i64 = level
        self._chunk_places: i64 = chunk_places
        self._chunk_body_bytes: i64 = chunk_body_bytes
        self._gone_count: i64 = 0
        self._returned: list[Entry] = []  # latest position first, so that the next to go is at the cheap end
        self._front: list[Entry | None] = []
        self._head: i64 = 0  # the first place of the front list that is not empty
        self._is_short = True  # everything is in the front list
        self._chunks: list[Chunk] = []
        self._chunk: i64 = 0  # the first of the chunks that is not used up
        self._pages: list[Page | None] = []
        self._page: i64 = 0  # the first of the pages that is not used up
        # What is in memory of pages before their turn: all, or what expires soon.
        self._loaded: dict[Page, list[Entry | None]] = {}
        self._paged_count: i64 = 0
        self._paged_body_bytes: i64 = 0
        self._back: list[Entry | None] = []
        self._back_body_bytes: i64 = 0

    @property
    def paged_count(self) -> i64:
        """How many of its entries are out of memory."""
        return self._paged_count

    @property
    def paged_body_bytes(self) -> i64:
        """The bodies that are out of memory, in bytes."""
        return self._paged_body_bytes

    @property
    def memory_bytes(self) -> i64:
        """About what its entries occupy in memory."""
        count = self.count - self._paged_count
        return self.body_bytes - self._paged_body_bytes + count * MESSAGE_OVERHEAD_BYTES

    def first_position(self) -> i64:
        """Return the lowest position of all entries; `count` must not be 0."""
        entry = self._returned[-1] if self._returned else self._front[self._head]
        assert entry is not None
        return entry.position

    def append(self, entry: Entry) -> None:
        """Add an entry whose position is above all others."""
        body_bytes = i64(len(entry.message.body))
        self.count += 1
        self.body_bytes += body_bytes
        if (
            self._is_short
            and i64(len(self._front)) < self._chunk_places
            and self.body_bytes <= self._chunk_body_bytes
        ):
            self._front.append(entry)
            return
        self._is_short = False
        self._back.append(entry)
        self._back_body_bytes += body_bytes
        if i64(len(self._back)) == self._chunk_places or self._back_body_bytes > self._chunk_body_bytes:
            self._close_back()
        if self._head == i64(len(self._front)):
            self._renew_front()

    def _close_back(self) -> None:
        """Make a chunk or a page of what was added last."""
        limit = self.kept.memory_bytes_max if self._level < 0 else 0
        back = self._present(self._back)
        if not back:
            pass
        elif self._page < i64(len(self._pages)) or (limit > 0 and self.memory_bytes > limit):
            self._add_page(self._written(back))
        else:
            self._chunks.append(Chunk(tuple(back)))
            self.has_closed = True
        self._back = []
        self._back_body_bytes = 0

    def spill(self) -> None:
        """Make pages of the youngest chunks until what is left fits into memory."""
        limit = self.kept.memory_bytes_max
        if limit > 0:
            self.spill_from(limit)

    def spill_from(self, limit: i64) -> None:
        """Make pages of the youngest chunks until no more than `limit` bytes are in memory."""
        pages: list[Page | None] = []
        while self._chunk < i64(len(self._chunks)) and self.memory_bytes > limit:
            chunk = self._present(list(self._chunks.pop().entries))
            if not chunk:
                continue
            page = self._written(chunk)
            self._paged_count += page.count
            self._paged_body_bytes += page.body_bytes
            pages.append(page)
        if pages:
            pages.reverse()
            pages.extend(self._pages[self._page :])
            self._pages = pages
            self._page = 0

    def _written(self, entries: list[Entry | None]) -> Page:
        """Have the store keep entries as a page that knows when the first of them expires."""
        expires_at: i64 = 0
        page = self.kept.write_page(entries)
        page.level = self._level
        deadlines = self.deadlines
        if deadlines is not None:
            for entry in entries:
                assert entry is not None
                if entry.expires_at > 0:
                    deadlines.leave(entry)
                    if expires_at == 0 or entry.expires_at < expires_at:
                        expires_at = entry.expires_at
            page.expires_at = expires_at
            self._watch_page(page)
        return page

    def _watch_page(self, page: Page) -> None:
        if page.expires_at > 0:
            self.known_deadlines().add_page(page)

    def known_deadlines(self) -> Deadlines:
        """Return the deadlines, new ones if there are none yet."""
        if self.deadlines is None:
            self.deadlines = Deadlines()
        return self.deadlines

    def _add_page(self, page: Page) -> None:
        self._pages.append(page)
        self._paged_count += page.count
        self._paged_body_bytes += page.body_bytes

    def level_of(self, message: Message) -> i64:
        """Return which of the rows a message stands in that are in order of position: here all in one."""
        return 0

    def level_of_page(self, page: Page) -> i64:
        """Return the same for all that is in a page, -1 where they may stand in several."""
        return 0

    def append_page(self, page: Page) -> None:
        """Add a page whose positions are above all others."""
        page.level = self._level
        self._watch_page(page)
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
        entry = self._next()
        self.count -= 1
        self.body_bytes -= len(entry.message.body)
        if self._gone_count > 0:
            self._pass_over()
        return entry

    def _pass_over(self) -> None:
        """Give up the first entries that are gone, and so read the page behind them: `count` may change."""
        while self._gone_count > 0:
            entry: Entry | None = None
            if self._returned:
                entry = self._returned[-1]
            elif self._head < i64(len(self._front)):
                entry = self._front[self._head]
            if entry is None or entry.message is not GONE:
                return
            self._next()
            self._gone_count -= 1

    def _next(self) -> Entry:
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
        return entry

    def remove(self, entry: Entry) -> Message:
        """Take out an entry that is here and in memory; returns its message, which the entry has no more."""
        message = entry.message
        self.count -= 1
        self.body_bytes -= len(message.body)
        entry.message = GONE
        self._gone_count += 1
        self._pass_over()
        if self._gone_count > GONE_PLACES and self._gone_count > self.count - self._paged_count:
            self._sweep()
        return message

    def _sweep(self) -> None:
        """Give back the places of those that are gone."""
        self._returned = [entry for entry in self._returned if entry.message is not GONE]
        front = self._front[self._head :]
        self._front = self._present(front)
        self._head = 0
        chunks: list[Chunk] = []
        for chunk in self._chunks[self._chunk :]:
            present = tuple(self._present(list(chunk.entries)))
            if present:
                chunks.append(Chunk(present))
        self._chunks = chunks
        self._chunk = 0
        for page, entries in self._loaded.items():
            self._loaded[page] = self._present(entries)
        self._back = self._present(self._back)
        self._gone_count = 0
        if not self._front:
            self._renew_front()

    def _present(self, entries: list[Entry | None]) -> list[Entry | None]:
        """Return the entries that are not gone."""
        if self._gone_count == 0:
            return entries
        present: list[Entry | None] = []
        for entry in entries:
            if entry is not None:
                if entry.message is GONE:
                    self._gone_count -= 1
                else:
                    present.append(entry)
        return present

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
            self._front = list(self._chunks[self._chunk].entries)
            self._chunks[self._chunk] = Chunk(())
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
        """Make the front list of the first page."""
        page = self._pages[self._page]
        assert page is not None
        self._pages[self._page] = None
        self._page += 1
        if self._page * 2 >= i64(len(self._pages)):
            del self._pages[: self._page]
            self._page = 0
        self.load(page)
        self._front = self._loaded.pop(page)

    def _forget_deadlines(self, entries: list[Entry]) -> None:
        if self.deadlines is not None:
            self.deadlines = None
            for entry in entries:
                entry.is_ready = False

    def load(self, page: Page) -> None:
        """Read what is out of memory of a page."""
        if page.count > 0:
            self._take_page(page, self.kept.read_page(page))

    def load_early(self, page: Page, now_ms: i64) -> None:
        """Read a page of which something is due: what expires soon stays in memory, the rest where it is."""
        entries = self.kept.read_page(page)
        until_ms = early_until(entries, now_ms)
        rest = [entry for entry in entries if entry is not None and not 0 < entry.expires_at <= until_ms]
        if i64(len(entries)) != page.count or len(rest) * REST_SHARE < len(entries):
            self._take_page(page, entries)
            return
        early: list[Entry | None] = []
        for entry in entries:
            if entry is not None and 0 < entry.expires_at <= until_ms:
                early.append(entry)
        self._take(page, early, i64(len(early)), bytes_of(early))
        page.first, page.last = rest[0].position, rest[-1].position
        page.runs = pack_positions([*rest])
        page.is_reduced = True
        for late in rest:
            if late.expires_at > 0 and (page.expires_at == 0 or late.expires_at < page.expires_at):
                page.expires_at = late.expires_at
        self._watch_page(page)

    def read_ahead(self, until_ms: i64) -> bool:
        """Read a page of which something expires up to a time; false if there is none."""
        page = None if self.deadlines is None else self.deadlines.pop_page(until_ms)
        if page is None:
            return False
        self.load(page)
        return True

    def peek(self, page: Page) -> list[Entry]:
        """Read a page that is out of memory and leave it there, unless something of it is missing."""
        entries = self.kept.read_page(page)
        if i64(len(entries)) != page.count:
            self._take_page(page, entries)
        return [entry for entry in entries if entry is not None]

    def _take_page(self, page: Page, entries: list[Entry | None]) -> None:
        """Have what was read of a page in memory from now on, and nothing elsewhere."""
        self._take(page, entries, page.count, page.body_bytes)

    def _take(self, page: Page, entries: list[Entry | None], count: i64, body_bytes: i64) -> None:
        """Have entries of a page in memory, which counts so much for them; what is damaged is missing."""
        page.count -= count
        page.body_bytes -= body_bytes
        self._paged_count -= count
        self._paged_body_bytes -= body_bytes
        if page.expires_at > 0:
            page.expires_at = 0
            deadlines = self.known_deadlines()
            for entry in entries:
                if entry is not None and entry.expires_at > 0:
                    deadlines.add(entry)
        missing = count - i64(len(entries))
        if missing != 0:
            self.count -= missing
            self.body_bytes += bytes_of(entries) - body_bytes
        known = self._loaded.get(page)
        self._loaded[page] = merged(known, entries) if known else entries

    def pages(self) -> list[Page]:
        """Return the pages that are out of memory, in order."""
        return [page for page in self._pages if page is not None and page.count > 0]

    def _loaded_pages(self) -> list[Page]:
        return [page for page in self._pages if page is not None and page in self._loaded]

    def take_pages(self) -> list[Page]:
        """Take all that is out of memory, in order."""
        taken = self.pages()
        left: list[Page | None] = []
        for page in self._loaded_pages():
            if page.count == 0:
                left.append(page)
            else:  # the part in memory is all that its place is for now
                part = Page(0, 0, page.first, page.last)
                self._loaded[part] = self._loaded.pop(page)
                left.append(part)
        for page in taken:
            page.expires_at = 0
        self.count -= self._paged_count
        self.body_bytes -= self._paged_body_bytes
        self._pages = left
        self._page = self._paged_count = self._paged_body_bytes = 0
        return taken

    def in_memory(self) -> list[Entry]:
        """Return the entries that are in memory, in order."""
        places: list[Entry | None] = list(reversed(self._returned))
        places.extend(self._front[self._head :])
        for chunk in self._chunks:
            places.extend(chunk.entries)
        for page in self._loaded_pages():
            places.extend(self._loaded[page])
        places.extend(self._back)
        if self._gone_count == 0:
            # To look at each of many entries takes longer than all the rest.
            return cast("list[Entry]", places)
        return [entry for entry in places if entry is not None and entry.message is not GONE]

    def browse(self, after: i64, count_max: int) -> list[Entry]:
        """Return the first entries above the position `after`, in order; those read from pages are copies."""
        found: list[Entry] = []
        add_returned(found, self._returned, after, count_max)
        add_above(found, self._front[self._head :], after, count_max)
        for chunk in self._chunks[self._chunk :]:
            add_above(found, chunk.entries, after, count_max)
        for page in self._pages[self._page :]:
            if page is not None and len(found) < count_max:
                rest = self.peek(page) if page.count > 0 and page.last > after else []
                # If some is missing, all that is left is loaded now.
                others: list[Entry | None] = [*rest] if page.count > 0 else []
                add_above(found, merged(self._loaded.get(page, []), others), after, count_max)
        add_above(found, self._back, after, count_max)
        return found

    def stored_in(self, number: i64) -> list[Entry]:
        """Return the entries in memory that the oldest journal file, `number`, has."""
        places: list[Entry | None] = list(self._returned)
        places.extend(self._front[self._head :])
        for entries in self._loaded.values():
            places.extend(entries)
        places.extend(self._back)
        found = [entry for entry in places if entry is not None and entry.message.stored == number]
        for chunk in self._chunks:
            if chunk.oldest <= number:
                found.extend(chunk.stored_in(number))
        return found

    def drain(self) -> list[Entry]:
        """Take all entries, in order; `take_pages` comes first."""
        entries = self.in_memory()
        self._forget_deadlines(entries)
        self.count = self.body_bytes = self._gone_count = 0
        self._returned = []
        self._front = []
        self._head = 0
        self._is_short = True
        self._chunks = []
        self._chunk = 0
        self._back = []
        self._back_body_bytes = 0
        self._pages = []
        self._page = 0
        self._loaded.clear()
        return entries
