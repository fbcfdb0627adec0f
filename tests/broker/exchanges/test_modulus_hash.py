"""The hash of the routing key points at one of the bindings, numbered by name."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from tests.definitions import brief

from supersoniq.broker.exchanges.base import Binding, Destination
from supersoniq.broker.exchanges.hashing import hash_of
from supersoniq.broker.exchanges.modulus_hash import ModulusHashExchange

KEYS = [b"key-%d" % number for number in range(2_000)]


def modulus_exchange(*queues: Destination) -> ModulusHashExchange:
    exchange = ModulusHashExchange(b"e", False, False, False, {})
    for queue in queues:
        exchange.bind(Binding(exchange, queue, b"", {}))
    return exchange


def matched(exchange: ModulusHashExchange, key: bytes) -> list[bytes]:
    into: list[Destination] = []
    exchange.match(key, b"", into)
    return [destination.name for destination in into]


@brief
@given(st.permutations([b"a", b"b", b"c", b"d"]), st.binary(max_size=20))
def test_key_goes_to_the_binding_of_its_number(names: list[bytes], key: bytes) -> None:
    exchange = modulus_exchange(*[Destination(name, False) for name in names])
    assert matched(exchange, key) == [[b"a", b"b", b"c", b"d"][hash_of(key) % 4]]


def test_keys_are_spread_evenly() -> None:
    exchange = modulus_exchange(*[Destination(b"q-%d" % number, False) for number in range(4)])
    counts = Counter(name for key in KEYS for name in matched(exchange, key))
    assert sum(counts.values()) == len(KEYS)
    assert all(400 < counts[b"q-%d" % number] < 600 for number in range(4))


def test_numbers_change_with_the_bindings() -> None:
    one, other = Destination(b"one", False), Destination(b"other", False)
    exchange = modulus_exchange(one)
    assert {name for key in KEYS for name in matched(exchange, key)} == {b"one"}
    exchange.bind(Binding(exchange, other, b"", {}))
    assert {name for key in KEYS for name in matched(exchange, key)} == {b"one", b"other"}
    exchange.unbind(Binding(exchange, one, b"", {}))
    assert {name for key in KEYS for name in matched(exchange, key)} == {b"other"}
    exchange.unbind(Binding(exchange, other, b"", {}))
    assert matched(exchange, b"key") == []
