"""A queue is changed in place: its messages stay, and it goes by its new arguments at once."""

import pytest
from tests.broker.queues.test_levels import prioritized
from tests.fakes import FakeClock, FakeConsumer, FakeStore, FixedNames, message, settle_down
from tests.storage.small_node import SmallNode

from supersoniq.amqp.errors import PreconditionFailed
from supersoniq.amqp.tables import Table, plain, table_of
from supersoniq.broker.changing import change_queue
from supersoniq.broker.policy_settings import policy_of
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.turn import Turn
from supersoniq.broker.vhost import VHost
from supersoniq.storage.store import StoreOptions


class Host:
    """A virtual host with a queue `q` and a queue `dead`."""

    def __init__(self, memory_bytes_max: int = 0) -> None:
        self.clock = FakeClock()
        self.turn = Turn(self.clock)
        self.store = FakeStore(memory_bytes_max=memory_bytes_max)
        self.vhost = VHost("/", self.turn, self.store, FixedNames())
        self.queue = self.vhost.declare_queue(b"q", True, False, False, {}, 1)
        self.dead = self.vhost.declare_queue(b"dead", True, False, False, {}, 1)

    def change(self, **arguments: object) -> None:
        change_queue(self.vhost, self.queue, arguments_of(**arguments))
        settle_down(self.turn)

    def publish(self, count: int, expiration_ms: int = -1) -> None:
        for number in range(count):
            published = prioritized(number % 4, b"%d" % number)
            self.vhost.publish_by_rules(published, [self.queue], expiration_ms)


def arguments_of(**arguments: object) -> Table:
    return table_of({"x-" + name.replace("_", "-"): value for name, value in arguments.items()})


def taken(queue: Queue) -> list[int]:
    """All that is ready, as it would be delivered."""
    numbers = []
    while (entry := queue.take(True)) is not None:
        numbers.append(int(entry.message.body))
    return numbers


def test_shorter_limit_drops_at_once_to_the_new_exchange() -> None:
    host = Host()
    host.publish(10)
    host.change(max_length=3, dead_letter_exchange="", dead_letter_routing_key="dead")
    assert taken(host.dead) == [0, 1, 2, 3, 4, 5, 6]
    assert taken(host.queue) == [7, 8, 9]


def test_new_time_to_live_is_for_messages_that_come() -> None:
    host = Host()
    host.publish(2)
    host.change(message_ttl=100)
    host.publish(3)
    host.clock.move(host.turn, 100)
    assert taken(host.queue) == [0, 1]


@pytest.mark.parametrize("memory_bytes_max", [0, 100_000])
def test_levels_come_and_go(memory_bytes_max: int) -> None:
    host = Host(memory_bytes_max)
    count = 3_000
    host.publish(count, expiration_ms=1_000)
    assert bool(host.queue.pages()) == bool(memory_bytes_max)
    host.change(max_priority=2)
    assert host.queue.ready_count == count
    by_level = sorted(range(count), key=lambda number: (-min(number % 4, 2), number))
    assert [int(host.queue.take(True).message.body) for _ in range(10)] == by_level[:10]  # type: ignore[union-attr]
    host.change()
    assert taken(host.queue) == sorted(by_level[10:])


def test_messages_that_expire_still_do_after_a_change() -> None:
    host = Host()
    host.publish(5, expiration_ms=100)
    host.publish(1)
    host.change(max_priority=3)
    host.clock.move(host.turn, 100)
    assert host.queue.ready_count == 1
    host.publish(5, expiration_ms=100)
    host.change()
    host.clock.move(host.turn, 100)
    assert taken(host.queue) == [0]


def test_type_and_active_consumer_change_too() -> None:
    host = Host()
    host.change(queue_type="quorum", delivery_limit=1, single_active_consumer=True)
    assert (host.queue.options.queue_type, int(host.queue.rules.delivery_limit)) == (b"quorum", 1)
    consumers = [FakeConsumer(room=5) for _ in range(2)]
    for consumer in consumers:
        host.queue.subscribe(consumer)
    host.publish(3)
    assert [len(consumer.entries) for consumer in consumers] == [3, 0]


def test_refused_arguments_change_nothing() -> None:
    host = Host()
    with pytest.raises(PreconditionFailed, match="x-max-length"):
        host.change(max_length="many")
    assert host.queue.options.arguments == {}


def test_transient_queue_changes_without_the_store() -> None:
    host = Host()
    queue = host.vhost.declare_queue(b"t", False, False, False, {}, 1)
    queue.enqueue(message(b"x"))
    assert int(change_queue(host.vhost, queue, arguments_of(max_length=0))) == 0
    assert queue.ready_count == 0


@pytest.mark.parametrize("way", ["killed", "stopped", "without_power"])
def test_change_survives_the_process(way: str) -> None:
    node = SmallNode(options=StoreOptions(journal_file_bytes=4_096))
    queue = node.queue()
    for number in range(40):
        node.publish_message(prioritized(number % 3, b"%d" % number, persistent=True))
        node.rest()
    change_queue(node.vhost, queue, arguments_of(max_priority=2, max_length=1_000))
    node.rest()
    node.tick(5)
    node = getattr(node, way)()
    assert plain(node.vhost.queues[b"q"].options.arguments) == {"x-max-priority": 2, "x-max-length": 1_000}
    wanted = sorted(range(40), key=lambda number: (-(number % 3), number))
    assert [int(body) for body in node.bodies()] == wanted


def test_policies_count_from_the_first_moment() -> None:
    host = Host()
    definition = {"dead-letter-exchange": "", "dead-letter-routing-key": "dead"}
    host.vhost.policies.put([policy_of("p", "^q$", "queues", 0, definition, False)])
    host.publish(3)
    host.change(max_length=1)
    assert (taken(host.dead), taken(host.queue)) == ([0, 1], [2])
