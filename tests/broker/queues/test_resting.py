"""Messages rest as long as they are told to, and come back in order of their time."""

from tests.fakes import FakeClock, FakeConsumer, FakeQueueStore, message, queue_of, settle_down

from supersoniq.amqp.tables import table_of
from supersoniq.broker.message import Entry
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.queues.resting import Rested, Resting
from supersoniq.broker.turn import Turn


class Noted(Rested):
    """Notes what comes back."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def rested(self, entry: Entry) -> None:
        self.entries.append(entry)


class Bench:
    """A queue with a clock."""

    def __init__(self, **arguments: object) -> None:
        named = {"x-" + name.replace("_", "-"): value for name, value in arguments.items()}
        self.clock = FakeClock()
        self.turn = Turn(self.clock)
        self.kept = FakeQueueStore()
        self.queue: Queue = queue_of(self.turn, self.kept, arguments=table_of(named))
        self.consumer = FakeConsumer(room=1)

    def publish(self, body: bytes) -> None:
        published = message(body, persistent=True)
        published.stored = 1
        self.queue.enqueue(published)

    def come_back(self, is_failure: bool = True) -> None:
        """The consumer gives back what it got, and has room for one again."""
        entry = self.consumer.entries.pop()
        self.consumer.room = 1
        self.queue.requeue(entry, is_failure)
        self.queue.unpark(self.consumer)
        settle_down(self.turn)


def test_entries_come_back_when_they_have_rested() -> None:
    clock, noted = FakeClock(), Noted()
    turn = Turn(clock)
    resting = Resting(noted, turn.timers)
    entries = [Entry(message(b"x" * number), number) for number in range(1, 5)]
    for entry, rest in zip(entries, (300, 100, 200, 100), strict=True):
        resting.add(entry, rest)
    assert (len(resting), int(resting.body_bytes)) == (4, 10)
    clock.move(turn, 99)
    assert noted.entries == []
    clock.move(turn, 1)
    assert noted.entries == [entries[1], entries[3]]
    clock.move(turn, 150)
    assert noted.entries[2:] == [entries[2]]
    assert (resting.entries(), resting.drain(), len(resting)) == ([entries[0]], [entries[0]], 0)
    clock.move(turn, 1_000)
    assert len(noted.entries) == 3


def test_message_rests_longer_each_time_up_to_a_limit() -> None:
    bench = Bench(delayed_retry_type="all", delayed_retry_min=100, delayed_retry_max=250)
    bench.queue.subscribe(bench.consumer)
    bench.publish(b"a")
    for rest in (100, 200, 250, 250):
        assert bench.consumer.bodies == [b"a"]
        bench.come_back()
        bench.clock.move(bench.turn, rest - 1)
        assert bench.consumer.bodies == []
        bench.clock.move(bench.turn, 1)


def test_kinds_of_return_rest_as_the_type_says() -> None:
    for kind, rests in (("failed", [True, False]), ("returned", [False, True]), ("disabled", [False, False])):
        for is_failure, wanted in zip((True, False), rests, strict=True):
            bench = Bench(delayed_retry_type=kind, delayed_retry_min=100)
            bench.queue.subscribe(bench.consumer)
            bench.publish(b"a")
            bench.come_back(is_failure)
            assert (bench.consumer.bodies == []) == wanted


def test_others_are_delivered_meanwhile_and_its_place_is_kept() -> None:
    bench = Bench(delayed_retry_type="all", delayed_retry_min=100)
    bench.queue.subscribe(bench.consumer)
    for body in (b"a", b"b"):
        bench.publish(body)
    bench.come_back()
    assert bench.consumer.bodies == [b"b"]
    bench.publish(b"c")
    bench.clock.move(bench.turn, 100)
    assert [entry.message.body for entry in bench.queue.in_memory()] == [b"a", b"c"]


def test_what_rests_is_known_to_the_store_and_goes_with_its_queue() -> None:
    bench = Bench(delayed_retry_type="all", delayed_retry_min=100)
    bench.queue.subscribe(bench.consumer)
    bench.publish(b"a")
    bench.come_back()
    assert bench.queue.ready_count == 0
    assert [entry.message.body for entry in bench.queue.in_memory()] == [b"a"]
    assert bench.queue.purge() == 0
    bench.queue.close()
    assert [each.body for each in bench.kept.settled_messages] == [b"a"]
    bench.clock.move(bench.turn, 1_000)
    assert bench.queue.ready_count == 0
