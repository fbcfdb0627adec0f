"""Every format that a released version has written opens, with all that is in it."""

import tarfile
from pathlib import Path

import pytest
from tests.storage.fixture import EXPIRATION_MS, HEADER, LATER_COUNT, OpenNode, body_of, fill

from supersoniq.amqp.tables import plain
from supersoniq.broker.queues.queue import Queue
from supersoniq.storage.directory import FORMAT, format_line

DATA = Path(__file__).parent / "data"


SETTINGS = [
    (("user", "", "alice"), b'{"tags": []}'),
    (("policy", "/", "p" * 255), b'{"pattern": "^o"}'),
]


def drained(node: OpenNode, queue: bytes) -> list[tuple[bytes, int]]:
    """Take all messages of a queue: bodies and delivery counts."""
    seen = []
    while (entry := node.vhosts["/"].queues[queue].take(True)) is not None:
        assert entry.message.header == HEADER
        seen.append((entry.message.body, int(entry.delivery_count)))
    return seen


def check(node: OpenNode, number: int) -> None:
    vhost = node.vhosts["/"]
    assert node.report.damages == []
    declared = {name for name, exchange in vhost.exchanges.items() if exchange.definition is not None}
    assert declared == {b"logs", b"keys"}
    keys = vhost.exchanges[b"keys"]
    assert (keys.kind, keys.auto_delete, keys.internal, keys.alternate) == ("topic", True, True, b"logs")
    assert [(b.destination.name, b.binding_key, plain(b.arguments)) for b in keys.bindings.values()] == [
        (b"orders", b"order.#", {"weight": 7}),
        (b"logs", b"log.*", {}),
    ]
    assert sorted(vhost.queues) == ([b"deep", b"later", b"orders"] if number > 1 else [b"deep", b"orders"])
    orders = vhost.queues[b"orders"]
    assert plain(orders.options.arguments) == {"x-max-length": 5_000_000, "x-made-by": "format 1"}
    messages = drained(node, b"orders")
    assert [body for body, _ in messages] == [b"order %d" % n for n in range(3, 20)] + [b"in a transaction"]
    assert [times for _, times in messages[:5]] == [3, 1, 1, 0, 0]
    deep = [body_of(number) for number in range(1_500, 4_000) if number % 10 != 0]
    assert [body for body, _ in drained(node, b"deep")] == [*deep, b"in a transaction"]
    settings = [(setting.key, setting.value) for setting in node.store.settings()]
    assert settings == (SETTINGS if number > 2 else [])
    if number > 1:
        check_later(vhost.queues[b"later"])


def check_later(queue: Queue) -> None:
    """What expires is in the journal and in pages, and says when."""
    assert all(page.expires_at > EXPIRATION_MS for page in queue.pages())
    assert bool(queue.pages())
    assert bool(queue.in_memory())
    for number in range(LATER_COUNT):
        entry = queue.take(True)
        assert entry is not None
        assert (entry.message.body, int(entry.expires_at)) == (body_of(number), EXPIRATION_MS + number + 1)
    assert queue.take(True) is None


@pytest.mark.parametrize("number", range(1, FORMAT + 1))
def test_directory_of_each_format_opens(tmp_path: Path, number: int) -> None:
    with tarfile.open(DATA / f"format-{number}.tar.xz") as archive:
        if hasattr(tarfile, "data_filter"):
            archive.extractall(tmp_path, filter="data")
        else:  # Debian 12's Python
            archive.extractall(tmp_path)
    node = OpenNode(tmp_path)
    check(node, number)
    node.stop()
    assert (tmp_path / "format").read_text() == format_line(FORMAT)


def test_directory_made_now_opens(tmp_path: Path) -> None:
    made = OpenNode(tmp_path)
    fill(made)
    made.crash()
    node = OpenNode(tmp_path)
    check(node, FORMAT)
    node.stop()


def test_stop_and_start_keep_everything_too(tmp_path: Path) -> None:
    made = OpenNode(tmp_path)
    fill(made)
    for queue, entry in list(made.taken):
        made.taken.remove((queue, entry))
        queue.requeue(entry)
    made.stop()
    node = OpenNode(tmp_path)
    check(node, FORMAT)
    node.stop()
