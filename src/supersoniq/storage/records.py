"""Records: what journal and segments are made of, octet by octet. As in formats 3 and 4.

All integers are big-endian. A journal file is a row of batches, a segment a row of pages; both are a head and
records. What follows the last batch of a journal file is left over from the file's earlier use.

    batch | magic F5 "SQB" | crc 4 | payload bytes 8 | number 8 | epoch 8 | file 8 | synced 8 | records
    page  | magic F5 "SQP" | crc 4 | payload bytes 8 | number 8 | epoch 8 | queue 8 |
          | entries 4 | persistent entries 4 | first position 8 | last position 8 | body bytes 8 | records
    record  | bytes 4 | crc 4 | kind 1 | what the kind has |
    MESSAGE | flags 1 | queues 2 | (queue 4 | position 8 | delivery count 4) x queues |
            | address: two short strings | header bytes 4 | header | body |
            | with the flag EXPIRES: (queue 4 | position 8 | delivery count 4 | expires at 8) x queues |
    SETTLED | queue 4 | first position 8 | last position 8 |
    RETURNED | queue 4 | position 8 | delivery count 4 |
    DELIVERED | queue 4 | position 8 |
    SEGMENT_SYNCED, SEGMENT_DROPPED | queue 4 | segment 4 | bytes 8 |
    TRANSACTION | records |
    PAD     | octets that mean nothing |
    CLOSED  | |
    EXPIRES_FIRST | milliseconds 8 |   of what is in the page: the first record there
    POSITIONS | lowest priority 1 | highest priority 1 | runs: see `broker/queues/runs.py` |
            | of what is in the page, before the messages; without runs it is all from first to last |
    RETIRED | file 8 |   it and those before it are removed, or will be
    others  | definitions: see `definitions.py` |

`bytes` counts the whole record. A crc of a head covers what follows it in the head. The crc of a record
covers kind and rest, and starts from a seed made of the numbers in the head and from `bytes`: a record left
over from an earlier use of the file never passes for one of this batch. PAD's crc covers the kind alone. An
epoch is a count of owners in its upper half and chance below: what a publisher puts into a message cannot
pass for a batch. `synced` is the highest batch that was known to be safe when this one was made: what is
broken in a batch up to it was damaged; what is broken after it may never have been written.

To change the format: count up FORMAT in `directory.py` and read the old one as long as it is supported.
"""

from typing import Final, final

from librt.strings import BytesWriter, read_i32_be, read_i64_be, write_i64_be
from mypy_extensions import i64, u8

from supersoniq.amqp.primitives import read_u16, read_u32, write_u16, write_u32
from supersoniq.broker.message import Message
from supersoniq.storage.checksums import crc32

MESSAGE: Final = 1
SETTLED: Final = 2
RETURNED: Final = 3
DELIVERED: Final = 4
SEGMENT_SYNCED: Final = 5
SEGMENT_DROPPED: Final = 6
TRANSACTION: Final = 7
PAD: Final = 8
CLOSED: Final = 9
RETIRED: Final = 10
EXPIRES_FIRST: Final = 11
POSITIONS: Final = 12
QUEUE_DECLARED: Final = 16
QUEUE_DELETED: Final = 17
EXCHANGE_DECLARED: Final = 18
EXCHANGE_DELETED: Final = 19
BOUND: Final = 20
UNBOUND: Final = 21
SETTING_SET: Final = 22  # from format 3 on
SETTING_REMOVED: Final = 23
KINDS: Final = frozenset(
    [
        MESSAGE, SETTLED, RETURNED, DELIVERED, SEGMENT_SYNCED, SEGMENT_DROPPED, TRANSACTION, PAD, CLOSED,
        RETIRED, EXPIRES_FIRST, POSITIONS,
        QUEUE_DECLARED, QUEUE_DELETED, EXCHANGE_DECLARED, EXCHANGE_DELETED, BOUND, UNBOUND,
        SETTING_SET, SETTING_REMOVED,
    ]
)  # fmt: skip

PERSISTENT: Final = 1  # flags of a message
CARRIED: Final = 2  # it was written before, in a file that is gone or will be
EXPIRES: Final = 4  # in one of its queues at least; from format 2 on

RECORD_HEAD_BYTES: Final = 9
DESTINATIONS_AT: Final = 12
DESTINATION_BYTES: Final = 16
EXPIRY_BYTES: Final = 8  # more, of each destination of a message that expires
EXPIRES_FIRST_BYTES: Final = RECORD_HEAD_BYTES + 8
DESTINATIONS_MAX: Final = 0xFFFF
# A MESSAGE record of one queue without address, header and body.
MESSAGE_BYTES: Final = DESTINATIONS_AT + DESTINATION_BYTES + 4
# About what a definition takes beside the value of a setting, or what the journal says of a segment.
DEFINITION_BYTES: Final = 100
BATCH_HEAD_BYTES: Final = 48
PAGE_HEAD_BYTES: Final = 72
MAGIC_FIRST: Final = b"\xf5"  # which is in no text, so that looking for it is fast
BATCH_MAGIC: Final = b"\xf5SQB"
PAGE_MAGIC: Final = b"\xf5SQP"
# Bodies from this size on are written from where they are; below it copying is cheaper.
LARGE_BODY_BYTES: Final = 16_384
SMALL_BODY_BYTES: Final = 512


def record_seed(number: i64, epoch: i64) -> i64:
    """Return what the crcs of a batch's or page's records start from."""
    return (number * 2654435761 + epoch * 2246822519 + 374761393) & 0xFFFFFFFF


def nested_seed(seed: i64) -> i64:
    """Return what the crcs of records inside of another one start from.

    It is another seed, so that what is left of a torn transaction does not pass for records of the batch.
    """
    return seed ^ 0xFFFFFFFF


def message_bytes(message: Message) -> i64:
    """Return how long the record of a message in one queue is."""
    return MESSAGE_BYTES + i64(len(message.address)) + i64(len(message.header)) + i64(len(message.body))


@final
class Destination:
    """A queue of a message, and its place there."""

    __slots__ = ("delivery_count", "expires_at", "position", "queue")

    def __init__(self, queue: i64, position: i64, delivery_count: i64, expires_at: i64) -> None:
        self.queue: i64 = queue
        self.position: i64 = position
        self.delivery_count: i64 = delivery_count
        self.expires_at: i64 = expires_at


@final
class RecordWriter:
    """Collects records. `seed` is that of the batch or page they will be in."""

    def __init__(self) -> None:
        self.seed: i64 = 0
        self.size: i64 = 0
        self._writer = BytesWriter()
        self._head = BytesWriter()
        self._pieces: list[bytes] = []

    def begin(self, kind: i64) -> BytesWriter:
        """Begin a record; what its kind has goes into the writer that comes back, then `end` is called."""
        head = self._head
        head.truncate(0)
        head.append(u8(kind))
        return head

    def end(self) -> None:
        """End the record that `begin` began."""
        self._close(b"")

    def _close(self, body: bytes) -> None:
        if 0 < len(body) < SMALL_BODY_BYTES:
            # Copying it costs less than a call.
            self._head.write(body)
            body = b""
        head = self._head.getvalue()
        size = i64(len(head)) + 8 + i64(len(body))
        crc = crc32(head, int(self.seed ^ size))
        if body:
            crc = crc32(body, crc)
        writer = self._writer
        write_u32(writer, size)
        write_u32(writer, crc)
        writer.write(head)
        if len(body) >= LARGE_BODY_BYTES:
            self._pieces.append(writer.getvalue())
            self._pieces.append(body)
            writer.truncate(0)
        elif body:
            writer.write(body)
        self.size += size

    def message(
        self,
        message: Message,
        queue: i64,
        position: i64,
        delivery_count: i64,
        expires_at: i64,
        flags: i64,
    ) -> None:
        """Add a message that is in one queue."""
        head = self._head
        head.truncate(0)
        head.append(u8(MESSAGE))
        head.append(u8(flags | EXPIRES) if expires_at > 0 else u8(flags))
        write_u16(head, 1)
        write_u32(head, queue)
        write_i64_be(head, position)
        write_u32(head, delivery_count)
        if expires_at > 0:
            write_i64_be(head, expires_at)
        head.write(message.address)
        write_u32(head, i64(len(message.header)))
        head.write(message.header)
        self._close(message.body)

    def shared_message(self, message: Message, destinations: list[Destination], flags: i64) -> None:
        """Add a message that is in several queues; it takes several records if they are very many."""
        if len(destinations) > DESTINATIONS_MAX:
            self.shared_message(message, destinations[:DESTINATIONS_MAX], flags)
            self.shared_message(message, destinations[DESTINATIONS_MAX:], flags)
            return
        expires = any([destination.expires_at > 0 for destination in destinations])
        head = self._head
        head.truncate(0)
        head.append(u8(MESSAGE))
        head.append(u8(flags | EXPIRES) if expires else u8(flags))
        write_u16(head, i64(len(destinations)))
        for destination in destinations:
            write_u32(head, destination.queue)
            write_i64_be(head, destination.position)
            write_u32(head, destination.delivery_count)
            if expires:
                write_i64_be(head, destination.expires_at)
        head.write(message.address)
        write_u32(head, i64(len(message.header)))
        head.write(message.header)
        self._close(message.body)

    def settled(self, queue: i64, first: i64, last: i64) -> None:
        """Add that the positions from `first` to `last` of a queue are settled."""
        head = self.begin(SETTLED)
        write_u32(head, queue)
        write_i64_be(head, first)
        write_i64_be(head, last)
        self._close(b"")

    def take(self) -> list[bytes]:
        """Take all there is, as pieces."""
        pieces = self._pieces
        self._pieces = []
        if len(self._writer) > 0:
            pieces.append(self._writer.getvalue())
            if len(self._writer) > 65_536:
                self._writer = BytesWriter()
            else:
                self._writer.truncate(0)
        self.size = 0
        return pieces

    def nested(self, kind: i64, records: list[bytes]) -> None:
        """Add a record that is made of records."""
        self.begin(kind)
        self._close(b"".join(records))


def batch_head(payload_bytes: i64, number: i64, epoch: i64, file: i64, synced: i64) -> bytes:
    """Return the head of a batch."""
    writer = BytesWriter()
    write_i64_be(writer, payload_bytes)
    write_i64_be(writer, number)
    write_i64_be(writer, epoch)
    write_i64_be(writer, file)
    write_i64_be(writer, synced)
    return _with_crc(BATCH_MAGIC, writer)


def _with_crc(magic: bytes, writer: BytesWriter) -> bytes:
    """Return a head whose rest is in `writer`."""
    rest = writer.getvalue()
    writer.truncate(0)
    writer.write(magic)
    write_u32(writer, crc32(rest, 0))
    writer.write(rest)
    return writer.getvalue()


@final
class BatchHead:
    """The head of a batch, read."""

    def __init__(self, payload_bytes: int, number: int, epoch: int, file: int, synced: int) -> None:
        self.payload_bytes = payload_bytes
        self.number = number
        self.epoch = epoch
        self.file = file
        self.synced = synced


def read_batch_head(data: bytes, at: i64) -> BatchHead | None:
    """Read the head at `at`; None if there is none that is whole."""
    end = at + BATCH_HEAD_BYTES
    if end > i64(len(data)) or data[at : at + 4] != BATCH_MAGIC:
        return None
    if crc32(data[at + 8 : end], 0) != int(read_u32(data, at + 4)):
        return None
    return BatchHead(
        int(read_i64_be(data, at + 8)),
        int(read_i64_be(data, at + 16)),
        int(read_i64_be(data, at + 24)),
        int(read_i64_be(data, at + 32)),
        int(read_i64_be(data, at + 40)),
    )


@final
class PageHead:
    """The head of a page."""

    def __init__(
        self,
        payload_bytes: i64,
        number: i64,
        epoch: i64,
        queue: i64,
        count: i64,
        persistent_count: i64,
        first: i64,
        last: i64,
        body_bytes: i64,
    ) -> None:
        self.payload_bytes: i64 = payload_bytes
        self.number: i64 = number
        self.epoch: i64 = epoch
        self.queue: i64 = queue
        self.count: i64 = count
        self.persistent_count: i64 = persistent_count
        self.first: i64 = first
        self.last: i64 = last
        self.body_bytes: i64 = body_bytes

    def octets(self) -> bytes:
        """Return it as it stands in the file."""
        writer = BytesWriter()
        write_i64_be(writer, self.payload_bytes)
        write_i64_be(writer, self.number)
        write_i64_be(writer, self.epoch)
        write_i64_be(writer, self.queue)
        write_u32(writer, self.count)
        write_u32(writer, self.persistent_count)
        write_i64_be(writer, self.first)
        write_i64_be(writer, self.last)
        write_i64_be(writer, self.body_bytes)
        return _with_crc(PAGE_MAGIC, writer)


def read_page_head(data: bytes, at: i64) -> PageHead | None:
    """Read the head at `at`; None if there is none that is whole."""
    end = at + PAGE_HEAD_BYTES
    if end > i64(len(data)) or data[at : at + 4] != PAGE_MAGIC:
        return None
    if crc32(data[at + 8 : end], 0) != int(read_u32(data, at + 4)):
        return None
    return PageHead(
        read_i64_be(data, at + 8),
        read_i64_be(data, at + 16),
        read_i64_be(data, at + 24),
        read_i64_be(data, at + 32),
        read_u32(data, at + 40),
        read_u32(data, at + 44),
        read_i64_be(data, at + 48),
        read_i64_be(data, at + 56),
        read_i64_be(data, at + 64),
    )


def record_end(data: bytes, view: memoryview, at: i64, end: i64, seed: i64) -> i64:
    """Return where the record at `at` ends; -1 if it is not whole or reaches beyond `end`.

    `view` is a view of `data`.
    """
    if end - at < RECORD_HEAD_BYTES:
        return -1
    size = i64(read_i32_be(data, at))
    if size < RECORD_HEAD_BYTES or size > end - at:
        return -1
    kind = data[at + 8]
    checked_end = at + RECORD_HEAD_BYTES if kind == PAD else at + size
    if crc32(view[at + 8 : checked_end], int(seed ^ size)) != int(read_u32(data, at + 4)):
        return -1
    return at + size


def record_size(data: bytes, at: i64) -> i64:
    """Return how long the record at `at` says it is; callers check that against what there is."""
    return read_u32(data, at)


def next_record(data: bytes, view: memoryview, at: i64, end: i64, seed: i64) -> i64:
    """Return where the next whole record begins after `at`; `end` if there is none."""
    while end - at >= RECORD_HEAD_BYTES:
        size = i64(read_i32_be(data, at))
        if (
            RECORD_HEAD_BYTES <= size <= end - at
            and int(data[at + 8]) in KINDS
            and record_end(data, view, at, end, seed) > 0
        ):
            return at
        at += 1
    return end


def pad(size: i64, seed: i64) -> bytes:
    """Return the first octets of a PAD record that makes `size` octets, at least nine, mean nothing."""
    writer = BytesWriter()
    write_u32(writer, size)
    write_u32(writer, crc32(bytes([PAD]), int(seed ^ size)))
    writer.append(u8(PAD))
    return writer.getvalue()


def destination_count(data: bytes, at: i64) -> i64:
    """Return how many queues the MESSAGE record at `at` has."""
    return read_u16(data, at + 10)


def destination_bytes(data: bytes, at: i64) -> i64:
    """Return how long each destination of the MESSAGE record at `at` is."""
    return DESTINATION_BYTES + EXPIRY_BYTES if data[at + 9] & EXPIRES else DESTINATION_BYTES


def expiry_of(data: bytes, at: i64, place: i64) -> i64:
    """Return when the MESSAGE record at `at` expires in the queue whose destination is at `place`."""
    return read_i64_be(data, place + DESTINATION_BYTES) if data[at + 9] & EXPIRES else 0


def read_message(data: bytes, at: i64, stop: i64) -> Message:
    """Return the message of the MESSAGE record that goes from `at` to `stop`."""
    address_at = at + DESTINATIONS_AT + read_u16(data, at + 10) * destination_bytes(data, at)
    header_at = address_at + 1 + i64(data[address_at])
    header_at += 1 + i64(data[header_at])
    header_bytes = read_u32(data, header_at)
    body_at = header_at + 4 + header_bytes
    return Message(
        data[address_at:header_at],
        data[header_at + 4 : body_at],
        data[body_at:stop],
        data[at + 9] & PERSISTENT != 0,
    )
