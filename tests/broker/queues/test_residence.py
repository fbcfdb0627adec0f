"""How long messages stay in a queue, and how old the oldest is."""

import pytest
from tests.fakes import FakeClock, FakeConsumer, FakeQueueStore, message, queue_of, settle_down

from supersoniq.amqp.tables import table_of
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.queues.residence import PERIOD_MS, Residence
from supersoniq.broker.queues.stays import STAY_BOUNDS_MS
from supersoniq.broker.queues.timeline import Marks
from supersoniq.broker.turn import Turn


class Bench:
    """A queue, and a clock that renews its marks every second."""

    def __init__(self, max_priority: int = 0) -> None:
        self.clock = FakeClock()
        self.turn = Turn(self.clock)
        arguments = table_of({"x-max-priority": max_priority}) if max_priority else {}
        self.queue: Queue = queue_of(self.turn, FakeQueueStore(), arguments=arguments)

    def wait(self, seconds: float) -> None:
        for _ in range(int(seconds)):
            self.clock.now += 1_000
            self.turn.marks.renew()
        self.clock.now += int((seconds - int(seconds)) * 1000)

    def publish(self, count: int = 1) -> None:
        for _ in range(count):
            self.queue.enqueue(message())
        settle_down(self.turn)

    @property
    def ready_age(self) -> float:
        """The age of the oldest ready message in seconds."""
        return (self.clock.now - self.queue.ready_since_ms) / 1000

    @property
    def stays(self) -> dict[int, int]:
        """How many were in the queue for how long, by the bound of the bucket."""
        counts = self.queue.residence.recent_counts()
        bounds = (*STAY_BOUNDS_MS, 0)
        return {bound: count for bound, count in zip(bounds, counts, strict=True) if count}


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_oldest_ready_message_is_as_old_as_it_is(bench: Bench) -> None:
    assert bench.queue.ready_since_ms == 0
    for _ in range(10):
        bench.publish(5)
        bench.wait(1)
    assert bench.ready_age == 10.0
    for _ in range(5):  # the first five, so that the oldest is of the second second
        bench.queue.take(True)
    assert bench.ready_age == pytest.approx(9.0, abs=1.0)
    while bench.queue.take(True) is not None:
        pass
    assert bench.queue.ready_since_ms == 0


def test_message_that_comes_back_is_as_old_as_before(bench: Bench) -> None:
    bench.publish()
    entry = bench.queue.take(False)
    assert entry is not None
    for _ in range(30):
        bench.wait(1)
        bench.publish()
        bench.queue.take(True)
    bench.queue.requeue(entry)
    assert bench.ready_age == pytest.approx(30.0, abs=1.0)


def test_lowest_priority_may_be_the_oldest() -> None:
    bench = Bench(max_priority=5)
    bench.publish()
    bench.wait(7)
    header = b"\x00\x3c\x00\x00" + bytes(8) + b"\x08\x00\x05"
    urgent = message()
    urgent.header = header
    bench.queue.enqueue(urgent)
    assert bench.ready_age == 7.0


def test_time_in_queue_is_measured_of_one_message_a_second(bench: Bench) -> None:
    for _ in range(3):
        bench.publish(100)
        bench.wait(1)
    bench.wait(4)
    while bench.queue.take(True) is not None:
        pass
    assert bench.stays == {5_000: 1, 10_000: 2}  # 5, 6 and 7 seconds
    assert bench.turn.marks.stays.sum_ms == 18_000


def test_message_that_is_delivered_at_once_was_not_in_the_queue(bench: Bench) -> None:
    bench.queue.subscribe(FakeConsumer(no_ack=True))
    for _ in range(3):
        bench.publish(10)
        bench.wait(1)
    assert bench.stays == {1: 3}


def test_what_is_dispatched_later_was(bench: Bench) -> None:
    bench.publish(10)
    bench.wait(3)
    bench.queue.subscribe(FakeConsumer())
    settle_down(bench.turn)
    assert bench.stays == {5_000: 1}


def test_messages_that_are_dropped_or_come_back_are_not_measured(bench: Bench) -> None:
    bench.publish(10)
    bench.queue.purge()
    bench.wait(1)
    bench.publish(2)
    entry = bench.queue.take(False)
    assert entry is not None
    assert bench.stays == {1: 1}
    bench.queue.requeue(entry)
    bench.wait(2)
    bench.queue.take(True)
    assert bench.stays == {1: 1}


def test_stays_are_of_the_last_minutes(bench: Bench) -> None:
    bench.queue.subscribe(FakeConsumer(no_ack=True))
    bench.publish()
    bench.clock.now += PERIOD_MS - 1_000
    bench.turn.marks.renew()
    bench.publish()
    assert bench.stays == {1: 2}
    bench.clock.now += PERIOD_MS - 1_000
    bench.turn.marks.renew()
    bench.publish()
    assert bench.stays == {1: 3}
    bench.clock.now += 2 * PERIOD_MS
    assert bench.stays == {}
    bench.turn.marks.renew()
    bench.publish()
    assert bench.stays == {1: 1}


def test_acks_are_counted_by_deliveries_unless_it_was_the_first(bench: Bench) -> None:
    bench.publish(2)
    for _ in range(3):
        entry = bench.queue.take(False)
        assert entry is not None
        bench.queue.requeue(entry)
    for _ in range(2):
        entry = bench.queue.take(False)
        assert entry is not None
        bench.queue.settle(entry)
    retries = bench.turn.marks.retries
    assert (sum(retries.counts), retries.sum_deliveries) == (1, 4)


def test_oldest_of_what_is_held_at_one_time_counts() -> None:
    residence = Residence(Marks(FakeClock()))
    for since_ms, seen_ms in ((500, 1_000), (300, 1_000), (400, 1_000)):
        residence.held(since_ms, seen_ms)
    assert (residence.unacked_since_ms, residence.unacked_seen_ms) == (300, 1_000)
    residence.held(900, 2_000)
    assert (residence.unacked_since_ms, residence.unacked_seen_ms) == (900, 2_000)
