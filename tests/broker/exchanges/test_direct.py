"""A direct exchange goes by the whole routing key and nothing else."""

from hypothesis import given
from hypothesis import strategies as st
from tests.definitions import thorough

from supersoniq.amqp.tables import field
from supersoniq.broker.exchanges.base import Binding, Destination
from supersoniq.broker.exchanges.direct import DirectExchange


def direct() -> DirectExchange:
    return DirectExchange(b"direct", False, False, False, {})


def matched(exchange: DirectExchange, routing_key: bytes) -> list[Destination]:
    into: list[Destination] = []
    exchange.match(routing_key, b"", into)
    return into


def test_every_destination_bound_with_the_key_is_found_in_order() -> None:
    exchange = direct()
    queues = [Destination(name, False) for name in (b"z", b"a", b"m")]
    for queue in queues:
        exchange.bind(Binding(exchange, queue, b"key", {}))
    assert matched(exchange, b"key") == queues


def test_patterns_mean_nothing() -> None:
    exchange = direct()
    exchange.bind(Binding(exchange, Destination(b"q", False), b"#", {}))
    assert matched(exchange, b"a") == []
    assert len(matched(exchange, b"#")) == 1


def test_destination_stays_as_long_as_one_of_its_bindings_with_the_key() -> None:
    exchange = direct()
    queue = Destination(b"q", False)
    plain = Binding(exchange, queue, b"key", {})
    other = Binding(exchange, queue, b"key", {b"n": field(1)})
    exchange.bind(plain)
    exchange.bind(other)
    exchange.unbind(plain)
    assert matched(exchange, b"key") == [queue]
    exchange.unbind(other)
    assert matched(exchange, b"key") == []


@thorough
@given(st.lists(st.tuples(st.sampled_from(b"abc"), st.sampled_from(b"xyz"), st.booleans()), max_size=30))
def test_bindings_agree_with_a_set(steps: list[tuple[int, int, bool]]) -> None:
    exchange = direct()
    queues = {octet: Destination(bytes([octet]), False) for octet in b"abc"}
    model: set[tuple[int, int]] = set()
    for octet, key, adding in steps:
        binding = Binding(exchange, queues[octet], bytes([key]), {})
        if adding:
            assert exchange.bind(binding) == ((octet, key) not in model)
            model.add((octet, key))
        else:
            assert (exchange.unbind(binding) is not None) == ((octet, key) in model)
            model.discard((octet, key))
    for key in b"xyz":
        expected = {queues[octet] for octet, bound in model if bound == key}
        assert set(matched(exchange, bytes([key]))) == expected
