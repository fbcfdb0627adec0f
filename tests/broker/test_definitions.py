"""What is declared to last is defined in the store, and a virtual host comes back from its definitions."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.definitions import thorough
from tests.fakes import FakeConsumer, FakeQueueStore, FakeStore, FixedNames, described

from supersoniq.amqp.errors import AMQPError, PreconditionFailed
from supersoniq.amqp.tables import table_of
from supersoniq.broker.definitions import (
    BindingDefinition,
    Definition,
    ExchangeDefinition,
    QueueDefinition,
)
from supersoniq.broker.exchanges.base import Destination, Exchange
from supersoniq.broker.queues.queue import Queue
from supersoniq.broker.restoring import restore_binding, restore_exchange
from supersoniq.broker.turn import Turn
from supersoniq.broker.vhost import PREDECLARED, VHost

ME = 1


class Host:
    """A virtual host with short names for what the tests do often."""

    def __init__(self) -> None:
        self.store = FakeStore()
        self.vhost = VHost("/", Turn(), self.store, FixedNames())

    def queue(self, name: bytes = b"q", durable: bool = True, auto_delete: bool = False) -> Queue:
        return self.vhost.declare_queue(name, durable, False, auto_delete, {}, ME)

    def exchange(self, name: bytes = b"e", durable: bool = True, auto_delete: bool = False) -> Exchange:
        return self.vhost.declare_exchange(name, "fanout", durable, auto_delete, False, {})

    def bind(self, source: bytes, destination: Destination, **arguments: object) -> None:
        self.vhost.bind(source, destination, b"key", table_of(arguments))

    def since(self, mark: int) -> list[str]:
        return self.store.log[mark:]


@pytest.fixture
def host() -> Host:
    return Host()


# What is defined


def test_definition_is_stored_nowhere_at_first() -> None:
    assert ExchangeDefinition("/", b"e", "fanout", False, False, {}).stored == 0


def test_durable_exchange_is_defined_as_it_was_declared(host: Host) -> None:
    arguments = table_of({"alternate-exchange": "other"})
    exchange = host.vhost.declare_exchange(b"e", "topic", True, True, True, arguments)
    (definition,) = host.store.definitions
    assert isinstance(definition, ExchangeDefinition)
    assert exchange.definition is definition
    assert (definition.vhost, definition.name, definition.kind) == ("/", b"e", "topic")
    assert (definition.auto_delete, definition.internal, definition.arguments) == (True, True, arguments)


def test_durable_queue_is_defined_with_what_keeps_its_messages(host: Host) -> None:
    arguments = table_of({"x-max-length": 7})
    queue = host.vhost.declare_queue(b"q", True, False, True, arguments, ME)
    (definition,) = host.store.definitions
    assert isinstance(definition, QueueDefinition)
    assert queue.definition is definition
    assert (definition.vhost, definition.name, definition.auto_delete) == ("/", b"q", True)
    assert (definition.arguments, definition.kept) == (arguments, queue.kept)


def test_queue_without_a_name_is_defined_with_the_one_it_got(host: Host) -> None:
    queue = host.queue(b"")
    assert host.store.log == [f"declared queue {queue.name.decode()}"]


def test_what_is_declared_again_is_defined_once(host: Host) -> None:
    for _ in range(2):
        host.bind(b"amq.fanout", host.queue())
        host.exchange()
    assert host.store.log == ["declared queue q", "declared binding amq.fanout > q", "declared exchange e"]


def test_what_is_not_durable_is_not_defined(host: Host) -> None:
    host.queue(durable=False)
    host.exchange(durable=False)
    host.vhost.declare_queue(b"exclusive", True, True, False, {}, ME)
    host.vhost.open_reply_queue()
    assert host.store.definitions == []


def test_what_is_refused_is_not_defined(host: Host) -> None:
    with pytest.raises(PreconditionFailed):
        host.vhost.declare_exchange(b"e", "unknown", True, False, False, {})
    with pytest.raises(PreconditionFailed):
        host.vhost.declare_queue(b"q", True, False, False, table_of({"x-max-length": -1}), ME)
    assert host.store.log == []
    assert host.store.queues == []


@pytest.mark.parametrize("source", [False, True])
@pytest.mark.parametrize("destination", [False, True])
@pytest.mark.parametrize("to_exchange", [False, True])
def test_binding_is_defined_when_both_its_ends_are_durable(
    host: Host, source: bool, destination: bool, to_exchange: bool
) -> None:
    host.exchange(durable=source)
    target: Destination = host.exchange(b"to", destination) if to_exchange else host.queue(b"to", destination)
    mark = len(host.store.log)
    host.bind(b"e", target, x=1)
    assert host.since(mark) == (["declared binding e > to"] if source and destination else [])


@pytest.mark.parametrize("to_exchange", [False, True])
def test_binding_is_defined_as_it_was_made(host: Host, to_exchange: bool) -> None:
    arguments = table_of({"x": 1})
    target: Destination = host.exchange(b"to") if to_exchange else host.queue(b"to")
    host.vhost.bind(b"amq.fanout", target, b"key", arguments)
    definition = host.store.definitions[-1]
    assert isinstance(definition, BindingDefinition)
    assert (definition.vhost, definition.source, definition.destination) == ("/", b"amq.fanout", b"to")
    assert (definition.to_exchange, definition.binding_key) == (to_exchange, b"key")
    assert definition.arguments == arguments


def test_binding_of_an_exclusive_queue_is_not_defined(host: Host) -> None:
    queue = host.vhost.declare_queue(b"q", True, True, False, {}, ME)
    host.bind(b"amq.fanout", queue)
    assert host.store.log == []


# What is no longer defined


def test_unbinding_removes_the_definition_that_was_made(host: Host) -> None:
    queue = host.queue()
    host.bind(b"amq.fanout", queue, a=1, b=2)
    host.vhost.unbind(b"amq.fanout", queue, b"key", table_of({"b": 2, "a": 1}), ME)
    assert host.store.log[-1] == "removed binding amq.fanout > q"
    assert host.store.definitions == [queue.definition]


def test_unbinding_what_is_not_bound_removes_nothing(host: Host) -> None:
    queue = host.queue()
    mark = len(host.store.log)
    host.vhost.unbind(b"amq.fanout", queue, b"key", {}, ME)
    assert host.since(mark) == []


def test_deleted_queue_takes_its_bindings_along(host: Host) -> None:
    queue = host.queue()
    host.bind(b"amq.fanout", queue)
    mark = len(host.store.log)
    host.vhost.delete_queue(queue, False, False)
    assert host.since(mark) == ["removed binding amq.fanout > q", "removed queue q", "deleted"]
    assert host.store.definitions == []


def test_store_forgets_a_queue_that_is_not_durable_too(host: Host) -> None:
    host.vhost.delete_queue(host.queue(durable=False), False, False)
    assert host.store.log == ["deleted"]


def test_auto_delete_queue_is_removed_with_its_last_consumer(host: Host) -> None:
    queue = host.queue(auto_delete=True)
    consumer = FakeConsumer()
    queue.subscribe(consumer)
    host.vhost.unsubscribe(queue, consumer)
    assert host.store.definitions == []


def test_deleted_exchange_takes_its_bindings_along(host: Host) -> None:
    exchange = host.exchange()
    host.bind(b"e", host.queue())
    host.bind(b"amq.fanout", exchange)
    mark = len(host.store.log)
    host.vhost.delete_exchange(b"e", False)
    assert sorted(host.since(mark)[:2]) == ["removed binding amq.fanout > e", "removed binding e > q"]
    assert host.since(mark)[2:] == ["removed exchange e"]


def test_auto_delete_exchange_is_removed_with_its_last_binding(host: Host) -> None:
    queue = host.queue()
    host.exchange(auto_delete=True)
    host.bind(b"e", queue)
    mark = len(host.store.log)
    host.vhost.unbind(b"e", queue, b"key", {}, ME)
    assert host.since(mark) == ["removed binding e > q", "removed exchange e"]


def test_auto_delete_exchanges_are_removed_with_the_queue_they_lead_to(host: Host) -> None:
    queue = host.queue()
    inner = host.exchange(b"inner", auto_delete=True)
    host.exchange(b"outer", auto_delete=True)
    host.bind(b"inner", queue)
    host.bind(b"outer", inner)
    host.vhost.delete_queue(queue, False, False)
    assert host.store.definitions == []


def test_durable_exchange_is_removed_with_an_exclusive_queue_it_was_for(host: Host) -> None:
    host.exchange(auto_delete=True)
    host.bind(b"e", host.vhost.declare_queue(b"q", False, True, False, {}, ME))
    host.vhost.release(ME)
    assert host.store.definitions == []


# Sequences


def test_sequence_is_that_of_the_last_change(host: Host) -> None:
    host.bind(b"amq.fanout", host.queue())
    assert host.vhost.take_sequence() == host.store.sequence == 2
    assert host.vhost.take_sequence() == 0


def test_every_change_to_what_is_durable_has_a_sequence(host: Host) -> None:
    queue = host.queue()
    steps: list[Callable[[], object]] = [
        host.exchange,
        lambda: host.bind(b"e", queue),
        lambda: host.vhost.unbind(b"e", queue, b"key", {}, ME),
        lambda: host.vhost.delete_exchange(b"e", False),
        lambda: host.vhost.delete_queue(queue, False, False),
    ]
    last = host.vhost.take_sequence()
    for step in steps:
        step()
        sequence = host.vhost.take_sequence()
        assert sequence == host.store.sequence > last
        last = sequence


def test_what_is_not_durable_has_no_sequence(host: Host) -> None:
    queue = host.queue(durable=False)
    host.exchange(durable=False)
    host.bind(b"e", queue)
    host.vhost.delete_exchange(b"e", False)
    host.vhost.delete_queue(queue, False, False)
    assert host.vhost.take_sequence() == 0


def test_what_was_there_already_has_no_sequence(host: Host) -> None:
    for _ in range(2):
        host.vhost.take_sequence()
        host.bind(b"amq.fanout", host.queue())
        host.exchange()
    assert host.vhost.take_sequence() == 0


# Coming back


def restored(definitions: list[Definition]) -> Host:
    """A virtual host that is made of what a store has kept: exchanges, then queues, then bindings."""
    host = Host()
    host.store.definitions = list(definitions)
    for definition in definitions:
        if isinstance(definition, ExchangeDefinition):
            restore_exchange(host.vhost, definition)
        elif isinstance(definition, QueueDefinition):
            host.vhost.restore_queue(definition)
    for definition in definitions:
        if isinstance(definition, BindingDefinition):
            assert restore_binding(host.vhost, definition)
    assert host.store.log == []
    return host


def durable_things(vhost: VHost) -> set[tuple[Any, ...]]:
    """Everything that should outlive the process, as values, by the rules and not by the definitions."""
    found: set[tuple[Any, ...]] = set()
    for queue in vhost.queues.values():
        if queue.durable and not queue.owner:
            found.add(("queue", queue.name, queue.auto_delete, str(queue.options.arguments)))
    for exchange in vhost.exchanges.values():
        if exchange.durable:
            flags = (exchange.kind, exchange.auto_delete, exchange.internal, exchange.alternate)
            found.add(("exchange", exchange.name, *flags))
            for identity, binding in exchange.bindings.items():
                if binding.destination.durable:
                    found.add(("binding", exchange.name, *identity))
    return found


@pytest.mark.parametrize("to_exchange", [False, True])
def test_binding_that_misses_an_end_does_not_come_back(host: Host, to_exchange: bool) -> None:
    host.queue(b"q")
    for source, destination in ((b"missing", b"q"), (b"amq.fanout", b"missing")):
        definition = BindingDefinition("/", source, destination, to_exchange, b"key", {})
        assert not restore_binding(host.vhost, definition)


def test_queue_comes_back_with_what_keeps_its_messages() -> None:
    kept = FakeQueueStore()
    kept.next_position = 7
    host = Host()
    queue = host.vhost.restore_queue(QueueDefinition("/", b"q", False, {}, kept))
    assert host.vhost.queue(b"q", ME) is queue
    assert queue.kept is kept
    assert queue.ready_count == 0
    assert host.store.queues == []


def test_queue_whose_arguments_are_refused_by_now_does_not_come_back(host: Host) -> None:
    arguments = table_of({"x-max-length": -1})
    with pytest.raises(PreconditionFailed):
        host.vhost.restore_queue(QueueDefinition("/", b"q", False, arguments, FakeQueueStore()))
    assert b"q" not in host.vhost.queues


def test_what_came_back_can_be_declared_again(host: Host) -> None:
    arguments = table_of({"x-max-length": 7})
    host.vhost.declare_queue(b"q", True, False, False, arguments, ME)
    host.exchange()
    later = restored(host.store.definitions)
    later.vhost.declare_queue(b"q", True, False, False, arguments, ME)
    later.exchange()
    assert later.store.log == []


# Each step names two things of few, so that what comes back often meets what was there before.
steps = st.lists(
    st.tuples(
        st.sampled_from(
            ["queue", "exchange", "bind", "unbind", "delete queue", "delete exchange", "release"]
        ),
        st.sampled_from([b"a", b"b", b"c"]),
        st.sampled_from([b"a", b"b", b"c", b"amq.topic"]),
        st.booleans(),
        st.booleans(),
    ),
    max_size=30,
)


def take_step(vhost: VHost, what: str, name: bytes, other: bytes, flag: bool, another: bool) -> None:
    to_exchange = flag and other in vhost.exchanges
    destination: Destination | None = vhost.exchanges.get(other) if to_exchange else vhost.queues.get(name)
    arguments = table_of({"x": 1}) if another else {}
    if what == "queue":
        exclusive = name == b"c"
        vhost.declare_queue(name, flag or exclusive, exclusive, another, {}, ME)
    elif what == "exchange":
        vhost.declare_exchange(name, "topic" if name == b"a" else "direct", flag, another, False, {})
    elif what == "bind" and destination is not None:
        vhost.bind(other, destination, name, arguments)
    elif what == "unbind":
        vhost.unbind(other, destination, name, arguments, ME)
    elif what == "delete queue":
        vhost.delete_queue(vhost.queue(name, ME), False, False)
    elif what == "delete exchange":
        vhost.delete_exchange(name, False)
    elif what == "release":
        vhost.release(ME)


@thorough
@given(steps, steps)
def test_host_comes_back_as_it_was(before: list[Any], after: list[Any]) -> None:
    """The oracle: what is durable by the rules is there again, and what becomes of it then as well."""
    host = Host()
    for step in before:
        attempt(host.vhost, step)
    later = restored(host.store.definitions)
    assert durable_things(later.vhost) == durable_things(host.vhost)
    for step in after:
        attempt(later.vhost, step)
    assert durable_things(restored(later.store.definitions).vhost) == durable_things(later.vhost)
    described_things = [described(definition) for definition in later.store.definitions]
    assert len(described_things) == len(durable_things(later.vhost)) - len(PREDECLARED)


def attempt(vhost: VHost, step: tuple[Any, ...]) -> None:
    """Take a step; one that the rules refuse changes nothing."""
    try:
        take_step(vhost, *step)
    except AMQPError:
        return
