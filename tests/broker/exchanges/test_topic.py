"""Topic matching is what its six-line definition says, and unbinding leaves nothing behind."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.definitions import thorough

from supersoniq.broker.exchanges.base import Binding, Destination
from supersoniq.broker.exchanges.topic import TopicExchange, words_of


def matches(pattern: list[bytes], key: list[bytes]) -> bool:
    """The definition: `*` is one word, `#` any number of words."""
    if not pattern:
        return not key
    if pattern[0] == b"#":
        return matches(pattern[1:], key) or (bool(key) and matches(pattern, key[1:]))
    return bool(key) and pattern[0] in (b"*", key[0]) and matches(pattern[1:], key[1:])


def exchange_with(*binding_keys: bytes) -> tuple[TopicExchange, list[Binding]]:
    """A topic exchange with a destination of its own for each binding key, named after it."""
    exchange = TopicExchange(b"topic", False, False, False, {})
    bindings = [Binding(exchange, Destination(key, False), key, {}) for key in binding_keys]
    for binding in bindings:
        assert exchange.bind(binding)
    return exchange, bindings


def matched(exchange: TopicExchange, routing_key: bytes) -> list[bytes]:
    into: list[Destination] = []
    exchange.match(routing_key, b"", into)
    return sorted([destination.name for destination in into])


def key_of(words: list[bytes]) -> bytes:
    return b".".join(words)


pattern_words = st.lists(st.sampled_from([b"#", b"*", b"a", b"b", b""]), max_size=5)
key_words = st.lists(st.sampled_from([b"a", b"b", b"c", b"", b"#", b"*"]), max_size=6)


@thorough
@given(
    st.lists(pattern_words.map(key_of), unique=True, max_size=12), st.lists(key_words.map(key_of), max_size=8)
)
def test_match_agrees_with_the_definition(patterns: list[bytes], keys: list[bytes]) -> None:
    exchange, _ = exchange_with(*patterns)
    for key in keys:
        expected = sorted([each for each in patterns if matches(words_of(each), words_of(key))])
        assert matched(exchange, key) == expected, key


@pytest.mark.parametrize(
    ("pattern", "key", "expected"),
    [
        (b"#", b"", True),
        (b"#", b"a.b.c", True),
        (b"*", b"", False),
        (b"*", b"a", True),
        (b"*", b"a.b", False),
        (b"a.#", b"a", True),
        (b"#.b", b"b", True),
        (b"a.#.c", b"a.c", True),
        (b"a.#.c", b"a.x.y.c", True),
        (b"a.*.c", b"a..c", True),
        (b"", b"", True),
        (b"", b"a", False),
        (b"a.", b"a", False),
        (b"a.", b"a.", True),
        (b".", b".", True),
        (b"#.#", b"", True),
        (b"#.*", b"", False),
        (b"*.#.*", b"a", False),
        (b"#.a.#.a.#", b"a.b", False),
        (b"#.a.#.a.#", b"x.a.y.a", True),
        (b"a#", b"ab", False),
        (b"**", b"a.b", False),
    ],
)
def test_case_of_the_definition(pattern: bytes, key: bytes, expected: bool) -> None:
    exchange, _ = exchange_with(pattern)
    assert matched(exchange, key) == ([pattern] if expected else [])


def test_destination_with_many_matching_patterns_is_found() -> None:
    exchange = TopicExchange(b"topic", False, False, False, {})
    destination = Destination(b"q", False)
    for key in (b"#", b"a.*", b"*.b", b"a.b"):
        exchange.bind(Binding(exchange, destination, key, {}))
    into: list[Destination] = []
    exchange.match(b"a.b", b"", into)
    assert set(into) == {destination}


def test_many_hashes_and_a_key_of_28_words_cost_words_times_nodes() -> None:
    """Backtracking would take longer than the age of the universe."""
    patterns = [b".".join([b"#", b"a"] * 14), b".".join([b"#", b"*"] * 14), b".".join([b"#", b"b"] * 14)]
    exchange, _ = exchange_with(*patterns)
    assert matched(exchange, b".".join([b"a"] * 28)) == sorted(patterns[:2])


@thorough
@given(st.lists(pattern_words.map(key_of), unique=True, max_size=10), st.randoms(use_true_random=False))
def test_trie_is_empty_again_when_all_is_unbound(patterns: list[bytes], random: Random) -> None:
    exchange, bindings = exchange_with(*patterns)
    random.shuffle(bindings)
    for binding in bindings:
        assert exchange.unbind(binding)
    assert exchange._root.is_empty()
    assert not exchange.bindings


@thorough
@given(
    st.lists(pattern_words.map(key_of), unique=True, min_size=1, max_size=10),
    st.lists(key_words.map(key_of), max_size=5),
    st.data(),
)
def test_what_is_left_still_matches_when_some_are_unbound(
    patterns: list[bytes], keys: list[bytes], data: st.DataObject
) -> None:
    exchange, bindings = exchange_with(*patterns)
    gone = data.draw(st.sets(st.sampled_from(patterns)))
    for binding in bindings:
        if binding.binding_key in gone:
            exchange.unbind(binding)
    rest, _ = exchange_with(*[each for each in patterns if each not in gone])
    for key in keys:
        assert matched(exchange, key) == matched(rest, key)


def test_unbinding_one_of_two_destinations_leaves_the_other() -> None:
    exchange = TopicExchange(b"topic", False, False, False, {})
    one, other = Destination(b"one", False), Destination(b"other", False)
    exchange.bind(Binding(exchange, one, b"a.#", {}))
    exchange.bind(Binding(exchange, other, b"a.#", {}))
    exchange.unbind(Binding(exchange, one, b"a.#", {}))
    assert matched(exchange, b"a.b") == [b"other"]


def test_empty_key_has_no_words_and_a_dot_has_two() -> None:
    assert words_of(b"") == []
    assert words_of(b".") == [b"", b""]
    assert words_of(b"a..b") == [b"a", b"", b"b"]
