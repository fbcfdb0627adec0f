"""Publishing by rules: who refuses a message, when it expires, and in which order all of that is done."""

import pytest
from tests.fakes import FakeClock, FakeStore, FixedNames, message, queue_of

from supersoniq.amqp.properties import Properties
from supersoniq.amqp.tables import table_of
from supersoniq.broker.message import Message
from supersoniq.broker.publishing import REFUSED, Publishing
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.turn import Turn
from supersoniq.broker.vhost import VHost


class Bench:
    """Publishing, with queues that a test makes."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.turn = Turn(self.clock)
        self.store = FakeStore(is_prompt=True)
        self.queues: dict[bytes, Queue] = {}
        self.publishing = Publishing("/", self.queues, self.store, self.turn)

    def queue(self, name: bytes = b"q", durable: bool = True, **arguments: object) -> Queue:
        named = {"x-" + key.replace("_", "-"): value for key, value in arguments.items()}
        kept = self.store.open_queue(durable)
        queue = self.queues[name] = queue_of(self.turn, kept, name, durable, table_of(named))
        return queue

    def publish(self, body: bytes, *queues: Queue, expiration_ms: int = -1, persistent: bool = True) -> int:
        published = message(body, persistent=persistent)
        return int(self.publishing.publish_by_rules(published, list(queues), expiration_ms))


@pytest.fixture
def bench() -> Bench:
    return Bench()


def bodies(queue: Queue) -> list[bytes]:
    return [entry.message.body for entry in queue.browse(0, 100)]


def test_one_queue_that_refuses_is_enough_though_others_take_it(bench: Bench) -> None:
    full = bench.queue(b"full", max_length=1, overflow="reject-publish")
    wide = bench.queue(b"wide")
    assert bench.publish(b"a", full, wide) > 0
    assert bench.publish(b"b", full, wide) == REFUSED
    assert (bodies(full), bodies(wide)) == ([b"a"], [b"a", b"b"])
    assert bench.store.log == ["append 1 1", "append 2"]


def test_message_is_stored_once_for_the_durable_ones_that_take_it(bench: Bench) -> None:
    durable, other = bench.queue(b"durable"), bench.queue(b"other", durable=False)
    assert bench.publish(b"a", durable, other) == 1
    assert bench.publish(b"b", other) == 0
    assert bench.publish(b"c", durable, other, persistent=False) == 0
    assert bench.store.log == ["append 1"]
    assert bodies(other) == [b"a", b"b", b"c"]


def test_each_queue_has_it_expire_in_its_own_time(bench: Bench) -> None:
    short, long = bench.queue(b"short", message_ttl=10), bench.queue(b"long", message_ttl=100)
    never = bench.queue(b"never")
    bench.publish(b"a", short, long, never, expiration_ms=50)
    bench.publish(b"b", short, long, never)
    left = []
    for _ in range(3):
        bench.clock.move(bench.turn, 40)
        left.append([bodies(queue) for queue in (short, long, never)])
    assert left == [
        [[], [b"a", b"b"], [b"a", b"b"]],
        [[], [b"b"], [b"b"]],
        [[], [], [b"b"]],
    ]


def test_position_of_one_message_says_nothing_of_when_the_next_expires(bench: Bench) -> None:
    queue = bench.queue()
    bench.publish(b"a", queue, expiration_ms=10)
    assert int(queue.kept.next_expires_at) == 0


def test_duplicate_is_dropped_and_not_refused(bench: Bench) -> None:
    queue = bench.queue(max_length=1, overflow="reject-publish", message_deduplication=True)
    properties = Properties()
    properties.change_headers(table_of({"x-deduplication-header": "v"}))
    sequences = []
    for _ in range(2):
        marked = Message(b"\x00\x01q", properties.content_header(1), b"a", False)
        sequences.append(int(bench.publishing.publish_by_rules(marked, [queue], -1)))
    assert sequences == [0, 0]
    assert bench.publish(b"b", queue) == REFUSED
    assert bodies(queue) == [b"a"]


def test_dead_letters_are_not_refused_for_others_that_wait(bench: Bench) -> None:
    queue = bench.queue(max_length=1, overflow="reject-publish")
    queue.dead_letter_count = 1
    assert bench.publish(b"a", queue) == REFUSED
    assert bench.publishing.publish_by_rules(message(b"b"), [queue], -1, True) == 0
    assert bench.publishing.publish_by_rules(message(b"c"), [queue], -1, True) == REFUSED
    assert bodies(queue) == [b"b"]


def test_report_goes_to_what_is_bound_and_is_kept_on_its_way() -> None:
    vhost = VHost("/", Turn(), FakeStore(), FixedNames())
    history = vhost.declare_exchange(b"h", "x-recent-history", False, False, False, {})
    queue = vhost.declare_queue(b"q", False, False, False, {}, 1)
    vhost.bind(b"h", queue, b"", {})
    report = message(b"report", b"h", b"k")
    vhost.report(history, report)
    assert bodies(queue) == [b"report"]
    assert history.kept() == [report]
