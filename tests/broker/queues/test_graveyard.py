"""What takes the messages that a queue drops."""

from tests.fakes import FakeQueueStore, message, queue_of

from supersoniq.broker.message import Entry
from supersoniq.broker.queues.graveyard import Graveyard
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.turn import Turn


class Grave(Graveyard):
    def __init__(self) -> None:
        self.taken: list[tuple[Queue, bytes]] = []

    def take(self, queue: Queue, entry: Entry, reason: bytes) -> None:
        self.taken.append((queue, reason))


def test_graveyard_need_not_care_for_rules() -> None:
    grave = Grave()
    queue = queue_of(Turn(), FakeQueueStore())
    grave.rules_changed(queue)
    grave.take(queue, Entry(message(), 1), b"rejected")
    assert grave.taken == [(queue, b"rejected")]
