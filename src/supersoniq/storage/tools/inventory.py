"""An inventory of a data directory: which queues and files there are, and how much of them lives."""

from dataclasses import asdict, dataclass, field

from supersoniq.amqp.primitives import text
from supersoniq.storage.contents import Contents, read_contents
from supersoniq.storage.directory import FORMAT
from supersoniq.storage.disk import Disk
from supersoniq.storage.journal_file import JOURNAL
from supersoniq.storage.records import read_message
from supersoniq.storage.recovery import EPOCH_CHANCE_BITS
from supersoniq.storage.segments import segment_path
from supersoniq.storage.survey import find_pages
from supersoniq.storage.tools.listing import kept_pages, live_records, queue_numbers


@dataclass
class QueueInventory:
    """The messages of one queue; `bytes` are those of their bodies."""

    vhost: str
    name: str
    number: int
    messages: int = 0
    bytes: int = 0
    journal_messages: int = 0
    segment_messages: int = 0


@dataclass
class JournalInventory:
    """One file of the journal. What lives is the records of messages that are needed."""

    path: str
    bytes: int
    used_bytes: int
    live_bytes: int = 0

    @property
    def dead_bytes(self) -> int:
        """What is not needed, heads and settlements included."""
        return self.used_bytes - self.live_bytes


@dataclass
class SegmentInventory:
    """One segment. A page lives while one of its messages does; its bytes live in proportion."""

    path: str
    queue: str
    vhost: str
    bytes: int
    pages: int = 0
    messages: int = 0
    live_messages: int = 0
    live_bytes: int = 0

    @property
    def dead_bytes(self) -> int:
        """The rest."""
        return self.bytes - self.live_bytes


@dataclass
class Inventory:
    """All of one directory."""

    format: int
    epoch: int
    was_stopped: bool
    damages: int
    torn_bytes: int
    exchanges: int
    bindings: int
    settings: int
    queues: list[QueueInventory] = field(default_factory=list)
    journal: list[JournalInventory] = field(default_factory=list)
    segments: list[SegmentInventory] = field(default_factory=list)

    @property
    def starts(self) -> int:
        """How often a node has started here."""
        return self.epoch >> EPOCH_CHANCE_BITS

    @property
    def totals(self) -> dict[str, int]:
        """Sums over all queues and files."""
        files: list[JournalInventory | SegmentInventory] = [*self.journal, *self.segments]
        return {
            "messages": sum([queue.messages for queue in self.queues]),
            "message_bytes": sum([queue.bytes for queue in self.queues]),
            "disk_bytes": sum([file.bytes for file in files]),
            "live_bytes": sum([file.live_bytes for file in files]),
            "dead_bytes": sum([file.dead_bytes for file in files]),
        }

    def as_json(self) -> dict[str, object]:
        """Return it as values for JSON."""
        values = asdict(self)
        for name in ("journal", "segments"):
            for shown, item in zip(values[name], getattr(self, name), strict=True):
                shown["dead_bytes"] = item.dead_bytes
        values["starts"] = self.starts
        values["totals"] = self.totals
        return values


def take_inventory(disk: Disk) -> Inventory:
    """Read all of a directory; raises OSError."""
    contents = read_contents(disk)
    inventory = Inventory(
        FORMAT,
        contents.epoch,
        contents.was_stopped,
        len(contents.damages),
        contents.torn_bytes,
        len(contents.exchanges),
        len(contents.bindings),
        len(contents.settings),
    )
    queues: dict[int, QueueInventory] = {}
    for (vhost, name), number in sorted(queue_numbers(contents).items()):
        queues[number] = QueueInventory(vhost, text(name), number)
        _take_segments(disk, contents, number, queues[number], inventory)
    _take_journal(disk, contents, queues, inventory)
    inventory.queues = list(queues.values())
    return inventory


def _take_segments(
    disk: Disk, contents: Contents, number: int, shown: QueueInventory, inventory: Inventory
) -> None:
    queue = contents.queues[number]
    segments: dict[str, SegmentInventory] = {}
    for segment, place in sorted(queue.segments.items()):
        path = segment_path(True, number, segment)
        segments[path] = found = SegmentInventory(path, shown.name, shown.vhost, 0)
        try:
            file = disk.open(path, writable=False)
        except FileNotFoundError:
            continue
        try:
            found.bytes = min(file.size(), place.size)
            heads = [stretch.head for stretch in find_pages(file, number, found.bytes)]
        finally:
            file.close()
        found.pages = len(heads)
        found.messages = sum([int(head.count) for head in heads if head is not None])
    for page in kept_pages(disk, number, queue):
        found = segments[page.path]
        found.live_messages += page.live
        found.live_bytes += page.size * page.live // max(1, int(page.head.count))
        shown.segment_messages += page.live
        shown.messages += page.live
        shown.bytes += page.body_bytes
    inventory.segments.extend(segments.values())


def _take_journal(
    disk: Disk, contents: Contents, queues: dict[int, QueueInventory], inventory: Inventory
) -> None:
    used = {scan.path: scan.end for scan in contents.scans}
    files: dict[str, JournalInventory] = {}
    for name in disk.names(JOURNAL):
        path = f"{JOURNAL}/{name}"
        file = disk.open(path, writable=False)
        try:
            files[path] = JournalInventory(path, file.size(), used.get(path, 0))
        finally:
            file.close()
    counted: set[tuple[int, int]] = set()
    for live in live_records(disk, contents):
        queue = queues.get(live.queue)
        if queue is None:
            continue
        scan = contents.scans[live.scan]
        data = contents.piece_of(disk, scan, live.at, live.end)
        queue.messages += 1
        queue.journal_messages += 1
        queue.bytes += len(read_message(data, 0, len(data)).body)
        if (live.scan, live.at) not in counted:
            counted.add((live.scan, live.at))
            files[scan.path].live_bytes += live.end - live.at
    inventory.journal = [files[path] for path in sorted(files)]
