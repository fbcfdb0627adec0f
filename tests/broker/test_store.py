"""The port of the store: what a virtual host asks of it when messages are published and settled."""

import pytest
from tests.fakes import FakeConsumer, FakeStore, FixedNames, Work, message

from supersoniq.broker.message import Entry
from supersoniq.broker.ports import Holder, QueueStore
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.turn import Turn
from supersoniq.broker.vhost import VHost


class Host:
    """A virtual host and its store, which is not compiled."""

    def __init__(self) -> None:
        self.store = FakeStore()
        self.vhost = VHost("/", Turn(), self.store, FixedNames())

    def queue(self, name: bytes, durable: bool = True) -> Queue:
        return self.vhost.declare_queue(name, durable, False, False, {}, 1)


@pytest.fixture
def host() -> Host:
    return Host()


def test_message_is_appended_at_the_positions_that_it_gets(host: Host) -> None:
    one, other = host.queue(b"1"), host.queue(b"2")
    host.vhost.publish(message(persistent=True), [one])
    published = message(persistent=True)
    host.vhost.publish(published, [one, other])
    assert host.store.log[-1] == "append 2 1"
    entries = [one.in_memory()[-1], other.in_memory()[-1]]
    assert [(entry.position, entry.message) for entry in entries] == [(2, published), (1, published)]


def test_message_is_appended_before_anybody_gets_it(host: Host) -> None:
    queue = host.queue(b"q")
    queue.subscribe(FakeConsumer())
    host.vhost.publish(message(persistent=True), [queue])
    assert host.store.log[1:] == ["append 1", "delivered 1"]


def test_message_that_is_not_stored_takes_a_position_too(host: Host) -> None:
    queue = host.queue(b"q")
    host.vhost.publish(message(), [queue])
    host.vhost.publish(message(persistent=True), [queue])
    assert host.store.log[1:] == ["append 2"]


def test_sequences_of_messages_and_definitions_never_fall(host: Host) -> None:
    sequences = []
    for name in (b"1", b"2", b"3"):
        queue = host.queue(name)
        sequences.append(host.vhost.take_sequence())
        sequences.append(host.vhost.publish(message(persistent=True), [queue]))
    assert sequences == sorted(sequences)
    assert sequences[0] > 0


def test_store_is_told_which_queues_last(host: Host) -> None:
    asked: list[bool] = []

    class Asking(FakeStore):
        def open_queue(self, durable: bool) -> QueueStore:
            asked.append(durable)
            return super().open_queue(durable)

    vhost = VHost("/", Turn(), Asking(), FixedNames())
    vhost.declare_queue(b"1", True, False, False, {}, 1)
    vhost.declare_queue(b"2", False, False, False, {}, 1)
    vhost.declare_queue(b"3", True, True, False, {}, 1)
    vhost.open_reply_queue()
    assert asked == [True, False, False, False]


def test_queue_declared_again_is_not_opened_again(host: Host) -> None:
    host.queue(b"q")
    host.queue(b"q")
    assert len(host.store.queues) == 1


def test_waiting_is_nothing_to_work_that_never_waits() -> None:
    log: list[str] = []
    Work("queue", log).durable_moved()
    assert log == []


def test_holder_that_is_not_compiled_tells_what_it_holds(host: Host) -> None:
    class Holding(Holder):
        def __init__(self, kept: QueueStore, entry: Entry) -> None:
            self._held = (kept, entry)

        def held(self) -> list[tuple[QueueStore, Entry]]:
            return [self._held]

    queue = host.queue(b"q")
    queue.enqueue(message())
    entry = queue.take(False)
    assert entry is not None
    host.vhost.holders[Holding(queue.kept, entry)] = None
    assert [holder.held() for holder in host.vhost.holders if holder.held()] == [[(queue.kept, entry)]]
