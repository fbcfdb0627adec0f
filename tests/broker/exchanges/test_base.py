"""What makes two bindings one, and destinations that are counted."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.definitions import tables, thorough

from supersoniq.amqp.tables import Table, field, table_of
from supersoniq.broker.exchanges.base import Binding, Destination, Exchange, Targets
from supersoniq.broker.exchanges.direct import DirectExchange
from supersoniq.broker.exchanges.fanout import FanoutExchange


class Recording(Exchange):
    """An exchange type from outside the core: notes what it is told."""

    kind = "recording"

    def __init__(self) -> None:
        super().__init__(b"recording", False, False, False, {})
        self.log: list[tuple[str, Binding]] = []

    def added(self, binding: Binding) -> None:
        self.log.append(("added", binding))

    def removed(self, binding: Binding) -> None:
        self.log.append(("removed", binding))

    def match(self, routing_key: bytes, header: bytes, into: list[Destination]) -> None:
        pass


def exchange_named(name: bytes, arguments: Table | None = None) -> Exchange:
    return FanoutExchange(name, False, False, False, arguments or {})


@pytest.mark.rule("queue.bind", "duplicates")
def test_equal_binding_is_added_once() -> None:
    exchange, queue = Recording(), Destination(b"q", False)
    assert exchange.bind(Binding(exchange, queue, b"key", table_of({"a": 1, "b": 2})))
    assert not exchange.bind(Binding(exchange, queue, b"key", table_of({"b": 2, "a": 1})))
    assert [what for what, _ in exchange.log] == ["added"]
    assert len(queue.inbound) == 1


@pytest.mark.parametrize(
    "other",
    [
        (b"q", b"other", {}),
        (b"other", b"key", {}),
        (b"q", b"key", {"a": 1}),
    ],
)
def test_binding_that_differs_in_one_thing_is_another(other: tuple[bytes, bytes, dict[str, object]]) -> None:
    exchange = Recording()
    assert exchange.bind(Binding(exchange, Destination(b"q", False), b"key", {}))
    name, key, arguments = other
    assert exchange.bind(Binding(exchange, Destination(name, False), key, table_of(arguments)))


def test_queue_and_exchange_of_one_name_are_different_destinations() -> None:
    exchange = Recording()
    assert exchange.bind(Binding(exchange, Destination(b"name", False), b"", {}))
    assert exchange.bind(Binding(exchange, exchange_named(b"name"), b"", {}))


@thorough
@given(tables, st.randoms(use_true_random=False))
def test_order_of_arguments_does_not_matter(arguments: Table, random: Random) -> None:
    names = list(arguments)
    random.shuffle(names)
    exchange, queue = Recording(), Destination(b"q", False)
    reordered = {name: arguments[name] for name in names}
    one = Binding(exchange, queue, b"key", arguments)
    assert one.identity() == Binding(exchange, queue, b"key", reordered).identity()


def test_unbinding_takes_the_binding_that_was_added() -> None:
    exchange, queue = Recording(), Destination(b"q", False)
    added = Binding(exchange, queue, b"key", {})
    exchange.bind(added)
    assert exchange.unbind(Binding(exchange, queue, b"key", {})) is added
    assert exchange.log == [("added", added), ("removed", added)]
    assert not queue.inbound
    assert not exchange.bindings


def test_unbinding_what_is_not_bound_is_told() -> None:
    exchange = Recording()
    assert exchange.unbind(Binding(exchange, Destination(b"q", False), b"key", {})) is None
    assert exchange.log == []


def test_destination_knows_what_leads_to_it_in_order() -> None:
    one, other, queue = exchange_named(b"one"), exchange_named(b"other"), Destination(b"q", False)
    bindings = [Binding(one, queue, b"", {}), Binding(other, queue, b"", {}), Binding(one, queue, b"k", {})]
    for binding in bindings:
        binding.source.bind(binding)
    assert list(queue.inbound) == bindings


def test_alternate_is_taken_from_the_arguments() -> None:
    assert exchange_named(b"e", {b"alternate-exchange": field("other")}).alternate == b"other"
    assert exchange_named(b"e").alternate is None


def test_direct_answers_depend_on_the_key_alone() -> None:
    assert DirectExchange(b"e", False, False, False, {}).by_key_alone


@thorough
@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=40))
def test_targets_count_like_a_list(steps: list[tuple[int, bool]]) -> None:
    targets, destinations = Targets(), [Destination(bytes([number]), False) for number in range(4)]
    model: list[int] = []
    for number, adding in steps:
        if adding:
            targets.add(destinations[number])
            model.append(number)
        elif number in model:
            targets.remove(destinations[number])
            model.reverse()
            model.remove(number)
            model.reverse()
    into: list[Destination] = []
    targets.append_to(into)
    assert into == [destinations[number] for number in dict.fromkeys(model)]
