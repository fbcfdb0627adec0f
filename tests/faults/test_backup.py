"""A backup of a broker that works: it has all that was confirmed before, and the broker does not notice."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pika
import pytest
from tests.faults.nodes import Node

from supersoniq.storage.disk import SystemDisk
from supersoniq.storage.tools.backup import backup
from supersoniq.storage.tools.verify import verify

PERSISTENT = pika.BasicProperties(delivery_mode=2)
BODY_BYTES = 2_000


class Client(threading.Thread):
    """Works on a connection of its own until it is told to end, and keeps the books of it."""

    def __init__(self, node: Node, work: Callable[["Client"], None]) -> None:
        super().__init__()
        self.books: list[int] = []
        self.is_over = threading.Event()
        self.failure: BaseException | None = None
        self.connection = pika.BlockingConnection(pika.URLParameters(node.url))
        self.channel = self.connection.channel()
        self.channel.queue_declare("kept", durable=True)
        self.channel.queue_declare("used", durable=True)
        self._work = work
        self.start()

    def run(self) -> None:
        try:
            self._work(self)
            self.connection.close()
        except BaseException as failure:
            self.failure = failure
            raise

    def end(self) -> None:
        self.is_over.set()
        self.join()
        assert self.failure is None


def publish(client: Client) -> None:
    """Publish to both queues by turns; a number is in the books when it is confirmed."""
    client.channel.confirm_delivery()
    number = 0
    while not client.is_over.is_set():
        body = b"%d " % number + b"x" * BODY_BYTES
        client.channel.basic_publish("", ("kept", "used")[number % 2], body, PERSISTENT)
        client.books.append(number)
        number += 1


def consume(client: Client) -> None:
    """Ack what is in one of the queues; a number is in the books before its ack is sent."""
    for method, _, body in client.channel.consume("used", inactivity_timeout=0.05):
        if client.is_over.is_set():
            return
        if method is not None:
            client.books.append(int(body.split()[0]))
            client.channel.basic_ack(method.delivery_tag)


def drained(node: Node) -> set[int]:
    """All that is in both queues of a broker."""
    connection = pika.BlockingConnection(pika.URLParameters(node.url))
    channel = connection.channel()
    found: set[int] = set()
    for queue in ("kept", "used"):
        for method, _, body in channel.consume(queue, auto_ack=True, inactivity_timeout=0.5):
            if method is None:
                break
            found.add(int(body.split()[0]))
        channel.cancel()
    connection.close()
    return found


@pytest.fixture
def copies(tmp_path: Path) -> Iterator[list[Node]]:
    """Nodes for the directories of backups."""
    nodes: list[Node] = []
    for number in range(3):
        home = tmp_path / str(number)
        home.mkdir()
        nodes.append(Node(home))
    yield nodes
    for each in nodes:
        each.close()


def test_backup_has_what_was_confirmed_before_and_the_broker_goes_on(node: Node, copies: list[Node]) -> None:
    node.start(journal_file_bytes="1048576", queue_memory="1MB")
    publisher, consumer = Client(node, publish), Client(node, consume)
    confirmed: list[set[int]] = []
    acked: list[set[int]] = []
    for number, copy in enumerate(copies):
        while len(publisher.books) < 400 * (number + 1):
            assert publisher.failure is None
            publisher.is_over.wait(0.01)
        confirmed.append(set(publisher.books))
        assert backup(node.directory, copy.directory).problems == []
        acked.append(set(consumer.books))
    publisher.end()
    consumer.end()
    for before, gone, copy in zip(confirmed, acked, copies, strict=True):
        copy.start()
        assert before - gone <= drained(copy)
    assert set(publisher.books) - set(consumer.books) <= drained(node)
    node.stop()
    assert verify(SystemDisk(node.directory)) == []


def test_command_copies_the_directory_of_a_running_broker(node: Node, tmp_path: Path) -> None:
    node.start(journal_file_bytes="1048576")
    client = Client(node, lambda client: None)
    client.end()
    command = [sys.executable, "-m", "supersoniq", "backup", str(node.directory), str(tmp_path / "copy")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert verify(SystemDisk(tmp_path / "copy")) == []
