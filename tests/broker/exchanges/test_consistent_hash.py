"""One key, one destination: by weight, whatever the order of bindings, and few keys move when some change."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.broker.exchanges.test_fanout import fanout
from tests.conformance import codec
from tests.definitions import brief

from supersoniq.amqp.errors import PreconditionFailed
from supersoniq.amqp.tables import Field, encode_table, field, table_of
from supersoniq.broker.exchanges.base import Binding, Destination
from supersoniq.broker.exchanges.consistent_hash import POINTS_MAX, POINTS_PER_WEIGHT, ConsistentHashExchange

KEYS = [b"key-%d" % number for number in range(2_000)]
ALGORITHMS = pytest.mark.parametrize("algorithm", ["ring", "jump"])
# Names as they are given to shards, with weights.
weights_by_name = st.dictionaries(
    st.integers(0, 30).map(lambda number: b"shard-%d" % number), st.integers(1, 4)
)
algorithms = st.sampled_from(["ring", "jump"])


def hash_exchange(**arguments: object) -> ConsistentHashExchange:
    table = table_of({name.replace("_", "-"): value for name, value in arguments.items()})
    return ConsistentHashExchange(b"e", False, False, False, table)


def spreading(weights: dict[bytes, int], algorithm: str = "ring") -> ConsistentHashExchange:
    """An exchange with a queue for each name."""
    exchange = hash_exchange(x_algorithm=algorithm)
    for name, weight in weights.items():
        bind(exchange, Destination(name, False), weight)
    return exchange


def bind(exchange: ConsistentHashExchange, queue: Destination, weight: int = 1) -> None:
    exchange.bind(Binding(exchange, queue, b"%d" % weight, {}))


def unbind(exchange: ConsistentHashExchange, queue: Destination, weight: int = 1) -> None:
    exchange.unbind(Binding(exchange, queue, b"%d" % weight, {}))


def picked(exchange: ConsistentHashExchange, key: bytes = b"", header: bytes = b"") -> bytes:
    into: list[Destination] = []
    exchange.match(key, header, into)
    (destination,) = into
    return destination.name


def owners(exchange: ConsistentHashExchange) -> dict[bytes, bytes]:
    return {key: picked(exchange, key) for key in KEYS}


def moved(before: dict[bytes, bytes], after: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    return [(before[key], after[key]) for key in KEYS if before[key] != after[key]]


def content_header(**values: object) -> bytes:
    return b"\x00\x3c\x00\x00" + bytes(8) + codec.encode_properties(values)


def with_header(value: Field) -> bytes:
    return content_header(headers=encode_table({b"customer": value}))


# Bindings


@pytest.mark.parametrize("key", [b"1", b"01", b"+2", b"99999", b"9" * 200])
def test_weight_may_be_any_positive_integer(key: bytes) -> None:
    exchange = hash_exchange()
    assert exchange.bind(Binding(exchange, Destination(b"q", False), key, {}))
    assert picked(exchange, b"k") == b"q"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (b"0", "The binding key must be greater than 0"),
        (b"-1", "The binding key must be greater than 0"),
        (b"x", 'The binding key must be an integer: <<"x">>'),
        (b"", "The binding key must be an integer: <<>>"),
        (b"1.5", 'The binding key must be an integer: <<"1.5">>'),
        (b" 1", 'The binding key must be an integer: <<" 1">>'),
        (b"1_0", 'The binding key must be an integer: <<"1_0">>'),
        (b"+", 'The binding key must be an integer: <<"+">>'),
    ],
)
def test_binding_key_that_is_no_weight_is_refused(key: bytes, text: str) -> None:
    exchange = hash_exchange()
    with pytest.raises(PreconditionFailed) as caught:
        exchange.bind(Binding(exchange, Destination(b"q", False), key, {}))
    assert caught.value.text == text
    assert exchange.bindings == {}


def test_nothing_bound_takes_nothing() -> None:
    exchange = hash_exchange()
    into: list[Destination] = []
    exchange.match(b"k", b"", into)
    assert into == []
    queue = Destination(b"q", False)
    bind(exchange, queue)
    assert picked(exchange, b"k") == b"q"
    unbind(exchange, queue)
    exchange.match(b"k", b"", into)
    assert into == []


@ALGORITHMS
def test_bindings_of_one_destination_add_up(algorithm: str) -> None:
    exchange = spreading({b"a": 3, b"b": 3}, algorithm)
    expected = owners(exchange)
    exchange = spreading({b"a": 1, b"b": 3}, algorithm)
    queue = next(iter(exchange.bindings.values())).destination
    bind(exchange, queue, 2)
    assert owners(exchange) == expected
    bind(exchange, queue, 7)
    unbind(exchange, queue, 7)
    assert owners(exchange) == expected


def test_queue_and_exchange_of_one_name_are_two_destinations() -> None:
    exchange = hash_exchange()
    other = fanout()
    queue = Destination(other.name, False)
    for destination in (queue, other):
        bind(exchange, destination)
    into: list[Destination] = []
    for key in KEYS:
        exchange.match(key, b"", into)
    assert set(into) == {queue, other}


# Where keys go


def test_keys_go_where_they_went_in_earlier_releases() -> None:
    weights = {b"q-%d" % number: 1 for number in range(1, 6)}
    orders = [b"order-%d" % number for number in range(8)]
    ring, jump = spreading(weights), spreading(weights, "jump")
    assert b"".join([picked(ring, key)[2:] for key in orders]) == b"35134342"
    assert b"".join([picked(jump, key)[2:] for key in orders]) == b"53522143"


@brief
@given(weights_by_name.filter(bool), st.randoms(use_true_random=False), algorithms)
def test_order_of_bindings_does_not_matter(weights: dict[bytes, int], random: object, algorithm: str) -> None:
    shuffled = list(weights.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' Random has no public type
    one, other = spreading(weights, algorithm), spreading(dict(shuffled), algorithm)
    for key in KEYS[:100]:
        assert picked(one, key) == picked(other, key)


@brief
@given(weights_by_name.filter(bool), st.integers(0, 30))
def test_on_a_ring_what_is_bound_takes_keys_and_nothing_else_moves(
    weights: dict[bytes, int], number: int
) -> None:
    name = b"new-%d" % number
    exchange = spreading(weights)
    before = [picked(exchange, key) for key in KEYS[:300]]
    queue = Destination(name, False)
    bind(exchange, queue)
    after = [picked(exchange, key) for key in KEYS[:300]]
    assert all(new in (old, name) for old, new in zip(before, after, strict=True))
    unbind(exchange, queue)
    assert [picked(exchange, key) for key in KEYS[:300]] == before


@ALGORITHMS
def test_what_is_bound_takes_about_its_share(algorithm: str) -> None:
    exchange = spreading({b"q-%d" % number: 1 for number in range(9)}, algorithm)
    before = owners(exchange)
    bind(exchange, Destination(b"q-9", False))
    moves = moved(before, owners(exchange))
    assert {new for _, new in moves} == {b"q-9"}
    assert 0.6 * len(KEYS) / 10 < len(moves) < 1.4 * len(KEYS) / 10


def test_by_jump_what_is_last_by_length_and_name_moves_its_keys_only() -> None:
    exchange = spreading({b"q-%d" % number: 1 for number in range(10)}, "jump")
    before = owners(exchange)
    bind(exchange, Destination(b"q-10", False))
    moves = moved(before, owners(exchange))
    assert {new for _, new in moves} == {b"q-10"}


@ALGORITHMS
def test_shares_follow_the_weights(algorithm: str) -> None:
    weights = {b"light": 1, b"middle": 2, b"heavy": 5}
    counts = Counter(owners(spreading(weights, algorithm)).values())
    for name, weight in weights.items():
        share = len(KEYS) * weight / 8
        assert 0.7 * share < counts[name] < 1.3 * share


def test_weights_of_any_size_make_a_ring_of_limited_size() -> None:
    unit = POINTS_MAX // POINTS_PER_WEIGHT
    heavy = 3 * unit
    counts = Counter(owners(spreading({b"a": heavy, b"b": heavy, b"c": 2 * heavy})).values())
    assert 0.9 < counts[b"a"] / counts[b"b"] < 1.1
    assert 0.9 < counts[b"c"] / (counts[b"a"] + counts[b"b"]) < 1.1
    assert set(owners(spreading({b"a": 10**200, b"b": 1})).values()) == {b"a"}


# What is hashed


@pytest.mark.parametrize("argument", ["hash_header", "x_hash_on"])
def test_key_may_be_a_header(argument: str) -> None:
    exchange = hash_exchange(**{argument: "customer"})
    for number in range(5):
        bind(exchange, Destination(b"q-%d" % number, False))
    assert not exchange.by_key_alone
    by_header = {picked(exchange, key, with_header(field("c7"))) for key in KEYS[:50]}
    assert len(by_header) == 1
    assert len({picked(exchange, b"k", with_header(field(key))) for key in KEYS[:50]}) == 5


def test_header_counts_by_its_value() -> None:
    exchange = hash_exchange(hash_header="customer")
    for number in range(50):
        bind(exchange, Destination(b"q-%d" % number, False))
    same = [Field(ord("l"), 5), Field(ord("b"), 5), field("5")]
    assert len({picked(exchange, b"k", with_header(value)) for value in same}) == 1
    tables = [field({"a": number}) for number in range(20)]
    assert len({picked(exchange, b"k", with_header(value)) for value in tables}) > 5


@pytest.mark.parametrize("name", ["message_id", "correlation_id", "timestamp"])
def test_key_may_be_a_property(name: str) -> None:
    exchange = hash_exchange(hash_property=name)
    for number in range(5):
        bind(exchange, Destination(b"q-%d" % number, False))
    assert not exchange.by_key_alone
    values = [number if name == "timestamp" else f"id-{number}" for number in range(50)]
    assert len({picked(exchange, b"k", content_header(**{name: value})) for value in values}) == 5
    one = content_header(content_type="t", **{name: values[7]})
    assert len({picked(exchange, key, one) for key in KEYS[:50]}) == 1


@pytest.mark.parametrize(
    "arguments",
    [{"hash_header": "customer"}, {"hash_property": "message_id"}, {"hash_property": "timestamp"}],
)
def test_messages_without_a_key_go_one_way(arguments: dict[str, object]) -> None:
    exchange = hash_exchange(**arguments)
    for number in range(5):
        bind(exchange, Destination(b"q-%d" % number, False))
    assert len({picked(exchange, key, content_header()) for key in KEYS[:50]}) == 1


def test_route_by_routing_key_may_be_remembered() -> None:
    assert hash_exchange().by_key_alone


# Arguments of the exchange


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            {"hash_header": "h", "hash_property": "message_id"},
            "hash-header and hash-property are mutually exclusive",
        ),
        ({"hash_header": "h", "x_hash_on": "h"}, "hash-header and x-hash-on are mutually exclusive"),
        ({"hash_property": "user_id"}, "Unsupported property: user_id"),
        ({"hash_property": ""}, "Unsupported property: "),
        ({"hash_property": 5}, "invalid type 'signedint' for arg 'hash-property'"),
        ({"hash_header": 5}, "invalid type 'signedint' for arg 'hash-header'"),
        ({"x_algorithm": "maglev"}, "Unsupported algorithm: maglev"),
        ({"x_algorithm": True}, "invalid type 'bool' for arg 'x-algorithm'"),
    ],
)
def test_arguments_that_cannot_be_are_refused(arguments: dict[str, object], text: str) -> None:
    with pytest.raises(PreconditionFailed) as caught:
        hash_exchange(**arguments).check_arguments()
    assert caught.value.text == text


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"hash_header": "h", "x_algorithm": "jump"},
        {"hash_property": "timestamp", "x_algorithm": "RING"},
        {"x_hash_on": "h"},
        {"alternate_exchange": "other"},
    ],
)
def test_arguments_that_can_be_are_taken(arguments: dict[str, object]) -> None:
    hash_exchange(**arguments).check_arguments()
