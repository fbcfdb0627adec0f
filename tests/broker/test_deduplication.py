"""Duplicates are dropped, and only those: by the value of one header, as long as it is remembered."""

import pytest
from tests.fakes import FakeClock, FakeStore, FixedNames, settle_down
from tests.storage.small_node import SmallNode

from supersoniq.amqp.errors import NotFound, PreconditionFailed
from supersoniq.amqp.properties import Properties
from supersoniq.amqp.tables import Table, table_of
from supersoniq.broker.deduplication import NAME_BYTES_MAX, SIZE_DEFAULT, Memory
from supersoniq.broker.message import Message, address_of
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.turn import Turn
from supersoniq.broker.vhost import VHost
from supersoniq.storage.store import StoreOptions

HEADER = "x-deduplication-header"


def arguments_of(**arguments: object) -> Table:
    given = {"x-" + name.replace("_", "-"): value for name, value in arguments.items()}
    return table_of({"x-message-deduplication": True, **given})


def marked(value: object, body: bytes = b"x", header: str = HEADER, persistent: bool = False) -> Message:
    """A message with a value in its headers."""
    properties = Properties()
    properties.change_headers(table_of({header: value, "other": 1}))
    return Message(address_of(b"", b"q"), properties.content_header(len(body)), body, persistent)


class Host:
    """A virtual host with a queue `q` that deduplicates."""

    def __init__(self, **arguments: object) -> None:
        self.clock = FakeClock()
        self.turn = Turn(self.clock)
        self.vhost = VHost("/", self.turn, FakeStore(), FixedNames())
        self.queue = self.vhost.declare_queue(b"q", False, False, False, arguments_of(**arguments), 1)

    def publish(self, *values: object, header: str = HEADER) -> None:
        for value in values:
            self.vhost.publish_by_rules(marked(value, str(value).encode(), header), [self.queue], -1)
            settle_down(self.turn)

    def taken(self) -> list[bytes]:
        return bodies_of(self.queue)


def bodies_of(queue: Queue) -> list[bytes]:
    bodies = []
    while (entry := queue.take(True)) is not None:
        bodies.append(entry.message.body)
    return bodies


def test_second_message_of_a_value_is_dropped_also_when_the_first_was_consumed() -> None:
    host = Host()
    host.publish("a", "b", "a")
    assert host.taken() == [b"a", b"b"]
    host.publish("a", "c")
    assert host.taken() == [b"c"]


def test_values_of_different_types_are_different() -> None:
    host = Host()
    host.publish(1, "1", 1.0, True, None, [1], {"a": 1}, 1, "1", 1.0, True, None, [1], {"a": 1})
    assert len(host.taken()) == 7


def test_message_without_the_header_is_never_a_duplicate() -> None:
    host = Host()
    host.publish("a", "a", header="another")
    assert len(host.taken()) == 2


def test_header_may_have_another_name() -> None:
    host = Host(deduplication_header="another")
    host.publish("a", "a", header="another")
    host.publish("a", "a")
    assert len(host.taken()) == 3


def test_so_many_values_are_remembered() -> None:
    host = Host(cache_size=3)
    host.publish(1, 2, 3, 4)
    host.publish(2, 3, 4)
    assert len(host.taken()) == 4
    host.publish(1)
    host.publish(2)
    assert len(host.taken()) == 2


def test_default_is_what_lavinmq_remembers() -> None:
    host = Host()
    host.publish(*range(SIZE_DEFAULT + 1))
    host.publish(*reversed(range(SIZE_DEFAULT + 1)))
    assert len(host.taken()) == SIZE_DEFAULT + 2


def test_values_are_remembered_for_so_long() -> None:
    host = Host(cache_ttl=100)
    host.publish("a")
    host.clock.move(host.turn, 60)
    host.publish("b")
    host.clock.move(host.turn, 50)
    host.publish("a", "b")
    assert host.taken() == [b"a", b"b", b"a"]


def test_exchange_remembers_too_and_forgets_when_it_is_deleted() -> None:
    host = Host()
    exchange = host.vhost.declare_exchange(b"e", "fanout", False, False, False, arguments_of())
    memory: Memory = host.vhost.deduplication.of_exchange(exchange)
    value = memory.value_of(marked("a").header)
    assert value is not None
    assert not memory.has_seen(value)
    memory.remember(value)
    assert memory.has_seen(value)
    assert host.vhost.deduplication.of_exchange(exchange) is memory
    host.vhost.delete_exchange(b"e", False)
    exchange = host.vhost.declare_exchange(b"e", "fanout", False, False, False, arguments_of())
    assert not host.vhost.deduplication.of_exchange(exchange).has_seen(value)


def test_queue_that_is_deleted_leaves_nothing_behind() -> None:
    host = Host()
    host.publish("a")
    assert len(host.vhost.queues) == 2
    host.vhost.delete_queue(host.queue, False, False)
    assert host.vhost.queues == {}


def test_hidden_queue_is_nobodys() -> None:
    host = Host()
    host.publish("a")
    hidden = next(name for name in host.vhost.queues if name != b"q")
    with pytest.raises(NotFound):
        host.vhost.queue(hidden, 1)
    assert host.vhost.route(address_of(b"", hidden), b"").queues == []


@pytest.mark.parametrize(
    "arguments",
    [{"cache_size": "many"}, {"cache_size": -1}, {"cache_ttl": 1.5}, {"deduplication_header": 5}],
)
def test_arguments_that_cannot_be_followed_are_refused(arguments: dict[str, object]) -> None:
    host = Host()
    with pytest.raises(PreconditionFailed, match="invalid arg 'x-"):
        host.vhost.declare_queue(b"other", False, False, False, arguments_of(**arguments), 1)
    with pytest.raises(PreconditionFailed, match="invalid arg 'x-"):
        host.vhost.declare_exchange(b"other", "fanout", False, False, False, arguments_of(**arguments))


def test_name_must_leave_room() -> None:
    host = Host()
    long = b"n" * (NAME_BYTES_MAX + 1)
    with pytest.raises(PreconditionFailed, match="at most"):
        host.vhost.declare_queue(long, False, False, False, arguments_of(), 1)
    queue = host.vhost.declare_queue(long[1:], False, False, False, arguments_of(), 1)
    host.vhost.publish_by_rules(marked("a"), [queue], -1)
    host.vhost.publish_by_rules(marked("a"), [queue], -1)
    assert queue.ready_count == 1


@pytest.mark.parametrize("way", ["killed", "stopped", "without_power"])
def test_durable_memory_survives_the_process(way: str) -> None:
    node = SmallNode(options=StoreOptions(journal_file_bytes=4_096))
    vhost = node.vhost
    queue = vhost.declare_queue(b"q", True, False, False, arguments_of(cache_size=1_000), 1)
    exchange = vhost.declare_exchange(b"e", "fanout", True, False, False, arguments_of())
    for number in range(300):
        vhost.publish_by_rules(marked(number, persistent=True), [queue], -1)
        node.end_turn()
    memory = vhost.deduplication.of_exchange(exchange)
    memory.remember(b"seen")
    node.rest()
    node.tick(5)
    node = getattr(node, way)()
    vhost = node.vhost
    assert vhost.deduplication.of_exchange(vhost.exchanges[b"e"]).has_seen(b"seen")
    queue = vhost.queues[b"q"]
    assert queue.ready_count == 300
    for number in range(290, 310):
        vhost.publish_by_rules(marked(number, persistent=True), [queue], -1)
    assert queue.ready_count == 310
