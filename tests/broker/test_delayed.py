"""Delayed messages wait in buckets by their time, move on, are routed when due, listed and cancelled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.definitions import brief
from tests.fakes import FakeClock, FakeConsumer, FakeQueueStore, FakeStore, FixedNames, again, settle_down

from supersoniq.amqp.errors import AccessRefused, NotFound, PreconditionFailed
from supersoniq.amqp.properties import Properties, headers_property
from supersoniq.amqp.spec import FLAG_EXPIRATION
from supersoniq.amqp.tables import table_of
from supersoniq.broker.definitions import QueueDefinition
from supersoniq.broker.delayed import AHEAD_MS, LISTED_MAX, LOOKED_MS, MISSING, SLICES, DelayedId, level_of
from supersoniq.broker.delays import DELAY_MS_MAX
from supersoniq.broker.exchanges.base import Exchange
from supersoniq.broker.message import Message, address_of
from supersoniq.broker.ports import QueueStore
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.routing import DELAYED_PREFIX
from supersoniq.broker.turn import Turn
from supersoniq.broker.vhost import VHost

ME = 1
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NOW = 1_700_000_000_123


class PagedStore(FakeStore):
    """Its queues write pages."""

    def open_queue(self, durable: bool) -> QueueStore:
        queue = FakeQueueStore(self.log, 1, durable)
        self.queues.append(queue)
        return queue


class Host:
    """A virtual host with a delayed exchange `e`, and a queue `q` bound to it by the key `k`."""

    def __init__(self, durable: bool = True, store: FakeStore | None = None) -> None:
        self.clock = FakeClock(NOW)
        self.turn = Turn(self.clock)
        self.store = FakeStore() if store is None else store
        self.vhost = VHost("/", self.turn, self.store, FixedNames())
        self.delayed = self.vhost.delayed
        self.exchange = self.declare(durable)
        self.queue = self.vhost.declare_queue(b"q", True, False, False, {}, ME)
        self.vhost.bind(b"e", self.queue, b"k", {})

    def declare(self, durable: bool = True) -> Exchange:
        arguments = table_of({"x-delayed-type": "direct"})
        return self.vhost.declare_exchange(b"e", "x-delayed-message", durable, False, False, arguments)

    def publish(
        self,
        body: bytes,
        delay_ms: int,
        persistent: bool = True,
        key: bytes = b"k",
        expiration: bytes | None = None,
        **headers: object,
    ) -> int:
        properties = Properties()
        properties.change_headers(table_of({"x-delay": delay_ms, **headers}))
        if expiration is not None:
            properties.values[FLAG_EXPIRATION] = expiration
        header = properties.content_header(len(body))
        message = Message(address_of(b"e", key), header, body, persistent)
        queues = self.delayed.queues_for(self.exchange, delay_ms)
        return int(self.vhost.publish_by_rules(message, queues, delay_ms))

    def move(self, milliseconds: int) -> None:
        self.clock.move(self.turn, milliseconds)

    def bodies(self, queue: Queue | None = None) -> list[bytes]:
        """What has come to the queue."""
        taken: list[bytes] = []
        while (entry := (queue or self.queue).take(True)) is not None:
            taken.append(entry.message.body)
        return taken

    def buckets(self) -> list[bytes]:
        return [name for name in self.vhost.queues if name.startswith(DELAYED_PREFIX)]


@pytest.fixture
def host() -> Host:
    return Host()


# When


def test_message_is_routed_when_it_is_due_and_not_before(host: Host) -> None:
    host.publish(b"a", 5_000)
    host.move(4_999)
    assert host.bodies() == []
    host.move(1)
    assert host.bodies() == [b"a"]


def test_messages_come_in_the_order_in_which_they_are_due(host: Host) -> None:
    for delay_ms in (300, 100, 200, 100):
        host.publish(b"%d" % delay_ms, delay_ms)
    host.move(300)
    assert host.bodies() == [b"100", b"100", b"200", b"300"]


@pytest.mark.parametrize("delay_ms", [1, MINUTE, HOUR, DAY, 40 * DAY, 400 * DAY, DELAY_MS_MAX])
def test_message_comes_to_the_millisecond_however_far_away_it_is(host: Host, delay_ms: int) -> None:
    host.publish(b"a", delay_ms)
    host.move(delay_ms - 1)
    assert host.bodies() == []
    host.move(1)
    assert host.bodies() == [b"a"]
    host.move(HOUR)
    assert host.buckets() == []


@brief
@given(st.lists(st.integers(1, 3 * DAY), min_size=1, max_size=40), st.integers(20 * MINUTE, 6 * HOUR))
def test_every_message_comes_once_and_none_early(delays_ms: list[int], step_ms: int) -> None:
    host = Host()
    came: list[tuple[int, int]] = []
    for number, delay_ms in enumerate(delays_ms):
        host.publish(b"%d" % number, delay_ms)
    while host.clock.now < NOW + 3 * DAY:
        host.move(step_ms)
        came.extend([(host.clock.now - NOW, int(body)) for body in host.bodies()])
    assert sorted([number for _, number in came]) == list(range(len(delays_ms)))
    for at_ms, number in came:
        assert delays_ms[number] <= at_ms < delays_ms[number] + step_ms


@brief
@given(st.integers(1, DELAY_MS_MAX), st.integers(0, DELAY_MS_MAX))
def test_bucket_has_no_more_than_sixteen_slices_before_it_and_is_not_being_moved(delay: int, at: int) -> None:
    now_ms = NOW + at
    level = level_of(now_ms + delay, now_ms)
    start_ms = (now_ms + delay) // SLICES[level] * SLICES[level]
    assert delay <= 16 * SLICES[level] or start_ms + SLICES[level] * 16 - SLICES[level] <= now_ms + delay
    if level > 0:
        assert start_ms - SLICES[level - 1] > now_ms
        assert delay > 16 * SLICES[level - 1]


def test_few_buckets_do_for_any_delays(host: Host) -> None:
    for number in range(3_000):
        host.publish(b"a", 1 + number * DELAY_MS_MAX // 3_000)
        host.publish(b"a", 1 + number * DAY // 3_000)
        host.publish(b"a", 1 + number * HOUR // 3_000)
    assert len(host.buckets()) < 90


def test_late_messages_come_at_once_when_the_clock_has_jumped(host: Host) -> None:
    host.publish(b"a", HOUR)
    host.publish(b"b", 2 * DAY)
    host.clock.now += 3 * DAY
    host.move(0)
    host.turn.timers.run()
    settle_down(host.turn)
    assert sorted(host.bodies()) == [b"a", b"b"]


def test_pages_are_read_one_by_one_before_their_first_message_is_due() -> None:
    host = Host(store=PagedStore())
    for number in range(5_000):
        host.publish(b"a", 10 * MINUTE + number % 100)
    [name] = host.buckets()
    queue = host.vhost.queues[name]
    host.move(10 * MINUTE - AHEAD_MS - LOOKED_MS - 1)
    paged = len(queue.pages())
    assert paged > 2
    while (left := len(queue.pages())) > 0:
        host.turn.timers.run()
        assert left - 1 <= len(queue.pages())
        settle_down(host.turn)
        host.clock.now += 1
    assert host.clock.now < NOW + 10 * MINUTE - LOOKED_MS
    assert queue.ready_count == 5_000


# What


def test_due_message_has_its_address_and_a_negative_delay(host: Host) -> None:
    host.publish(b"a", 5_000, other="x")
    host.move(5_000)
    entry = host.queue.take(True)
    assert entry is not None
    assert entry.message.address == address_of(b"e", b"k")
    assert entry.message.persistent
    headers = headers_property(entry.message.header)
    assert headers[b"x-delay"].value == -5_000
    assert headers[b"other"].value == b"x"


def test_copies_are_routed_and_blind_ones_not_told(host: Host) -> None:
    for name in (b"cc", b"bcc"):
        queue = host.vhost.declare_queue(name, False, False, False, {}, ME)
        host.vhost.bind(b"e", queue, name, {})
    host.publish(b"a", 10, CC=["cc"], BCC=["bcc"])
    host.move(10)
    for name in (b"q", b"cc", b"bcc"):
        entry = host.vhost.queues[name].take(True)
        assert entry is not None
        assert sorted(headers_property(entry.message.header)) == [b"CC", b"x-delay"]


def test_expiration_counts_from_the_routing_on(host: Host) -> None:
    host.publish(b"a", 5_000, expiration=b"100")
    host.move(5_099)
    assert host.queue.ready_count == 1
    host.move(1)
    assert host.queue.ready_count == 0


def test_consumer_gets_what_is_due(host: Host) -> None:
    consumer = FakeConsumer(no_ack=True)
    host.queue.subscribe(consumer)
    host.publish(b"a", 100)
    host.move(100)
    assert consumer.bodies == [b"a"]


def test_keyless_message_is_dropped_when_it_is_due(host: Host) -> None:
    host.publish(b"a", 100, key=b"other")
    host.move(100)
    assert host.delayed.count(b"e") == 0
    assert host.bodies() == []


def test_exchange_of_another_type_delays_if_an_argument_says_so() -> None:
    host = Host()
    arguments = table_of({"x-delayed-exchange": True})
    exchange = host.vhost.declare_exchange(b"t", "topic", False, False, False, arguments)
    assert exchange.delays
    assert exchange.kind == "topic"


# Hidden


def test_bucket_is_nobodys_to_use(host: Host) -> None:
    host.publish(b"a", 100)
    name = host.buckets()[0]
    with pytest.raises(NotFound, match="no queue"):
        host.vhost.queue(name, ME)
    with pytest.raises(AccessRefused, match="reserved prefix"):
        host.vhost.declare_queue(name, True, False, False, {}, ME)
    assert host.vhost.route(address_of(b"", name), b"").queues == []


def test_name_of_a_delayed_exchange_may_not_be_longer_than_its_buckets_allow() -> None:
    host = Host()
    arguments = table_of({"x-delayed-type": "fanout"})
    with pytest.raises(PreconditionFailed, match="at most 228 octets, not 229"):
        host.vhost.declare_exchange(b"n" * 229, "x-delayed-message", True, False, False, arguments)
    host.exchange = host.vhost.declare_exchange(
        b"n" * 228, "x-delayed-message", True, False, False, arguments
    )
    for delay_ms in (1, HOUR, DAY, 40 * DAY, 400 * DAY, DELAY_MS_MAX):
        host.publish(b"a", delay_ms)
    assert all([len(name) <= 255 for name in host.buckets()])


def test_buckets_do_not_count_as_queues(host: Host) -> None:
    host.publish(b"a", 100)
    host.vhost.limits.max_queues = 2
    host.vhost.declare_queue(b"r", False, False, False, {}, ME)


# Stored


def test_bucket_is_declared_before_its_first_message_and_removed_when_it_is_over(host: Host) -> None:
    host.store.log.clear()
    sequence = host.publish(b"a", 100)
    name = host.buckets()[0].decode()
    assert host.store.log == [f"declared queue {name}", "append 1"]
    assert sequence == host.store.sequence
    host.store.log.clear()
    host.move(100)
    assert host.store.log == ["begin", "append 1", "settled 1", "commit"]
    host.move(2 * MINUTE)
    assert host.store.log[4:] == [f"removed queue {name}", "deleted"]


def test_messages_move_to_shorter_slices_in_one_transaction(host: Host) -> None:
    host.publish(b"a", HOUR)
    host.publish(b"b", HOUR + 1)
    host.store.log.clear()
    before = host.buckets()
    host.move(HOUR - MINUTE)
    assert len(before) == len(host.buckets()) == 1
    assert before != host.buckets()
    end = host.store.log.index("commit")
    moved = [f"declared queue {host.buckets()[0].decode()}"]
    assert host.store.log[0] == "begin"
    assert [line for line in host.store.log[1:end] if "delivered" not in line] == [
        "settled 1",
        *moved,
        "append 1",
        "settled 2",
        "append 2",
    ]
    assert host.store.log[end + 1] == f"removed queue {before[0].decode()}"


def test_transient_exchange_has_transient_buckets() -> None:
    host = Host(durable=False)
    host.store.log.clear()
    assert host.publish(b"a", HOUR) == 0
    assert host.store.log == []
    assert host.vhost.queues[host.buckets()[0]].definition is None
    host.move(HOUR)
    assert host.bodies() == [b"a"]


def test_exchange_takes_what_waits_along_when_it_is_deleted(host: Host) -> None:
    for delay_ms in (100, HOUR, DAY):
        host.publish(b"a", delay_ms)
    host.vhost.delete_exchange(b"e", False)
    assert host.buckets() == []
    assert host.delayed.count(b"e") == 0
    assert host.delayed.queues_for(host.exchange, 100) == []
    host.exchange = host.declare()
    host.vhost.bind(b"e", host.queue, b"k", {})
    host.move(2 * DAY)
    assert host.bodies() == []


def restored(host: Host) -> Host:
    """Another host on what the store has been told of definitions, with the messages in the buckets."""
    other = Host(store=FakeStore())
    other.clock.now = host.clock.now
    for definition in host.store.definitions:
        if isinstance(definition, QueueDefinition) and definition.name.startswith(DELAYED_PREFIX):
            kept = FakeQueueStore()
            fresh = QueueDefinition("/", definition.name, False, definition.arguments, kept)
            other.store.definitions.append(fresh)
            queue = other.vhost.restore_queue(fresh)
            refill = queue.refill()
            for entry in host.vhost.queues[definition.name].in_memory():
                kept.next_position = entry.position + 1
                refill.add(again(entry))
            queue.refilled()
    return other


@pytest.mark.parametrize("delay_ms", [100, HOUR, DAY])
@pytest.mark.parametrize("down_ms", [0, 100, 2 * HOUR, 2 * DAY])
def test_message_comes_after_a_restart(host: Host, delay_ms: int, down_ms: int) -> None:
    host.publish(b"a", delay_ms)
    other = restored(host)
    assert other.delayed.count(b"e") == 1
    other.clock.now += down_ms
    other.move(max(delay_ms - down_ms - 1, 0))
    assert other.bodies() == ([b"a"] if down_ms >= delay_ms else [])
    other.move(1)
    assert other.bodies() == ([b"a"] if down_ms < delay_ms else [])
    other.move(HOUR)
    assert other.buckets() == []


def test_what_is_due_and_not_routed_is_held_for_the_store(host: Host) -> None:
    host.publish(b"a", 100)
    host.clock.now += 100
    host.turn.timers.run()
    [(kept, entry)] = host.delayed.limbo.held()
    assert kept is host.vhost.queues[host.buckets()[0]].kept
    assert entry.message.body == b"a"
    settle_down(host.turn)
    assert host.delayed.limbo.held() == []


# Listed and cancelled


def test_messages_that_wait_are_listed_bucket_by_bucket(host: Host) -> None:
    for delay_ms in (DAY, 100, HOUR):
        host.publish(b"%d" % delay_ms, delay_ms)
    listed = list(host.delayed.pending(b"e"))
    assert [each.due_ms - NOW for each in listed] == [100, HOUR, DAY]
    assert [each.message.body for each in listed] == [b"100", b"%d" % HOUR, b"%d" % DAY]
    assert len({each.id for each in listed}) == 3
    assert list(host.delayed.pending(b"other")) == []


@pytest.mark.parametrize("delay_ms", [40 * MINUTE, DAY])
def test_listing_reads_pages_and_leaves_them(delay_ms: int) -> None:
    host = Host(store=PagedStore())
    count = 5_000
    for number in range(count):
        host.publish(b"%d" % number, delay_ms + number)
    paged = sum([len(host.vhost.queues[name].pages()) for name in host.buckets()])
    assert paged > 0
    assert sorted([int(each.message.body) for each in host.delayed.pending(b"e")]) == list(range(count))
    assert sum([len(host.vhost.queues[name].pages()) for name in host.buckets()]) == paged
    few = host.delayed.listed(b"e", None, 7)
    more = host.delayed.listed(b"e", few[-1].id, LISTED_MAX)
    assert [int(each.message.body) for each in few + more] == list(range(LISTED_MAX + 7))


def test_damaged_message_is_not_listed_and_not_counted_any_more() -> None:
    host = Host(store=PagedStore())
    for number in range(5_000):
        host.publish(b"%d" % number, DAY)
    [name] = host.buckets()
    kept = host.vhost.queues[name].kept
    assert isinstance(kept, FakeQueueStore)
    kept.damaged.add(3_000)
    assert len(list(host.delayed.pending(b"e"))) == 4_999
    assert len(list(host.delayed.pending(b"e"))) == host.delayed.count(b"e") == 4_999


@pytest.mark.parametrize("delay_ms", [100, DAY])
@pytest.mark.parametrize("number", [0, 2_500, 4_999])
def test_cancelled_message_does_not_come(delay_ms: int, number: int) -> None:
    host = Host(store=PagedStore())
    for each in range(5_000):
        host.publish(b"%d" % each, delay_ms)
    [found] = [each for each in host.delayed.pending(b"e") if each.message.body == b"%d" % number]
    assert host.delayed.cancel(found.id) == host.store.sequence
    assert host.store.log[-2:] == [f"settled {found.id.position}", "commit"]
    assert host.delayed.cancel(found.id) == MISSING
    assert host.delayed.count(b"e") == 4_999
    host.move(delay_ms)
    assert sorted([int(body) for body in host.bodies()]) == [each for each in range(5_000) if each != number]


def test_nothing_else_can_be_cancelled(host: Host) -> None:
    host.publish(b"a", 100)
    assert host.delayed.cancel(DelayedId(host.buckets()[0], 2)) == MISSING
    assert host.delayed.cancel(DelayedId(b"nowhere", 1)) == MISSING
    host.move(100)
    assert host.delayed.cancel(DelayedId(b"q", 1)) == MISSING
    assert host.queue.ready_count == 1
