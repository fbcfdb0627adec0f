"""Contents: what the journal of a data directory says, its messages aside; how it was when the node ended."""

from typing import final

from librt.strings import read_i64_be
from mypy_extensions import i64

from supersoniq.amqp.primitives import read_u16, read_u32, text
from supersoniq.broker.definitions import BindingDefinition, ExchangeDefinition, Setting, SettingKey
from supersoniq.broker.message import Message
from supersoniq.storage.definitions import (
    BindingKey,
    ExchangeKey,
    QueueRecord,
    binding_key,
    exchange_key,
    read_binding,
    read_exchange,
    read_exchange_key,
    read_setting,
    read_setting_key,
)
from supersoniq.storage.disk import Disk
from supersoniq.storage.journal_file import JOURNAL
from supersoniq.storage.ranges import Ranges
from supersoniq.storage.records import (
    BOUND,
    CARRIED,
    CLOSED,
    DELIVERED,
    DESTINATIONS_AT,
    EXCHANGE_DECLARED,
    EXCHANGE_DELETED,
    MESSAGE,
    QUEUE_DECLARED,
    QUEUE_DELETED,
    RECORD_HEAD_BYTES,
    RETIRED,
    RETURNED,
    SEGMENT_DROPPED,
    SEGMENT_SYNCED,
    SETTING_REMOVED,
    SETTING_SET,
    SETTLED,
    UNBOUND,
    BatchHead,
    batch_head,
    destination_bytes,
    expiry_of,
    pad,
)
from supersoniq.storage.scan import Broken, FileScan, ScannedBatch, records_of, scan_file

KIND_NAMES = {
    MESSAGE: "a message",
    SETTLED: "settlements",
    RETURNED: "a delivery count",
    DELIVERED: "a delivery mark",
    SEGMENT_SYNCED: "a segment",
    SEGMENT_DROPPED: "a segment that is gone",
    QUEUE_DECLARED: "a queue",
    QUEUE_DELETED: "a deleted queue",
    EXCHANGE_DECLARED: "an exchange",
    EXCHANGE_DELETED: "a deleted exchange",
    BOUND: "a binding",
    UNBOUND: "a removed binding",
    SETTING_SET: "a setting",
    SETTING_REMOVED: "a removed setting",
}


@final
class Origin:
    """Where a message record is that was carried, for one of its queues."""

    __slots__ = ("at", "delivery_count", "end", "expires_at", "position", "scan")

    def __init__(
        self, scan: int, at: int, end: int, position: i64, delivery_count: i64, expires_at: i64
    ) -> None:
        self.scan = scan
        self.at = at
        self.end = end
        self.position: i64 = position
        self.delivery_count: i64 = delivery_count
        self.expires_at: i64 = expires_at


@final
class SegmentPlace:
    """How much of a segment is safe, and the journal file that says so."""

    def __init__(self, size: int, file: int) -> None:
        self.size = size
        self.file = file


@final
class QueueContents:
    """What the journal says of one queue."""

    def __init__(self) -> None:
        self.record: QueueRecord | None = None
        self.stored = 0  # the file that has the record
        self.is_deleted = False
        self.settled = Ranges()
        self.covered = Ranges()  # positions that are in segments
        self.returned: dict[int, int] = {}
        self.delivered = 0
        self.highest = 0  # position that was ever used
        self.segments: dict[int, SegmentPlace] = {}


@final
class Contents:
    """Everything of one data directory."""

    def __init__(self) -> None:
        self.scans: list[FileScan] = []
        self.queues: dict[int, QueueContents] = {}
        self.exchanges: dict[ExchangeKey, ExchangeDefinition] = {}
        self.bindings: dict[BindingKey, BindingDefinition] = {}
        self.settings: dict[SettingKey, Setting] = {}
        self.carried: dict[tuple[int, int], Origin] = {}
        self.settling_files: set[int] = set()
        self.shared: dict[tuple[int, int], Message] = {}  # carried ones of several queues, once read
        self.unused: dict[int, str] = {}  # files without a batch
        self.damages: list[str] = []
        self.damaged: list[Broken] = []
        self.torn: list[Broken] = []
        self.torn_bytes = 0
        self.last_retired = 0  # the last file of which the journal says that it is gone
        self.epoch = 0
        self.last_batch = 0
        self.synced = 0  # the last batch that is known to be
        self.last_file = 0
        self.last_queue = 0
        self.was_stopped = True
        self._data: dict[str, bytes] = {}

    def vhost_names(self) -> list[str]:
        """Return the virtual hosts that anything is in."""
        names = {vhost for vhost, _ in self.exchanges}
        names.update([key[0] for key in self.bindings])
        for queue in self.queues.values():
            if queue.record is not None and not queue.is_deleted:
                names.add(queue.record.vhost)
        return sorted(names)

    def queue_contents(self, number: int) -> QueueContents:
        """Return what is known of a queue, from now on if it is nothing yet."""
        queue = self.queues.get(number)
        if queue is None:
            queue = self.queues[number] = QueueContents()
            self.last_queue = max(self.last_queue, number)
        return queue

    def data_of(self, disk: Disk, scan: FileScan) -> bytes:
        """Return the octets of a scanned file."""
        file = disk.open(scan.path, writable=False)
        try:
            return file.read(0, scan.end)
        finally:
            file.close()

    def piece_of(self, disk: Disk, scan: FileScan, at: int, end: int) -> bytes:
        """Return some octets of a scanned file; it stays in memory until `forget`."""
        data = self._data.get(scan.path)
        if data is None:
            if len(self._data) >= 4:
                self._data.clear()
            data = self._data[scan.path] = self.data_of(disk, scan)
        return data[at:end]

    def forget(self) -> None:
        """Let go what was kept for reading."""
        self._data.clear()
        self.shared.clear()

    def cut_torn(self, disk: Disk) -> None:
        """Make what was never written whole mean nothing, and what was safe."""
        for broken in self.torn:
            neutralize(disk, self, broken)
        for scan in self.scans:
            self._save(disk, scan)

    def _save(self, disk: Disk, scan: FileScan) -> None:
        """Make safe what a file says.

        What is not known to be synced is written again: where a sync has failed, the system may believe that
        it is on the disk.
        """
        unsure = [batch.head_at for batch in scan.batches if batch.head.number > self.synced]
        file = disk.open(scan.path)
        try:
            if unsure:
                file.write(unsure[0], [file.read(unsure[0], scan.end - unsure[0])])
            file.sync()
        finally:
            file.close()


def read_contents(disk: Disk) -> Contents:
    """Read the journal of a data directory; raises OSError."""
    contents = Contents()
    before: BatchHead | None = None
    for number, part, name in sorted([_numbers(name) for name in disk.names(JOURNAL)]):
        if number == 0:
            continue  # the spare file
        path = f"{JOURNAL}/{name}"
        file = disk.open(path, writable=False)
        try:
            data = file.read(0, file.size())
        finally:
            file.close()
        scan = scan_file(data, path, number, None if part else before)
        if not scan.batches:
            if not part:
                contents.unused[number] = path
            continue
        if part:
            _forget_repeated(contents, scan)
        else:
            _check_gap(contents, before, scan)
        if before is None or scan.batches[-1].head.number > before.number:
            before = scan.batches[-1].head
        contents.scans.append(scan)
        contents.last_file = max(contents.last_file, number)
        for batch in scan.batches:
            contents.epoch = max(contents.epoch, batch.head.epoch)
            contents.last_batch = max(contents.last_batch, batch.head.number)
        _read_records(contents, scan, data)
    _check_oldest(contents)
    _judge(contents)
    return contents


def _numbers(name: str) -> tuple[int, int, str]:
    """Return the number of a journal file and of its part, 0 for the first one, and the name."""
    number, _, part = name.partition(".")
    return int(number) if number.isdigit() else 0, int(part) if part.isdigit() else 0, name


def _forget_repeated(contents: Contents, part: FileScan) -> None:
    """Forget, of the parts before this one, what it has again: they could not be synced from there on."""
    first = part.batches[0].head.number
    for scan in contents.scans:
        if scan.number == part.number:
            scan.batches = [batch for batch in scan.batches if batch.head.number < first]
            scan.broken = [broken for broken in scan.broken if broken.batch < first]


def _check_gap(contents: Contents, before: BatchHead | None, scan: FileScan) -> None:
    """Say if batches between two files are missing."""
    first = scan.batches[0].head.number
    if before is not None and first != before.number + 1:
        broken = Broken(scan.path, 0, 0, before.number + 1, True)
        contents.damaged.append(broken)
        contents.damages.append(
            f"{scan.path}: batches {before.number + 1} to {first - 1}, due before it, are missing"
        )


def _check_oldest(contents: Contents) -> None:
    """Say if the oldest files are missing: each is retired by a record before it goes."""
    due = contents.last_retired + 1
    if contents.scans and contents.scans[0].number > due:
        first = contents.scans[0]
        contents.damaged.append(Broken(first.path, 0, 0, first.batches[0].head.number - 1, True))
        contents.damages.append(f"{first.path}: the journal files from {due} on, due before it, are missing")


def _judge(contents: Contents) -> None:
    """Tell what was damaged from what was never written whole."""
    synced = 0
    for scan in contents.scans:
        for batch in scan.batches:
            synced = max(synced, batch.head.synced)
    contents.synced = synced
    for scan in contents.scans:
        for broken in scan.broken:
            if broken.batch > synced:
                contents.torn.append(broken)
                contents.torn_bytes += broken.size
            else:
                contents.damaged.append(broken)
                contents.damages.append(_described(contents, broken))


def _described(contents: Contents, broken: Broken) -> str:
    """Return what an operator is told of damage."""
    place = f"{broken.path}: {broken.size} damaged bytes at offset {broken.at}"
    if broken.is_head:
        return f"{place}: the head of batch {broken.batch}; its records are read nevertheless"
    names: list[str] = []
    for number in broken.queues:
        queue = contents.queues.get(number)
        if queue is not None and queue.record is not None:
            names.append(f"queue '{text(queue.record.name)}' in vhost '{queue.record.vhost}'")
    what = KIND_NAMES.get(broken.kind, "a record")
    return f"{place}: {what} of batch {broken.batch}" + (f", {', '.join(names)}" if names else "")


def neutralize(disk: Disk, contents: Contents, broken: Broken) -> None:
    """Overwrite the first octets of what is broken, so that it is a record or a batch that means nothing."""
    file = disk.open(broken.path)
    try:
        size = min(broken.size, file.size() - broken.at)
        for scan in contents.scans:
            for batch in scan.batches:
                if scan.path != broken.path or batch.head.number != broken.batch:
                    continue
                if broken.is_head or batch.at + batch.head.payload_bytes > batch.end:
                    head = batch.head
                    size_left = _whole_end(batch, scan) - batch.at
                    octets = batch_head(size_left, head.number, head.epoch, head.file, head.synced)
                    file.write(batch.head_at, [octets])
                if not broken.is_head and size >= RECORD_HEAD_BYTES:
                    file.write(broken.at, [pad(size, batch.seed)])
        file.sync()
    finally:
        file.close()


def _whole_end(batch: ScannedBatch, scan: FileScan) -> int:
    """Return where a batch is to end: what is left at its end may be too little for a record."""
    for broken in scan.broken:
        if broken.at > batch.end - RECORD_HEAD_BYTES and broken.at + broken.size == batch.end:
            return broken.at
    return batch.end


def _read_records(contents: Contents, scan: FileScan, data: bytes) -> None:
    index = len(contents.scans) - 1
    for batch in scan.batches:
        contents.was_stopped = False
        for span in records_of(data, batch):
            kind = data[span.at + 8]
            if kind == MESSAGE:
                _read_message(contents, index, data, span.at, span.end)
            elif kind == SETTLED or kind == RETURNED or kind == DELIVERED:
                _read_settlement(contents, scan.number, data, span.at)
            elif kind == SEGMENT_SYNCED or kind == SEGMENT_DROPPED:
                _read_segment(contents, scan.number, data, span.at)
            elif kind == CLOSED:
                contents.was_stopped = True
            elif kind == RETIRED:
                contents.last_retired = int(read_i64_be(data, span.at + RECORD_HEAD_BYTES))
            else:
                _read_definition(contents, scan.number, data, span.at, span.end)


def _read_message(contents: Contents, index: int, data: bytes, at: i64, end: i64) -> None:
    place = at + DESTINATIONS_AT
    step = destination_bytes(data, at)
    is_carried = data[at + 9] & CARRIED != 0
    for _ in range(read_u16(data, at + 10)):
        number = int(read_u32(data, place))
        position = read_i64_be(data, place + 4)
        queue = contents.queue_contents(number)
        if position > queue.highest:
            queue.highest = int(position)
        if is_carried:
            contents.carried[(number, int(position))] = Origin(
                index, int(at), int(end), position, read_u32(data, place + 12), expiry_of(data, at, place)
            )
        place += step


def _read_settlement(contents: Contents, file: int, data: bytes, at: i64) -> None:
    kind = data[at + 8]
    queue = contents.queue_contents(int(read_u32(data, at + RECORD_HEAD_BYTES)))
    position = read_i64_be(data, at + RECORD_HEAD_BYTES + 4)
    if kind == SETTLED:
        last = read_i64_be(data, at + RECORD_HEAD_BYTES + 12)
        queue.settled.add(position, last)
        queue.highest = max(queue.highest, int(last))
        contents.settling_files.add(file)
    elif kind == RETURNED:
        queue.returned[int(position)] = int(read_u32(data, at + RECORD_HEAD_BYTES + 12))
        queue.highest = max(queue.highest, int(position))
        contents.settling_files.add(file)
    else:
        queue.delivered = max(queue.delivered, int(position))


def _read_segment(contents: Contents, file: int, data: bytes, at: i64) -> None:
    queue = contents.queue_contents(int(read_u32(data, at + RECORD_HEAD_BYTES)))
    number = int(read_u32(data, at + RECORD_HEAD_BYTES + 4))
    if data[at + 8] == SEGMENT_SYNCED:
        queue.segments[number] = SegmentPlace(int(read_i64_be(data, at + RECORD_HEAD_BYTES + 8)), file)
    else:
        queue.segments.pop(number, None)


def _read_definition(contents: Contents, file: int, data: bytes, at: i64, end: i64) -> None:
    kind = data[at + 8]
    first, stop = int(at), int(end)
    if kind == QUEUE_DECLARED:
        record = QueueRecord(data, first, stop)
        queue = contents.queue_contents(record.number)
        queue.record = record
        queue.stored = file
        queue.delivered = max(queue.delivered, record.delivered)
        queue.highest = max(queue.highest, record.next_position - 1)
    elif kind == QUEUE_DELETED:
        contents.queue_contents(int(read_u32(data, at + RECORD_HEAD_BYTES))).is_deleted = True
    elif kind == EXCHANGE_DECLARED:
        exchange = read_exchange(data, first, stop)
        exchange.stored = file
        contents.exchanges[exchange_key(exchange)] = exchange
    elif kind == EXCHANGE_DELETED:
        contents.exchanges.pop(read_exchange_key(data, first, stop), None)
    elif kind == BOUND:
        binding = read_binding(data, first, stop)
        binding.stored = file
        contents.bindings[binding_key(binding)] = binding
    elif kind == UNBOUND:
        contents.bindings.pop(binding_key(read_binding(data, first, stop)), None)
    elif kind == SETTING_SET:
        setting = read_setting(data, first, stop)
        setting.stored = file
        contents.settings[setting.key] = setting
    elif kind == SETTING_REMOVED:
        contents.settings.pop(read_setting_key(data, first, stop), None)
