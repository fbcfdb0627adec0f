"""A queue hands out its messages in order, once each, and takes them back to where they were."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.definitions import brief
from tests.fakes import FakeConsumer, FakeQueueStore, message, queue_of, settle_down

from supersoniq.broker.message import Entry
from supersoniq.broker.queues.backlog import MESSAGE_OVERHEAD_BYTES
from supersoniq.broker.queues.queue import DISPATCH_MAX, Queue
from supersoniq.broker.turn import Turn


class Bench:
    """One queue with its turn and its store."""

    def __init__(self) -> None:
        self.turn = Turn()
        self.kept = FakeQueueStore()
        self.queue: Queue = queue_of(self.turn, self.kept)

    def publish(self, *bodies: bytes, stored: bool = False) -> None:
        for body in bodies:
            published = message(body, persistent=stored)
            published.stored = int(stored)
            self.queue.enqueue(published)

    def subscribed(self, consumer: FakeConsumer) -> FakeConsumer:
        self.queue.subscribe(consumer)
        settle_down(self.turn)
        return consumer

    def counts(self) -> tuple[int, int]:
        return self.queue.ready_count, int(self.queue.unacked_count)


def test_message_for_a_ready_consumer_is_delivered_at_once() -> None:
    bench = Bench()
    consumer = bench.subscribed(FakeConsumer())
    bench.publish(b"a", b"b")
    assert consumer.bodies == [b"a", b"b"]
    assert bench.counts() == (0, 2)


def test_message_waits_for_a_consumer_and_keeps_its_order() -> None:
    bench = Bench()
    bench.publish(b"a", b"b", b"c")
    consumer = bench.subscribed(FakeConsumer())
    bench.publish(b"d")
    assert consumer.bodies == [b"a", b"b", b"c", b"d"]


def test_new_message_does_not_overtake_waiting_ones() -> None:
    bench = Bench()
    bench.publish(b"a")
    consumer = FakeConsumer()
    bench.queue.subscribe(consumer)
    bench.publish(b"b")
    settle_down(bench.turn)
    assert consumer.bodies == [b"a", b"b"]


def test_subscribing_delivers_at_the_end_of_the_turn_only() -> None:
    bench = Bench()
    bench.publish(b"a")
    consumer = FakeConsumer()
    bench.queue.subscribe(consumer)
    assert consumer.bodies == []
    bench.turn.finish()
    assert consumer.bodies == [b"a"]


def test_deliveries_take_turns_among_consumers() -> None:
    bench = Bench()
    one, other = bench.subscribed(FakeConsumer(b"1")), bench.subscribed(FakeConsumer(b"2"))
    bench.publish(b"a", b"b", b"c", b"d")
    assert (one.bodies, other.bodies) == ([b"a", b"c"], [b"b", b"d"])


def test_no_ack_delivery_is_settled() -> None:
    bench = Bench()
    consumer = bench.subscribed(FakeConsumer(no_ack=True))
    bench.publish(b"a", stored=True)
    assert consumer.settled[0][1] is False
    assert bench.counts() == (0, 0)
    assert len(bench.kept.settled_messages) == 1


def test_requeued_message_comes_back_redelivered_before_the_others() -> None:
    bench = Bench()
    bench.publish(b"a", b"b", b"c")
    first = bench.queue.take(False)
    assert first is not None
    bench.queue.requeue(first)
    consumer = bench.subscribed(FakeConsumer())
    assert consumer.bodies == [b"a", b"b", b"c"]
    assert [entry.redelivered for entry in consumer.entries] == [True, False, False]


def test_requeued_message_goes_to_whoever_is_ready_at_the_end_of_the_turn() -> None:
    bench = Bench()
    consumer = bench.subscribed(FakeConsumer())
    bench.publish(b"a")
    bench.queue.requeue(consumer.entries.pop())
    assert consumer.bodies == []
    settle_down(bench.turn)
    assert consumer.bodies == [b"a"]


def test_one_turn_delivers_a_bounded_number() -> None:
    bench = Bench()
    for _ in range(2 * DISPATCH_MAX + 1):
        bench.publish(b"")
    consumer = FakeConsumer()
    bench.queue.subscribe(consumer)
    counts = []
    for _ in range(3):
        bench.turn.finish()
        counts.append(len(consumer.entries))
    assert counts == [DISPATCH_MAX, 2 * DISPATCH_MAX, 2 * DISPATCH_MAX + 1]


def test_consumer_without_room_is_asked_once_for_many_messages() -> None:
    bench = Bench()
    consumer = bench.subscribed(FakeConsumer(room=1))
    bench.publish(*[b""] * 1000)
    assert len(consumer.entries) == 1
    assert consumer.times_asked == 2
    assert bench.turn.finish() is False


def test_unparked_consumer_gets_what_waited() -> None:
    bench = Bench()
    consumer = bench.subscribed(FakeConsumer(room=1))
    bench.publish(b"a", b"b", b"c")
    consumer.room = 1
    bench.queue.unpark(consumer)
    settle_down(bench.turn)
    assert consumer.bodies == [b"a", b"b"]
    assert consumer.parked


def test_unparking_who_is_not_parked_changes_nothing() -> None:
    bench = Bench()
    one, other = bench.subscribed(FakeConsumer(b"1")), bench.subscribed(FakeConsumer(b"2"))
    bench.queue.unpark(one)
    bench.publish(b"a", b"b", b"c", b"d")
    assert len(one.bodies) == len(other.bodies) == 2


def test_taking_from_an_empty_queue_is_none() -> None:
    assert Bench().queue.take(False) is None


def test_taken_message_is_unacked_until_it_is_settled() -> None:
    bench = Bench()
    bench.publish(b"a", stored=True)
    entry = bench.queue.take(False)
    assert entry is not None
    assert bench.counts() == (0, 1)
    assert bench.kept.settled_messages == []
    bench.queue.settle(entry)
    assert bench.counts() == (0, 0)
    assert bench.kept.settled_messages == [entry.message]


def test_message_taken_with_no_ack_is_settled_at_once() -> None:
    bench = Bench()
    bench.publish(b"a", stored=True)
    assert bench.queue.take(True) is not None
    assert bench.counts() == (0, 0)
    assert len(bench.kept.settled_messages) == 1


def test_purge_drops_what_is_ready_and_nothing_else() -> None:
    bench = Bench()
    bench.publish(b"a", b"b", b"c", stored=True)
    held = bench.queue.take(False)
    assert held is not None
    assert bench.queue.purge() == 2
    assert bench.counts() == (0, 1)
    assert len(bench.kept.settled_messages) == 2
    bench.queue.requeue(held)
    assert bench.counts() == (1, 0)


def test_store_is_told_of_stored_messages_only() -> None:
    bench = Bench()
    bench.publish(b"a", b"b", b"c")
    held = bench.queue.take(False)
    assert held is not None
    bench.queue.requeue(held)
    bench.queue.take(True)
    bench.queue.purge()
    assert bench.kept.log == []


def test_closing_returns_the_consumers_and_drops_everything() -> None:
    bench = Bench()
    consumer = bench.subscribed(FakeConsumer(room=1))
    bench.publish(b"a", b"b", stored=True)
    assert bench.queue.close() == [consumer]
    assert bench.counts() == (0, 1)
    assert len(bench.queue.consumers) == 0


def test_deleted_queue_drops_what_is_requeued() -> None:
    bench = Bench()
    bench.publish(b"a", stored=True)
    entry = bench.queue.take(False)
    assert entry is not None
    bench.queue.close()
    bench.queue.requeue(entry)
    assert bench.counts() == (0, 0)
    assert bench.kept.settled_messages == [entry.message]


def test_ready_bytes_are_those_of_the_bodies() -> None:
    bench = Bench()
    bench.publish(b"12345", b"123")
    assert bench.queue.ready_body_bytes == 8
    bench.queue.take(True)
    assert bench.queue.ready_body_bytes == 3


def test_memory_is_that_of_ready_and_unacked_messages() -> None:
    bench = Bench()
    bench.publish(b"12345", b"123")
    both = 8 + 2 * MESSAGE_OVERHEAD_BYTES
    assert bench.queue.memory_bytes == both
    held = bench.queue.take(False)
    assert held is not None
    assert bench.queue.memory_bytes == both
    bench.queue.requeue(held)
    assert bench.queue.memory_bytes == both
    held = bench.queue.take(False)
    assert held is not None
    bench.queue.settle(held)
    assert bench.queue.memory_bytes == 3 + MESSAGE_OVERHEAD_BYTES


class QueueAgainstSortedList(RuleBasedStateMachine):
    """Random deliveries, acks, requeues and departures; the model is a list of positions that is sorted."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench()
        self.ready: list[int] = []
        self.returned: set[int] = set()
        self.published = 0
        self.settled: set[int] = set()
        self.consumers: list[FakeConsumer] = []
        self.fetched: list[Entry] = []

    def number_of(self, entry: Entry) -> int:
        return int(entry.message.body)

    def took(self, entries: list[Entry]) -> None:
        """Whatever was handed out since is the lowest of what was ready, in order."""
        for entry in entries:
            number = self.number_of(entry)
            assert number == min(self.ready)
            assert entry.redelivered == (number in self.returned)
            self.ready.remove(number)

    def settle_turn(self) -> None:
        before = {consumer: len(consumer.entries) for consumer in self.consumers}
        settle_down(self.bench.turn)
        new = [entry for consumer in self.consumers for entry in consumer.entries[before[consumer] :]]
        self.took(sorted(new, key=self.number_of))

    def held(self) -> list[tuple[list[Entry], Entry]]:
        places = [self.fetched, *[consumer.entries for consumer in self.consumers]]
        return [(place, entry) for place in places for entry in place]

    @rule(count=st.integers(1, 5))
    def publish(self, count: int) -> None:
        for _ in range(count):
            self.published += 1
            self.ready.append(self.published)
            before = {consumer: len(consumer.entries) for consumer in self.consumers}
            self.bench.publish(b"%d" % self.published, stored=True)
            for consumer in self.consumers:
                self.took(consumer.entries[before[consumer] :])

    @rule(room=st.integers(0, 4), priority=st.integers(0, 1))
    def subscribe(self, room: int, priority: int) -> None:
        consumer = FakeConsumer(b"c", room=room, priority=priority)
        self.consumers.append(consumer)
        self.bench.queue.subscribe(consumer)
        self.settle_turn()

    @rule()
    def fetch(self) -> None:
        entry = self.bench.queue.take(False)
        assert (entry is None) == (not self.ready)
        if entry is not None:
            self.took([entry])
            self.fetched.append(entry)

    @precondition(lambda self: self.held())
    @rule(data=st.data())
    def ack(self, data: st.DataObject) -> None:
        place, entry = data.draw(st.sampled_from(self.held()))
        place.remove(entry)
        self.bench.queue.settle(entry)
        self.settled.add(self.number_of(entry))

    @precondition(lambda self: self.held())
    @rule(data=st.data())
    def requeue(self, data: st.DataObject) -> None:
        place, entry = data.draw(st.sampled_from(self.held()))
        place.remove(entry)
        self.back(entry)
        self.settle_turn()

    def back(self, entry: Entry) -> None:
        self.bench.queue.requeue(entry)
        self.ready.append(self.number_of(entry))
        self.returned.add(self.number_of(entry))

    @precondition(lambda self: self.consumers)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        consumer = self.consumers.pop(data.draw(st.integers(0, len(self.consumers) - 1)))
        self.bench.queue.consumers.remove(consumer)
        for entry in reversed(consumer.entries):
            self.back(entry)
        self.settle_turn()

    @precondition(lambda self: self.consumers)
    @rule(data=st.data())
    def make_room(self, data: st.DataObject) -> None:
        consumer = self.consumers[data.draw(st.integers(0, len(self.consumers) - 1))]
        consumer.room += 2
        self.bench.queue.unpark(consumer)
        self.settle_turn()

    @invariant()
    def every_message_is_in_one_place(self) -> None:
        held = [self.number_of(entry) for _, entry in self.held()]
        assert sorted([*held, *self.ready, *self.settled]) == list(range(1, self.published + 1))
        assert self.bench.counts() == (len(self.ready), len(held))

    @invariant()
    def nothing_waits_while_somebody_is_ready(self) -> None:
        assert not self.ready or not [consumer for consumer in self.consumers if consumer.room > 0]

    @invariant()
    def store_forgets_what_is_settled(self) -> None:
        assert {int(each.body) for each in self.bench.kept.settled_messages} == self.settled


TestQueueAgainstSortedList = QueueAgainstSortedList.TestCase
TestQueueAgainstSortedList.settings = settings(brief, stateful_step_count=40)
