"""Verification: every checksum of a data directory, and what its parts say of each other."""

from typing import NamedTuple

from librt.strings import read_i64_be

from supersoniq.amqp.primitives import text
from supersoniq.storage.contents import Contents, read_contents
from supersoniq.storage.directory import FORMAT, FORMAT_FILE, format_line
from supersoniq.storage.disk import Disk, File
from supersoniq.storage.journal_file import JOURNAL
from supersoniq.storage.marks import MARK, is_whole_mark
from supersoniq.storage.records import (
    DESTINATIONS_AT,
    MESSAGE,
    PAGE_HEAD_BYTES,
    PageHead,
    next_record,
    record_end,
    record_seed,
)
from supersoniq.storage.segments import SEGMENTS, segment_path
from supersoniq.storage.survey import Stretch, find_pages
from supersoniq.storage.tools.listing import MARKS, kept_pages, live_records
from supersoniq.storage.tools.snapshot import read_whole

# A mark that is being changed is not whole for a moment.
MARKS_READ_TIMES = 5


class Problem(NamedTuple):
    """What is wrong at one place. `offset` is -1 where it is not about octets.

    A torn tail is no damage: it was being written when the node ended, and nobody was told that it is safe.
    """

    path: str
    offset: int
    what: str
    is_damage: bool = True

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


class Hole(NamedTuple):
    """Octets of a page that are no record, and the positions of the messages beside them, 0 for none."""

    at: int
    size: int
    before: int
    after: int


def verify(disk: Disk) -> list[Problem]:
    """Return all problems. What means nothing is not looked at: the rest of a journal file, PAD records."""
    problems = _format_problems(disk)
    if problems:
        return problems
    try:
        contents = read_contents(disk)
    except OSError as error:
        return [Problem(error.filename or JOURNAL, -1, f"cannot be read: {(error.strerror or '').lower()}")]
    problems += _journal_problems(contents)
    problems += _unknown_queues(disk, contents)
    for number, queue in sorted(contents.queues.items()):
        if not queue.is_deleted:
            for segment, place in sorted(queue.segments.items()):
                problems += _segment_problems(
                    disk, contents, segment_path(True, number, segment), number, place.size
                )
    if not contents.scans and disk.names(SEGMENTS):
        problems.append(Problem(JOURNAL, -1, f"is empty, though there are files in {SEGMENTS}"))
    return problems + _mark_problems(disk, contents)


def _format_problems(disk: Disk) -> list[Problem]:
    try:
        data = read_whole(disk, FORMAT_FILE)
    except FileNotFoundError:
        return [Problem(FORMAT_FILE, -1, "the file is missing")]
    except OSError as error:
        return [Problem(FORMAT_FILE, -1, f"cannot be read: {(error.strerror or '').lower()}")]
    if data in [format_line(number).encode() for number in range(1, FORMAT + 1)]:
        return []
    return [Problem(FORMAT_FILE, 0, f"says {data[:40]!r} instead of {format_line(FORMAT).encode()!r}")]


def _journal_problems(contents: Contents) -> list[Problem]:
    problems = []
    for broken, damage in zip(contents.damaged, contents.damages, strict=True):
        path, _, what = damage.partition(": ")
        problems.append(Problem(path, broken.at, what))
    for broken in contents.torn:
        what = f"{broken.size} bytes of torn tail at offset {broken.at}"
        what += f": batch {broken.batch}, which was not safe yet"
        problems.append(Problem(broken.path, broken.at, what, is_damage=False))
    return problems


def unknown_queues(contents: Contents) -> list[int]:
    """Return the queues that the journal speaks of, and whose definition it does not have."""
    return [
        number for number, queue in contents.queues.items() if queue.record is None and not queue.is_deleted
    ]


def _unknown_queues(disk: Disk, contents: Contents) -> list[Problem]:
    counts = lost_messages(disk, contents)
    return [
        Problem(JOURNAL, -1, f"queue {number} is not declared: its {count} messages are in no queue")
        for number, count in counts.items()
    ]


def lost_messages(disk: Disk, contents: Contents) -> dict[int, int]:
    """Count the messages of queues that are not declared; those without any are left out."""
    unknown = unknown_queues(contents)
    counts = dict.fromkeys(unknown, 0)
    if unknown:
        for number in unknown:
            counts[number] = sum([page.live for page in kept_pages(disk, number, contents.queues[number])])
        for live in live_records(disk, contents):
            if live.queue in counts:
                counts[live.queue] += 1
    return {number: count for number, count in counts.items() if count}


def queue_name(contents: Contents, number: int) -> str:
    """Return a queue's name for operators."""
    queue = contents.queues.get(number)
    if queue is None or queue.record is None:
        return f"queue {number}"
    return f"queue '{text(queue.record.name)}' in vhost '{queue.record.vhost}'"


def _segment_problems(disk: Disk, contents: Contents, path: str, number: int, size: int) -> list[Problem]:
    name = queue_name(contents, number)
    try:
        file = disk.open(path, writable=False)
    except FileNotFoundError:
        return [Problem(path, -1, f"the segment is missing: messages of {name}")]
    except OSError as error:
        return [Problem(path, -1, f"cannot be read: {(error.strerror or '').lower()}: messages of {name}")]
    problems = []
    try:
        had = file.size()
        if had < size:
            problems.append(
                Problem(path, had, f"{size - had} bytes are missing at its end: messages of {name}")
            )
        for stretch in find_pages(file, number, min(had, size)):
            problems += _page_problems(contents, file, path, number, stretch)
    except OSError as error:
        problems.append(
            Problem(path, -1, f"cannot be read: {(error.strerror or '').lower()}: messages of {name}")
        )
    finally:
        file.close()
    return problems


def _page_problems(contents: Contents, file: File, path: str, number: int, stretch: Stretch) -> list[Problem]:
    name = queue_name(contents, number)
    if stretch.head is None:
        what = f"{stretch.size} damaged bytes at offset {stretch.at}: a page of messages of {name}"
        return [Problem(path, stretch.at, what)]
    problems = []
    if stretch.is_rebuilt:
        place = f"{PAGE_HEAD_BYTES} damaged bytes at offset {stretch.at}"
        what = f"{place}: the head of a page of messages of {name}"
        problems.append(Problem(path, stretch.at, f"{what}; they are read nevertheless"))
    for hole in holes_of(file, stretch, stretch.head):
        first = hole.before + 1 if hole.before else int(stretch.head.first)
        last = hole.after - 1 if hole.after else int(stretch.head.last)
        where = f"position {first}" if first >= last else f"between positions {first} and {last}"
        if contents.queues[number].settled.covers_all(first, max(first, last)):
            where += ", settled"
        what = f"{hole.size} damaged bytes at offset {hole.at}: a message of {name}, {where}"
        problems.append(Problem(path, hole.at, what))
    return problems


def page_octets(file: File, stretch: Stretch, head: PageHead) -> bytes:
    """Return a page as it must have been, with its head."""
    return head.octets() + file.read(stretch.at + PAGE_HEAD_BYTES, stretch.size - PAGE_HEAD_BYTES)


def holes_of(file: File, stretch: Stretch, head: PageHead) -> list[Hole]:
    """Return what is broken in a page; `at` counts from the file's start."""
    data = page_octets(file, stretch, head)
    view = memoryview(data)
    seed = record_seed(head.number, head.epoch)
    holes: list[Hole] = []
    at, before = PAGE_HEAD_BYTES, 0
    while at < len(data):
        stop = int(record_end(data, view, at, len(data), seed))
        if stop < 0:
            stop = int(next_record(data, view, at + 1, len(data), seed))
            after = _position_at(data, stop)
            holes.append(Hole(stretch.at + at, stop - at, before, after))
        else:
            before = _position_at(data, at) or before
        at = stop
    return holes


def _position_at(data: bytes, at: int) -> int:
    """Return the position of the message at `at`, 0 where there is none."""
    if at >= len(data) or data[at + 8] != MESSAGE:
        return 0
    return int(read_i64_be(data, at + DESTINATIONS_AT + 4))


def _mark_problems(disk: Disk, contents: Contents) -> list[Problem]:
    """Say which marks are broken, if they still are when they are read again."""
    broken: set[int] = set()
    for attempt in range(MARKS_READ_TIMES):
        try:
            data = read_whole(disk, MARKS)
        except FileNotFoundError:
            return []
        except OSError as error:
            return [Problem(MARKS, -1, f"cannot be read: {(error.strerror or '').lower()}")]
        found = broken_marks(data)
        broken = found if attempt == 0 else broken & found
        if not broken:
            return []
    problems = []
    for at in sorted(broken):
        number = int.from_bytes(data[at : at + 8], "big")
        known = queue_name(contents, number) if number in contents.queues else "a queue"
        what = f"{MARK.size} damaged bytes at offset {at}: what was delivered of {known}"
        problems.append(Problem(MARKS, at, what))
    return problems


def broken_marks(data: bytes) -> set[int]:
    """Return the offsets of the marks that are not whole."""
    return {at for at in range(0, len(data), MARK.size) if not is_whole_mark(data[at : at + MARK.size])}
