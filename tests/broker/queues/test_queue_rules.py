"""What a queue drops by its rules, when, and how much of it in one turn."""

import pytest
from tests.fakes import FakeClock, FakeConsumer, FakeQueueStore, message, settle_down

from supersoniq.amqp.tables import table_of
from supersoniq.broker.arguments import QueueOptions
from supersoniq.broker.message import Entry, Message
from supersoniq.broker.queues.backlog import CHUNK_BODY_BYTES
from supersoniq.broker.queues.graveyard import Graveyard
from supersoniq.broker.queues.queue import DROPPED_MAX, NOBODY, Queue
from supersoniq.broker.turn import Turn

LARGE = bytes(CHUNK_BODY_BYTES + 1)  # fills a chunk by itself


class Pit(Graveyard):
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.taken: list[tuple[int, str]] = []
        self.entries: list[Entry] = []

    def take(self, queue: Queue, entry: Entry, reason: bytes) -> None:
        self.taken.append((int(entry.position), reason.decode()))
        self.entries.append(entry)


class Bench:
    """One queue with arguments, its clock, and where it drops to if there is a dead-letter exchange."""

    def __init__(self, queue_type: bytes = b"classic", memory_bytes_max: int = 0, **rules: object) -> None:
        named = {"x-" + name.replace("_", "-"): value for name, value in rules.items()}
        self.clock = FakeClock()
        self.turn = Turn(self.clock)
        self.kept = FakeQueueStore(memory_bytes_max=memory_bytes_max)
        options = QueueOptions(table_of(named), queue_type)
        self.queue = Queue(b"q", True, False, NOBODY, options, self.turn, self.kept)
        self.pit = Pit()
        self.queue.graveyard = self.pit

    def publish(self, *bodies: bytes, expiration: int = -1) -> None:
        """As a virtual host does what is not plain."""
        for body in bodies:
            published = message(body, persistent=True)
            published.stored = 1
            if self.queue.refuses(published):
                self.queue.refuse(published)
            else:
                expires_at = self.queue.rules.expires_at(self.clock.now, expiration)
                self.queue.take_in(published, expires_at, self.clock.now)

    def fetch(self) -> Entry:
        entry = self.queue.take(False)
        assert entry is not None
        return entry

    def bodies(self) -> list[bytes]:
        """All that is ready, in order; takes it."""
        found = []
        while (entry := self.queue.take(True)) is not None:
            found.append(entry.message.body)
        return found

    def move(self, milliseconds: int) -> None:
        self.clock.move(self.turn, milliseconds)


def expiring(position: int, expires_at: int, body: bytes = b"x") -> Entry:
    entry = Entry(message(body), position)
    entry.expires_at = expires_at
    return entry


# Expiry


def test_messages_expire_in_time_wherever_they_stand() -> None:
    bench = Bench()
    for body, expiration in ((b"a", -1), (b"b", 30), (b"c", 10), (b"d", -1), (b"e", 20)):
        bench.publish(body, expiration=expiration)
    left = []
    for _ in range(4):
        left.append(bench.queue.ready_count)
        bench.move(10)
    assert left == [5, 4, 3, 2]
    assert len(bench.kept.settled_messages) == 3
    assert bench.bodies() == [b"a", b"d"]


def test_queue_asks_for_no_time_when_nothing_expires() -> None:
    bench = Bench()
    bench.publish(b"a")
    assert bench.clock.wanted == 0
    bench.publish(b"b", expiration=10)
    bench.move(20)
    assert bench.clock.wanted == 0


def test_expired_messages_are_not_dead_lettered_without_an_exchange() -> None:
    bench = Bench(message_ttl=10)
    bench.publish(b"a")
    bench.move(10)
    assert bench.pit.taken == []
    assert len(bench.kept.settled_messages) == 1


def test_message_stays_with_the_store_until_it_is_buried() -> None:
    bench = Bench(message_ttl=10, dead_letter_exchange="e")
    bench.publish(b"a")
    bench.move(10)
    assert bench.pit.taken == [(1, "expired")]
    assert bench.kept.settled_messages == []
    bench.queue.buried(bench.pit.entries[0])
    assert len(bench.kept.settled_messages) == 1


def test_many_that_expire_at_once_go_in_order_and_in_more_than_one_turn() -> None:
    bench = Bench(message_ttl=10, dead_letter_exchange="e")
    bench.publish(*[b""] * (2 * DROPPED_MAX + 1))
    counts = []
    bench.clock.now += 10
    for _ in range(3):
        bench.turn.timers.run()
        counts.append(bench.queue.ready_count)
    assert counts == [DROPPED_MAX + 1, 1, 0]
    assert [position for position, _ in bench.pit.taken] == list(range(1, 2 * DROPPED_MAX + 2))


def test_what_expires_late_together_goes_in_order_whether_paged_or_not() -> None:
    bench = Bench(memory_bytes_max=1, message_ttl=10, dead_letter_exchange="e")
    bench.publish(b"first", LARGE, LARGE, b"last")
    assert len(bench.queue.pages()) == 2
    bench.clock.now += 1_000
    bench.turn.timers.run()
    assert bench.pit.taken == [(position, "expired") for position in (1, 2, 3, 4)]
    assert (bench.queue.ready_count, bench.kept.pages) == (0, {})


def test_held_message_expires_when_it_comes_back() -> None:
    bench = Bench(message_ttl=10, dead_letter_exchange="e")
    bench.publish(b"a")
    entry = bench.fetch()
    bench.move(100)
    assert bench.pit.taken == []
    bench.queue.requeue(entry)
    bench.move(0)
    assert bench.pit.taken == [(1, "expired")]
    assert bench.pit.entries[0].delivery_count == 1


def test_late_message_is_not_delivered_though_the_timer_has_not_run() -> None:
    bench = Bench(message_ttl=10)
    bench.publish(b"a")
    bench.clock.now += 10
    consumer = FakeConsumer()
    bench.queue.subscribe(consumer)
    settle_down(bench.turn)
    assert consumer.bodies == []
    bench.publish(b"b")
    bench.clock.now += 10
    assert bench.queue.take(False) is None


def test_time_to_live_of_nothing_is_for_who_waits() -> None:
    bench = Bench(message_ttl=0, dead_letter_exchange="e")
    bench.publish(b"a")
    assert bench.pit.taken == [(1, "expired")]
    consumer = FakeConsumer(room=1)
    bench.queue.subscribe(consumer)
    settle_down(bench.turn)
    bench.publish(b"b", b"c")
    assert (consumer.bodies, bench.queue.ready_count) == ([b"b"], 0)


def test_purged_and_deleted_messages_do_not_expire_any_more() -> None:
    bench = Bench(message_ttl=10, dead_letter_exchange="e")
    bench.publish(b"a")
    assert bench.queue.purge() == 1
    bench.publish(b"b")
    bench.queue.close()
    bench.move(100)
    assert bench.pit.taken == []


def test_recovered_messages_expire() -> None:
    bench = Bench(dead_letter_exchange="e")
    now = bench.clock.now
    page = bench.kept.write_page([expiring(2, now + 30), expiring(3, 0)])
    page.expires_at = now + 30
    unread = bench.kept.write_page([expiring(4, now + 40), expiring(5, 0)])
    unread.expires_at = 1  # nobody knows when
    refill = bench.queue.refill()
    refill.add_page(page)
    refill.add_page(unread)
    refill.add(expiring(6, now + 10))
    refill.finish()
    bench.queue.refilled()
    bench.queue.come_back(expiring(1, now + 20))
    bench.move(100)
    assert [position for position, _ in bench.pit.taken] == [6, 1, 2, 4]
    assert bench.queue.ready_count == 2


# Limits


def test_first_messages_go_when_there_are_too_many() -> None:
    bench = Bench(max_length=2, dead_letter_exchange="e")
    bench.publish(b"a", b"b", b"c", b"d")
    assert bench.pit.taken == [(1, "maxlen"), (2, "maxlen")]
    assert bench.bodies() == [b"c", b"d"]


def test_what_is_held_does_not_count_before_it_comes_back() -> None:
    bench = Bench(max_length=2, dead_letter_exchange="e")
    bench.publish(b"a", b"b")
    entry = bench.fetch()
    bench.publish(b"c")
    assert bench.pit.taken == []
    bench.queue.requeue(entry)
    assert bench.pit.taken == [(1, "maxlen")]


@pytest.mark.parametrize("overflow", ["reject-publish", "reject-publish-dlx"])
def test_queue_that_refuses_drops_nothing_that_comes_back(overflow: str) -> None:
    bench = Bench(max_length=2, overflow=overflow, dead_letter_exchange="e")
    bench.publish(b"a", b"b")
    entry = bench.fetch()
    bench.publish(b"c")
    bench.queue.requeue(entry)
    settle_down(bench.turn)
    assert bench.pit.taken == []
    assert bench.bodies() == [b"a", b"b", b"c"]


def test_one_large_message_pushes_out_any_number_by_the_next_turns() -> None:
    bench = Bench(max_length_bytes=3 * DROPPED_MAX)
    bench.publish(*[b"x"] * (3 * DROPPED_MAX))
    bench.publish(bytes(3 * DROPPED_MAX))
    assert bench.queue.ready_count == 2 * DROPPED_MAX + 1
    settle_down(bench.turn)
    assert bench.queue.ready_count == 1


def test_message_that_was_dropped_for_its_place_does_not_expire() -> None:
    bench = Bench(max_length=1, message_ttl=10, dead_letter_exchange="e")
    bench.publish(b"a", b"b")
    bench.move(10)
    assert bench.pit.taken == [(1, "maxlen"), (2, "expired")]


def test_refused_message_is_a_copy_that_the_store_knows_nothing_of() -> None:
    bench = Bench(max_length=0, overflow="reject-publish-dlx", dead_letter_exchange="e")
    bench.publish(b"a")
    (entry,) = bench.pit.entries
    assert (entry.position, entry.message.stored, entry.message.body) == (0, 0, b"a")
    bench.queue.buried(entry)
    assert bench.kept.log == []


# Rejections and deliveries in vain


def test_rejected_message_is_dropped_or_dead_lettered() -> None:
    for bench, wanted in ((Bench(), []), (Bench(dead_letter_exchange="e"), [(1, "rejected")])):
        bench.publish(b"a")
        bench.queue.reject(bench.fetch())
        assert bench.pit.taken == wanted
        assert int(bench.queue.unacked_count) == bench.queue.ready_count == 0
        assert len(bench.kept.settled_messages) == 1 - len(wanted)


def test_rejected_message_of_a_deleted_queue_is_forgotten() -> None:
    bench = Bench(dead_letter_exchange="e")
    bench.publish(b"a")
    entry = bench.fetch()
    bench.queue.close()
    bench.queue.reject(entry)
    assert bench.pit.taken == []
    assert len(bench.kept.settled_messages) == 1


@pytest.mark.parametrize(("limit", "deliveries"), [(0, 1), (1, 2), (3, 4)])
def test_message_is_delivered_once_more_than_it_may_come_back(limit: int, deliveries: int) -> None:
    bench = Bench(b"quorum", delivery_limit=limit, dead_letter_exchange="e")
    bench.publish(b"a")
    count = 0
    while bench.queue.ready_count:
        bench.queue.requeue(bench.fetch())
        count += 1
    assert count == deliveries
    assert bench.pit.taken == [(1, "delivery_limit")]


# Priorities and single active consumer


def test_queue_with_priorities_delivers_the_highest_first_and_writes_no_pages() -> None:
    bench = Bench(memory_bytes_max=1, max_priority=5)
    header = b"\x00\x3c\x00\x00" + bytes(8) + b"\x08\x00"
    for priority in (1, 5, 0, 9, 1):
        published = Message(b"\x00\x01q", header + bytes([priority]), LARGE, False)
        bench.queue.enqueue(published)
    bench.queue.spill()
    taken = [bench.queue.take(True) for _ in range(5)]
    assert [entry.position for entry in taken if entry is not None] == [2, 4, 1, 5, 3]
    assert bench.queue.pages() == []


def test_waiting_consumer_takes_over_with_the_end_of_the_turn() -> None:
    bench = Bench(single_active_consumer=True)
    first, second = FakeConsumer(b"1", room=1), FakeConsumer(b"2")
    bench.queue.subscribe(first)
    bench.queue.subscribe(second)
    bench.publish(b"a", b"b")
    settle_down(bench.turn)
    assert (first.bodies, second.bodies) == ([b"a"], [])
    bench.queue.unsubscribe(first)
    assert second.bodies == []
    settle_down(bench.turn)
    assert second.bodies == [b"b"]


def test_departure_of_one_that_waits_changes_nothing() -> None:
    bench = Bench(single_active_consumer=True)
    first, second = FakeConsumer(b"1", room=1), FakeConsumer(b"2")
    for consumer in (first, second):
        bench.queue.subscribe(consumer)
    bench.publish(b"a", b"b")
    settle_down(bench.turn)
    bench.queue.unsubscribe(second)
    assert bench.turn.finish() is False
    assert (first.bodies, second.bodies) == ([b"a"], [])
