"""A backlog that is rebuilt has everything, in order of position, wherever it was kept."""

from random import Random

from tests.fakes import FakeQueueStore, message

from supersoniq.broker.message import Entry
from supersoniq.broker.queues.backlog import Backlog
from supersoniq.broker.queues.rebuilding import rebuild


def test_everything_goes_over_in_order() -> None:
    for seed in range(20):
        random = Random(seed)
        store = FakeQueueStore(memory_bytes_max=random.choice([0, 200_000]))
        old = Backlog(store)
        taken: list[Entry] = []
        for position in range(1, random.randrange(1, 6_000)):
            entry = Entry(message(b"x" * random.randrange(50)), position)
            if random.random() < 0.3:
                entry.expires_at = random.randrange(1, 1_000)
                old.known_deadlines().add(entry)
            old.append(entry)
            if random.random() < 0.1:
                taken.append(old.pop())
        returned = [entry for entry in taken if random.random() < 0.5]
        for entry in returned:
            old.put_back(entry)
        new = Backlog(store)
        count, body_bytes = int(old.count), int(old.body_bytes)
        gone = {int(entry.position) for entry in taken} - {int(entry.position) for entry in returned}
        rebuild(old, new)
        assert (int(new.count), int(new.body_bytes)) == (count, body_bytes)
        positions = [int(new.pop().position) for _ in range(count)]
        assert positions == [number for number in range(1, position + 1) if number not in gone]
