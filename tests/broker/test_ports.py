"""The ports can be implemented outside the compiled core, and the core uses what stands there."""

from tests.fakes import FakeConsumer, FakeStore, FixedNames, message, queue_of

from supersoniq.broker.turn import Turn


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


def test_names_are_22_characters_and_never_the_same() -> None:
    names = FixedNames()
    drawn = [names.unique() for _ in range(3)]
    assert len(set(drawn)) == 3
    assert {len(name) for name in drawn} == {22}
