"""Hashes are the same for ever, spread evenly, and a further bucket moves its share only."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.definitions import thorough

from supersoniq.broker.exchanges.hashing import HASH_MAX, hash_of, jump, points_of

KEYS = [b"key-%d" % number for number in range(4_000)]


def test_hashes_are_those_of_earlier_releases() -> None:
    assert hash_of(b"") == 4119008146064567469
    assert hash_of(b"order-1") == 677299178330046607
    assert points_of(b"q", 2) == [3863405915438318004, 2244766754771131958]
    assert [jump(hash_of(b"order-1"), count) for count in (1, 2, 10, 1000)] == [0, 1, 9, 390]


@thorough
@given(st.binary(max_size=300))
def test_hash_is_within_its_range(key: bytes) -> None:
    assert 0 <= hash_of(key) < HASH_MAX


@thorough
@given(st.binary(max_size=300), st.integers(0, 300), st.integers(0, 300))
def test_more_points_begin_with_the_same_ones(name: bytes, one: int, other: int) -> None:
    few, many = sorted([one, other])
    points = points_of(name, many)
    assert len(points) == many
    assert len(set(points)) == many
    assert points[:few] == points_of(name, few)
    assert all(0 <= point < HASH_MAX for point in points)


def test_hashes_are_spread_evenly() -> None:
    sixteenths = Counter(hash_of(key) * 16 // HASH_MAX for key in KEYS)
    assert len(sixteenths) == 16
    assert max(sixteenths.values()) < 1.3 * len(KEYS) / 16
    assert min(sixteenths.values()) > 0.7 * len(KEYS) / 16


@pytest.mark.parametrize("count", [2, 3, 10])
def test_buckets_have_equal_shares(count: int) -> None:
    sizes = Counter(jump(hash_of(key), count) for key in KEYS)
    assert sorted(sizes) == list(range(count))
    assert max(sizes.values()) < 1.2 * len(KEYS) / count
    assert min(sizes.values()) > 0.8 * len(KEYS) / count


@thorough
@given(st.binary(max_size=20), st.integers(1, 10**40))
def test_one_bucket_more_takes_a_key_or_leaves_it(key: bytes, count: int) -> None:
    before = jump(hash_of(key), count)
    assert 0 <= before < count
    assert jump(hash_of(key), count + 1) in (before, count)
