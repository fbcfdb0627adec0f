"""A queue tells its store what becomes of each stored message, once, and nothing of others."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from mypy_extensions import i64
from tests.definitions import brief
from tests.fakes import FakeConsumer, FakeQueueStore, message, queue_of, settle_down

from supersoniq.broker.message import Entry, Message
from supersoniq.broker.ports import Page
from supersoniq.broker.queues.backlog import CHUNK_BODY_BYTES
from supersoniq.broker.turn import Turn

# Fills a chunk by itself, so that few of them make pages.
LARGE = bytes(CHUNK_BODY_BYTES + 1)


def stored(body: bytes = b"", where: int = 1) -> Message:
    """A message that is in a store; 0 stands for one that is not."""
    made = message(body, persistent=where != 0)
    made.stored = where
    return made


class Bench:
    """One queue with its turn and what keeps it."""

    def __init__(self, memory_bytes_max: int = 0, kept: FakeQueueStore | None = None) -> None:
        self.turn = Turn()
        self.kept = kept or FakeQueueStore(memory_bytes_max=memory_bytes_max)
        self.queue = queue_of(self.turn, self.kept, durable=True)

    def publish(self, *messages: Message) -> None:
        for each in messages:
            self.queue.enqueue(each)

    def subscribed(self, consumer: FakeConsumer) -> FakeConsumer:
        self.queue.subscribe(consumer)
        settle_down(self.turn)
        return consumer

    def taken(self) -> Entry:
        entry = self.queue.take(False)
        assert entry is not None
        return entry

    def drained(self) -> list[int]:
        """The positions of all that is ready, by taking it."""
        positions = []
        while (entry := self.queue.take(False)) is not None:
            positions.append(int(entry.position))
        return positions


def test_message_that_waits_is_nothing_new_to_the_store() -> None:
    bench = Bench()
    bench.publish(stored())
    assert bench.kept.log == []


def test_delivery_at_once_later_and_by_get_are_told_alike() -> None:
    bench = Bench()
    bench.publish(stored(), stored())
    bench.taken()
    bench.subscribed(FakeConsumer())
    bench.publish(stored())
    assert bench.kept.log == ["delivered 1", "delivered 2", "delivered 3"]


def test_delivery_that_settles_is_told_as_both() -> None:
    """Or it would come again without its flag when the settlement is lost."""
    bench = Bench()
    bench.publish(stored(), stored())
    bench.queue.take(True)
    bench.subscribed(FakeConsumer(no_ack=True))
    bench.publish(stored())
    expected = [f"{what} {position}" for position in (1, 2, 3) for what in ("delivered", "settled")]
    assert bench.kept.log == expected


def test_store_is_told_before_the_consumer_is() -> None:
    """What a consumer brings about by taking a message must find the delivery noted."""

    class Settling(FakeConsumer):
        def deliver(self, entry: Entry) -> None:
            bench.queue.settle(entry)

    bench = Bench()
    bench.queue.subscribe(Settling())
    bench.publish(stored())
    assert bench.kept.log == ["delivered 1", "settled 1"]


def test_message_that_comes_back_is_counted() -> None:
    bench = Bench()
    bench.publish(stored())
    for times in (1, 2, 3):
        entry = bench.taken()
        assert entry.redelivered == (times > 1)
        bench.queue.requeue(entry)
        assert entry.delivery_count == times
    assert bench.kept.log[-2:] == ["delivered 1", "returned 1 the 3. time"]


def test_message_that_is_not_stored_is_counted_without_the_store() -> None:
    bench = Bench()
    bench.publish(message(), message())
    entry = bench.taken()
    bench.queue.requeue(entry)
    assert entry.delivery_count == 1
    bench.queue.settle(bench.taken())
    bench.queue.purge()
    assert bench.kept.log == []


def test_settled_message_is_named_with_its_position() -> None:
    bench = Bench()
    first, second = stored(), stored()
    bench.publish(first, second)
    entries = [bench.taken(), bench.taken()]
    bench.queue.settle(entries[1])
    assert (bench.kept.log[-1], bench.kept.settled_messages) == ("settled 2", [second])


def test_positions_go_on_where_the_store_says() -> None:
    bench = Bench()
    bench.kept.next_position = 41
    bench.publish(stored())
    consumer = bench.subscribed(FakeConsumer())
    bench.publish(stored())
    assert [entry.position for entry in consumer.entries] == [41, 42]
    assert bench.kept.next_position == 43


def test_purge_settles_what_is_ready_and_not_what_is_out() -> None:
    bench = Bench()
    bench.publish(stored(), stored(), stored(where=0), stored())
    bench.taken()
    assert bench.queue.purge() == 3
    assert bench.kept.log == ["delivered 1", "settled 2", "settled 4"]


def test_purge_settles_pages_as_a_whole() -> None:
    bench = Bench(memory_bytes_max=1)
    bench.publish(*[stored(LARGE)] * 3, stored())
    assert len(bench.queue.pages()) == 2
    assert bench.queue.purge() == 4
    assert sorted(bench.kept.log) == ["settled 1", "settled 4", "settled page 2 to 2", "settled page 3 to 3"]
    assert bench.kept.pages == {}
    assert (bench.queue.ready_count, bench.queue.memory_bytes) == (0, 0)


def test_closing_settles_everything_ready_after_the_queue_is_known_to_be_gone() -> None:
    bench = Bench(memory_bytes_max=1)
    bench.publish(*[stored(LARGE)] * 3)
    held = bench.taken()
    bench.queue.close()
    assert bench.kept.log == ["delivered 1", "deleted", "settled page 3 to 3", "settled 2"]
    bench.queue.settle(held)
    assert bench.kept.log[-1] == "settled 1"


def test_message_that_comes_back_to_a_deleted_queue_is_settled() -> None:
    bench = Bench()
    bench.publish(stored())
    held = bench.taken()
    bench.queue.close()
    bench.queue.requeue(held)
    assert bench.kept.log == ["delivered 1", "deleted", "settled 1"]


def test_message_read_from_a_page_is_settled_like_any_other() -> None:
    bench = Bench(memory_bytes_max=1)
    bench.publish(*[stored(LARGE)] * 3)
    for _ in range(3):
        bench.queue.settle(bench.taken())
    assert [line for line in bench.kept.log if "settled" in line] == ["settled 1", "settled 2", "settled 3"]


def test_pages_are_not_memory() -> None:
    bench = Bench(memory_bytes_max=1)
    bench.publish(*[stored(LARGE)] * 10)
    assert bench.queue.ready_body_bytes == 10 * len(LARGE)
    assert bench.queue.memory_bytes < 2 * len(LARGE)


def test_damaged_messages_are_missing_and_nothing_else() -> None:
    bench = Bench(memory_bytes_max=1)
    bench.publish(*[stored(LARGE)] * 5)
    bench.kept.damaged = {3, 4}
    consumer = bench.subscribed(FakeConsumer())
    assert [entry.position for entry in consumer.entries] == [1, 2, 5]
    assert (bench.queue.ready_count, bench.queue.unacked_count) == (0, 3)


def test_restored_messages_are_ready_in_order_of_position() -> None:
    bench = Bench()
    kept = bench.kept
    refill = bench.queue.refill()
    for position in (3, 5):
        refill.add(Entry(stored(), position))
    refill.add_page(kept.write_page([Entry(stored(), 6), Entry(stored(), 8)]))
    refill.add(Entry(stored(), 9))
    refill.finish()
    bench.queue.refilled()
    for position in (1, 2):
        bench.queue.come_back(Entry(stored(), position))
    assert kept.log == []
    assert bench.queue.ready_count == 7
    assert bench.drained() == [1, 2, 3, 5, 6, 8, 9]


def test_restored_messages_keep_their_count() -> None:
    bench = Bench()
    restored = Entry(stored(), 1)
    restored.delivery_count = 2
    bench.queue.refill().add(restored)
    consumer = bench.subscribed(FakeConsumer(no_ack=True))
    assert [redelivered for _, redelivered in consumer.settled] == [True]


def test_store_sees_what_is_ready_in_memory_and_in_pages() -> None:
    bench = Bench(memory_bytes_max=1)
    bench.publish(*[stored(LARGE)] * 3, stored())
    bench.taken()
    assert [entry.position for entry in bench.queue.in_memory()] == [2, 4]
    assert [page.first for page in bench.queue.pages()] == [3]


class Ledger(FakeQueueStore):
    """Refuses what cannot happen to a message in the place where it is."""

    def __init__(self, memory_bytes_max: int) -> None:
        super().__init__(memory_bytes_max=memory_bytes_max)
        self.out: set[int] = set()
        self.gone: set[int] = set()
        self.returns: dict[int, int] = {}

    def delivered(self, position: i64) -> None:
        assert int(position) not in self.out | self.gone
        self.out.add(int(position))

    def returned(self, entry: Entry) -> None:
        self.out.remove(int(entry.position))
        self.returns[int(entry.position)] = self.returns.get(int(entry.position), 0) + 1
        assert entry.delivery_count == self.returns[int(entry.position)]
        assert not self.is_deleted

    def settled(self, position: i64, message: Message) -> None:
        assert message.stored == position
        assert int(position) not in self.gone
        self.gone.add(int(position))
        self.out.discard(int(position))

    def settled_page(self, page: Page) -> None:
        self.gone |= {int(entry.position) for entry in self.pages[page] if entry.message.stored != 0}
        del self.written[page]


class QueueAgainstLedger(RuleBasedStateMachine):
    """Every stored message is ready, out or settled, and the store knows which."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger(memory_bytes_max=3 * len(LARGE))
        self.bench = Bench(kept=self.ledger)
        self.stored: set[int] = set()
        self.consumers: list[FakeConsumer] = []
        self.fetched: list[Entry] = []

    def held(self) -> list[tuple[list[Entry], Entry]]:
        places = [self.fetched, *[consumer.entries for consumer in self.consumers]]
        return [(place, entry) for place in places for entry in place]

    @rule(kinds=st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=4))
    def publish(self, kinds: list[tuple[bool, bool]]) -> None:
        for is_stored, is_large in kinds:
            position = int(self.ledger.next_position)
            self.bench.publish(stored(LARGE if is_large else b"", position if is_stored else 0))
            if is_stored:
                self.stored.add(position)

    @rule(room=st.integers(0, 5), no_ack=st.booleans())
    def subscribe(self, room: int, no_ack: bool) -> None:
        self.consumers.append(self.bench.subscribed(FakeConsumer(room=room, no_ack=no_ack)))

    @rule(no_ack=st.booleans())
    def fetch(self, no_ack: bool) -> None:
        entry = self.bench.queue.take(no_ack)
        if entry is not None and not no_ack:
            self.fetched.append(entry)

    @precondition(lambda self: self.held())
    @rule(data=st.data(), requeue=st.booleans())
    def let_go(self, data: st.DataObject, requeue: bool) -> None:
        place, entry = data.draw(st.sampled_from(self.held()))
        place.remove(entry)
        if requeue:
            self.bench.queue.requeue(entry)
            settle_down(self.bench.turn)
        else:
            self.bench.queue.settle(entry)

    @rule()
    def purge(self) -> None:
        self.bench.queue.purge()

    @invariant()
    def store_knows_where_each_message_is(self) -> None:
        out = {int(entry.position) for _, entry in self.held() if entry.message.stored != 0}
        paged = [entry for entries in self.ledger.pages.values() for entry in entries]
        waiting = [*self.bench.queue.in_memory(), *paged]
        ready = {int(entry.position) for entry in waiting if entry.message.stored != 0}
        assert self.ledger.out == out
        assert self.ledger.gone == self.stored - out - ready

    def teardown(self) -> None:
        self.bench.queue.close()
        for _, entry in self.held():
            self.bench.queue.requeue(entry)
        assert self.ledger.gone == self.stored
        assert self.ledger.pages == {}
        assert self.bench.queue.memory_bytes == 0


TestQueueAgainstLedger = QueueAgainstLedger.TestCase
TestQueueAgainstLedger.settings = settings(brief, stateful_step_count=40)
