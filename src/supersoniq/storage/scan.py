"""Scanning: which batches and records a journal file has, and what of it is broken.

Where a head or a record is broken, the scan goes on at the next one that is whole, so that only what is
broken is lost. Whether it was damaged or never written is decided when all files have been seen.
"""

from typing import final

from mypy_extensions import i64

from supersoniq.amqp.primitives import read_u32
from supersoniq.storage.records import (
    BATCH_HEAD_BYTES,
    KINDS,
    MAGIC_FIRST,
    MESSAGE,
    TRANSACTION,
    BatchHead,
    next_record,
    read_batch_head,
    record_end,
    record_seed,
)


@final
class Span:
    """A record, or a batch's payload, in the octets of a file."""

    __slots__ = ("at", "end")

    def __init__(self, at: i64, end: i64) -> None:
        self.at: i64 = at
        self.end: i64 = end


@final
class Broken:
    """Octets of a file that are no record, though there must be one: `at` counts from the file's start."""

    def __init__(self, path: str, at: int, size: int, batch: int, is_head: bool) -> None:
        self.path = path
        self.at = at
        self.size = size
        self.batch = batch
        self.is_head = is_head  # the head of a batch, whose records may be whole
        self.kind = 0  # what it seems to have been, 0 if that cannot be told
        self.queues: list[int] = []  # that it seems to name


@final
class ScannedBatch:
    """A batch: its head, as it is or must have been, and where its payload is."""

    def __init__(self, head: BatchHead, head_at: int, at: int, end: int) -> None:
        self.head = head
        self.head_at = head_at
        self.at = at
        self.end = end
        self.is_whole = True  # every octet of it is in a record that is whole
        self.seed = record_seed(head.number, head.epoch)


@final
class FileScan:
    """What is in one file. `end` is where its last batch ends."""

    def __init__(self, path: str, number: int) -> None:
        self.path = path
        self.number = number
        self.batches: list[ScannedBatch] = []
        self.broken: list[Broken] = []
        self.end = 0


def scan_file(data: bytes, path: str, number: int, before: BatchHead | None) -> FileScan:
    """Find the batches of journal file `number`.

    `before` is the head of the last batch of the file before.
    """
    scan = FileScan(path, number)
    at = 0
    last = before
    while True:
        head = read_batch_head(data, at)
        if head is None or not _follows(head, scan, last):
            found = _mended(data, at, scan, last) or _headless(data, at, scan, last)
            if found is None:
                return scan
            batch = found
            scan.broken.append(Broken(path, at, BATCH_HEAD_BYTES, batch.head.number, True))
        else:
            batch = _batch(data, at, head)
        scan.batches.append(batch)
        _check_records(data, scan, batch)
        last = batch.head
        at = scan.end = batch.end


def _follows(head: BatchHead, scan: FileScan, last: BatchHead | None) -> bool:
    """Whether a head is of this use of the file, which is of one epoch.

    What is left over may hold anything, a message that looks like a batch too; but nobody can know the epoch.
    """
    if head.file != scan.number or (last is not None and head.number <= last.number):
        return False
    return not scan.batches or head.epoch == scan.batches[0].head.epoch


def _batch(data: bytes, at: int, head: BatchHead) -> ScannedBatch:
    end = min(at + BATCH_HEAD_BYTES + head.payload_bytes, len(data))
    return ScannedBatch(head, at, at + BATCH_HEAD_BYTES, end)


def _mended(data: bytes, at: int, scan: FileScan, last: BatchHead | None) -> ScannedBatch | None:
    """Return the batch at `at` if all that is wrong with its head is one bit."""
    octets = bytearray(data[at : at + BATCH_HEAD_BYTES])
    for bit in range(8 * len(octets)):
        octets[bit >> 3] ^= 1 << (bit & 7)
        head = read_batch_head(bytes(octets), 0)
        if head is not None and _follows(head, scan, last):
            return _batch(data, at, head)
        octets[bit >> 3] ^= 1 << (bit & 7)
    return None


def _next_head(data: bytes, at: int, scan: FileScan, last: BatchHead | None) -> int:
    """Return where the next whole head of this file is, -1 if there is none."""
    while True:
        at = data.find(MAGIC_FIRST, at)
        if at < 0:
            return -1
        head = read_batch_head(data, at)
        if head is not None and _follows(head, scan, last):
            return at
        at += 1


def _headless(data: bytes, at: int, scan: FileScan, last: BatchHead | None) -> ScannedBatch | None:
    """Return the batch whose head at `at` is broken; None if there never was one.

    A whole head that does not follow is left over from an earlier use of the file, and so is all behind it
    unless a batch comes later.
    """
    start = at + BATCH_HEAD_BYTES
    following = _next_head(data, at + 1, scan, last)
    if following < 0 and (start > len(data) or read_batch_head(data, at) is not None):
        return None
    heads = _possible_heads(data, at, following, scan, last)
    view = memoryview(data)
    for head in heads:
        seed = record_seed(head.number, head.epoch)
        if record_end(data, view, start, len(data), seed) > 0:
            end = following if following >= 0 else _row_end(data, view, start, seed)
            head.payload_bytes = end - start
            return ScannedBatch(head, at, start, end)
    if following < 0:
        return None
    heads[0].payload_bytes = following - start
    return ScannedBatch(heads[0], at, start, following)


def _possible_heads(
    data: bytes, at: int, following: int, scan: FileScan, last: BatchHead | None
) -> list[BatchHead]:
    """Return what the head at `at` may have been, without the size: batches are numbered one by one."""
    number, epoch = [int.from_bytes(data[place : place + 8], "big") for place in (at + 16, at + 24)]
    synced = 0 if last is None else last.synced
    heads: list[BatchHead] = []
    if last is not None:
        heads.append(BatchHead(0, last.number + 1, last.epoch, scan.number, synced))
    after = read_batch_head(data, following) if following >= 0 else None
    if after is not None:
        before = after.number - 1 if last is None else last.number + 1
        heads.append(BatchHead(0, before, after.epoch, scan.number, synced))
    elif not scan.batches and max(number, epoch) < 1 << 62:
        # The first one of a process: nothing but what is left of the head tells its epoch.
        heads.append(BatchHead(0, number if last is None else last.number + 1, epoch, scan.number, synced))
    return heads


def _row_end(data: bytes, view: memoryview, at: int, seed: int) -> int:
    """Return where the row of whole records that begins at `at` ends."""
    while True:
        stop = int(record_end(data, view, at, len(data), seed))
        if stop < 0:
            return at
        at = stop


def _check_records(data: bytes, scan: FileScan, batch: ScannedBatch) -> None:
    """Look for what is broken in a batch."""
    view = memoryview(data)
    at: i64 = batch.at
    end: i64 = batch.end
    seed: i64 = batch.seed
    while at < end:
        stop = record_end(data, view, at, end, seed)
        if stop < 0:
            batch.is_whole = False
            stop = next_record(data, view, at + 1, end, seed)
            broken = Broken(scan.path, int(at), int(stop - at), batch.head.number, False)
            _guess(data, broken)
            scan.broken.append(broken)
        at = stop
    wanted = batch.at + batch.head.payload_bytes
    if wanted > batch.end:
        scan.broken.append(Broken(scan.path, batch.end, wanted - batch.end, batch.head.number, False))


def _guess(data: bytes, broken: Broken) -> None:
    """Tell what a broken record seems to have been."""
    at = broken.at
    if at + 13 > len(data) or int(data[at + 8]) not in KINDS:
        return
    broken.kind = int(data[at + 8])
    if broken.kind == MESSAGE:
        count = min(int.from_bytes(data[at + 10 : at + 12], "big"), 64)
        places = [at + 12 + 16 * index for index in range(count)]
    else:
        places = [at + 9]
    broken.queues = [int(read_u32(data, place)) for place in places if place + 4 <= len(data)]


def records_of(data: bytes, batch: ScannedBatch) -> list[Span]:
    """Return the whole records of a batch, those inside of transactions instead of these."""
    spans: list[Span] = []
    view = memoryview(data)
    at: i64 = batch.at
    end: i64 = batch.end
    seed: i64 = batch.seed
    while at < end:
        if batch.is_whole:
            stop = at + read_u32(data, at)
        else:
            stop = record_end(data, view, at, end, seed)
            if stop < 0:
                at = next_record(data, view, at + 1, end, seed)
                continue
        if data[at + 8] == TRANSACTION:
            inner = at + 9
            while inner < stop:
                inner_stop = inner + read_u32(data, inner)
                spans.append(Span(inner, inner_stop))
                inner = inner_stop
        else:
            spans.append(Span(at, stop))
        at = stop
    return spans
