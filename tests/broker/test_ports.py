"""The ports can be implemented outside the compiled core, and the core uses what stands there."""

import pytest
from mypy_extensions import i64
from tests.fakes import FakeConsumer, FakeStore, FixedNames, message, queue_of

from supersoniq.broker.ports import Consumer, Names, Store, Waiter
from supersoniq.broker.turn import Turn


class Note(Waiter):
    """Keeps the sequences it was told."""

    def __init__(self) -> None:
        self.heard: list[int] = []

    def durable_moved(self, sequence: i64) -> None:
        self.heard.append(int(sequence))


@pytest.mark.parametrize("port", [Consumer, Store, Waiter, Names])
def test_port_itself_cannot_be_used(port: type) -> None:
    with pytest.raises(TypeError):
        port()


def test_consumer_starts_with_what_it_was_given() -> None:
    consumer = FakeConsumer(b"tag", no_ack=True, priority=-3, exclusive=True)
    assert (consumer.tag, consumer.no_ack, consumer.exclusive, consumer.priority) == (b"tag", True, True, -3)
    assert not consumer.parked


def test_queue_calls_a_consumer_that_is_not_compiled() -> None:
    consumer = FakeConsumer()
    queue = queue_of(Turn(), FakeStore())
    queue.subscribe(consumer)
    queue.enqueue(message(b"body"))
    assert consumer.bodies == [b"body"]


def test_waiter_hears_sequences() -> None:
    note = Note()
    note.durable_moved(7)
    assert note.heard == [7]


def test_names_are_22_characters_and_never_the_same() -> None:
    names = FixedNames()
    drawn = [names.unique() for _ in range(3)]
    assert len(set(drawn)) == 3
    assert {len(name) for name in drawn} == {22}
