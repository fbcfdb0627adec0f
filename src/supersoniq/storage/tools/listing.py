"""The messages of a data directory that live, found without a node; those of one queue in order."""

import base64
import heapq
from collections.abc import Iterator
from typing import NamedTuple

from librt.strings import read_i64_be

from supersoniq.amqp.primitives import read_u16, read_u32, text
from supersoniq.amqp.properties import headers_property, read_properties
from supersoniq.amqp.spec import (
    FLAG_APP_ID,
    FLAG_CLUSTER_ID,
    FLAG_CONTENT_ENCODING,
    FLAG_CONTENT_TYPE,
    FLAG_CORRELATION_ID,
    FLAG_EXPIRATION,
    FLAG_MESSAGE_ID,
    FLAG_REPLY_TO,
    FLAG_TYPE,
    FLAG_USER_ID,
)
from supersoniq.amqp.tables import plain
from supersoniq.broker.message import Entry
from supersoniq.storage.contents import Contents, QueueContents
from supersoniq.storage.disk import Disk
from supersoniq.storage.marks import read_marks
from supersoniq.storage.ranges import Ranges, ranges_of
from supersoniq.storage.records import (
    CARRIED,
    DESTINATIONS_AT,
    MESSAGE,
    PAGE_HEAD_BYTES,
    PageHead,
    destination_bytes,
    read_message,
)
from supersoniq.storage.scan import records_of
from supersoniq.storage.segments import decode_page, segment_path
from supersoniq.storage.survey import survey_segment
from supersoniq.storage.tools.snapshot import read_whole

MARKS = "marks"
# The properties that are short strings.
NAMES = {
    FLAG_CONTENT_TYPE: "content_type",
    FLAG_CONTENT_ENCODING: "content_encoding",
    FLAG_CORRELATION_ID: "correlation_id",
    FLAG_REPLY_TO: "reply_to",
    FLAG_EXPIRATION: "expiration",
    FLAG_MESSAGE_ID: "message_id",
    FLAG_TYPE: "type",
    FLAG_USER_ID: "user_id",
    FLAG_APP_ID: "app_id",
    FLAG_CLUSTER_ID: "cluster_id",
}


class Live(NamedTuple):
    """A record of the journal that lives, for one of its queues; `scan` is an index of `Contents.scans`."""

    scan: int
    at: int
    end: int
    queue: int
    position: int
    delivery_count: int


class Listed(NamedTuple):
    """A message of a queue, and the file and offset where it is."""

    entry: Entry
    path: str
    offset: int


class KeptPage(NamedTuple):
    """A page of a segment in which something lives. `size` is what there is of it in the file."""

    path: str
    at: int
    size: int
    head: PageHead
    live: int
    body_bytes: int


def queue_numbers(contents: Contents) -> dict[tuple[str, bytes], int]:
    """Return the numbers of the queues that are there: of those with one name the latest one is."""
    numbers: dict[tuple[str, bytes], int] = {}
    for number, queue in sorted(contents.queues.items()):
        if queue.record is not None and not queue.is_deleted:
            numbers[(queue.record.vhost, queue.record.name)] = number
    return numbers


def kept_pages(disk: Disk, number: int, queue: QueueContents) -> list[KeptPage]:
    """Return the pages of a queue in order, and note in its contents which positions they cover."""
    pages: list[KeptPage] = []
    covered: list[tuple[int, int]] = []
    for segment, place in sorted(queue.segments.items()):
        path = segment_path(True, number, segment)
        for found in survey_segment(disk, path, place.size, queue.settled, [], mends=False):
            covered.extend(found.pairs)
            if found.live:
                size = PAGE_HEAD_BYTES + int(found.head.payload_bytes)
                pages.append(KeptPage(path, found.at, size, found.head, found.live, found.body_bytes))
    queue.covered = ranges_of(covered)
    return sorted(pages, key=_first)


def _first(page: KeptPage) -> int:
    return int(page.head.first)


def live_records(disk: Disk, contents: Contents) -> Iterator[Live]:
    """Find what lives in the journal, each message of each queue once.

    `kept_pages` was called for all queues before: what is in a segment does not live here.
    """
    repeated: set[tuple[int, int]] = set()
    for live in _originals(disk, contents, 0):
        key = (live.queue, live.position)
        if key in contents.carried:
            repeated.add(key)
        yield live
    for live in _carried(contents, 0):
        if (live.queue, live.position) not in repeated:
            yield live


def _originals(disk: Disk, contents: Contents, only: int) -> Iterator[Live]:
    """Find what lives where it was written first, in order; of one queue if `only` is not 0."""
    last: dict[int, int] = {}
    for index, scan in enumerate(contents.scans):
        data = contents.data_of(disk, scan)
        for batch in scan.batches:
            for span in records_of(data, batch):
                at = int(span.at)
                if data[at + 8] != MESSAGE or data[at + 9] & CARRIED:
                    continue
                for live in _destinations(data, index, at, int(span.end)):
                    # What could not be synced is repeated in another part of the file.
                    if only not in (0, live.queue) or live.position <= last.get(live.queue, 0):
                        continue
                    last[live.queue] = live.position
                    if not is_gone(contents, live.queue, live.position):
                        yield live


def _carried(contents: Contents, only: int) -> Iterator[Live]:
    """Find what lives where it was written again, in order; of one queue if `only` is not 0."""
    for (number, position), origin in sorted(contents.carried.items(), key=_key):
        if only in (0, number) and not is_gone(contents, number, position):
            yield Live(origin.scan, origin.at, origin.end, number, position, int(origin.delivery_count))


def _key(item: tuple[tuple[int, int], object]) -> tuple[int, int]:
    return item[0]


def _destinations(data: bytes, scan: int, at: int, end: int) -> list[Live]:
    step = int(destination_bytes(data, at))
    places = [at + DESTINATIONS_AT + step * index for index in range(int(read_u16(data, at + 10)))]
    return [
        Live(
            scan,
            at,
            end,
            int(read_u32(data, place)),
            int(read_i64_be(data, place + 4)),
            int(read_u32(data, place + 12)),
        )
        for place in places
    ]


def is_gone(contents: Contents, number: int, position: int) -> bool:
    """Whether a message of the journal was settled, went with its queue, or is in a segment."""
    queue = contents.queues[number]
    return queue.is_deleted or queue.settled.covers(position) or queue.covered.covers(position)


def messages_of(disk: Disk, contents: Contents, number: int) -> Iterator[Listed]:
    """Give the messages of a queue in order, as a node would recover them; few are in memory at a time."""
    queue = contents.queues[number]
    pages = kept_pages(disk, number, queue)
    mark = _mark(disk, contents, number)
    delivered = max(queue.delivered, queue.highest if mark < 0 else mark)
    last = 0
    for listed in _merged(disk, contents, number, pages):
        entry = listed.entry
        # A page that was being moved is in two segments.
        if entry.position > last:
            last = int(entry.position)
            entry.delivery_count = max(entry.delivery_count, queue.returned.get(last, 0))
            if entry.delivery_count == 0 and last <= delivered:
                entry.delivery_count = 1
            yield listed


def _mark(disk: Disk, contents: Contents, number: int) -> int:
    """Return up to where the queue's messages were delivered; -1 if that may be anywhere."""
    try:
        marks = read_marks(read_whole(disk, MARKS))
    except FileNotFoundError:
        return 0
    known = queue_numbers(contents).values()
    # A broken mark may not even say whose it is.
    unknown = -1 if any([mark < 0 and each not in known for each, mark in marks.items()]) else 0
    return marks.get(number, unknown)


def _merged(disk: Disk, contents: Contents, number: int, pages: list[KeptPage]) -> Iterator[Listed]:
    """Give them in order of position; one that is in two places twice."""
    heap: list[tuple[int, int, Listed, Iterator[Listed]]] = []
    opened = 0

    def push(order: int, run: Iterator[Listed]) -> None:
        listed = next(run, None)
        if listed is not None:
            heapq.heappush(heap, (int(listed.entry.position), order, listed, run))

    push(-2, _journal_messages(disk, contents, _originals(disk, contents, number)))
    push(-1, _journal_messages(disk, contents, _carried(contents, number)))
    while heap or opened < len(pages):
        while opened < len(pages) and (not heap or pages[opened].head.first <= heap[0][0]):
            push(opened, _page_messages(disk, contents.queues[number].settled, pages[opened]))
            opened += 1
        if heap:
            _, order, listed, run = heapq.heappop(heap)
            yield listed
            push(order, run)


def _journal_messages(disk: Disk, contents: Contents, records: Iterator[Live]) -> Iterator[Listed]:
    for live in records:
        scan = contents.scans[live.scan]
        data = contents.piece_of(disk, scan, live.at, live.end)
        entry = Entry(read_message(data, 0, len(data)), live.position)
        entry.delivery_count = live.delivery_count
        yield Listed(entry, scan.path, live.at)


def _page_messages(disk: Disk, settled: Ranges, page: KeptPage) -> Iterator[Listed]:
    file = disk.open(page.path, writable=False)
    try:
        rest = file.read(page.at + PAGE_HEAD_BYTES, page.size - PAGE_HEAD_BYTES)
    finally:
        file.close()
    for entry in decode_page(page.head.octets() + rest, page.path, page.at):
        if entry.message.persistent and not settled.covers(entry.position):
            yield Listed(entry, page.path, page.at)


def as_json(listed: Listed) -> dict[str, object]:
    """Return a message as values for JSON; a body that is no UTF-8 is base64."""
    entry = listed.entry
    message = entry.message
    shown: dict[str, object] = {
        "position": int(entry.position),
        "exchange": text(message.exchange),
        "routing_key": text(message.routing_key),
        "persistent": message.persistent,
        "redelivered": entry.redelivered,
        "delivery_count": int(entry.delivery_count),
        "properties": _properties(message.header),
    }
    try:
        shown["body"] = message.body.decode("utf-8")
    except UnicodeDecodeError:
        shown["body_base64"] = base64.b64encode(message.body).decode("ascii")
    shown["file"], shown["offset"] = listed.path, listed.offset
    return shown


def _properties(header: bytes) -> dict[str, object]:
    """Return the properties that are set; raises nothing, as they were checked when the message came."""
    properties = read_properties(header)
    shown: dict[str, object] = {
        name: text(properties.values[flag]) for flag, name in NAMES.items() if flag in properties.values
    }
    if properties.headers is not None:
        shown["headers"] = plain(headers_property(header))
    numbers = {
        "delivery_mode": properties.delivery_mode,
        "priority": properties.priority,
        "timestamp": properties.timestamp,
    }
    return shown | {name: value for name, value in numbers.items() if value is not None}
