"""Which policy counts for a queue or an exchange, and what two of them want together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.definitions import brief

from supersoniq.broker.policies import Policy, PolicySet, merged, smaller


def policy(
    name: str = "p",
    pattern: str = "",
    apply_to: str = "all",
    priority: int = 0,
    is_operator: bool = False,
    **definition: object,
) -> Policy:
    named = {key.replace("_", "-"): value for key, value in definition.items()}
    return Policy(name, pattern, apply_to, priority, named, is_operator)


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("ord", b"my orders", True),
        ("^ord", b"my orders", False),
        ("^orders$", b"orders", True),
        ("", b"x", True),
        ("é", "café".encode(), True),
        ("^.$", b"\xff", True),
    ],
)
def test_pattern_matches_anywhere_unless_it_says_where(pattern: str, name: bytes, matches: bool) -> None:
    assert policy(pattern=pattern).concerns_queue(name, b"classic") == matches
    assert policy(pattern=pattern).concerns_exchange(name) == matches


@pytest.mark.parametrize(
    ("word", "concerned"),
    [
        ("all", "classic quorum stream exchange"),
        ("queues", "classic quorum stream"),
        ("classic_queues", "classic"),
        ("quorum_queues", "quorum"),
        ("streams", "stream"),
        ("exchanges", "exchange"),
    ],
)
def test_word_says_what_a_policy_is_for(word: str, concerned: str) -> None:
    one = policy(apply_to=word)
    found = [kind for kind in ("classic", "quorum", "stream") if one.concerns_queue(b"x", kind.encode())]
    found += ["exchange"] if one.concerns_exchange(b"x") else []
    assert found == concerned.split()


def test_highest_priority_counts_then_the_first_name() -> None:
    policies = PolicySet()
    policies.put([policy("b", priority=1), policy("a", priority=1), policy("z", "^q", priority=7)])
    found = [policies.of_queue(name, b"classic") for name in (b"q", b"r")]
    assert [each.name for each in found if each is not None] == ["z", "a"]
    exchange_policy = policies.of_exchange(b"r")
    assert exchange_policy is not None
    assert exchange_policy.name == "a"


def test_policy_takes_the_place_of_the_one_with_its_name() -> None:
    policies = PolicySet()
    policies.put([policy("a", "^q")])
    policies.put([policy("a", "^r")])
    assert policies.of_queue(b"q", b"classic") is None
    assert policies.of_queue(b"r", b"classic") is policies.by_name["a"]


def test_removed_policy_counts_no_more() -> None:
    policies = PolicySet()
    policies.put([policy("a"), policy("b")])
    assert policies.remove("a")
    assert not policies.remove("a")
    assert policies.of_queue(b"q", b"classic") is policies.by_name["b"]
    assert policies.remove("b")
    assert policies.of_queue(b"q", b"classic") is None
    assert policies.of_exchange(b"q") is None


def test_smaller_limit_of_both_policies_counts_and_of_all_else_the_operators() -> None:
    mine = policy(max_length=5, message_ttl=100, overflow="reject-publish", dead_letter_exchange="d")
    theirs = policy(max_length=9, message_ttl=50, overflow="drop-head", expires=7)
    assert merged(mine, theirs) == {
        "max-length": 5,
        "message-ttl": 50,
        "overflow": "drop-head",
        "dead-letter-exchange": "d",
        "expires": 7,
    }
    assert mine.definition["message-ttl"] == 100


def test_one_policy_alone_is_what_it_says() -> None:
    assert merged(None, None) == {}
    assert merged(policy(expires=1), None) == merged(None, policy(expires=1)) == {"expires": 1}


@brief
@given(st.integers(-3, 9), st.integers(-3, 9))
def test_smaller_limit_is_the_one_that_is_reached_first(one: int, other: int) -> None:
    reached = [count for count in range(20) if 0 <= one <= count or 0 <= other <= count]
    limit = smaller(one, other)
    assert [count for count in range(20) if 0 <= limit <= count] == reached
