"""Small data directories on simulated disks, with something of everything in them."""

from __future__ import annotations

from pathlib import Path

from tests.broker.queues.test_levels import prioritized
from tests.fakes import message
from tests.storage.simulated_disk import SimulatedDisk
from tests.storage.small_node import SmallNode

from supersoniq.amqp.tables import table_of
from supersoniq.broker.message import Entry
from supersoniq.broker.ports import QueueStore
from supersoniq.storage.directory import FORMAT, format_line
from supersoniq.storage.marks import packed_mark
from supersoniq.storage.store import StoreOptions

SMALL = StoreOptions(journal_file_bytes=1_600, segment_bytes=1_000, queue_memory_bytes=1)


def small_store(is_stopped: bool = True) -> SimulatedDisk:
    """A long queue with segments and a short one; three files of the journal, from two starts."""
    node = SmallNode(options=SMALL)
    fill(node)
    for _ in range(4):
        write_page(node.vhost.queues[b"long"].kept, 5)
    node.rest()
    node = node.stopped()
    short = node.vhost.queues[b"short"]
    node.publish(b"after the restart", short)
    node.rest()
    if is_stopped:
        node.store.stop()
    return finished(node.disk)


def fill(node: SmallNode) -> None:
    """Declare, publish, settle and return, and let all of it become safe."""
    long, short = node.queue(b"long"), node.queue(b"short")
    node.vhost.declare_exchange(b"fan", "fanout", True, False, False, {})
    node.vhost.bind(b"fan", short, b"key", {})
    node.publish_all([b"both %d" % number for number in range(3)], long, short)
    node.publish_all([b"long %d" % number * 8 for number in range(12)], long)
    node.rest()
    node.settle(node.take(2, short))
    node.put_back(node.take(1, short))
    node.settle(node.take(2, long))
    node.publish_all([b"short %d" % number for number in range(4)], short)
    node.rest()
    node.tick(3)


def store_with_levels() -> SimulatedDisk:
    """A paged queue with priorities; its pages have the positions of others between theirs."""
    node = SmallNode(options=StoreOptions(segment_bytes=30_000, queue_memory_bytes=1))
    queue = node.queue(b"levels", arguments=table_of({"x-max-priority": 255}))
    for number in range(250):
        body = b"%05d" % number + b"x" * 2_000
        node.publish_message(prioritized([0, 3, 0, 200, 3][number % 5], body, persistent=True), queue)
        node.turn.finish()
    node.rest()
    node.settle(node.take(30, queue)[::2])
    node.rest()
    node.tick(2)
    assert len({int(page.level) for page in queue.pages()}) == 3
    node.store.stop()
    disk = node.disk.kill()
    disk.put("format", format_line(FORMAT).encode())
    return disk


def write_page(kept: QueueStore, count: int) -> None:
    """Write a page far smaller than queues do; the queue hears of it when it is recovered."""
    entries: list[Entry | None] = []
    for _ in range(count):
        position = int(kept.next_position)
        entries.append(Entry(message(b"paged %d" % position, persistent=True), position))
        kept.next_position += 1
    kept.write_page(entries)


def finished(disk: SimulatedDisk) -> SimulatedDisk:
    """The disk as a process finds it, with what the simulation keeps elsewhere."""
    disk = disk.kill()
    disk.put("format", format_line(FORMAT).encode())
    disk.put("marks", bytes(24) + packed_mark(1, 2) + packed_mark(2, 3) + bytes(24))
    return disk


def flipped(disk: SimulatedDisk, path: str, bit: int) -> SimulatedDisk:
    """A copy with one bit of a file changed."""
    data = bytearray(disk.files()[path])
    data[bit >> 3] ^= 1 << (bit & 7)
    return changed(disk, path, bytes(data))


def changed(disk: SimulatedDisk, path: str, data: bytes) -> SimulatedDisk:
    """A copy in which a file has other octets."""
    other = disk.copy()
    other.put(path, data)
    return other


class Reader(SmallNode):
    """A node whose queues may have less than they count, as a page may be damaged."""

    def readable(self, name: bytes) -> list[bytes]:
        """The bodies of all that can be delivered from a queue; none if there is no such queue."""
        queue = self.vhost.queues.get(name)
        found: list[bytes] = []
        while queue is not None:
            entry = queue.take(True)
            if entry is None:
                break
            found.append(entry.message.body)
        return found


def restarted(disk: SimulatedDisk) -> Reader:
    """A node that has recovered what is on a copy of the disk."""
    return Reader(disk.copy(), SMALL)


def on_disk(disk: SimulatedDisk, directory: Path) -> None:
    """Write all files to a directory."""
    for path, data in disk.files().items():
        (directory / path).parent.mkdir(exist_ok=True)
        (directory / path).write_bytes(data)
