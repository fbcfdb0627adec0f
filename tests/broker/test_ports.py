"""The ports can be implemented outside the compiled core, and the core uses what stands there."""

from tests.fakes import FakeConsumer, FakeQueueStore, FixedNames, message, queue_of

from supersoniq.broker.ports import Page
from supersoniq.broker.turn import Turn


def test_consumer_starts_with_what_it_was_given() -> None:
    consumer = FakeConsumer(b"tag", no_ack=True, priority=-3, exclusive=True)
    assert (consumer.tag, consumer.no_ack, consumer.exclusive, consumer.priority) == (b"tag", True, True, -3)
    assert not consumer.parked


def test_queue_calls_a_consumer_that_is_not_compiled() -> None:
    consumer = FakeConsumer()
    queue = queue_of(Turn(), FakeQueueStore())
    queue.subscribe(consumer)
    queue.enqueue(message(b"body"))
    assert consumer.bodies == [b"body"]


def test_names_are_22_characters_and_never_the_same() -> None:
    names = FixedNames()
    drawn = [names.unique() for _ in range(3)]
    assert len(set(drawn)) == 3
    assert {len(name) for name in drawn} == {22}


def test_page_is_nowhere_until_its_store_says_where() -> None:
    page = Page(3, 30, 5, 9)
    assert (page.count, page.body_bytes, page.first, page.last) == (3, 30, 5, 9)
    assert (page.segment, page.offset, page.size, page.data) == (0, 0, 0, None)


def test_queue_of_a_store_starts_at_position_one_without_pages() -> None:
    kept = FakeQueueStore()
    assert (kept.next_position, kept.memory_bytes_max) == (1, 0)
