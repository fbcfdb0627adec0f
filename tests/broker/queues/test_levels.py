"""A backlog with priorities gives out the highest level first."""

from random import Random

from tests.fakes import FakeQueueStore, message

from supersoniq.amqp.properties import Properties
from supersoniq.broker.message import Entry, Message, address_of
from supersoniq.broker.queues.levels import PriorityBacklog, priority_of


def prioritized(priority: int | None, body: bytes = b"x", persistent: bool = False) -> Message:
    properties = Properties()
    properties.priority = priority
    return Message(address_of(b"", b"q"), properties.content_header(len(body)), body, persistent)


def test_priority_is_that_of_the_header() -> None:
    assert [int(priority_of(prioritized(priority))) for priority in (None, 0, 5, 255)] == [0, 0, 5, 255]
    assert int(priority_of(message(b"x"))) == 0


def test_levels_behave_as_a_sorted_list() -> None:
    for seed in range(30):
        random = Random(seed)
        highest = random.choice([1, 5, 255])
        backlog = PriorityBacklog(FakeQueueStore(memory_bytes_max=1), highest)
        model: list[tuple[int, int, Entry]] = []
        taken: list[tuple[int, int, Entry]] = []
        position = 0
        for _ in range(400):
            choice = random.random()
            if choice < 0.5:
                position += 1
                priority = random.choice([None, 0, 1, 3, 300 % 256, 255])
                entry = Entry(prioritized(priority, b"x" * random.randrange(5)), position)
                backlog.append(entry)
                model.append((-min(priority or 0, highest), position, entry))
            elif choice < 0.7 and model:
                model.sort(key=lambda item: item[:2])
                item = model.pop(0)
                assert backlog.pop() is item[2]
                taken.append(item)
            elif choice < 0.8 and taken:
                item = taken.pop(random.randrange(len(taken)))
                backlog.put_back(item[2])
                model.append(item)
            elif choice < 0.9 and model:
                item = model.pop(random.randrange(len(model)))
                body = item[2].message.body
                assert backlog.remove(item[2]).body == body
            assert int(backlog.count) == len(model)
            assert int(backlog.body_bytes) == sum(len(item[2].message.body) for item in model)
        model.sort(key=lambda item: item[:2])
        assert backlog.in_memory() == [item[2] for item in model]
        assert backlog.pages() == []
        assert backlog.drain() == [item[2] for item in model]
        assert (int(backlog.count), int(backlog.body_bytes)) == (0, 0)


def test_pages_from_before_are_read_at_once() -> None:
    store = FakeQueueStore(memory_bytes_max=1)
    page = store.write_page([Entry(prioritized(0), 1), Entry(prioritized(9), 2)])
    backlog = PriorityBacklog(store, 9)
    backlog.append_page(page)
    assert [int(backlog.pop().position) for _ in range(2)] == [2, 1]
