"""Dead letters are moved at the end of the turn: out of one queue and into the others as one whole."""

from typing import Any

import pytest
from tests.fakes import FakeClock, FakeConsumer, FakeStore, FixedNames, message, settle_down

from supersoniq.amqp.properties import headers_property
from supersoniq.amqp.tables import plain, table_of
from supersoniq.broker.changing import change_queue
from supersoniq.broker.dead_letters import MOVED_MAX, PROGRESS_MS, RETRY_MS
from supersoniq.broker.message import Entry
from supersoniq.broker.publishing import REFUSED
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.turn import Turn
from supersoniq.broker.vhost import VHost


class Host:
    """A virtual host whose clock a test moves; unless told otherwise what dies in `q` goes to `dead`."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.turn = Turn(self.clock)
        self.store = FakeStore(is_prompt=True)
        self.vhost = VHost("/", self.turn, self.store, FixedNames())

    def queue(self, name: bytes = b"q", durable: bool = False, **arguments: object) -> Queue:
        named = {"x-" + key.replace("_", "-"): value for key, value in arguments.items()}
        return self.vhost.declare_queue(name, durable, False, False, table_of(named), 0)

    def dying(self, durable: bool = False, **arguments: object) -> tuple[Queue, Queue]:
        dead = self.queue(b"dead", durable)
        queue = self.queue(
            b"q", durable, dead_letter_exchange="", dead_letter_routing_key="dead", **arguments
        )
        return queue, dead

    def publish(self, queue: Queue, *bodies: bytes, persistent: bool = False) -> int:
        sequence = 0
        for body in bodies:
            published = message(body, routing_key=queue.name, persistent=persistent)
            sequence = int(self.vhost.publish_by_rules(published, [queue], -1))
        return sequence

    def surely(self, name: bytes = b"q", **arguments: object) -> Queue:
        """A queue whose dead letters wait until somebody takes them."""
        return self.queue(
            name,
            True,
            queue_type="quorum",
            overflow="reject-publish",
            dead_letter_strategy="at-least-once",
            **arguments,
        )

    def reject(self, queue: Queue, *bodies: bytes) -> None:
        """Publish messages, take them and reject them."""
        self.publish(queue, *bodies, persistent=True)
        while (entry := queue.take(False)) is not None:
            queue.reject(entry)
        settle_down(self.turn)

    def held(self) -> list[Entry]:
        return [entry for holder in self.vhost.holders for _, entry in holder.held()]


@pytest.fixture
def host() -> Host:
    return Host()


def taken(queue: Queue) -> list[Entry]:
    found = []
    while (entry := queue.take(True)) is not None:
        found.append(entry)
    return found


def bodies(queue: Queue) -> list[bytes]:
    return [entry.message.body for entry in taken(queue)]


def deaths(entry: Entry) -> list[tuple[str, str]]:
    headers: dict[str, Any] = plain(headers_property(entry.message.header))
    return [(death["queue"], death["reason"]) for death in headers["x-death"]]


def test_message_leaves_its_queue_when_it_is_in_the_others_or_neither(host: Host) -> None:
    queue, dead = host.dying(True)
    host.publish(queue, b"a", b"b", persistent=True)
    entries = [queue.take(False), queue.take(False)]
    host.store.log.clear()
    for entry in entries:
        assert entry is not None
        queue.reject(entry)
    assert host.store.log == []
    assert dead.ready_count == 0
    settle_down(host.turn)
    assert host.store.log == ["begin", "append 1", "settled 1", "append 2", "settled 2", "commit"]
    assert [deaths(entry) for entry in taken(dead)] == [[("q", "rejected")]] * 2


def test_message_on_its_way_is_known_to_the_store(host: Host) -> None:
    queue, _ = host.dying(True, max_length=1)
    host.publish(queue, b"a", b"b", persistent=True)
    assert [entry.message.body for entry in host.held()] == [b"a"]
    settle_down(host.turn)
    assert host.held() == []


def test_many_are_moved_in_more_than_one_turn(host: Host) -> None:
    queue, dead = host.dying()
    numbers = [b"%d" % number for number in range(2 * MOVED_MAX + 1)]
    host.publish(queue, *numbers)
    while (entry := queue.take(False)) is not None:
        queue.reject(entry)
    counts = []
    for _ in range(3):
        host.turn.finish()
        counts.append(dead.ready_count)
    assert counts == [MOVED_MAX, 2 * MOVED_MAX, 2 * MOVED_MAX + 1]
    assert bodies(dead) == numbers


@pytest.mark.parametrize("exchange", ["missing", "amq.direct"])
def test_message_that_nobody_takes_is_forgotten(host: Host, exchange: str) -> None:
    queue = host.queue(durable=True, dead_letter_exchange=exchange, max_length=0)
    host.publish(queue, b"a", persistent=True)
    settle_down(host.turn)
    assert [each.body for each in host.store.settled] == [b"a"]


def test_exchange_counts_that_is_there_when_the_message_dies(host: Host) -> None:
    queue, dead = host.queue(dead_letter_exchange="later", max_length=0), host.queue(b"dead")
    host.publish(queue, b"early")
    settle_down(host.turn)
    host.vhost.declare_exchange(b"later", "fanout", False, False, False, {})
    host.vhost.bind(b"later", dead, b"", {})
    host.publish(queue, b"late")
    settle_down(host.turn)
    (entry,) = taken(dead)
    assert (entry.message.body, entry.message.exchange, entry.message.routing_key) == (
        b"late",
        b"later",
        b"q",
    )


def test_each_queue_takes_it_by_its_own_rules(host: Host) -> None:
    last = host.queue(b"last")
    queue, dead = host.queue(dead_letter_exchange="amq.fanout", max_length=0), host.queue(b"dead")
    full = host.queue(b"full", max_length=0, overflow="reject-publish")
    waiting = host.queue(b"waiting", message_ttl=50, dead_letter_exchange="", dead_letter_routing_key="last")
    for each in (dead, full, waiting):
        host.vhost.bind(b"amq.fanout", each, b"", {})
    host.publish(queue, b"a")
    settle_down(host.turn)
    assert (bodies(dead), full.ready_count, waiting.ready_count) == ([b"a"], 0, 1)
    host.clock.move(host.turn, 50)
    assert waiting.ready_count == 0
    assert [deaths(entry) for entry in taken(last)] == [[("waiting", "expired"), ("q", "maxlen")]]


def test_message_does_not_come_back_to_where_it_died_by_itself(host: Host) -> None:
    queue = host.queue(dead_letter_exchange="amq.fanout", message_ttl=10)
    other = host.queue(b"other")
    for each in (queue, other):
        host.vhost.bind(b"amq.fanout", each, b"", {})
    host.publish(queue, b"a")
    host.clock.move(host.turn, 10)
    assert (queue.ready_count, bodies(other)) == (0, [b"a"])


def test_message_that_was_rejected_comes_back(host: Host) -> None:
    queue = host.queue(dead_letter_exchange="", dead_letter_routing_key="q")
    host.publish(queue, b"a")
    for _ in range(3):
        entry = queue.take(False)
        assert entry is not None
        queue.reject(entry)
        settle_down(host.turn)
    assert bodies(queue) == [b"a"]


def test_consumer_of_the_dead_letters_gets_them_at_once(host: Host) -> None:
    queue, dead = host.dying(max_length=1)
    consumer = FakeConsumer()
    dead.subscribe(consumer)
    host.publish(queue, b"a", b"b", b"c")
    settle_down(host.turn)
    assert consumer.bodies == [b"a", b"b"]


def test_refused_message_is_dead_lettered_where_that_is_asked_for(host: Host) -> None:
    queue, dead = host.dying(True, max_length=1, overflow="reject-publish-dlx")
    assert host.publish(queue, b"a", persistent=True) > 0
    host.store.log.clear()
    assert host.publish(queue, b"b", persistent=True) == REFUSED
    assert host.held() == []
    settle_down(host.turn)
    assert host.store.log == ["begin", "append 1", "commit"]
    assert [deaths(entry) for entry in taken(dead)] == [[("q", "maxlen")]]
    assert bodies(queue) == [b"a"]


def test_refused_message_is_dropped_where_it_is_not(host: Host) -> None:
    queue, dead = host.dying(max_length=1, overflow="reject-publish")
    host.publish(queue, b"a", b"b")
    settle_down(host.turn)
    assert (bodies(queue), bodies(dead)) == ([b"a"], [])


def test_message_outlives_a_queue_that_is_deleted_before_the_turn_ends(host: Host) -> None:
    queue, dead = host.dying(max_length=1)
    host.publish(queue, b"a", b"b")
    host.vhost.delete_queue(queue, False, False)
    settle_down(host.turn)
    assert bodies(dead) == [b"a"]


# At least once


NAMES = (b"q1", b"q2", b"q3")


def waiting_in(queue: Queue) -> tuple[int, int]:
    return int(queue.dead_letter_count), int(queue.dead_letter_body_bytes)


def test_message_waits_until_there_is_an_exchange_and_a_queue(host: Host) -> None:
    queue = host.surely(dead_letter_exchange="later", message_ttl=10)
    host.publish(queue, b"abc", persistent=True)
    host.clock.move(host.turn, 10)
    assert (queue.ready_count, waiting_in(queue), host.store.settled) == (0, (1, 3), [])
    assert [entry.message.body for entry in host.held()] == [b"abc"]
    host.vhost.declare_exchange(b"later", "fanout", True, False, False, {})
    host.clock.move(host.turn, RETRY_MS)
    assert waiting_in(queue) == (1, 3)
    dead = host.queue(b"dead", durable=True)
    host.vhost.bind(b"later", dead, b"", {})
    host.clock.move(host.turn, RETRY_MS - 1)
    assert dead.ready_count == 0
    host.store.log.clear()
    host.clock.move(host.turn, 1)
    assert host.store.log == ["begin", "append 1", "settled 1", "commit"]
    assert (waiting_in(queue), host.held()) == ((0, 0), [])
    (entry,) = taken(dead)
    assert deaths(entry) == [("q", "expired")]
    headers: dict[str, Any] = plain(headers_property(entry.message.header))
    died = headers["x-death"][0]["time"]
    assert host.clock.now_ms() // 1000 - died == 2 * RETRY_MS // 1000


def test_message_waits_for_room_and_then_all_of_them_come_in_order(host: Host) -> None:
    dead = host.queue(b"dead", max_length=2, overflow="reject-publish")
    queue = host.surely(dead_letter_exchange="", dead_letter_routing_key="dead")
    host.reject(queue, b"1", b"2", b"3", b"4", b"5")
    assert (bodies(dead), waiting_in(queue)) == ([b"1", b"2"], (3, 3))
    host.clock.move(host.turn, RETRY_MS)
    assert (bodies(dead), waiting_in(queue)) == ([b"3", b"4"], (1, 1))
    host.clock.move(host.turn, PROGRESS_MS)
    assert (bodies(dead), waiting_in(queue)) == ([b"5"], (0, 0))
    assert host.clock.wanted == 0


def test_queues_that_have_it_do_not_get_it_again(host: Host) -> None:
    queue = host.surely(dead_letter_exchange="amq.fanout")
    full = host.queue(b"full", max_length=0, overflow="reject-publish")
    dead = host.queue(b"dead")
    for each in (dead, full):
        host.vhost.bind(b"amq.fanout", each, b"", {})
    host.reject(queue, b"a")
    host.clock.move(host.turn, RETRY_MS)
    assert (bodies(dead), waiting_in(queue)) == ([b"a"], (1, 1))
    host.vhost.delete_queue(full, False, False)
    host.clock.move(host.turn, RETRY_MS)
    assert (bodies(dead), waiting_in(queue)) == ([], (0, 0))
    assert [each.body for each in host.store.settled] == [b"a"]


def test_what_waits_is_tried_in_parts(host: Host) -> None:
    queue = host.surely(dead_letter_exchange="", dead_letter_routing_key="dead")
    numbers = [b"%d" % number for number in range(2 * MOVED_MAX)]
    host.reject(queue, *numbers)
    assert waiting_in(queue)[0] == 2 * MOVED_MAX
    dead = host.queue(b"dead")
    host.clock.move(host.turn, RETRY_MS)
    assert (dead.ready_count, waiting_in(queue)[0]) == (MOVED_MAX, MOVED_MAX)
    host.clock.move(host.turn, PROGRESS_MS)
    assert bodies(dead) == numbers


def test_what_waits_in_many_queues_does_not_hold_up_others(host: Host) -> None:
    count = MOVED_MAX * 6 // 10
    queues = [host.surely(name, dead_letter_exchange="", dead_letter_routing_key="dead") for name in NAMES]
    for queue in queues:
        host.reject(queue, *[b"old"] * count)
    dead = host.queue(b"dead")
    other = host.queue(b"other", dead_letter_exchange="", dead_letter_routing_key="dead", max_length=0)
    host.clock.now += RETRY_MS
    host.turn.timers.run()
    host.publish(other, b"new")
    assert host.turn.finish()
    assert dead.ready_count == MOVED_MAX
    assert not host.turn.finish()
    assert bodies(dead)[-1] == b"new"
    host.clock.move(host.turn, PROGRESS_MS)
    assert dead.ready_count == len(queues) * count - MOVED_MAX
    assert [waiting_in(queue) for queue in queues] == [(0, 0)] * len(queues)


def test_what_waits_takes_room_from_publishers_but_not_from_dead_letters(host: Host) -> None:
    queue = host.surely(dead_letter_exchange="", dead_letter_routing_key="other", max_length=2)
    host.reject(queue, b"a", b"b")
    assert host.publish(queue, b"c", persistent=True) == REFUSED
    other = host.queue(
        b"other",
        True,
        queue_type="quorum",
        overflow="reject-publish",
        max_length=2,
        dead_letter_strategy="at-least-once",
        dead_letter_exchange="",
        dead_letter_routing_key="q",
    )
    host.publish(other, b"d", b"e")
    for _ in range(2):
        entry = other.take(False)
        assert entry is not None
        other.reject(entry)
    settle_down(host.turn)
    assert bodies(queue) == [b"d", b"e"]
    host.clock.move(host.turn, RETRY_MS)
    assert bodies(other) == [b"a", b"b"]


def test_what_waits_is_tried_at_once_when_the_queue_changes(host: Host) -> None:
    queue = host.surely(dead_letter_exchange="missing")
    dead = host.queue(b"dead")
    host.reject(queue, b"a")
    arguments = {**queue.options.arguments, **table_of({"x-dead-letter-exchange": "amq.fanout"})}
    host.vhost.bind(b"amq.fanout", dead, b"", {})
    change_queue(host.vhost, queue, arguments)
    host.clock.move(host.turn, 0)
    assert (bodies(dead), waiting_in(queue)) == ([b"a"], (0, 0))


def test_what_waits_is_lost_when_the_queue_does_not_ask_for_that_any_more(host: Host) -> None:
    queue = host.surely(dead_letter_exchange="missing")
    host.reject(queue, b"a")
    del (arguments := dict(queue.options.arguments))[b"x-dead-letter-strategy"]
    change_queue(host.vhost, queue, arguments)
    host.clock.move(host.turn, 0)
    assert (waiting_in(queue), [each.body for each in host.store.settled]) == ((0, 0), [b"a"])


@pytest.mark.parametrize("is_on_its_way", [False, True])
@pytest.mark.parametrize("how", ["purge", "delete"])
def test_what_waits_goes_when_its_queue_is_purged_or_deleted(
    host: Host, how: str, is_on_its_way: bool
) -> None:
    queue = host.surely(dead_letter_exchange="", dead_letter_routing_key="dead")
    host.reject(queue, b"a", b"b")
    dead = host.queue(b"dead")
    if is_on_its_way:
        host.clock.now += RETRY_MS
        host.turn.timers.run()
    if how == "purge":
        assert host.vhost.purge(queue) == 0
    else:
        assert host.vhost.delete_queue(queue, False, False) == 0
    assert (waiting_in(queue), host.held()) == ((0, 0), [])
    assert [each.body for each in host.store.settled] == [b"a", b"b"]
    host.clock.move(host.turn, 10 * RETRY_MS)
    assert bodies(dead) == []


def test_message_does_not_wait_for_a_queue_that_goes_before_it_is_moved(host: Host) -> None:
    queue = host.surely(dead_letter_exchange="missing")
    host.publish(queue, b"a", persistent=True)
    entry = queue.take(False)
    assert entry is not None
    queue.reject(entry)
    host.vhost.delete_queue(queue, False, False)
    settle_down(host.turn)
    assert (waiting_in(queue), host.held()) == ((0, 0), [])


def test_what_waits_counts_as_memory(host: Host) -> None:
    queue = host.surely(dead_letter_exchange="missing")
    assert host.vhost.memory_bytes() == 0
    host.reject(queue, b"x" * 10_000)
    assert 10_000 < host.vhost.memory_bytes() < 11_000
    host.vhost.purge(queue)
    assert host.vhost.memory_bytes() == 0


def test_circle_of_expiry_waits_instead_of_being_lost(host: Host) -> None:
    queue = host.surely(dead_letter_exchange="", dead_letter_routing_key="q", message_ttl=10)
    host.publish(queue, b"a", persistent=True)
    for _ in range(3):
        host.clock.move(host.turn, RETRY_MS)
        assert (queue.ready_count, waiting_in(queue)) == (0, (1, 1))
