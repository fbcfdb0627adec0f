"""The rules by which exchanges, queues and bindings come and go."""

import pytest
from tests.fakes import NO_PROPERTIES, FakeConsumer, FakeStore, FixedNames, message, settle_down

from supersoniq.amqp.errors import AccessRefused, AMQPError, NotFound, PreconditionFailed, ResourceLocked
from supersoniq.amqp.tables import Table, table_of
from supersoniq.broker.exchanges.base import Exchange
from supersoniq.broker.message import address_of
from supersoniq.broker.queues.queue import NOBODY, Queue
from supersoniq.broker.turn import Turn
from supersoniq.broker.vhost import PREDECLARED, REPLY_PREFIX, VHost

ME, OTHER = 1, 2


class Host:
    """A virtual host with short names for what the tests do often."""

    def __init__(self) -> None:
        self.turn = Turn()
        self.store = FakeStore()
        self.vhost = VHost("/", self.turn, self.store, FixedNames())

    def queue(self, name: bytes = b"q", durable: bool = False, auto_delete: bool = False) -> Queue:
        return self.vhost.declare_queue(name, durable, False, auto_delete, {}, ME)

    def exclusive(self, name: bytes = b"q", owner: int = ME) -> Queue:
        return self.vhost.declare_queue(name, False, True, False, {}, owner)

    def exchange(
        self,
        name: bytes = b"e",
        kind: str = "fanout",
        auto_delete: bool = False,
        internal: bool = False,
        arguments: Table | None = None,
    ) -> Exchange:
        return self.vhost.declare_exchange(name, kind, False, auto_delete, internal, arguments or {})


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def vhost(host: Host) -> VHost:
    return host.vhost


# Exchanges


def test_predeclared_exchanges_are_there_and_durable(vhost: VHost) -> None:
    found = [(name, exchange.kind, exchange.internal) for name, exchange in vhost.exchanges.items()]
    assert found == PREDECLARED
    assert all([exchange.durable for exchange in vhost.exchanges.values()])


@pytest.mark.parametrize("kind", ["direct", "fanout", "topic", "headers"])
def test_exchange_is_made_of_the_type_asked_for(host: Host, kind: str) -> None:
    assert host.exchange(kind=kind).kind == kind


@pytest.mark.parametrize("kind", ["", "x-delayed", "Direct"])
def test_unknown_type_is_refused(host: Host, kind: str) -> None:
    with pytest.raises(AMQPError, match=f"unknown exchange type '{kind}'"):
        host.exchange(kind=kind)


def test_exchange_declared_again_is_the_same(host: Host) -> None:
    first = host.exchange(arguments=table_of({"alternate-exchange": "a", "x-other": 1}))
    assert host.exchange(arguments=table_of({"alternate-exchange": "a", "x-other": 2})) is first


@pytest.mark.parametrize(
    ("kind", "durable", "auto_delete", "internal", "arguments", "text"),
    [
        ("topic", False, False, False, {}, "'type' {}: received 'topic' but current is 'fanout'"),
        ("fanout", True, False, False, {}, "'durable' {}: received 'true' but current is 'false'"),
        ("fanout", False, True, False, {}, "'auto_delete' {}: received 'true' but current is 'false'"),
        ("fanout", False, False, True, {}, "'internal' {}: received 'true' but current is 'false'"),
        (
            "fanout",
            False,
            False,
            False,
            {"alternate-exchange": "a"},
            "'alternate-exchange' {}: received the value 'a' of type 'longstr' but current is none",
        ),
    ],
)
def test_exchange_that_differs_is_refused(
    host: Host,
    kind: str,
    durable: bool,
    auto_delete: bool,
    internal: bool,
    arguments: dict[str, object],
    text: str,
) -> None:
    host.exchange()
    with pytest.raises(PreconditionFailed) as caught:
        host.vhost.declare_exchange(b"e", kind, durable, auto_delete, internal, table_of(arguments))
    assert caught.value.text == "inequivalent arg " + text.format("for exchange 'e' in vhost '/'")


def test_reserved_exchange_name_is_refused_unless_it_exists(host: Host) -> None:
    with pytest.raises(AccessRefused, match=r"exchange name 'amq.mine' contains reserved prefix"):
        host.exchange(b"amq.mine")
    existing = host.vhost.exchange(b"amq.direct")
    assert host.vhost.declare_exchange(b"amq.direct", "direct", True, False, False, {}) is existing


def test_default_exchange_can_be_neither_declared_nor_deleted_nor_bound(host: Host) -> None:
    queue = host.queue()
    with pytest.raises(AccessRefused):
        host.exchange(b"", "direct")
    with pytest.raises(AccessRefused):
        host.vhost.delete_exchange(b"", False)
    with pytest.raises(AccessRefused):
        host.vhost.bind(b"", queue, b"key", {})
    with pytest.raises(AccessRefused):
        host.vhost.unbind(b"", queue, b"key", {}, ME)


def test_alternate_must_be_a_name(host: Host) -> None:
    with pytest.raises(PreconditionFailed, match="invalid type 'signedint' for arg 'alternate-exchange'"):
        host.exchange(arguments=table_of({"alternate-exchange": 1}))


def test_missing_exchange_is_not_found(vhost: VHost) -> None:
    with pytest.raises(NotFound, match="no exchange 'e' in vhost '/'"):
        vhost.exchange(b"e")


def test_deleting_a_missing_exchange_is_fine(vhost: VHost) -> None:
    vhost.delete_exchange(b"e", True)


def test_system_exchange_is_not_deleted(vhost: VHost) -> None:
    with pytest.raises(AccessRefused, match=r"deletion of system exchange 'amq.topic' in vhost '/'"):
        vhost.delete_exchange(b"amq.topic", False)


@pytest.mark.rule("exchange.delete", "in-use")
def test_exchange_in_use_is_deleted_only_without_if_unused(host: Host) -> None:
    host.exchange()
    host.vhost.bind(b"e", host.queue(), b"", {})
    with pytest.raises(PreconditionFailed, match="exchange 'e' in vhost '/' in use"):
        host.vhost.delete_exchange(b"e", True)
    host.vhost.delete_exchange(b"e", False)
    assert b"e" not in host.vhost.exchanges


def test_deleted_exchange_takes_its_bindings_along(host: Host) -> None:
    queue, other = host.queue(), host.exchange(b"other")
    deleted = host.exchange()
    host.vhost.bind(b"e", queue, b"", {})
    host.vhost.bind(b"other", deleted, b"", {})
    host.vhost.delete_exchange(b"e", False)
    assert not queue.inbound
    assert not other.bindings


def test_auto_delete_exchange_goes_with_its_last_binding(host: Host) -> None:
    queue = host.queue()
    host.exchange(auto_delete=True)
    for key in (b"1", b"2"):
        host.vhost.bind(b"e", queue, key, {})
    host.vhost.unbind(b"e", queue, b"1", {}, ME)
    assert b"e" in host.vhost.exchanges
    host.vhost.unbind(b"e", queue, b"2", {}, ME)
    assert b"e" not in host.vhost.exchanges


def test_auto_delete_exchange_that_never_had_a_binding_stays(host: Host) -> None:
    queue = host.queue()
    host.exchange(auto_delete=True)
    host.vhost.unbind(b"e", queue, b"", {}, ME)
    host.vhost.delete_queue(queue, False, False)
    assert b"e" in host.vhost.exchanges


def test_auto_delete_exchange_goes_with_the_queue_it_was_bound_to(host: Host) -> None:
    queue = host.queue()
    host.exchange(b"inner", auto_delete=True)
    host.exchange(b"outer", auto_delete=True)
    host.vhost.bind(b"inner", queue, b"", {})
    host.vhost.bind(b"outer", host.vhost.exchange(b"inner"), b"", {})
    host.vhost.delete_queue(queue, False, False)
    assert set(host.vhost.exchanges) == {name for name, _, _ in PREDECLARED}


def test_auto_delete_exchanges_in_a_circle_go_together(host: Host) -> None:
    for name in (b"a", b"b"):
        host.exchange(name, auto_delete=True)
    host.vhost.bind(b"a", host.vhost.exchange(b"b"), b"", {})
    host.vhost.bind(b"b", host.vhost.exchange(b"a"), b"", {})
    host.vhost.delete_exchange(b"a", False)
    assert set(host.vhost.exchanges) == {name for name, _, _ in PREDECLARED}


def test_chain_of_auto_delete_exchanges_goes_however_long_it_is(host: Host) -> None:
    """A peer decides how long it is, so its length must not cost stack."""
    previous = host.exchange(b"e0")
    for number in range(1, 3000):
        name = b"e%d" % number
        exchange = host.exchange(name, auto_delete=True)
        host.vhost.bind(name, previous, b"", {})
        previous = exchange
    host.vhost.delete_exchange(b"e0", False)
    assert set(host.vhost.exchanges) == {name for name, _, _ in PREDECLARED}


def test_internal_exchange_takes_no_publishes(host: Host) -> None:
    host.exchange(internal=True)
    with pytest.raises(AccessRefused, match="cannot publish to internal exchange 'e' in vhost '/'"):
        host.vhost.route(address_of(b"e", b""), NO_PROPERTIES)


# Queues


def test_queue_declared_again_is_the_same(host: Host) -> None:
    assert host.queue() is host.queue()


def test_queue_without_a_name_gets_one(host: Host) -> None:
    first, second = host.queue(b""), host.queue(b"")
    assert first.name.startswith(b"amq.gen-")
    assert len(first.name) == len(b"amq.gen-") + 22
    assert first is not second


def test_line_ends_are_taken_out_of_names(host: Host) -> None:
    assert host.queue(b"a\r\nb").name == b"ab"


def test_reserved_queue_name_is_refused(host: Host) -> None:
    with pytest.raises(AccessRefused, match=r"queue name 'amq.mine' contains reserved prefix"):
        host.queue(b"amq.mine")


@pytest.mark.parametrize(
    ("durable", "auto_delete", "named"), [(True, False, "durable"), (False, True, "auto_delete")]
)
def test_queue_that_differs_is_refused(host: Host, durable: bool, auto_delete: bool, named: str) -> None:
    host.queue()
    with pytest.raises(PreconditionFailed) as caught:
        host.queue(durable=durable, auto_delete=auto_delete)
    expected = (
        f"inequivalent arg '{named}' for queue 'q' in vhost '/': received 'true' but current is 'false'"
    )
    assert caught.value.text == expected


def test_queue_with_other_arguments_is_refused(host: Host) -> None:
    host.queue()
    with pytest.raises(PreconditionFailed, match="x-max-length"):
        host.vhost.declare_queue(b"q", False, False, False, table_of({"x-max-length": 1}), ME)


def test_exclusive_queue_is_locked_for_others(host: Host) -> None:
    queue = host.exclusive()
    assert queue.owner == ME
    assert host.vhost.queue(b"q", ME) is queue
    for attempt in (
        lambda: host.vhost.queue(b"q", OTHER),
        lambda: host.exclusive(owner=OTHER),
        lambda: host.vhost.declare_queue(b"q", False, False, False, {}, OTHER),
    ):
        with pytest.raises(ResourceLocked, match="cannot obtain exclusive access to locked queue 'q'"):
            attempt()


def test_shared_queue_cannot_be_declared_exclusive(host: Host) -> None:
    host.queue()
    with pytest.raises(ResourceLocked):
        host.exclusive()


def test_exclusive_queue_is_not_durable(host: Host) -> None:
    assert not host.vhost.declare_queue(b"q", True, True, False, {}, ME).durable


def test_missing_queue_is_not_found(vhost: VHost) -> None:
    with pytest.raises(NotFound, match="no queue 'q' in vhost '/'"):
        vhost.queue(b"q", ME)


def test_exclusive_queues_go_with_their_connection_and_no_others(host: Host) -> None:
    host.exclusive(b"mine")
    host.exclusive(b"his", OTHER)
    host.queue(b"ours")
    host.vhost.release(ME)
    host.vhost.release(ME)
    assert sorted(host.vhost.queues) == [b"his", b"ours"]


def test_deleted_exclusive_queue_can_be_declared_again_by_another(host: Host) -> None:
    host.vhost.delete_queue(host.exclusive(), False, False)
    queue = host.exclusive(owner=OTHER)
    host.vhost.release(ME)
    assert host.vhost.queues[b"q"] is queue


def test_deleting_tells_how_many_were_ready_and_tells_the_consumers(host: Host) -> None:
    queue = host.queue()
    consumer = FakeConsumer(room=1)
    queue.subscribe(consumer)
    for _ in range(3):
        queue.enqueue(message())
    assert host.vhost.delete_queue(queue, False, False) == 2
    assert consumer.is_cancelled
    assert queue.deleted
    assert b"q" not in host.vhost.queues


def test_queue_with_consumers_is_deleted_only_without_if_unused(host: Host) -> None:
    queue = host.queue()
    queue.subscribe(FakeConsumer())
    with pytest.raises(PreconditionFailed, match="queue 'q' in vhost '/' in use"):
        host.vhost.delete_queue(queue, True, False)


def test_queue_with_messages_is_deleted_only_without_if_empty(host: Host) -> None:
    queue = host.queue()
    queue.enqueue(message())
    with pytest.raises(PreconditionFailed, match="queue 'q' in vhost '/' not empty"):
        host.vhost.delete_queue(queue, False, True)
    queue.purge()
    assert host.vhost.delete_queue(queue, True, True) == 0


def test_auto_delete_queue_goes_with_its_last_consumer(host: Host) -> None:
    queue = host.queue(auto_delete=True)
    consumers = [FakeConsumer(b"1"), FakeConsumer(b"2")]
    for consumer in consumers:
        queue.subscribe(consumer)
    host.vhost.unsubscribe(queue, consumers[0])
    assert not queue.deleted
    host.vhost.unsubscribe(queue, consumers[1])
    assert queue.deleted
    assert not consumers[1].is_cancelled


def test_other_queue_stays_without_consumers(host: Host) -> None:
    queue = host.queue()
    consumer = FakeConsumer()
    queue.subscribe(consumer)
    host.vhost.unsubscribe(queue, consumer)
    assert not queue.deleted


def test_reply_queue_is_named_past_guessing_and_goes_with_its_consumer(host: Host) -> None:
    queue = host.vhost.open_reply_queue()
    assert queue.name.startswith(REPLY_PREFIX)
    assert (queue.owner, queue.auto_delete, queue.durable) == (NOBODY, True, False)
    consumer = FakeConsumer()
    queue.subscribe(consumer)
    host.vhost.unsubscribe(queue, consumer)
    assert queue.name not in host.vhost.queues


# Bindings


def test_binding_needs_its_source(host: Host) -> None:
    with pytest.raises(NotFound, match="no exchange 'e' in vhost '/'"):
        host.vhost.bind(b"e", host.queue(), b"", {})


def test_unbinding_what_is_not_there_is_fine(host: Host) -> None:
    queue = host.queue()
    host.vhost.unbind(b"e", queue, b"", {}, ME)
    host.exchange()
    host.vhost.unbind(b"e", queue, b"", {}, ME)
    host.vhost.unbind(b"e", None, b"", {}, ME)


def test_binding_of_a_locked_queue_is_removed_by_its_owner_only(host: Host) -> None:
    queue = host.exclusive()
    host.exchange()
    host.vhost.bind(b"e", queue, b"", {})
    with pytest.raises(ResourceLocked):
        host.vhost.unbind(b"e", queue, b"", {}, OTHER)
    assert queue.inbound
    host.vhost.unbind(b"e", queue, b"", {}, ME)
    assert not queue.inbound


# Messages


def test_persistent_message_is_stored_once_for_its_durable_queues(host: Host) -> None:
    queues = [host.queue(b"1", durable=True), host.queue(b"2", durable=True), host.queue(b"3")]
    published = message(b"body", persistent=True)
    assert host.vhost.publish(published, queues) == host.store.sequence
    assert host.store.appended == [(published, [queues[0].kept, queues[1].kept])]
    assert [queue.ready_count for queue in queues] == [1, 1, 1]


@pytest.mark.parametrize(("persistent", "durable"), [(False, True), (True, False), (False, False)])
def test_other_messages_are_safe_at_once(host: Host, persistent: bool, durable: bool) -> None:
    queue = host.queue(durable=durable)
    assert host.vhost.publish(message(persistent=persistent), [queue]) == 0
    assert host.store.appended == []


def test_settled_message_is_forgotten_once_per_durable_queue(host: Host) -> None:
    queues = [host.queue(b"1", durable=True), host.queue(b"2", durable=True)]
    published = message(b"body", persistent=True)
    host.vhost.publish(published, queues)
    for queue in queues:
        queue.take(True)
    assert host.store.settled == [published, published]


def test_memory_is_that_of_all_queues(host: Host) -> None:
    queues = [host.queue(b"1"), host.queue(b"2")]
    host.vhost.publish(message(b"body"), queues)
    assert host.vhost.memory_bytes() == sum([queue.memory_bytes for queue in queues]) > 0


def test_what_an_exchange_keeps_is_memory(host: Host) -> None:
    exchange = host.vhost.declare_exchange(b"e", "x-recent-history", False, False, False, {})
    assert host.vhost.memory_bytes() == 0
    exchange.published(message(b"x" * 1_000))
    assert host.vhost.memory_bytes() == exchange.memory_bytes > 1_000


def test_stopping_forgets_everything(host: Host) -> None:
    queue = host.queue()
    queue.enqueue(message())
    host.vhost.close()
    assert not host.vhost.queues
    assert not host.vhost.exchanges
    assert queue.ready_count == 0
    settle_down(host.turn)


def test_default_type_is_for_durable_queues_that_name_none(vhost: VHost) -> None:
    vhost.default_queue_type = b"quorum"
    quorum = vhost.declare_queue(b"q", True, False, False, {}, ME)
    assert quorum.options.queue_type == b"quorum"
    assert vhost.declare_queue(b"q", True, False, False, {}, ME) is quorum
    assert vhost.declare_queue(b"q", True, False, False, table_of({"x-queue-type": "quorum"}), ME) is quorum
    with pytest.raises(PreconditionFailed, match="x-queue-type"):
        vhost.declare_queue(b"q", True, False, False, table_of({"x-queue-type": "classic"}), ME)
    for name, durable, exclusive, auto_delete in (
        (b"a", False, False, False),
        (b"b", True, True, False),
        (b"c", True, False, True),
    ):
        queue = vhost.declare_queue(name, durable, exclusive, auto_delete, {}, ME)
        assert queue.options.queue_type == b"classic"
