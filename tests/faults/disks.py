"""A small file system for a data directory, what takes its space, and a publisher that meets its end."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from pathlib import Path

import pytest
from tests.conformance.codec import Basic, Channel, Confirm, Queue, decode_method
from tests.conformance.wire import Wire
from tests.faults.nodes import Node

WINDOW = 50
PATIENCE = 20.0


class SmallDisk:
    """A tmpfs; a filler file leaves as much of it free as a test wants."""

    def __init__(self, mount_point: Path, size_bytes: int) -> None:
        """Skip the test where nothing can be mounted."""
        if os.geteuid() != 0:
            pytest.skip("mounting a small file system needs root")
        mount_point.mkdir()
        self.path = mount_point
        self._filler = mount_point / "filler"
        command = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(mount_point)]
        mounted = subprocess.run(command, capture_output=True, text=True, check=False)
        if mounted.returncode:
            pytest.skip(f"no small file system: {mounted.stderr.strip()}")

    def free_bytes(self) -> int:
        """What can be written now."""
        stat = os.statvfs(self.path)
        return stat.f_bavail * stat.f_frsize

    def leave(self, free_bytes: int) -> None:
        """Write a filler so that so much is free."""
        with self._filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, self.free_bytes() - free_bytes)
        assert abs(self.free_bytes() - free_bytes) < 1 << 20

    def fill(self) -> None:
        """Write a filler that leaves nothing free."""
        with self._filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(1 << 20)):
                pass
        assert self.free_bytes() == 0

    def make_room(self) -> None:
        """Delete the filler."""
        self._filler.unlink()

    def unmount(self) -> None:
        """Let go of it, even if something still has a file open."""
        subprocess.run(["umount", "--lazy", str(self.path)], check=True)


class Publisher:
    """Publishes numbered persistent messages of 4 KiB to the durable queue `q`; knows what became of them."""

    def __init__(self, node: Node) -> None:
        self.wire = node.wire()
        self.channel = self.wire.channel()
        self.channel.call(Queue.declare(queue="q", durable=True))
        self.channel.call(Confirm.select())
        self.confirmed: set[int] = set()
        self.refused: set[int] = set()
        self._unanswered: set[int] = set()
        self._next = 1

    @property
    def news(self) -> list[str]:
        """What connection.blocked and connection.unblocked have said: the reason, or nothing."""
        frames = self.wire.pending.get(0, ())
        methods = [decode_method(each.payload) for each in frames]
        return [each.reason if each.name == "connection.blocked" else "" for each in methods]

    @property
    def is_blocked(self) -> bool:
        """Whether the last news was a reason."""
        return bool(self.news and self.news[-1])

    def publish_until_it_is_full(self, per_second: int = 1_000_000) -> None:
        """Return at the first nack, or when the broker says that publishers have to wait.

        It looks twice a second; at so many messages a second it can say it in time.
        """
        began = time.monotonic()
        first = self._next
        deadline = began + PATIENCE
        while not self.is_blocked and not self.refused:
            assert time.monotonic() < deadline, "the disk did not become full"
            self._publish(WINDOW - len(self._unanswered))
            self._hear(0.05)
            time.sleep(max(0.0, (self._next - first) / per_second - (time.monotonic() - began)))

    def publish(self, count: int, waits: bool = True) -> None:
        """Publish so many more, until all are answered; unless it `waits`, at most until it is blocked."""
        left = count
        deadline = time.monotonic() + PATIENCE
        while (left or self._unanswered) and (waits or not self.is_blocked):
            assert time.monotonic() < deadline, f"{len(self._unanswered)} messages are not answered"
            step = min(left, WINDOW - len(self._unanswered))
            self._publish(step)
            left -= step
            self._hear(0.05)

    def publish_until_it_is_stored(self) -> None:
        """Publish one at a time until one is confirmed: publishing works again."""
        before = len(self.confirmed)
        deadline = time.monotonic() + PATIENCE
        self.publish(0)
        while len(self.confirmed) == before or self._unanswered:
            assert time.monotonic() < deadline, "nothing is stored though there is room"
            if not self._unanswered and not self.is_blocked:
                self._publish(1)
            self._hear(0.05)

    def _publish(self, count: int) -> None:
        for _ in range(count):
            number, self._next = self._next, self._next + 1
            self._unanswered.add(number)
            self.channel.publish(b"%d " % number + bytes(4096), "q", properties={"delivery_mode": 2})

    def _hear(self, patience: float) -> None:
        """Take one answer, or none in time."""
        try:
            method = self.channel.next(patience)
        except TimeoutError:
            return
        assert method.name in ("basic.ack", "basic.nack"), method
        tag = method.delivery_tag
        answered = {each for each in self._unanswered if each == tag or (method.multiple and each < tag)}
        assert tag in answered, f"{method} for what was answered before"
        self._unanswered -= answered
        (self.confirmed if method.name == "basic.ack" else self.refused).update(answered)


def consume(wire: Wire, count: int) -> list[int]:
    """Take and ack the next messages of `q`; returns their numbers. What came besides is given back."""
    channel = wire.channel()
    channel.call(Basic.qos(prefetch_count=10))
    channel.call(Basic.consume(queue="q", consumer_tag="c"))
    numbers: list[int] = []
    while len(numbers) < count:
        method = channel << Basic.deliver()
        numbers.append(int((method.body or b"").partition(b" ")[0]))
        channel >> Basic.ack(delivery_tag=method.delivery_tag)
    channel >> Channel.close()
    while channel.next().name != "channel.close_ok":
        pass
    return numbers


def ready(wire: Wire) -> int:
    """How many messages are ready in `q`."""
    count: int = wire.channel().call(Queue.declare(queue="q", passive=True)).message_count
    return count
