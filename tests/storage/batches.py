"""Journal files made by hand, batch by batch."""

from __future__ import annotations

from supersoniq.broker.message import Message, address_of
from supersoniq.storage.contents import Contents
from supersoniq.storage.disk import Disk
from supersoniq.storage.records import (
    MESSAGE,
    PERSISTENT,
    TRANSACTION,
    RecordWriter,
    batch_head,
    nested_seed,
    record_seed,
)
from supersoniq.storage.scan import records_of

EPOCH = 77


def message_of(body: bytes) -> Message:
    """A persistent message with this body."""
    return Message(address_of(b"", b"q"), b"head", body, True)


class Records:
    """Records of one batch, with the places where they begin."""

    def __init__(self, seed: int) -> None:
        self.writer = RecordWriter()
        self.writer.seed = seed
        self.starts: list[int] = []

    def message(self, body: bytes, queue: int = 1, position: int = 1, flags: int = PERSISTENT) -> Records:
        self.starts.append(int(self.writer.size))
        self.writer.message(message_of(body), queue, position, 0, 0, flags)
        return self

    def settled(self, queue: int, first: int, last: int) -> Records:
        self.starts.append(int(self.writer.size))
        self.writer.settled(queue, first, last)
        return self

    def transaction(self, inner: Records) -> Records:
        self.starts.append(int(self.writer.size))
        self.writer.nested(TRANSACTION, inner.writer.take())
        return self


def messages_in(disk: Disk, contents: Contents) -> int:
    """Return how many message records the journal has."""
    count = 0
    for scan in contents.scans:
        data = contents.data_of(disk, scan)
        for batch in scan.batches:
            count += sum([data[span.at + 8] == MESSAGE for span in records_of(data, batch)])
    return count


class FileOfBatches:
    """A journal file that grows; `heads` are the places of the heads, `records` those of the records."""

    def __init__(self, number: int = 1, first_batch: int = 1, epoch: int = EPOCH) -> None:
        self.number = number
        self.next_batch = first_batch
        self.epoch = epoch
        self.data = b""
        self.heads: list[int] = []
        self.records: list[int] = []

    def new_records(self) -> Records:
        """Records for the next batch."""
        return Records(int(record_seed(self.next_batch, self.epoch)))

    def nested_records(self) -> Records:
        """Records for a transaction in the next batch."""
        return Records(int(nested_seed(record_seed(self.next_batch, self.epoch))))

    def add(self, records: Records, synced: int | None = None) -> FileOfBatches:
        """Add a batch; all before it were synced, or those up to `synced`."""
        payload = b"".join(records.writer.take())
        known = self.next_batch - 1 if synced is None else synced
        self.heads.append(len(self.data))
        self.data += batch_head(len(payload), self.next_batch, self.epoch, self.number, known)
        self.records.extend([len(self.data) + start for start in records.starts])
        self.data += payload
        self.next_batch += 1
        return self

    def add_bodies(self, *bodies: bytes, synced: int | None = None) -> FileOfBatches:
        """Add a batch of messages."""
        records = self.new_records()
        for body in bodies:
            records.message(body)
        return self.add(records, synced)


def flipped(data: bytes, bit: int) -> bytes:
    """The same, with one bit wrong."""
    changed = bytearray(data)
    changed[bit >> 3] ^= 1 << (bit & 7)
    return bytes(changed)


def zeroed(data: bytes, start: int, end: int) -> bytes:
    """The same, with nothing between two places."""
    return data[:start] + bytes(end - start) + data[end:]
