"""A survey of a segment: which pages it has, and how much of each still lives.

Where the head of a page is broken, another is made from the page's records, if their seed can be found: a
page has thousands of messages, and all but the broken one are to be read. Where that fails, the octets up to
the next page are lost.
"""

from typing import Final, final

from librt.strings import read_i64_be
from mypy_extensions import i64

from supersoniq.broker.message import Entry
from supersoniq.broker.ports import PRIORITY_MAX
from supersoniq.broker.queues.runs import pack, runs_among
from supersoniq.storage.disk import Disk, File
from supersoniq.storage.places import FRONT_BYTES, Front, Places
from supersoniq.storage.ranges import Ranges
from supersoniq.storage.records import (
    DESTINATIONS_AT,
    MESSAGE,
    PAGE_HEAD_BYTES,
    PAGE_MAGIC,
    PERSISTENT,
    PageHead,
    next_record,
    read_message,
    read_page_head,
    record_end,
    record_seed,
)
from supersoniq.storage.segments import decode_page

NUMBER_AT: Final = 16
EPOCH_AT: Final = 24
_NUMBER_MAX: Final = (1 << 63) - 1
_HALF_MAX: Final = (1 << 32) - 1
_NUMBERS_TRIED: Final = 8


@final
class Surveyed:
    """A page: where it is, how many persistent messages live in it, the bytes of their bodies.

    Also when the first of all its messages expires, which positions and priorities they have, and the
    positions unpacked.
    """

    def __init__(
        self,
        head: PageHead,
        at: int,
        live: int,
        body_bytes: int,
        expires_at: int,
        places: Places,
        pairs: list[tuple[int, int]],
    ) -> None:
        self.head = head
        self.at = at
        self.live = live
        self.body_bytes = body_bytes
        self.expires_at = expires_at
        self.places = places
        self.pairs = pairs


@final
class Stretch:
    """Octets of a segment: a page, or what lies where one must be if there is no head."""

    def __init__(self, at: int, size: int, head: PageHead | None, is_rebuilt: bool) -> None:
        self.at = at
        self.size = size
        self.head = head
        self.is_rebuilt = is_rebuilt  # the head in the file is broken, this one is made from the records


def survey_segment(
    disk: Disk, path: str, size: int, settled: Ranges, damages: list[str], mends: bool = True
) -> list[Surveyed]:
    """Return the pages in the first `size` bytes; what is missing or damaged is added to `damages`.

    A head that had to be made anew is written to the segment if `mends`.
    """
    try:
        file = disk.open(path, writable=mends)
    except FileNotFoundError:
        damages.append(f"{path}: the segment is missing")
        return []
    surveyed: list[Surveyed] = []
    try:
        had = file.size()
        if had < size:
            damages.append(f"{path}: {size - had} bytes are missing at its end")
        for stretch in find_pages(file, queue_of(path), min(size, had)):
            head = stretch.head
            if head is None:
                damages.append(
                    f"{path}: {stretch.size} damaged bytes at offset {stretch.at}: a page of messages"
                )
                continue
            if stretch.is_rebuilt:
                damages.append(
                    f"{path}: {PAGE_HEAD_BYTES} damaged bytes at offset {stretch.at}: the head of a page; "
                    "its messages are read nevertheless"
                )
                if mends:
                    file.write(stretch.at, [head.octets()])
                    file.sync()
            front = _front(file, stretch, head)
            places = front.places
            if places is None:
                places = _found_places(_entries(file, path, stretch, head), head)
            pairs = places.pairs(head.first, head.last)
            live, body_bytes = _living(file, path, stretch, head, settled, pairs)
            expires_at = int(front.expires_at)
            surveyed.append(Surveyed(head, stretch.at, live, body_bytes, expires_at, places, pairs))
    finally:
        file.close()
    return surveyed


def queue_of(path: str) -> int:
    """Return the queue that a segment belongs to."""
    return int(path.rpartition("/")[2].partition("-")[0])


def _front(file: File, stretch: Stretch, head: PageHead) -> Front:
    """Read what stands before the messages of a page."""
    at, size = stretch.at + PAGE_HEAD_BYTES, stretch.size - PAGE_HEAD_BYTES
    front = Front(file.read(at, min(size, FRONT_BYTES)), head)
    if front.wanted > FRONT_BYTES:
        front = Front(file.read(at, min(size, int(front.wanted))), head)
    return front


def _entries(file: File, path: str, stretch: Stretch, head: PageHead) -> list[Entry]:
    data = head.octets() + file.read(stretch.at + PAGE_HEAD_BYTES, stretch.size - PAGE_HEAD_BYTES)
    return decode_page(data, path, stretch.at)


def _found_places(entries: list[Entry], head: PageHead) -> Places:
    """Return the places of a page that does not say them; its first position is one of it in any case."""
    first = (int(head.first), int(head.first))
    return Places(0, PRIORITY_MAX, pack(runs_among(list(entries)) or [first]))


def _living(
    file: File,
    path: str,
    stretch: Stretch,
    head: PageHead,
    settled: Ranges,
    pairs: list[tuple[int, int]],
) -> tuple[int, int]:
    """Return how many messages of a page live, and the bytes of their bodies."""
    is_whole = stretch.size == PAGE_HEAD_BYTES + head.payload_bytes
    is_met = settled.meets(head.first, head.last) and any([settled.meets(*pair) for pair in pairs])
    if is_whole and head.count == head.persistent_count and not is_met:
        return int(head.count), int(head.body_bytes)
    if is_met and all([settled.covers_all(*pair) for pair in pairs]):
        return 0, 0
    live = 0
    body_bytes = 0
    for entry in _entries(file, path, stretch, head):
        if entry.message.persistent and not settled.covers(entry.position):
            live += 1
            body_bytes += len(entry.message.body)
    return live, body_bytes


def find_pages(file: File, queue: int, size: int) -> list[Stretch]:
    """Return what the first `size` bytes of a queue's segment are made of, without a gap.

    The last page is shorter than its head says where the file was cut off.
    """
    stretches: list[Stretch] = []
    last: PageHead | None = None
    at = 0
    while at < size:
        head = read_page_head(file.read(at, PAGE_HEAD_BYTES), 0)
        is_rebuilt = False
        if head is not None and _follows(head, queue, last):
            stop = min(size, at + PAGE_HEAD_BYTES + int(head.payload_bytes))
        else:
            data = file.read(at, size - at)
            following = _next_page(data, queue, last)
            head = _mended(data, queue, last) or _rebuilt(data, following, queue, last)
            is_rebuilt = head is not None
            stop = at + (following if head is None else PAGE_HEAD_BYTES + int(head.payload_bytes))
            stop = min(size, stop)
        stretches.append(Stretch(at, stop - at, head, is_rebuilt))
        if head is not None:
            last = head
        at = stop
    return stretches


def _follows(head: PageHead, queue: int, last: PageHead | None) -> bool:
    """Whether a head is one of this segment, and not part of a message that looks like a segment."""
    if head.queue != queue:
        return False
    return last is None or (head.epoch == last.epoch and head.number > last.number)


def _next_page(data: bytes, queue: int, last: PageHead | None) -> int:
    """Return where the next whole page head is after the first octet; the end if there is none."""
    at = 0
    while True:
        at = data.find(PAGE_MAGIC, at + 1)
        if at < 0:
            return len(data)
        head = read_page_head(data, at)
        if head is not None and _follows(head, queue, last):
            return at


def _mended(data: bytes, queue: int, last: PageHead | None) -> PageHead | None:
    """Return the head that `data` begins with if all that is wrong with it is one bit."""
    octets = bytearray(data[:PAGE_HEAD_BYTES])
    for bit in range(8 * len(octets)):
        octets[bit >> 3] ^= 1 << (bit & 7)
        head = read_page_head(bytes(octets), 0)
        if head is not None and _follows(head, queue, last):
            return head
        octets[bit >> 3] ^= 1 << (bit & 7)
    return None


def _rebuilt(data: bytes, following: int, queue: int, last: PageHead | None) -> PageHead | None:
    """Return the head that the page at the beginning of `data` must have had.

    `following` is where there is another page, or seems to be. The numbers of the pages beside it are near.
    """
    if following < PAGE_HEAD_BYTES:
        return None
    after = read_page_head(data, following)
    beside = after if last is None else last
    epoch = int(read_i64_be(data, EPOCH_AT)) & _NUMBER_MAX if beside is None else int(beside.epoch)
    # The seed of the records has no more than the lower half of the number.
    numbers = [int(read_i64_be(data, NUMBER_AT)) & _HALF_MAX]
    if last is not None:
        numbers += [int(last.number) + step for step in range(1, _NUMBERS_TRIED + 1)]
    if after is not None:
        numbers += [int(after.number) - step for step in range(1, _NUMBERS_TRIED + 1)]
    view = memoryview(data)
    for number in numbers:
        if next_record(data, view, PAGE_HEAD_BYTES, following, record_seed(number, epoch)) < following:
            return made_head(data, queue, number, epoch)
    return None


def made_head(data: bytes, queue: int, number: int, epoch: int) -> PageHead:
    """Return the head of a page for the records in `data`, which begins with an old or broken head.

    A record that is whole may hold what looks like a page; behind a broken record that is one.
    """
    head = PageHead(0, number, epoch, queue, 0, 0, 0, 0, 0)
    seed = record_seed(number, epoch)
    view = memoryview(data)
    end = i64(len(data))
    at: i64 = PAGE_HEAD_BYTES
    while at < end:
        stop = record_end(data, view, at, end, seed)
        if stop < 0:
            end = at + _next_page(data[at:], queue, head)
            at = next_record(data, view, at, end, seed)
            continue
        head.payload_bytes = stop - PAGE_HEAD_BYTES
        if data[at + 8] == MESSAGE:
            message = read_message(data, at, stop)
            head.count += 1
            head.persistent_count += 1 if data[at + 9] & PERSISTENT else 0
            head.body_bytes += len(message.body)
            head.last = read_i64_be(data, at + DESTINATIONS_AT + 4)
            if head.first == 0:
                head.first = head.last
        at = stop
    return head
